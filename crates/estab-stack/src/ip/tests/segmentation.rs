use super::support::*;
use crate::ip::{Outgoing, Transport};
use crate::{Error, Medium, PacketOut};
use alloc::vec::Vec;
use bytes::Bytes;
use estab_tcp::{Chunks, IpMeta};
use estab_wire::{ipv4, protocol};
use proptest::prelude::*;

const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;
const CWR: u8 = 0x80;

fn host(change: impl FnOnce(&mut crate::InterfaceConfig)) -> Host {
    let mut host = Host::new();
    host.add_interface(
        |config| {
            config.medium = Medium::Ip;
            change(config);
        },
        &["10.0.0.1/24", "fd00::1/64"],
    );
    host
}

/// Pieces of odd lengths, so that checksums must go on in the middle of a word.
fn pieces(len: usize) -> Chunks {
    let all = pattern(len);
    let mut chunks = Chunks::new();
    for piece in [0..len / 3, len / 3..len / 2, len / 2..len] {
        chunks.push(all.slice(piece));
    }
    chunks
}

fn send_tcp(
    host: &mut Host,
    v6: bool,
    len: usize,
    segment_size: u16,
    meta: IpMeta,
) -> Result<(), Error> {
    let header = tcp_header(u32::MAX - 1000, FIN | PSH | ACK | CWR);
    let (src, dst) = if v6 {
        ("fd00::1", "fd00::2")
    } else {
        ("10.0.0.1", "10.0.0.2")
    };
    let out = Outgoing {
        transport: Transport::Tcp,
        src: ip(src),
        dst: ip(dst),
        interface: None,
        meta,
        header: &header,
        payload: pieces(len),
        segment_size,
    };
    host.with(|ip, cx| ip.send(cx, out))
}

const DF: IpMeta = IpMeta {
    ecn: estab_tcp::Ecn::NotEct,
    tos: 0,
    hop_limit: 0,
    dont_fragment: true,
};

/// Checks that the packets are one after the other what a super-segment was, and complete.
fn assert_segments(packets: &[Bytes], len: usize, size: usize) {
    let mut text = Vec::new();
    for (at, packet) in packets.iter().enumerate() {
        assert_checksums(packet);
        let segment = body(packet);
        let seq = u32::from_be_bytes(segment[4..8].try_into().unwrap());
        assert_eq!(seq, (u32::MAX - 1000).wrapping_add(text.len() as u32));
        let (first, last) = (at == 0, at + 1 == packets.len());
        let expected = ACK | if first { CWR } else { 0 } | if last { FIN | PSH } else { 0 };
        assert_eq!(segment[13], expected, "flags of {at}");
        assert!(last || segment.len() - 20 == size);
        text.extend_from_slice(&segment[20..]);
    }
    assert_eq!(text, pattern(len));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn without_offload_super_segments_are_cut(v6: bool, len in 1_usize..65_000, size in 500_u16..1440) {
        let mut host = host(|_| {});
        send_tcp(&mut host, v6, len, size, DF).unwrap();
        let packets = host.transmit();
        prop_assert_eq!(packets.len(), len.div_ceil(size.into()));
        assert_segments(&packets, len, size.into());
    }
}

#[test]
fn cuts_that_may_be_fragmented_have_identifications_of_their_own() {
    let mut host = host(|_| {});
    send_tcp(&mut host, false, 10_000, 1000, IpMeta::default()).unwrap();
    let packets = host.transmit();
    assert_segments(&packets, 10_000, 1000);
    let identification = |packet: &Bytes| ipv4::Header::parse(packet).unwrap().identification;
    let first = identification(&packets[0]);
    for (at, packet) in packets.iter().enumerate() {
        assert_eq!(identification(packet), first.wrapping_add(at as u16));
    }
}

/// What a device does with a checksum that it must complete.
fn complete(packet: &PacketOut) -> Vec<u8> {
    let mut bytes = packet.to_bytes().to_vec();
    let offload = packet.checksum.expect("left to the device");
    let start = usize::from(offload.start);
    let sum = naive_checksum(None, &bytes[start..]);
    let field = start + usize::from(offload.offset);
    bytes[field..field + 2].copy_from_slice(&sum.to_be_bytes());
    bytes
}

#[test]
fn a_device_that_completes_checksums_gets_them_begun() {
    for medium in [Medium::Ip, Medium::Ethernet] {
        let mut host = host(|config| {
            config.medium = medium;
            config.checksum_offload = true;
        });
        host.transmit();
        send_tcp(&mut host, false, 999, 0, DF).unwrap();
        host.send_udp("10.0.0.1", "10.0.0.2", 33).unwrap();
        send_tcp(&mut host, true, 999, 0, DF).unwrap();
        if medium == Medium::Ethernet {
            // Answer the two questions, one of each family.
            let reply = estab_wire::arp::Packet {
                operation: estab_wire::arp::Operation::Reply,
                sender_hardware: PEER_MAC,
                sender_protocol: [10, 0, 0, 2].into(),
                target_hardware: OWN_MAC,
                target_protocol: [10, 0, 0, 1].into(),
            };
            host.transmit();
            host.receive(arp_frame(OWN_MAC, reply));
        }
        let packets = host.transmit_out();
        assert_eq!(packets.len(), if medium == Medium::Ip { 3 } else { 2 });
        for (_, packet) in &packets {
            let link = if medium == Medium::Ip { 0 } else { 14 };
            assert_checksums(&complete(packet)[link..]);
        }
    }
}

