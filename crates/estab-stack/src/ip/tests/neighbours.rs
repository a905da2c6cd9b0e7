use super::support::*;
use crate::Cidr;
use crate::ip::{IcmpReport, Transport};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use estab_tcp::IcmpErrorKind;
use estab_wire::arp::{self, Operation};
use estab_wire::ethernet::{self, Address as Mac, EtherType};
use estab_wire::icmpv6::{Message, NdpOption, NdpOptions, PrefixInformation};
use estab_wire::ipv6;

const SECOND: Duration = Duration::from_secs(1);
const OTHER_MAC: Mac = Mac([2, 0, 0, 0, 0, 9]);

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn arp_reply(sender: &str, mac: Mac) -> Vec<u8> {
    let packet = arp::Packet {
        operation: Operation::Reply,
        sender_hardware: mac,
        sender_protocol: v4(sender),
        target_hardware: OWN_MAC,
        target_protocol: v4("10.0.0.1"),
    };
    arp_frame(OWN_MAC, packet)
}

fn parse_arp(frame: &[u8]) -> (ethernet::Header, arp::Packet) {
    let link = ethernet::Header::parse(frame).unwrap();
    assert_eq!(link.ethertype, EtherType::ARP);
    (link, arp::Packet::parse(&frame[14..]).unwrap())
}

/// A frame with an ICMPv6 message, by default with the hop limit that neighbour discovery must have.
fn ndp(src: &str, dst: &str, message: Message<'_>, hop_limit: u8) -> Vec<u8> {
    let mut out = Vec::new();
    message.emit(v6(src), v6(dst), &mut out);
    let mac = if v6(dst).is_multicast() {
        Mac::for_ipv6_multicast(v6(dst))
    } else {
        OWN_MAC
    };
    frame(
        mac,
        PEER_MAC,
        EtherType::IPV6,
        &packet_with(src, dst, 58, &out, hop_limit),
    )
}

fn advertisement(target: &str, mac: Mac, solicited: bool, override_entry: bool) -> Vec<u8> {
    let option = NdpOption::TargetLinkAddress(mac).to_bytes();
    let message = Message::NeighborAdvertisement {
        router: false,
        solicited,
        override_entry,
        target: v6(target),
        options: NdpOptions::new(&option).unwrap(),
    };
    ndp(target, "fd00::1", message, 255)
}

/// Where a frame goes, and the ICMPv6 message in it, which must have a right checksum and a hop limit of 255.
fn parse_ndp(frame: &[u8]) -> (Mac, ipv6::Header, Message<'_>) {
    let link = ethernet::Header::parse(frame).unwrap();
    assert_eq!(link.src, OWN_MAC);
    assert_checksums(&frame[14..]);
    let header = ipv6::Header::parse(&frame[14..]).unwrap();
    assert_eq!(header.hop_limit, 255);
    (
        link.dst,
        header,
        Message::parse(header.src, header.dst, &frame[54..]).unwrap(),
    )
}

