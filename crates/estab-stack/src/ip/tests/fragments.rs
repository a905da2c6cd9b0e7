use super::support::*;
use crate::Error;
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::IpAddr;
use core::time::Duration;
use estab_tcp::{Ecn, IpMeta};
use estab_wire::ipv6::FragmentHeader;
use estab_wire::{icmpv4, icmpv6, ipv4, ipv6, protocol};
use proptest::prelude::*;

/// Cuts a packet as a router would, `unit` bytes of its payload in each.
pub(super) fn cut_v4(packet: &[u8], unit: usize, identification: u16) -> Vec<Vec<u8>> {
    let whole = ipv4::Header::parse(packet).unwrap();
    let body = body(packet);
    (0..body.len())
        .step_by(unit)
        .map(|start| {
            let end = body.len().min(start + unit);
            let header = ipv4::Header {
                identification,
                fragment_offset: start as u16,
                more_fragments: end < body.len(),
                ..whole
            };
            packet_v4(header, &body[start..end])
        })
        .collect()
}

/// The same for IPv6, as the source must do it.
fn cut_v6(packet: &[u8], unit: usize, identification: u32) -> Vec<Vec<u8>> {
    let whole = ipv6::Header::parse(packet).unwrap();
    let body = body(packet);
    (0..body.len())
        .step_by(unit)
        .map(|start| {
            let end = body.len().min(start + unit);
            let more = end < body.len();
            fragment_v6(&whole, start, more, identification, &body[start..end])
        })
        .collect()
}

fn fragment_v6(
    whole: &ipv6::Header,
    start: usize,
    more_fragments: bool,
    identification: u32,
    data: &[u8],
) -> Vec<u8> {
    let mut header = [0; ipv6::HEADER_LEN];
    let payload_len = (8 + data.len()) as u16;
    ipv6::Header {
        payload_len,
        next_header: protocol::FRAGMENT,
        ..*whole
    }
    .emit(&mut header);
    let mut extension = [0; 8];
    FragmentHeader {
        next_header: whole.next_header,
        fragment_offset: start as u16,
        more_fragments,
        identification,
    }
    .emit(&mut extension);
    [&header[..], &extension, data].concat()
}

/// Puts together what a host sent in order, checking what fragments must hold to.
pub(super) fn join_v4(parts: &[Bytes]) -> Vec<u8> {
    let first = ipv4::Header::parse(&parts[0]).unwrap();
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let header = ipv4::Header::parse(part).unwrap();
        assert_eq!(usize::from(header.fragment_offset), all.len());
        assert_eq!(header.more_fragments, at + 1 < parts.len());
        assert_eq!(header.identification, first.identification);
        all.extend_from_slice(header.payload(part));
    }
    packet_v4(
        ipv4::Header {
            more_fragments: false,
            ..first
        },
        &all,
    )
}

const PAIRS: [(&str, &str); 2] = [("10.0.0.2", "10.0.0.1"), ("fd00::2", "fd00::1")];

fn host() -> Host {
    Host::tun(&["10.0.0.1/24", "fd00::1/64"])
}

