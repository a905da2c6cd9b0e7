use super::support::{MS, at_ms, segment, verifies};
use crate::impair::{ImpairConfig, Impaired, Impairments, Verdict, WirePacket, nth};
use crate::memory::{self, MemoryLinkConfig};
use crate::{Device, RxBatch, TxBatch};
use estab_stack::{ChecksumOffload, PacketIn, PacketOut};
use estab_tcp::{Flags, Instant};

fn send(device: &mut impl Device, now: Instant, packets: impl IntoIterator<Item = PacketOut>) {
    let mut batch = TxBatch::default();
    packets.into_iter().for_each(|packet| batch.push(packet));
    device.transmit(now, &mut batch).expect("transmit");
    assert!(batch.is_empty());
}

fn receive(device: &mut impl Device, now: Instant) -> Vec<PacketIn> {
    let mut batch = RxBatch::new(1000);
    device.receive(now, &mut batch).expect("receive");
    std::iter::from_fn(|| batch.pop()).collect()
}

#[test]
fn delay_works_both_ways_and_the_deadline_says_when() {
    let (a, mut b) = memory::pair(MemoryLinkConfig::default());
    let config: ImpairConfig = "in:delay=3ms,out:delay=10ms".parse().expect("valid");
    let mut a = Impaired::new(a, &config);
    assert_eq!(a.wait_on().deadline, None);
    send(&mut a, at_ms(0), [segment(Flags::ACK, 1, 10)]);
    assert_eq!(a.wait_on().deadline, Some(at_ms(10)));
    assert!(receive(&mut b, at_ms(10)).is_empty());
    send(&mut b, at_ms(2), [segment(Flags::ACK, 2, 10)]);
    assert!(receive(&mut a, at_ms(2)).is_empty());
    assert_eq!(a.wait_on().deadline, Some(at_ms(5)));
    assert_eq!(receive(&mut a, at_ms(5)).len(), 1);
    // A call of either kind moves what is due.
    receive(&mut a, at_ms(10));
    assert_eq!(receive(&mut b, at_ms(10)).len(), 1);
    assert_eq!(a.wait_on().deadline, None);
}

#[test]
fn super_segments_are_cut_on_their_way_out() {
    let (a, mut b) = memory::pair(MemoryLinkConfig {
        offloads: true,
        ..MemoryLinkConfig::default()
    });
    let mut a = Impaired::new(a, &ImpairConfig::default());
    let large = PacketOut {
        segment_size: 1000,
        checksum: Some(ChecksumOffload {
            start: 20,
            offset: 16,
        }),
        ..segment(Flags::ACK, 0, 4500)
    };
    send(&mut a, at_ms(0), [large.clone()]);
    assert_eq!(receive(&mut b, at_ms(0)).len(), 1, "a perfect link");
    a.add_outbound_rule(nth(2, Verdict::Drop, |_| true));
    send(&mut a, at_ms(0), [large]);
    let arrived = receive(&mut b, at_ms(0));
    let lens: Vec<_> = arrived
        .iter()
        .map(|packet| packet.data.len() - 40)
        .collect();
    assert_eq!(lens, [1000, 1000, 1000, 500]);
    assert!(arrived.iter().all(verifies));
    assert_eq!(a.counters().1.ruled_out, 1);
}

#[test]
fn a_partial_checksum_is_completed_before_the_packet_is_held() {
    let (a, mut b) = memory::pair(MemoryLinkConfig {
        offloads: true,
        ..MemoryLinkConfig::default()
    });
    let mut a = Impaired::new(
        a,
        &ImpairConfig::from(Impairments {
            delay: MS,
            ..Impairments::default()
        }),
    );
    let mut partial = segment(Flags::ACK, 0, 100);
    let sum = estab_wire::checksum::pseudo_header(
        super::support::SRC.into(),
        super::support::DST.into(),
        6,
        120,
    );
    partial.header[36..38].copy_from_slice(&sum.folded().to_be_bytes());
    partial.checksum = Some(ChecksumOffload {
        start: 20,
        offset: 16,
    });
    send(&mut a, at_ms(0), [partial]);
    send(&mut a, at_ms(1), []);
    let arrived = receive(&mut b, at_ms(1));
    assert!(arrived.len() == 1 && verifies(&arrived[0]));
}

#[test]
fn what_the_device_does_not_take_is_tried_again_and_never_lost() {
    let (a, mut b) = memory::pair(MemoryLinkConfig {
        queue_len: 2,
        ..MemoryLinkConfig::default()
    });
    let mut a = Impaired::new(a, &"out:delay=1ms".parse().expect("valid"));
    send(
        &mut a,
        at_ms(0),
        (0..200).map(|n| segment(Flags::ACK, n, 0)),
    );
    let mut arrived = Vec::new();
    for _ in 0..300 {
        let Some(at) = a.wait_on().deadline else {
            break;
        };
        assert!(receive(&mut a, at).is_empty());
        let taken = receive(&mut b, at);
        arrived.extend(taken.iter().map(|packet| packet.data[27]));
    }
    arrived.extend(
        receive(&mut b, at_ms(1000))
            .iter()
            .map(|packet| packet.data[27]),
    );
    assert_eq!(arrived, (0..200).collect::<Vec<u8>>());
    assert_eq!(a.wait_on().deadline, None);
}

#[test]
fn the_two_directions_lose_different_packets() {
    let (a, mut b) = memory::pair(MemoryLinkConfig::default());
    let mut a = Impaired::new(a, &"loss=50%,seed=3".parse().expect("valid"));
    let packets = || (0..100).map(|n| segment(Flags::ACK, n, 0));
    send(&mut a, at_ms(0), packets());
    send(&mut b, at_ms(0), packets());
    let numbers = |packets: Vec<PacketIn>| -> Vec<u8> {
        packets.iter().map(|packet| packet.data[27]).collect()
    };
    let (there, back) = (
        numbers(receive(&mut b, at_ms(0))),
        numbers(receive(&mut a, at_ms(0))),
    );
    assert!(there.len() > 30 && back.len() > 30);
    assert_ne!(there, back);
}

#[test]
fn a_rule_sees_what_comes_in() {
    let (a, mut b) = memory::pair(MemoryLinkConfig::default());
    let mut a = Impaired::new(a, &ImpairConfig::default());
    a.add_inbound_rule(|packet: &WirePacket<'_>| match packet.tcp() {
        Some((header, _)) if header.flags.contains(Flags::SYN | Flags::ACK) => Verdict::Drop,
        _ => Verdict::Pass,
    });
    send(
        &mut b,
        at_ms(0),
        [
            segment(Flags::SYN | Flags::ACK, 0, 0),
            segment(Flags::ACK, 1, 0),
        ],
    );
    assert_eq!(receive(&mut a, at_ms(0)).len(), 1);
    assert_eq!(a.counters().0.ruled_out, 1);
    assert_eq!(a.into_inner().capabilities().mtu, 1500);
}