#[test]
fn a_new_address_is_announced() {
    let mut host = Host::new();
    host.add_interface(|_| {}, &["10.0.0.1/24"]);
    let (link, packet) = parse_arp(&host.transmit_one());
    assert_eq!(link.dst, Mac::BROADCAST);
    assert_eq!(
        (packet.sender_protocol, packet.target_protocol),
        (v4("10.0.0.1"), v4("10.0.0.1"))
    );

    let mut host = Host::new();
    host.add_interface(|_| {}, &["fd00::1/64"]);
    let sent = host.transmit();
    // The link-local address that comes with it, itself, and the question for routers.
    let targets: Vec<_> = sent
        .iter()
        .map(|frame| match parse_ndp(frame) {
            (
                mac,
                _,
                Message::NeighborAdvertisement {
                    target,
                    solicited: false,
                    ..
                },
            ) => {
                assert_eq!(mac, Mac([0x33, 0x33, 0, 0, 0, 1]));
                Some(target)
            }
            (_, header, Message::RouterSolicitation { .. }) => {
                assert_eq!(header.dst, v6("ff02::2"));
                None
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        targets,
        [Some(v6("fe80::ff:fe00:1")), Some(v6("fd00::1")), None]
    );
}

#[test]
fn arp_finds_a_neighbour_and_sends_what_waited() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    for len in [10, 20] {
        host.send_udp("10.0.0.1", "10.0.0.2", len).unwrap();
    }
    let (link, request) = parse_arp(&host.transmit_one());
    assert_eq!(link.dst, Mac::BROADCAST);
    assert_eq!(request.operation, Operation::Request);
    assert_eq!(request.target_protocol, v4("10.0.0.2"));
    assert_eq!(
        (request.sender_protocol, request.sender_hardware),
        (v4("10.0.0.1"), OWN_MAC)
    );

    host.receive(arp_reply("10.0.0.2", PEER_MAC));
    let sent = host.transmit();
    assert_eq!(sent.len(), 2);
    for (frame, len) in sent.iter().zip([10, 20]) {
        assert_eq!(ethernet::Header::parse(frame).unwrap().dst, PEER_MAC);
        assert_checksums(&frame[14..]);
        assert_eq!(frame.len(), 14 + 20 + 8 + len);
    }
    // Known now.
    host.send_udp("10.0.0.1", "10.0.0.2", 30).unwrap();
    assert_eq!(
        ethernet::Header::parse(&host.transmit_one()).unwrap().dst,
        PEER_MAC
    );
    assert_eq!(host.ip.poll_timeout(), None);
}

#[test]
fn ndp_finds_a_neighbour_and_sends_what_waited() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    host.send_udp("fd00::1", "fd00::2", 10).unwrap();
    let sent = host.transmit_one();
    let (mac, header, message) = parse_ndp(&sent);
    assert_eq!(mac, Mac([0x33, 0x33, 0xff, 0, 0, 2]));
    assert_eq!(header.dst, v6("ff02::1:ff00:2"));
    let Message::NeighborSolicitation { target, options } = message else {
        panic!("{message:?}");
    };
    assert_eq!(target, v6("fd00::2"));
    assert_eq!(options.source_link_address(), Some(OWN_MAC));

    host.receive(advertisement("fd00::2", PEER_MAC, true, true));
    let frame = host.transmit_one();
    assert_eq!(ethernet::Header::parse(&frame).unwrap().dst, PEER_MAC);
    assert_checksums(&frame[14..]);
}

/// RFC 4861, RFC 1122 2.3.2.1: three questions, a second apart; then the senders are told.
#[test]
fn a_neighbour_that_does_not_answer_is_reported() {
    for (own, dst, kind) in [
        ("10.0.0.1", "10.0.0.2", 0x0806),
        ("fd00::1", "fd00::2", 0x86dd_u16),
    ] {
        let mut host = Host::ethernet(&["10.0.0.1/24", "fd00::1/64"]);
        // Past the search for routers.
        host.advance(20 * SECOND);
        host.transmit();
        host.send_udp(own, dst, 10).unwrap();
        let mut times = Vec::new();
        let begin = host.now;
        for _ in 0..50 {
            for frame in host.transmit() {
                assert_eq!(frame[12..14], kind.to_be_bytes());
                times.push((host.now - begin).as_millis());
            }
            host.advance(SECOND / 10);
        }
        assert_eq!(times, [0, 1000, 2000]);
        let report = IcmpReport {
            transport: Transport::Udp,
            local: (ip(own), 1000).into(),
            remote: (ip(dst), 2000).into(),
            seq: estab_tcp::SeqNum(0),
            kind: IcmpErrorKind::HostUnreachable,
            from: ip(own),
        };
        assert_eq!(host.ip.poll_unreachable(), Some(report));
        assert_eq!(host.ip.poll_unreachable(), None);
        assert_eq!(host.ip.counters().neighbour_failures, 1);
        assert_eq!(host.ip.counters().neighbour_drops, 1);
        // The next packet asks anew.
        host.send_udp(own, dst, 10).unwrap();
        assert_eq!(host.transmit().len(), 1);
    }
}