fn cut(packet: &[u8], unit: usize, identification: u16) -> Vec<Vec<u8>> {
    if packet[0] >> 4 == 4 {
        cut_v4(packet, unit, identification)
    } else {
        cut_v6(packet, unit, identification.into())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any order, with duplicates: the datagram comes out once for each time that all its fragments came.
    #[test]
    fn fragments_come_in_any_order(
        v6: bool,
        len in 1_usize..6000,
        unit in 4_usize..200,
        order in any::<u64>(),
        duplicate: bool,
    ) {
        let (src, dst) = PAIRS[usize::from(v6)];
        let whole = packet(src, dst, 17, &udp(src, dst, &pattern(len)));
        let mut parts = cut(&whole, unit * 8, 5);
        if parts.len() > 250 {
            return Ok(());
        }
        if duplicate && parts.len() > 1 {
            parts.insert(0, parts[0].clone());
        }
        let mut rng = estab_tcp::Rng::new(order);
        // The last one stays last: with it the datagram is complete.
        let shuffled = parts.len() - 1;
        for at in (1..shuffled).rev() {
            parts.swap(at, rng.below(at as u32 + 1) as usize);
        }
        let mut host = host();
        let count = parts.len();
        for (at, part) in parts.into_iter().enumerate() {
            match host.receive(part) {
                None => prop_assert!(at + 1 < count),
                Some(crate::ip::Delivery::Udp(delivered)) => {
                    prop_assert_eq!(at + 1, count);
                    prop_assert_eq!(&delivered.data, &body(&whole));
                    let atomic = if v6 && count == 1 { 8 } else { 0 };
                    prop_assert_eq!(delivered.original.len(), whole.len() + atomic);
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert!(host.ip.reassembly.is_empty());
    }

    /// What a host sends in fragments, another puts together.
    #[test]
    fn what_is_sent_in_fragments_is_put_together(v6: bool, len in 1480_usize..20_000, mtu in 1280_u16..1500) {
        let (src, dst) = PAIRS[usize::from(v6)];
        let mut sender = Host::new();
        let own = if v6 { "fd00::2/64" } else { "10.0.0.2/24" };
        sender.add_interface(|c| { c.medium = crate::Medium::Ip; c.mtu = mtu; }, &[own]);
        sender.send_udp(src, dst, len).unwrap();
        let mut receiver = host();
        let parts = sender.transmit();
        prop_assert!(parts.len() > 1);
        let (last, before) = parts.split_last().unwrap();
        for part in before {
            prop_assert!(part.len() <= mtu.into() && part.len() > usize::from(mtu) - 8);
            prop_assert!(receiver.receive(part.clone()).is_none());
        }
        let delivered = receiver.receive_transport(last.clone());
        prop_assert_eq!(&delivered.data[8..], &pattern(len));
        prop_assert!(estab_wire::udp::verify(delivered.src, delivered.dst, &delivered.data));
    }
}

#[test]
fn overlapping_fragments_take_the_whole_datagram_with_them() {
    for (src, dst) in PAIRS {
        // Over two parts, inside of one, around two, in the place of one, and one that ends the datagram.
        let evils = [
            (64, 192, true),
            (40, 80, true),
            (0, 256, true),
            (128, 256, true),
            (136, 160, false),
        ];
        for (start, end, more) in evils {
            let mut host = host();
            let whole = packet(src, dst, 17, &udp(src, dst, &pattern(400)));
            let mut parts = cut(&whole, 128, 5);
            let last = parts.pop().unwrap();
            // Bytes `start..end`, different from what was there.
            let mut data = body(&whole)[start..end].to_vec();
            data[0] ^= 0xff;
            let evil = if src.contains(':') {
                let header = ipv6::Header::parse(&whole).unwrap();
                fragment_v6(&header, start, more, 5, &data)
            } else {
                let header = ipv4::Header {
                    identification: 5,
                    fragment_offset: start as u16,
                    more_fragments: more,
                    ..ipv4::Header::parse(&whole).unwrap()
                };
                packet_v4(header, &data)
            };
            for part in parts.clone() {
                assert!(host.receive(part).is_none());
            }
            let delivered = host.receive(evil);
            assert!(delivered.is_none(), "{src} {start}..{end}: {delivered:?}");
            assert_eq!(
                host.ip.counters().reassembly_overlaps,
                1,
                "{src} {start}..{end}"
            );
            // Nothing of it is taken any more, not even all of it again, and no ICMP error comes of it.
            for part in parts {
                assert!(host.receive(part).is_none());
            }
            assert!(host.receive(last).is_none());
            assert_eq!(host.ip.counters().reassembled, 0);
            host.advance(Duration::from_secs(61));
            assert_eq!(host.transmit(), Vec::<Bytes>::new());
            assert_eq!(host.ip.reassembly.bytes(), 0);
        }
    }
}

#[test]
fn fragments_that_disagree_about_the_end_are_dropped() {
    for (first, second) in [((256, true), (128, false)), ((128, false), (256, true))] {
        let mut host = host();
        for (start, more_fragments) in [first, second] {
            let header = ipv4::Header {
                fragment_offset: start,
                more_fragments,
                ..ipv4::Header::new([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), 17)
            };
            host.receive(packet_v4(header, &pattern(64)));
        }
        assert_eq!(host.ip.counters().reassembly_overlaps, 1);
    }
}

#[test]
fn late_datagrams_are_given_up_and_their_source_is_told() {
    for ((src, dst), seconds) in PAIRS.into_iter().zip([30, 60]) {
        let mut host = host();
        let whole = packet(src, dst, 17, &udp(src, dst, &pattern(400)));
        let parts = cut(&whole, 128, 5);
        host.receive(parts[0].clone());
        host.advance(Duration::from_secs(seconds) - Duration::from_nanos(1));
        assert_eq!(host.transmit(), Vec::<Bytes>::new());
        host.advance(Duration::from_nanos(1));
        let error = host.transmit_one();
        assert_checksums(&error);
        if src.contains(':') {
            let (IpAddr::V6(src), IpAddr::V6(dst)) = (ip(src), ip(dst)) else {
                panic!("IPv6");
            };
            let expected = icmpv6::Message::TimeExceeded {
                code: 1,
                quoted: &parts[0],
            };
            assert_eq!(icmpv6::Message::parse(dst, src, body(&error)), Ok(expected));
        } else {
            let expected = icmpv4::Message::TimeExceeded {
                code: 1,
                quoted: &parts[0],
            };
            assert_eq!(icmpv4::Message::parse(body(&error)), Ok(expected));
        }
        assert_eq!(host.ip.counters().reassembly_timeouts, 1);
        assert_eq!(host.ip.reassembly.bytes(), 0);

        // Without the first fragment nobody is told.
        host.receive(parts[1].clone());
        host.advance(Duration::from_secs(61));
        assert_eq!(host.ip.counters().reassembly_timeouts, 2);
        assert_eq!(host.transmit(), Vec::<Bytes>::new());
    }
}

#[test]
fn reassembly_is_bounded_in_all_and_by_source() {
    let mut host = host();
    let whole = packet(
        "10.0.0.2",
        "10.0.0.1",
        17,
        &udp("10.0.0.2", "10.0.0.1", &pattern(9000)),
    );
    for identification in 0..2000 {
        host.receive(cut_v4(&whole, 1400, identification)[0].clone());
        assert!(host.ip.reassembly.bytes() <= 1 << 20, "one source");
    }
    assert!(host.ip.counters().reassembly_overflows >= 1900);
    for source in 0..20_000_u32 {
        let [_, b, c, d] = source.to_be_bytes();
        let header = ipv4::Header {
            src: [10, 1 + b, c, d].into(),
            more_fragments: true,
            ..ipv4::Header::new([10, 9, 9, 9].into(), [10, 0, 0, 1].into(), 17)
        };
        host.receive(packet_v4(header, &pattern(1400)));
        assert!(host.ip.reassembly.bytes() <= 4 << 20, "all sources");
    }
    // The newest still has its place.
    assert!(host.ip.reassembly.bytes() > 3 << 20);
    host.advance(Duration::from_secs(31));
    assert!(host.ip.reassembly.is_empty());
}

#[test]
fn malformed_fragments_are_refused() {
    let mut host = host();
    let base = ipv4::Header::new([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), 17);
    let bad = [
        // Not a multiple of 8 although more follow.
        (
            ipv4::Header {
                more_fragments: true,
                ..base
            },
            13,
        ),
        // Beyond the longest packet.
        (
            ipv4::Header {
                fragment_offset: 65_528,
                ..base
            },
            8,
        ),
        // A TCP header in two parts (RFC 1858).
        (
            ipv4::Header {
                more_fragments: true,
                protocol: 6,
                ..base
            },
            8,
        ),
        (
            ipv4::Header {
                fragment_offset: 8,
                protocol: 6,
                ..base
            },
            24,
        ),
        // Nothing at all.
        (
            ipv4::Header {
                fragment_offset: 80,
                ..base
            },
            0,
        ),
    ];
    for (header, len) in bad {
        assert!(host.receive(packet_v4(header, &pattern(len))).is_none());
    }
    assert_eq!(host.ip.counters().malformed, 5);
    assert_eq!(host.ip.reassembly.bytes(), 0);
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
}

/// RFC 8200 section 4.5: the conditions that are answered with a parameter problem.
#[test]
fn malformed_ipv6_fragments_are_answered() {
    let mut host = host();
    let (IpAddr::V6(src), IpAddr::V6(dst)) = (ip("fd00::2"), ip("fd00::1")) else {
        panic!("IPv6");
    };
    let base = ipv6::Header::new(src, dst, protocol::UDP);
    let cases = [
        (fragment_v6(&base, 0, true, 1, &pattern(13)), 0, 4),
        (fragment_v6(&base, 65_528, false, 1, &pattern(100)), 0, 42),
        // The first fragment has not all of the transport's header.
        (
            fragment_v6(
                &ipv6::Header {
                    next_header: 6,
                    ..base
                },
                0,
                true,
                1,
                &pattern(16),
            ),
            3,
            0,
        ),
    ];
    for (fragment, code, pointer) in cases {
        assert!(host.receive(fragment.clone()).is_none());
        let error = host.transmit_one();
        let expected = icmpv6::Message::ParameterProblem {
            code,
            pointer,
            quoted: &fragment,
        };
        assert_eq!(icmpv6::Message::parse(dst, src, body(&error)), Ok(expected));
    }
    assert_eq!(host.ip.reassembly.bytes(), 0);
}

#[test]
fn an_atomic_fragment_is_a_whole_packet() {
    let mut host = host();
    let whole = packet(
        "fd00::2",
        "fd00::1",
        17,
        &udp("fd00::2", "fd00::1", b"hello"),
    );
    let parts = cut_v6(&whole, 1280, 5);
    assert_eq!(parts.len(), 1);
    assert_eq!(host.receive_transport(parts[0].clone()).data, body(&whole));
}

/// RFC 3168 section 5.3: a mark is not lost, and not given to those who do not know ECN.
#[test]
fn congestion_marks_survive_reassembly() {
    let marks = |first: Ecn, second: Ecn| {
        let mut host = host();
        let whole = packet(
            "10.0.0.2",
            "10.0.0.1",
            17,
            &udp("10.0.0.2", "10.0.0.1", &pattern(200)),
        );
        let mut delivered = None;
        for (part, mark) in cut_v4(&whole, 128, 5).into_iter().zip([first, second]) {
            let header = ipv4::Header {
                tos: 0x20 | mark as u8,
                ..ipv4::Header::parse(&part).unwrap()
            };
            delivered = host.receive(packet_v4(header, body(&part)));
        }
        match delivered {
            Some(crate::ip::Delivery::Udp(delivered)) => {
                assert_eq!(delivered.meta.tos, 0x20);
                Some(delivered.meta.ecn)
            }
            _ => None,
        }
    };
    assert_eq!(marks(Ecn::Ect0, Ecn::Ect0), Some(Ecn::Ect0));
    assert_eq!(marks(Ecn::Ce, Ecn::Ect0), Some(Ecn::Ce));
    assert_eq!(marks(Ecn::Ect1, Ecn::Ce), Some(Ecn::Ce));
    assert_eq!(marks(Ecn::NotEct, Ecn::NotEct), Some(Ecn::NotEct));
    assert_eq!(marks(Ecn::NotEct, Ecn::Ce), None);
}

#[test]
fn what_must_not_be_fragmented_is_an_error() {
    let mut host = host();
    let meta = IpMeta {
        dont_fragment: true,
        ..IpMeta::default()
    };
    assert_eq!(
        host.send_udp_with("10.0.0.1", "10.0.0.2", 1472, meta),
        Ok(())
    );
    assert_eq!(
        host.send_udp_with("10.0.0.1", "10.0.0.2", 1473, meta),
        Err(Error::MessageTooLong)
    );
    assert_eq!(
        host.send_udp("10.0.0.1", "10.0.0.2", 65_508),
        Err(Error::MessageTooLong)
    );
    assert_eq!(host.ip.counters().too_long, 2);
    let sent = host.transmit_one();
    let header = ipv4::Header::parse(&sent).unwrap();
    // RFC 6864: what cannot be fragmented needs no identification.
    assert!(header.dont_fragment);
    assert_eq!(header.identification, 0);
    assert_eq!(host.send_udp("10.0.0.1", "10.0.0.2", 65_507), Ok(()));
    assert_eq!(host.transmit().len(), 45);
}

#[test]
fn identifications_of_one_pair_do_not_repeat_soon() {
    let mut host = host();
    let mut seen = Vec::new();
    for _ in 0..2000 {
        host.send_udp("10.0.0.1", "10.0.0.2", 10).unwrap();
        seen.push(
            ipv4::Header::parse(&host.transmit_one())
                .unwrap()
                .identification,
        );
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 2000);
}

#[test]
fn a_fragment_does_not_pin_the_device_buffer() {
    let mut host = host();
    let whole = packet(
        "10.0.0.2",
        "10.0.0.1",
        17,
        &udp("10.0.0.2", "10.0.0.1", &pattern(200)),
    );
    let part = Bytes::from(cut_v4(&whole, 128, 5)[0].clone());
    let copy = part.clone();
    host.receive(part);
    assert!(copy.is_unique(), "nobody else holds the buffer");
}
