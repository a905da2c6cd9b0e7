use super::{MemoryDevice, MemoryLinkConfig, Overflow, Switch, pair};
use crate::{Device, RxBatch, TxBatch};
use bytes::Bytes;
use estab_stack::{Checksum, ChecksumOffload, HeaderBuffer, Medium, PacketIn, PacketOut};
use estab_tcp::{Chunks, Instant};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

const NOW: Instant = Instant::ZERO;

fn packet(header: &[u8], payload: &'static [u8]) -> PacketOut {
    PacketOut {
        header: HeaderBuffer::try_from(header).expect("a short header"),
        payload: Chunks::from(Bytes::from_static(payload)),
        checksum: None,
        segment_size: 0,
    }
}

fn send(device: &mut MemoryDevice, packets: impl IntoIterator<Item = PacketOut>) -> TxBatch {
    let mut batch = TxBatch::default();
    for packet in packets {
        batch.push(packet);
    }
    device.transmit(NOW, &mut batch).expect("a link in memory");
    batch
}

fn receive(device: &mut MemoryDevice, room: usize) -> Vec<PacketIn> {
    let mut batch = RxBatch::new(room);
    let count = device.receive(NOW, &mut batch).expect("a link in memory");
    let packets: Vec<_> = std::iter::from_fn(|| batch.pop()).collect();
    assert_eq!(packets.len(), count);
    packets
}

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn count_wakes(device: &mut MemoryDevice) -> impl Fn() -> u32 + use<> {
    let count = Arc::new(Count::default());
    device.set_waker(Some(Waker::from(count.clone())));
    move || count.0.load(Ordering::SeqCst)
}

#[test]
fn packets_arrive_in_order_and_in_one_piece() {
    let (mut a, mut b) = pair(MemoryLinkConfig::default());
    assert!(send(&mut a, [packet(b"head", b"body"), packet(b"next", b"")]).is_empty());
    assert!(receive(&mut a, 8).is_empty());
    let packets = receive(&mut b, 8);
    assert_eq!(packets[0].data, "headbody");
    assert_eq!(packets[1].data, "next");
    assert_eq!(packets[0].checksum, Checksum::Unverified);
    assert_eq!((packets[0].segments, packets[0].segment_size), (1, 0));
    assert_eq!(b.counters().arrived, 2);
}

#[test]
fn what_does_not_fit_stays_and_its_sender_is_woken_when_there_is_room() {
    let (mut a, mut b) = pair(MemoryLinkConfig {
        queue_len: 2,
        ..MemoryLinkConfig::default()
    });
    let a_wakes = count_wakes(&mut a);
    let mut left = send(
        &mut a,
        [packet(b"1", b""), packet(b"2", b""), packet(b"3", b"")],
    );
    assert_eq!(left.len(), 1);
    assert_eq!(a_wakes(), 0);
    assert_eq!(receive(&mut b, 1)[0].data, "1");
    assert_eq!(a_wakes(), 1);
    assert_eq!(a.transmit(NOW, &mut left).expect("link"), 1);
    let rest: Vec<_> = receive(&mut b, 8).into_iter().map(|p| p.data).collect();
    assert_eq!(rest, ["2", "3"]);
    assert_eq!(a_wakes(), 1, "nobody waits any more");
    assert_eq!(b.counters().overflow, 0);
}

#[test]
fn a_link_that_drops_counts_what_it_dropped() {
    let (mut a, mut b) = pair(MemoryLinkConfig {
        queue_len: 1,
        overflow: Overflow::Drop,
        ..MemoryLinkConfig::default()
    });
    assert!(send(&mut a, [packet(b"1", b""), packet(b"2", b"")]).is_empty());
    assert_eq!(receive(&mut b, 8).len(), 1);
    assert_eq!(b.counters().overflow, 1);
}

#[test]
fn arrival_wakes_the_other_side_only() {
    let (mut a, mut b) = pair(MemoryLinkConfig::default());
    let (a_wakes, b_wakes) = (count_wakes(&mut a), count_wakes(&mut b));
    send(&mut a, [packet(b"1", b""), packet(b"2", b"")]);
    assert_eq!((a_wakes(), b_wakes()), (0, 1), "once a batch");
    b.set_waker(None);
    send(&mut a, [packet(b"3", b"")]);
    assert_eq!(b_wakes(), 1);
}

#[test]
fn with_offloads_super_segments_cross_whole_and_are_vouched_for() {
    let (mut a, mut b) = pair(MemoryLinkConfig {
        offloads: true,
        ..MemoryLinkConfig::default()
    });
    assert!(a.capabilities().checksum_offload);
    assert_eq!(a.capabilities().segmentation_offload, 65_415);
    let large = PacketOut {
        payload: Chunks::from(Bytes::from(vec![7; 5000])),
        checksum: Some(ChecksumOffload {
            start: 0,
            offset: 2,
        }),
        segment_size: 1400,
        ..packet(&[0; 40], b"")
    };
    send(&mut a, [large]);
    let packets = receive(&mut b, 1);
    assert_eq!(packets[0].data.len(), 5040);
    assert_eq!(packets[0].checksum, Checksum::Valid);
    assert_eq!((packets[0].segments, packets[0].segment_size), (4, 1400));
}