#[test]
fn requests_for_our_addresses_are_answered_and_others_are_not() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    let request = |target: &str| arp::Packet {
        operation: Operation::Request,
        sender_hardware: PEER_MAC,
        sender_protocol: v4("10.0.0.2"),
        target_hardware: Mac::default(),
        target_protocol: v4(target),
    };
    host.receive(arp_frame(Mac::BROADCAST, request("10.0.0.1")));
    let (link, reply) = parse_arp(&host.transmit_one());
    assert_eq!(link.dst, PEER_MAC);
    assert_eq!(reply.operation, Operation::Reply);
    assert_eq!(
        (reply.sender_hardware, reply.sender_protocol),
        (OWN_MAC, v4("10.0.0.1"))
    );
    assert_eq!(
        (reply.target_hardware, reply.target_protocol),
        (PEER_MAC, v4("10.0.0.2"))
    );
    // Who asked is known, so that the answer to what follows needs no question.
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    assert_eq!(
        ethernet::Header::parse(&host.transmit_one()).unwrap().dst,
        PEER_MAC
    );

    host.receive(arp_frame(Mac::BROADCAST, request("10.0.0.3")));
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
    // A probe (RFC 5227) is answered too.
    let probe = arp::Packet {
        sender_protocol: Ipv4Addr::UNSPECIFIED,
        ..request("10.0.0.1")
    };
    host.receive(arp_frame(Mac::BROADCAST, probe));
    assert_eq!(host.transmit().len(), 1);
}

#[test]
fn solicitations_for_our_addresses_are_answered_and_others_are_not() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    let option = NdpOption::SourceLinkAddress(PEER_MAC).to_bytes();
    let options = NdpOptions::new(&option).unwrap();
    let ask = |target: &str| Message::NeighborSolicitation {
        target: v6(target),
        options,
    };
    host.receive(ndp("fd00::2", "ff02::1:ff00:1", ask("fd00::1"), 255));
    let sent = host.transmit_one();
    let (mac, header, message) = parse_ndp(&sent);
    assert_eq!((mac, header.dst), (PEER_MAC, v6("fd00::2")));
    let Message::NeighborAdvertisement {
        solicited: true,
        override_entry: true,
        target,
        options,
        ..
    } = message
    else {
        panic!("{message:?}");
    };
    assert_eq!(target, v6("fd00::1"));
    assert_eq!(options.target_link_address(), Some(OWN_MAC));

    // Another's address; and one from another link, as its hop limit shows.
    host.receive(ndp("fd00::2", "ff02::1:ff00:1", ask("fd00::3"), 255));
    host.receive(ndp("fd00::2", "ff02::1:ff00:1", ask("fd00::1"), 254));
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
    assert_eq!(host.ip.counters().neighbour_ignored, 2);

    // Somebody wants to use our address (RFC 4862): all are told that it is taken.
    let probe = Message::NeighborSolicitation {
        target: v6("fd00::1"),
        options: NdpOptions::NONE,
    };
    host.receive(ndp("::", "ff02::1:ff00:1", probe, 255));
    let sent = host.transmit_one();
    let (_, header, message) = parse_ndp(&sent);
    assert_eq!(header.dst, v6("ff02::1"));
    assert!(matches!(
        message,
        Message::NeighborAdvertisement {
            solicited: false,
            ..
        }
    ));
}

