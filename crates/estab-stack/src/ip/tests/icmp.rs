//! Errors sent and errors honoured.

use super::support::*;
use crate::ip::{Delivery, IcmpReport, Transport};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::IpAddr;
use core::time::Duration;
use estab_tcp::{IcmpErrorKind, SeqNum};
use estab_wire::{icmpv4, icmpv6, ipv4, protocol};

fn host() -> Host {
    Host::tun(&["10.0.0.1/24", "fd00::1/64"])
}

fn refuse(host: &mut Host, original: &Bytes, kind: IcmpErrorKind) {
    host.with(|ip, cx| ip.send_icmp_error(cx, IF0, original, kind));
}

fn v4_message(packet: &[u8]) -> icmpv4::Message<'_> {
    assert_checksums(packet);
    icmpv4::Message::parse(body(packet)).unwrap()
}

fn v6_message(packet: &[u8]) -> icmpv6::Message<'_> {
    assert_checksums(packet);
    let header = estab_wire::ipv6::Header::parse(packet).unwrap();
    icmpv6::Message::parse(header.src, header.dst, body(packet)).unwrap()
}

/// An ICMPv4 message to us from a router.
fn from_router(message: icmpv4::Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.emit(&mut out);
    packet("10.0.0.254", "10.0.0.1", protocol::ICMP, &out)
}

fn from_router_v6(message: icmpv6::Message<'_>) -> Vec<u8> {
    let (IpAddr::V6(src), IpAddr::V6(dst)) = (ip("fd00::fe"), ip("fd00::1")) else {
        panic!("IPv6");
    };
    let mut out = Vec::new();
    message.emit(src, dst, &mut out);
    packet("fd00::fe", "fd00::1", protocol::ICMPV6, &out)
}

#[test]
fn port_unreachable_quotes_what_it_is_about() {
    let mut host = host();
    let long = packet(
        "10.0.0.2",
        "10.0.0.1",
        17,
        &udp("10.0.0.2", "10.0.0.1", &pattern(1400)),
    );
    let delivered = host.receive_transport(long.clone());
    refuse(
        &mut host,
        &delivered.original,
        IcmpErrorKind::PortUnreachable,
    );
    let error = host.transmit_one();
    assert_eq!(error.len(), 576);
    let header = ipv4::Header::parse(&error).unwrap();
    assert_eq!(
        (header.src, header.dst),
        ([10, 0, 0, 1].into(), [10, 0, 0, 2].into())
    );
    let quoted = &long[..548];
    let expected = icmpv4::Message::DestinationUnreachable {
        code: 3,
        next_hop_mtu: 0,
        quoted,
    };
    assert_eq!(v4_message(&error), expected);

    let long = packet(
        "fd00::2",
        "fd00::1",
        17,
        &udp("fd00::2", "fd00::1", &pattern(1400)),
    );
    let delivered = host.receive_transport(long.clone());
    refuse(
        &mut host,
        &delivered.original,
        IcmpErrorKind::PortUnreachable,
    );
    let error = host.transmit_one();
    assert_eq!(error.len(), 1280);
    let expected = icmpv6::Message::DestinationUnreachable {
        code: 4,
        quoted: &long[..1232],
    };
    assert_eq!(v6_message(&error), expected);
}

#[test]
fn each_kind_has_its_code() {
    use IcmpErrorKind as Kind;
    let v4 = Bytes::from(packet("10.0.0.2", "10.0.0.1", 6, &tcp_header(1, 2)));
    let v6 = Bytes::from(packet("fd00::2", "fd00::1", 6, &tcp_header(1, 2)));
    for (kind, four, six) in [
        (Kind::NetUnreachable, (3, 0), (1, 0)),
        (Kind::HostUnreachable, (3, 1), (1, 3)),
        (Kind::ProtocolUnreachable, (3, 2), (4, 1)),
        (Kind::PortUnreachable, (3, 3), (1, 4)),
        (Kind::Prohibited, (3, 13), (1, 1)),
        (Kind::PacketTooBig { mtu: 1300 }, (3, 4), (2, 0)),
        (Kind::TimeExceeded, (11, 0), (3, 0)),
        (Kind::ParameterProblem, (12, 0), (4, 0)),
    ] {
        let mut host = host();
        refuse(&mut host, &v4, kind);
        refuse(&mut host, &v6, kind);
        let sent = host.transmit();
        assert_eq!((sent[0][20], sent[0][21]), four, "{kind:?}");
        assert_eq!((sent[1][40], sent[1][41]), six, "{kind:?}");
        assert_checksums(&sent[0]);
        assert_checksums(&sent[1]);
    }
}