#[test]
fn a_device_with_offload_gets_super_segments_whole() {
    for v6 in [false, true] {
        let mut host = host(|config| {
            config.checksum_offload = true;
            config.segmentation_offload = 65_536;
        });
        send_tcp(&mut host, v6, 60_000, 1400, DF).unwrap();
        let packets = host.transmit_out();
        assert_eq!(packets.len(), 1);
        let (_, packet) = &packets[0];
        assert_eq!((packet.segment_size, packet.payload.len()), (1400, 60_000));
        assert_checksums(&complete(packet));
        // What such a device makes of it.
        let cuts: Vec<_> = crate::segmentation::cut(Medium::Ip, packet)
            .unwrap()
            .map(|packet| packet.to_bytes())
            .collect();
        assert_segments(&cuts, 60_000, 1400);
    }
}

#[test]
fn what_a_device_does_not_take_is_cut() {
    let mut host = host(|config| {
        config.checksum_offload = true;
        config.segmentation_offload = 20_000;
    });
    send_tcp(&mut host, false, 20_000, 1400, DF).unwrap();
    assert_eq!(host.transmit_out().len(), 1);
    send_tcp(&mut host, false, 20_001, 1400, DF).unwrap();
    assert_segments(&host.transmit(), 20_001, 1400);
    assert_eq!(host.ip.counters().cut, 1);
    // Nor can an IPv4 packet tell a length beyond 65535.
    let mut host = self::host(|config| {
        config.checksum_offload = true;
        config.segmentation_offload = 1 << 20;
    });
    send_tcp(&mut host, false, 65_535, 1400, DF).unwrap();
    assert_segments(&host.transmit(), 65_535, 1400);
}

#[test]
fn segments_longer_than_the_link_are_refused() {
    let mut host = host(|_| {});
    assert_eq!(
        send_tcp(&mut host, false, 1461, 0, DF),
        Err(Error::MessageTooLong)
    );
    assert_eq!(
        send_tcp(&mut host, false, 5000, 1461, DF),
        Err(Error::MessageTooLong)
    );
    assert_eq!(send_tcp(&mut host, false, 1460, 0, DF), Ok(()));
    assert_eq!(host.ip.counters().too_long, 2);
    assert_eq!(host.transmit().len(), 1);
}

#[test]
fn packets_keep_their_order_around_a_cut() {
    let mut host = host(|_| {});
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    send_tcp(&mut host, false, 3000, 1000, DF).unwrap();
    host.send_udp("10.0.0.1", "10.0.0.2", 4000).unwrap();
    host.send_udp("10.0.0.1", "10.0.0.2", 2).unwrap();
    let protocols: Vec<_> = host
        .transmit()
        .iter()
        .map(|packet| (packet[9], packet.len()))
        .collect();
    let (tcp, udp) = (protocol::TCP, protocol::UDP);
    assert_eq!(
        protocols,
        [
            (udp, 29),
            (tcp, 1040),
            (tcp, 1040),
            (tcp, 1040),
            (udp, 1500),
            (udp, 1500),
            (udp, 20 + 4008 - 2 * 1480),
            (udp, 30)
        ]
    );
}

/// RFC 768: a computed checksum of zero is sent as all ones.
#[test]
fn a_udp_checksum_is_never_zero() {
    let mut host = host(|_| {});
    let mut header = udp_header(1000, 2000, 2);
    // Let the payload bring the sum to all ones.
    let mut datagram = [&header[..], &[0, 0]].concat();
    let pseudo = Some((ip("10.0.0.1"), ip("10.0.0.2"), protocol::UDP));
    let rest = naive_checksum(pseudo, &datagram);
    datagram[8..10].copy_from_slice(&rest.to_be_bytes());
    assert_eq!(naive_checksum(pseudo, &datagram), 0);
    header.copy_from_slice(&datagram[..8]);
    let out = Outgoing {
        transport: Transport::Udp,
        src: ip("10.0.0.1"),
        dst: ip("10.0.0.2"),
        interface: None,
        meta: IpMeta::default(),
        header: &header,
        payload: Chunks::from(Bytes::copy_from_slice(&datagram[8..])),
        segment_size: 0,
    };
    host.with(|ip, cx| ip.send(cx, out)).unwrap();
    assert_eq!(host.transmit_one()[26..28], [0xff, 0xff]);
}