/// RFC 4861: stale, delay, probe, and back or gone.
#[test]
fn a_neighbour_not_heard_of_for_long_is_probed() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    host.transmit();
    host.receive(arp_reply("10.0.0.2", PEER_MAC));
    host.transmit();
    // Reachable for at most 45 seconds, and nothing is done when nothing is sent.
    host.advance(60 * SECOND);
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
    // Used while stale: it still goes there, and 5 seconds later the neighbour itself is asked.
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    assert_eq!(
        ethernet::Header::parse(&host.transmit_one()).unwrap().dst,
        PEER_MAC
    );
    host.advance(5 * SECOND);
    let (link, _) = parse_arp(&host.transmit_one());
    assert_eq!(link.dst, PEER_MAC);
    // It answers.
    host.receive(arp_reply("10.0.0.2", PEER_MAC));
    assert_eq!(host.ip.poll_timeout(), None);
    // The next time it does not: three questions, then it is forgotten.
    host.advance(60 * SECOND);
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    host.transmit();
    host.advance(30 * SECOND);
    assert_eq!(host.transmit().len(), 3);
    assert_eq!(host.ip.counters().neighbour_failures, 1);
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    let (link, _) = parse_arp(&host.transmit_one());
    assert_eq!(link.dst, Mac::BROADCAST);
}

/// RFC 4861: what an advertisement may change.
#[test]
fn an_advertisement_without_override_does_not_move_a_neighbour() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    let mac_now = |host: &mut Host| {
        host.send_udp("fd00::1", "fd00::2", 1).unwrap();
        ethernet::Header::parse(&host.transmit_one()).unwrap().dst
    };
    // Nothing was asked: nothing is learned.
    host.receive(advertisement("fd00::2", OTHER_MAC, false, true));
    host.send_udp("fd00::1", "fd00::2", 1).unwrap();
    host.transmit();
    host.receive(advertisement("fd00::2", PEER_MAC, true, true));
    host.transmit();
    assert_eq!(mac_now(&mut host), PEER_MAC);
    host.receive(advertisement("fd00::2", OTHER_MAC, true, false));
    assert_eq!(mac_now(&mut host), PEER_MAC);
    host.receive(advertisement("fd00::2", OTHER_MAC, false, true));
    assert_eq!(mac_now(&mut host), OTHER_MAC);
}

#[test]
fn unsolicited_replies_make_no_entries_and_conflicts_are_counted() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    let gratuitous = |sender: &str| arp::Packet {
        operation: Operation::Request,
        sender_hardware: PEER_MAC,
        sender_protocol: v4(sender),
        target_hardware: Mac::default(),
        target_protocol: v4(sender),
    };
    host.receive(arp_frame(Mac::BROADCAST, gratuitous("10.0.0.2")));
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    parse_arp(&host.transmit_one());
    host.receive(arp_frame(Mac::BROADCAST, gratuitous("10.0.0.1")));
    assert_eq!(host.ip.counters().address_conflicts, 1);
    assert!(host.ip.is_local(ip("10.0.0.1")));
}

#[test]
fn waiting_packets_and_neighbours_are_bounded() {
    let mut host = Host::ethernet(&["10.0.0.1/8"]);
    for _ in 0..40 {
        host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    }
    assert_eq!(host.ip.counters().neighbour_drops, 24);
    for n in 0..5000_u32 {
        let [_, _, c, d] = n.to_be_bytes();
        let dst = alloc::format!("10.9.{c}.{d}");
        host.send_udp("10.0.0.1", &dst, 1).unwrap();
        host.transmit();
    }
    assert_eq!(host.ip.counters().neighbour_evictions, 5001 - 1024);
    assert!(host.ip.counters().neighbour_drops >= 5040 - 256);
    host.advance(10 * SECOND);
    let reports = core::iter::from_fn(|| host.ip.poll_unreachable()).count();
    assert!(reports <= 256);
    assert_eq!(host.ip.poll_timeout(), None);
}

fn router_advertisement(lifetime_s: u16, options: &[NdpOption], hop_limit: u8) -> Vec<u8> {
    let bytes: Vec<u8> = options
        .iter()
        .flat_map(|option| option.to_bytes())
        .collect();
    let message = Message::RouterAdvertisement {
        hop_limit: 64,
        managed: false,
        other_config: false,
        lifetime_s,
        reachable_ms: 0,
        retrans_ms: 0,
        options: NdpOptions::new(&bytes).unwrap(),
    };
    ndp("fe80::99", "ff02::1", message, hop_limit)
}