#[test]
fn unknown_protocols_are_refused() {
    let mut host = host();
    let unknown = packet("10.0.0.2", "10.0.0.1", 200, b"whatever");
    assert!(host.receive(unknown.clone()).is_none());
    let expected = icmpv4::Message::DestinationUnreachable {
        code: 2,
        next_hop_mtu: 0,
        quoted: &unknown,
    };
    assert_eq!(v4_message(&host.transmit_one()), expected);
    let unknown = packet("fd00::2", "fd00::1", 200, b"whatever");
    assert!(host.receive(unknown.clone()).is_none());
    let expected = icmpv6::Message::ParameterProblem {
        code: 1,
        pointer: 6,
        quoted: &unknown,
    };
    assert_eq!(v6_message(&host.transmit_one()), expected);
    assert_eq!(host.ip.counters().unknown_protocol, 2);
}

/// RFC 8200 section 4.2: what becomes of a packet with an option that nobody knows.
#[test]
fn unknown_ipv6_options_decide_themselves() {
    let mut host = host();
    let with_option = |kind: u8, dst: &str| {
        let options = [17, 0, kind, 4, 0, 0, 0, 0];
        let datagram = udp("fd00::2", dst, b"x");
        packet(
            "fd00::2",
            dst,
            protocol::DESTINATION_OPTIONS,
            &[&options[..], &datagram].concat(),
        )
    };
    assert_eq!(
        host.receive_transport(with_option(0x1e, "fd00::1"))
            .data
            .len(),
        9
    );
    assert!(host.receive(with_option(0x5e, "fd00::1")).is_none());
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
    for kind in [0x9e, 0xde] {
        let bytes = with_option(kind, "fd00::1");
        assert!(host.receive(bytes.clone()).is_none());
        let expected = icmpv6::Message::ParameterProblem {
            code: 2,
            pointer: 42,
            quoted: &bytes,
        };
        assert_eq!(v6_message(&host.transmit_one()), expected);
    }
    // To a group only one of the two is answered, from an address of ours.
    assert!(host.receive(with_option(0x9e, "ff02::1")).is_none());
    let answer = host.transmit_one();
    assert!(matches!(
        v6_message(&answer),
        icmpv6::Message::ParameterProblem { code: 2, .. }
    ));
    assert!(host.receive(with_option(0xde, "ff02::1")).is_none());
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
}

