use super::cut;
use crate::{HeaderBuffer, Layers, Medium, PacketOut};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use estab_tcp::Chunks;
use estab_wire::tcp::{Flags, Options, SegmentOptions, SeqNum, Timestamps, UnscaledWindow};
use estab_wire::{ethernet, ipv4, ipv6, protocol, tcp};

const V4: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));

/// A super-segment whose payload counts up, in pieces of 700 bytes.
fn super_segment(medium: Medium, v6: bool, flags: Flags, len: usize, size: u16) -> PacketOut {
    let mut header = HeaderBuffer::new();
    if medium == Medium::Ethernet {
        let mut out = [0; ethernet::HEADER_LEN];
        ethernet::Header {
            dst: ethernet::Address([2; 6]),
            src: ethernet::Address([4; 6]),
            ethertype: if v6 {
                ethernet::EtherType::IPV6
            } else {
                ethernet::EtherType::IPV4
            },
        }
        .emit(&mut out);
        header.extend(out);
    }
    let mut segment = [0; tcp::HEADER_LEN_MAX];
    let segment_len = tcp::Header {
        src_port: 1,
        dst_port: 2,
        seq: SeqNum(u32::MAX - 1000),
        ack: SeqNum(7),
        flags,
        window: UnscaledWindow(500),
        urgent: 0,
        options: Options::Segment(SegmentOptions {
            timestamps: Some(Timestamps { value: 1, echo: 2 }),
            ..SegmentOptions::default()
        }),
    }
    .emit(&mut segment);
    if v6 {
        let mut out = [0; ipv6::HEADER_LEN];
        ipv6::Header {
            payload_len: (segment_len + len) as u16,
            ..ipv6::Header::new(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, protocol::TCP)
        }
        .emit(&mut out);
        header.extend(out);
    } else {
        let mut out = [0; ipv4::HEADER_LEN];
        ipv4::Header {
            total_len: (ipv4::HEADER_LEN + segment_len + len) as u16,
            identification: u16::MAX,
            ..ipv4::Header::new(V4.0, V4.1, protocol::TCP)
        }
        .emit(&mut out);
        header.extend(out);
    }
    header.extend(segment[..segment_len].iter().copied());
    let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
    let mut payload = Chunks::new();
    for piece in bytes.chunks(700) {
        payload.push(Bytes::copy_from_slice(piece));
    }
    PacketOut {
        header,
        payload,
        checksum: None,
        segment_size: size,
    }
}

#[test]
fn every_cut_is_a_whole_packet_and_together_they_are_the_super_segment() {
    for medium in [Medium::Ip, Medium::Ethernet] {
        for v6 in [false, true] {
            for (len, size) in [(2001, 1000), (1001, 1000), (65_000, 1448), (5, 1)] {
                let large = super_segment(medium, v6, Flags::ACK, len, size);
                let cuts = cut(medium, &large).expect("a super-segment");
                assert_eq!(cuts.len(), len.div_ceil(size.into()));
                let mut payload = Vec::new();
                for (n, small) in cuts.enumerate() {
                    assert_eq!((small.checksum, small.segment_size), (None, 0));
                    let packet = small.to_bytes();
                    let layers = Layers::find(medium, &packet).expect("IP");
                    assert_eq!(layers.end, packet.len());
                    let segment = &packet[layers.transport..];
                    assert!(tcp::verify(layers.src, layers.dst, segment));
                    if !v6 {
                        let ip = ipv4::Header::parse(&packet[layers.network..]).expect("checksum");
                        assert_eq!(ip.identification, u16::MAX.wrapping_add(n as u16));
                    }
                    let (header, offset) = tcp::Header::parse(segment).expect("TCP");
                    let expected = SeqNum(u32::MAX - 1000).0.wrapping_add(payload.len() as u32);
                    assert_eq!(header.seq, SeqNum(expected));
                    assert!(segment.len() - offset <= size.into());
                    payload.extend_from_slice(&segment[offset..]);
                }
                assert_eq!(payload.len(), len);
                assert!(payload.iter().enumerate().all(|(n, &byte)| byte == n as u8));
            }
        }
    }
}

#[test]
fn fin_and_psh_go_to_the_last_and_cwr_to_the_first() {
    let flags = Flags::ACK | Flags::FIN | Flags::PSH | Flags::CWR | Flags::ECE;
    let large = super_segment(Medium::Ip, false, flags, 2500, 1000);
    let flags_of = |packet: PacketOut| {
        let packet = packet.to_bytes();
        tcp::Header::parse(&packet[20..]).expect("TCP").0.flags
    };
    let cuts: Vec<_> = cut(Medium::Ip, &large)
        .expect("a super-segment")
        .map(flags_of)
        .collect();
    let every = Flags::ACK | Flags::ECE;
    assert_eq!(
        cuts,
        [every | Flags::CWR, every, every | Flags::FIN | Flags::PSH]
    );
}

#[test]
fn the_cuts_share_the_payloads_memory() {
    let large = super_segment(Medium::Ip, false, Flags::ACK, 1400, 700);
    let first = cut(Medium::Ip, &large).and_then(|mut cuts| cuts.next());
    let first = first.expect("a cut");
    let [piece] = first.payload.pieces() else {
        panic!("one piece");
    };
    assert_eq!(piece.as_ptr(), large.payload.pieces()[0].as_ptr());
}

#[test]
fn what_is_not_a_super_segment_is_left_alone() {
    let one = super_segment(Medium::Ip, false, Flags::ACK, 1000, 1000);
    assert!(cut(Medium::Ip, &one).is_none());
    let no_size = super_segment(Medium::Ip, false, Flags::ACK, 1000, 0);
    assert!(cut(Medium::Ip, &no_size).is_none());
    let large = super_segment(Medium::Ip, false, Flags::ACK, 2000, 1000);
    let with = |change: &dyn Fn(&mut HeaderBuffer)| {
        let mut packet = large.clone();
        change(&mut packet.header);
        cut(Medium::Ip, &packet)
    };
    assert!(with(&|_| ()).is_some());
    assert!(with(&|header| header[9] = protocol::UDP).is_none());
    assert!(with(&|header| header[6] = 0x20).is_none(), "a fragment");
    assert!(with(&|header| header.push(0)).is_none(), "payload in it");
    assert!(with(&|header| header.truncate(30)).is_none(), "too short");
    assert!(with(&|header| header[0] = 0x15).is_none(), "not IP");
    assert!(cut(Medium::Ethernet, &large).is_none());
}

#[test]
fn layers_end_where_the_packet_says() {
    let mut frame = super_segment(Medium::Ethernet, true, Flags::ACK, 1, 0)
        .to_bytes()
        .to_vec();
    let len = frame.len();
    frame.extend([0; 9]);
    let layers = Layers::find(Medium::Ethernet, &frame).expect("IP");
    assert_eq!(layers.end, len);
    assert_eq!((layers.network, layers.transport), (14, 54));
    assert_eq!(layers.src, IpAddr::V6(Ipv6Addr::LOCALHOST));
    frame[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(Layers::find(Medium::Ethernet, &frame), None, "ARP");
}