#[test]
fn routers_are_asked_for_three_times() {
    let mut host = Host::new();
    host.add_interface(|_| {}, &["fd00::1/64"]);
    let mut times = Vec::new();
    for second in 0..30 {
        for frame in host.transmit() {
            if matches!(parse_ndp(&frame).2, Message::RouterSolicitation { .. }) {
                times.push(second);
            }
        }
        host.advance(SECOND);
    }
    assert_eq!(times, [0, 4, 8]);
}

#[test]
fn a_router_is_learned_used_and_forgotten() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    let far = ip("2001:db8::1");
    assert!(host.ip.route(host.now, far, None).is_err());
    let prefix = NdpOption::Prefix(PrefixInformation {
        prefix: v6("fd00:5::"),
        prefix_len: 64,
        on_link: true,
        autonomous: false,
        valid_s: 100,
        preferred_s: 100,
    });
    let options = [
        NdpOption::SourceLinkAddress(PEER_MAC),
        NdpOption::Mtu(1400),
        prefix,
    ];
    // From another link: not believed.
    host.receive(router_advertisement(60, &options, 64));
    assert!(host.ip.route(host.now, far, None).is_err());
    host.receive(router_advertisement(60, &options, 255));
    // No more solicitations.
    assert_eq!(host.ip.poll_timeout(), None);
    let path = host.ip.route(host.now, far, None).unwrap();
    assert_eq!((path.next_hop, path.mtu), (ip("fe80::99"), 1400));
    assert_eq!(path.source, Some(ip("fd00::1")));
    let path = host.ip.route(host.now, ip("fd00:5::7"), None).unwrap();
    assert_eq!(path.next_hop, ip("fd00:5::7"));
    host.send_udp("fd00::1", "2001:db8::1", 1).unwrap();
    assert_eq!(
        ethernet::Header::parse(&host.transmit_one()).unwrap().dst,
        PEER_MAC
    );

    host.advance(60 * SECOND);
    assert!(
        host.ip.route(host.now, far, None).is_err(),
        "its life is over"
    );
    host.receive(router_advertisement(60, &[], 255));
    assert!(host.ip.route(host.now, far, None).is_ok());
    host.receive(router_advertisement(0, &[], 255));
    assert!(host.ip.route(host.now, far, None).is_err(), "it said so");
}

/// RFC 4861: a router that answers is preferred to one that does not.
#[test]
fn a_router_that_does_not_answer_is_replaced() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    host.receive(router_advertisement(1800, &[], 255));
    let advertisement = Message::RouterAdvertisement {
        hop_limit: 0,
        managed: false,
        other_config: false,
        lifetime_s: 1800,
        reachable_ms: 0,
        retrans_ms: 0,
        options: NdpOptions::NONE,
    };
    host.receive(ndp("fe80::77", "ff02::1", advertisement, 255));
    let router = |host: &Host| {
        host.ip
            .route(host.now, ip("2600::1"), None)
            .unwrap()
            .next_hop
    };
    assert_eq!(router(&host), ip("fe80::99"));
    for next in ["fe80::77", "fe80::99"] {
        host.send_udp("fd00::1", "2600::1", 1).unwrap();
        host.advance(5 * SECOND);
        assert_eq!(router(&host), ip(next));
    }
}

/// RFC 4861: who says that it is no router any more is not used as one.
#[test]
fn a_router_that_says_it_is_none_is_not_used() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    host.receive(router_advertisement(
        1800,
        &[NdpOption::SourceLinkAddress(PEER_MAC)],
        255,
    ));
    let far = ip("2600::1");
    assert!(host.ip.route(host.now, far, None).is_ok());
    host.receive(advertisement("fe80::99", PEER_MAC, false, true));
    assert!(host.ip.route(host.now, far, None).is_err());
}