#[test]
fn without_offloads_a_partial_checksum_is_completed() {
    let (mut a, mut b) = pair(MemoryLinkConfig::default());
    let partial = PacketOut {
        checksum: Some(ChecksumOffload {
            start: 2,
            offset: 2,
        }),
        // The field, at 4, holds the sum of a pseudo-header: 0x0102.
        ..packet(&[9, 9, 0x10, 0x20, 0x01, 0x02], b"\x30\x40\x50")
    };
    send(&mut a, [partial]);
    let packets = receive(&mut b, 1);
    // 0x1020 + 0x0102 + 0x3040 + 0x5000 = 0x9162
    assert_eq!(packets[0].data[4..6], (!0x9162_u16).to_be_bytes());
    assert_eq!(packets[0].checksum, Checksum::Unverified);
}

#[test]
fn what_is_longer_than_the_link_takes_is_dropped_and_counted() {
    for medium in [Medium::Ip, Medium::Ethernet] {
        let (mut a, mut b) = pair(MemoryLinkConfig {
            medium,
            mtu: 100,
            ..MemoryLinkConfig::default()
        });
        let link = if medium == Medium::Ip { 0 } else { 14 };
        let fits = packet(&vec![0xff; 100 + link], b"");
        let too_long = packet(&vec![0xff; 100 + link], b"x");
        send(&mut a, [fits, too_long]);
        assert_eq!(receive(&mut b, 8).len(), 1);
        assert_eq!(a.counters().oversized, 1);
    }
}

#[test]
fn a_dropped_end_is_an_unplugged_cable() {
    let (mut a, b) = pair(MemoryLinkConfig {
        queue_len: 1,
        ..MemoryLinkConfig::default()
    });
    let a_wakes = count_wakes(&mut a);
    let mut left = send(&mut a, [packet(b"1", b""), packet(b"2", b"")]);
    assert_eq!(left.len(), 1);
    drop(b);
    assert_eq!(a_wakes(), 1, "who waits for room waits for nothing");
    a.transmit(NOW, &mut left).expect("not an error");
    assert!(left.is_empty());
    assert_eq!(a.counters().unconnected, 1);
    assert!(receive(&mut a, 1).is_empty());
}

#[test]
fn a_switch_delivers_by_address_and_floods_the_rest() {
    let switch = Switch::new(MemoryLinkConfig {
        medium: Medium::Ethernet,
        ..MemoryLinkConfig::default()
    });
    let (mut a, mut b, mut c) = (switch.port(), switch.port(), switch.port());
    let to_c = c.capabilities().hardware_address;
    assert_eq!(to_c, [2, 0, 0, 0, 0, 3]);
    send(
        &mut a,
        [packet(&to_c, b"for c"), packet(&[0xff; 6], b"for all")],
    );
    assert_eq!(receive(&mut b, 8).len(), 1);
    assert_eq!(receive(&mut c, 8).len(), 2);
    assert!(receive(&mut a, 8).is_empty());
}

#[test]
fn a_full_port_of_a_hub_does_not_hold_up_the_others() {
    let switch = Switch::new(MemoryLinkConfig {
        queue_len: 1,
        ..MemoryLinkConfig::default()
    });
    let (mut a, mut b, mut c) = (switch.port(), switch.port(), switch.port());
    assert!(send(&mut a, [packet(b"1", b"")]).is_empty());
    assert_eq!(receive(&mut b, 8).len(), 1);
    assert!(send(&mut a, [packet(b"2", b"")]).is_empty());
    assert_eq!(receive(&mut b, 8)[0].data, "2");
    assert_eq!(receive(&mut c, 8)[0].data, "1");
    assert_eq!(c.counters().overflow, 1);
}

#[test]
fn two_threads_lose_and_reorder_nothing() {
    const PACKETS: u32 = 20_000;
    let (mut a, mut b) = pair(MemoryLinkConfig {
        queue_len: 16,
        ..MemoryLinkConfig::default()
    });
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    std::thread::scope(|scope| {
        scope.spawn(move || {
            a.set_waker(Some(Arc::new(Unpark(std::thread::current())).into()));
            let mut batch = TxBatch::default();
            for n in 0..PACKETS {
                batch.push(packet(&n.to_be_bytes(), b""));
            }
            loop {
                a.transmit(NOW, &mut batch).expect("link");
                if batch.is_empty() {
                    break a;
                }
                std::thread::park();
            }
        });
        b.set_waker(Some(Arc::new(Unpark(std::thread::current())).into()));
        let mut expected = 0_u32;
        while expected < PACKETS {
            let packets = receive(&mut b, 8);
            if packets.is_empty() {
                std::thread::park();
            }
            for packet in packets {
                assert_eq!(packet.data, expected.to_be_bytes()[..]);
                expected += 1;
            }
        }
    });
}