#[test]
fn a_routing_header_with_segments_left_is_refused() {
    let mut host = host();
    let routing = |left| {
        let header = [
            17, 2, 0, left, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let datagram = udp("fd00::2", "fd00::1", b"x");
        packet(
            "fd00::2",
            "fd00::1",
            protocol::ROUTING,
            &[&header[..], &datagram].concat(),
        )
    };
    host.receive_transport(routing(0));
    let bytes = routing(1);
    assert!(host.receive(bytes.clone()).is_none());
    let expected = icmpv6::Message::ParameterProblem {
        code: 0,
        pointer: 42,
        quoted: &bytes,
    };
    assert_eq!(v6_message(&host.transmit_one()), expected);
}

/// RFC 1122 3.2.2 and RFC 4443: the packets that are never answered with an error.
#[test]
fn some_packets_are_never_answered_with_an_error() {
    let mut host = host();
    let mut later = ipv4::Header::new([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), 17);
    later.fragment_offset = 80;
    let mut error = Vec::new();
    icmpv4::Message::TimeExceeded {
        code: 0,
        quoted: &[0; 28],
    }
    .emit(&mut error);
    let originals = [
        packet(
            "10.0.0.2",
            "10.0.0.255",
            17,
            &udp("10.0.0.2", "10.0.0.255", b"x"),
        ),
        packet(
            "10.0.0.2",
            "224.0.0.1",
            17,
            &udp("10.0.0.2", "224.0.0.1", b"x"),
        ),
        packet("0.0.0.0", "10.0.0.1", 17, &udp("0.0.0.0", "10.0.0.1", b"x")),
        packet(
            "10.0.0.255",
            "10.0.0.1",
            17,
            &udp("10.0.0.255", "10.0.0.1", b"x"),
        ),
        packet(
            "127.0.0.1",
            "10.0.0.1",
            17,
            &udp("127.0.0.1", "10.0.0.1", b"x"),
        ),
        packet(
            "240.0.0.1",
            "10.0.0.1",
            17,
            &udp("240.0.0.1", "10.0.0.1", b"x"),
        ),
        packet("10.0.0.2", "10.0.0.1", 1, &error),
        packet_v4(later, &pattern(16)),
        packet("fd00::2", "ff02::1", 17, &udp("fd00::2", "ff02::1", b"x")),
        packet("::", "fd00::1", 17, &udp("::", "fd00::1", b"x")),
        packet("fd00::2", "fd00::1", 58, &[1, 0, 0, 0, 0, 0, 0, 0]),
        packet("fd00::2", "fd00::1", 58, &[137, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for original in originals {
        refuse(&mut host, &original.into(), IcmpErrorKind::PortUnreachable);
        assert_eq!(host.transmit(), Vec::<Bytes>::new());
    }
    // An echo request is no error.
    let ping = packet("10.0.0.2", "10.0.0.1", 1, &[8, 0, 0, 0, 0, 0, 0, 0]);
    refuse(&mut host, &ping.into(), IcmpErrorKind::HostUnreachable);
    assert_eq!(host.transmit().len(), 1);
}

#[test]
fn errors_are_limited_by_the_setting() {
    let mut host = host();
    host.settings.icmp_msgs_per_sec = 100;
    let original = Bytes::from(packet(
        "10.0.0.2",
        "10.0.0.1",
        17,
        &udp("10.0.0.2", "10.0.0.1", b"x"),
    ));
    let mut sent = 0;
    for _ in 0..10_000 {
        refuse(&mut host, &original, IcmpErrorKind::PortUnreachable);
        sent += host.transmit().len();
        host.advance(Duration::from_millis(1));
    }
    // Ten seconds at 100 a second, after a burst of 50; some cost double by lot.
    assert!((800..=1050).contains(&sent), "{sent}");
    assert_eq!(host.ip.counters().icmp_rate_limited, 10_000 - sent as u64);
    assert!(host.notes().contains(&"drop rate-limited".into()));

    host.settings.icmp_msgs_per_sec = 0;
    host.advance(Duration::from_secs(100));
    refuse(&mut host, &original, IcmpErrorKind::PortUnreachable);
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
}

/// An interceptor's refusal of a connection comes from our address when we have one, else from the destination.
#[test]
fn unreachable_is_said_by_us_in_any_address_mode() {
    for (addresses, from) in [(&["10.0.0.1/24"][..], "10.0.0.1"), (&[], "192.0.2.7")] {
        let mut host = Host::tun(addresses);
        host.ip.set_any_address(IF0, true).unwrap();
        let syn = packet("10.0.0.2", "192.0.2.7", 6, &tcp_header(1, 2));
        let delivered = host.receive_transport(syn);
        refuse(
            &mut host,
            &delivered.original,
            IcmpErrorKind::HostUnreachable,
        );
        let error = host.transmit_one();
        assert_eq!(
            IpAddr::V4(ipv4::Header::parse(&error).unwrap().src),
            ip(from)
        );
        refuse(
            &mut host,
            &delivered.original,
            IcmpErrorKind::PortUnreachable,
        );
        let error = host.transmit_one();
        assert_eq!(ipv4::Header::parse(&error).unwrap().src, ip("192.0.2.7"));
    }
}

/// RFC 9293 3.9.2.2 MUST-54: an ICMP error is passed on to the connection that it is about.
#[test]
fn errors_are_matched_to_what_they_are_about() {
    use IcmpErrorKind as Kind;
    let segment = tcp_header(0x0102_0304, 2);
    let quoted = packet("10.0.0.1", "192.0.2.9", 6, &segment);
    let report = |kind| IcmpReport {
        transport: Transport::Tcp,
        local: (ip("10.0.0.1"), 1000).into(),
        remote: (ip("192.0.2.9"), 2000).into(),
        seq: SeqNum(0x0102_0304),
        kind,
        from: ip("10.0.0.254"),
    };
    let mut host = host();
    for (code, kind) in [
        (0, Kind::NetUnreachable),
        (1, Kind::HostUnreachable),
        (2, Kind::ProtocolUnreachable),
        (3, Kind::PortUnreachable),
        (5, Kind::NetUnreachable),
        (7, Kind::HostUnreachable),
        (9, Kind::Prohibited),
        (10, Kind::Prohibited),
        (13, Kind::Prohibited),
    ] {
        // Eight bytes of the segment are all that must be quoted.
        let quoted = &quoted[..28];
        let message = icmpv4::Message::DestinationUnreachable {
            code,
            next_hop_mtu: 0,
            quoted,
        };
        let Some(Delivery::IcmpError(got)) = host.receive(from_router(message)) else {
            panic!("code {code}");
        };
        assert_eq!(got, report(kind));
    }
    let quoted = &quoted[..];
    for (message, kind) in [
        (
            icmpv4::Message::TimeExceeded { code: 0, quoted },
            Kind::TimeExceeded,
        ),
        (
            icmpv4::Message::ParameterProblem {
                code: 0,
                pointer: 1,
                quoted,
            },
            Kind::ParameterProblem,
        ),
    ] {
        let Some(Delivery::IcmpError(got)) = host.receive(from_router(message)) else {
            panic!("{kind:?}");
        };
        assert_eq!(got, report(kind));
    }
}

#[test]
fn icmpv6_errors_are_matched_too() {
    use IcmpErrorKind as Kind;
    let quoted = &packet(
        "fd00::1",
        "2001:db8::9",
        17,
        &udp("fd00::1", "2001:db8::9", b"x"),
    )[..];
    let mut host = host();
    for (message, kind) in [
        (
            icmpv6::Message::DestinationUnreachable { code: 0, quoted },
            Kind::NetUnreachable,
        ),
        (
            icmpv6::Message::DestinationUnreachable { code: 1, quoted },
            Kind::Prohibited,
        ),
        (
            icmpv6::Message::DestinationUnreachable { code: 3, quoted },
            Kind::HostUnreachable,
        ),
        (
            icmpv6::Message::DestinationUnreachable { code: 4, quoted },
            Kind::PortUnreachable,
        ),
        (
            icmpv6::Message::TimeExceeded { code: 0, quoted },
            Kind::TimeExceeded,
        ),
        (
            icmpv6::Message::ParameterProblem {
                code: 1,
                pointer: 6,
                quoted,
            },
            Kind::ParameterProblem,
        ),
    ] {
        let Some(Delivery::IcmpError(got)) = host.receive(from_router_v6(message)) else {
            panic!("{kind:?}");
        };
        assert_eq!((got.kind, got.transport), (kind, Transport::Udp));
        assert_eq!(got.local, (ip("fd00::1"), 1000).into());
        assert_eq!(got.remote, (ip("2001:db8::9"), 2000).into());
        assert_eq!(got.from, ip("fd00::fe"));
    }
}

#[test]
fn errors_about_nothing_of_ours_are_ignored() {
    let mut host = host();
    let segment = tcp_header(1, 2);
    let mut later = ipv4::Header::new([10, 0, 0, 1].into(), [192, 0, 2, 9].into(), 6);
    later.fragment_offset = 8;
    let quotes = [
        // Sent by somebody else.
        packet("10.0.0.7", "192.0.2.9", 6, &segment),
        // Not a transport of ours.
        packet("10.0.0.1", "192.0.2.9", 1, &[8, 0, 0, 0, 0, 0, 0, 0]),
        // Too short, a later fragment, no packet at all.
        packet("10.0.0.1", "192.0.2.9", 6, &segment)[..27].to_vec(),
        packet_v4(later, &segment),
        b"nonsense".to_vec(),
        Vec::new(),
        // Of the other family, from our other address.
        packet("fd00::1", "fd00::2", 6, &segment),
    ];
    let count = quotes.len() as u64;
    for quoted in quotes {
        let message = icmpv4::Message::DestinationUnreachable {
            code: 3,
            next_hop_mtu: 0,
            quoted: &quoted,
        };
        assert!(host.receive(from_router(message)).is_none(), "{quoted:?}");
    }
    assert_eq!(host.ip.counters().icmp_not_ours, count);
}

/// RFC 9293 3.9.2.2 MUST-55: source quench is silently discarded; redirects and unknown types too.
#[test]
fn source_quench_and_unknown_types_are_discarded() {
    let mut host = host();
    let quoted = packet("10.0.0.1", "192.0.2.9", 6, &tcp_header(1, 2));
    for kind in [4, 5, 13, 40, 255] {
        let mut message = [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &quoted].concat();
        let sum = naive_checksum(None, &message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        assert!(
            host.receive(packet("10.0.0.254", "10.0.0.1", 1, &message))
                .is_none()
        );
    }
    assert_eq!(host.ip.counters().icmp_ignored, 5);
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
}