/// RFC 6980: neighbour discovery in fragments is ignored, also when the fragment is the whole packet.
#[test]
fn neighbour_discovery_in_fragments_is_ignored() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    let option = NdpOption::SourceLinkAddress(PEER_MAC).to_bytes();
    let options = NdpOptions::new(&option).unwrap();
    let ask = Message::NeighborSolicitation {
        target: v6("fd00::1"),
        options,
    };
    let plain = ndp("fd00::2", "ff02::1:ff00:1", ask, 255);
    let message = &plain[54..];
    let fragment = [&[58, 0, 0, 0, 0, 0, 0, 1][..], message].concat();
    let packet = packet_with("fd00::2", "ff02::1:ff00:1", 44, &fragment, 255);
    let group = Mac::for_ipv6_multicast(v6("ff02::1:ff00:1"));
    host.receive(frame(group, PEER_MAC, EtherType::IPV6, &packet));
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
    assert_eq!(host.ip.counters().neighbour_ignored, 1);
    host.receive(plain);
    assert_eq!(host.transmit().len(), 1);
}

#[test]
fn learned_routes_are_bounded() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    for n in 0..100 {
        let prefix = NdpOption::Prefix(PrefixInformation {
            prefix: Ipv6Addr::new(0xfd01, n, 0, 0, 0, 0, 0, 0),
            prefix_len: 64,
            on_link: true,
            autonomous: false,
            valid_s: u32::MAX,
            preferred_s: 0,
        });
        host.receive(router_advertisement(60, &[prefix], 255));
    }
    assert_eq!(host.ip.counters().router_overflows, 100 - 31);
}

#[test]
fn frames_for_others_are_not_looked_at() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    let datagram = packet(
        "10.0.0.2",
        "10.0.0.1",
        17,
        &udp("10.0.0.2", "10.0.0.1", b"x"),
    );
    assert!(
        host.receive(frame(OTHER_MAC, PEER_MAC, EtherType::IPV4, &datagram))
            .is_none()
    );
    assert_eq!(host.ip.counters().not_for_us, 1);
    // RFC 1122 3.3.6: a unicast packet in a broadcast frame.
    assert!(
        host.receive(frame(Mac::BROADCAST, PEER_MAC, EtherType::IPV4, &datagram))
            .is_none()
    );
    assert_eq!(host.ip.counters().bad_destination, 1);
    assert!(
        host.receive(frame(OWN_MAC, PEER_MAC, EtherType(0x88cc), &datagram))
            .is_none()
    );
    assert_eq!(host.ip.counters().unknown_ether_type, 1);
    assert!(
        host.receive(frame(OWN_MAC, PEER_MAC, EtherType::IPV4, &datagram))
            .is_some()
    );
}

#[test]
fn groups_and_broadcasts_need_no_resolution() {
    let mut host = Host::ethernet(&["10.0.0.1/24", "fd00::1/64"]);
    for (src, dst, mac) in [
        ("10.0.0.1", "10.0.0.255", Mac::BROADCAST),
        ("10.0.0.1", "255.255.255.255", Mac::BROADCAST),
        ("10.0.0.1", "224.1.2.3", Mac([1, 0, 0x5e, 1, 2, 3])),
        ("fd00::1", "ff02::fb", Mac([0x33, 0x33, 0, 0, 0, 0xfb])),
    ] {
        host.send_udp(src, dst, 1).unwrap();
        assert_eq!(
            ethernet::Header::parse(&host.transmit_one()).unwrap().dst,
            mac,
            "{dst}"
        );
    }
    assert!(host.ip.is_broadcast(ip("10.0.0.255")));
    assert!(!host.ip.is_broadcast(ip("10.0.1.255")));
}

#[test]
fn removed_addresses_are_gone() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    host.ip.remove_address(IF0, ip("10.0.0.1")).unwrap();
    assert!(!host.ip.is_local(ip("10.0.0.1")));
    assert!(host.ip.route(host.now, ip("10.0.0.2"), None).is_err());
    assert!(host.ip.remove_address(IF0, ip("10.0.0.1")).is_err());
    assert_eq!(
        host.ip.addresses().collect::<Vec<_>>(),
        [] as [(crate::InterfaceId, Cidr); 0]
    );
}
