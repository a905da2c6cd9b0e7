//! Routes, source addresses, and who a packet is for.

use super::support::*;
use crate::ip::{Cast, Delivery, LOOPBACK};
use crate::{Error, Medium, PacketIn, Route};
use alloc::vec::Vec;
use bytes::Bytes;
use estab_tcp::{Ecn, IpMeta};
use estab_wire::{ethernet, ipv4, ipv6};

fn next_hop(host: &Host, dst: &str) -> Result<(u16, alloc::string::String), Error> {
    use alloc::string::ToString;
    let path = host.ip.route(host.now, ip(dst), None)?;
    Ok((path.interface.0, path.next_hop.to_string()))
}

fn source(host: &Host, dst: &str) -> Option<alloc::string::String> {
    use alloc::string::ToString;
    host.ip
        .route(host.now, ip(dst), None)
        .unwrap()
        .source
        .map(|source| source.to_string())
}

fn two_interfaces() -> Host {
    let mut host = Host::tun(&["10.0.0.1/24", "fd00:a::1/64"]);
    let second = host.add_interface(|c| c.medium = Medium::Ip, &["10.1.0.1/16", "fd00:b::1/64"]);
    assert_eq!(second, IF1);
    host
}

#[test]
fn the_longest_prefix_wins() {
    let mut host = two_interfaces();
    assert_eq!(next_hop(&host, "192.0.2.1"), Err(Error::NetworkUnreachable));
    host.add_route("0.0.0.0/0", Some("10.0.0.254"), IF0);
    host.add_route("192.0.2.0/24", Some("10.1.0.254"), IF1);
    host.add_route("192.0.2.128/25", None, IF0);
    host.add_route("::/0", Some("fd00:b::fe"), IF1);
    let at = |dst| next_hop(&host, dst).unwrap();
    assert_eq!(at("8.8.8.8"), (0, "10.0.0.254".into()));
    assert_eq!(at("192.0.2.1"), (1, "10.1.0.254".into()));
    assert_eq!(at("192.0.2.129"), (0, "192.0.2.129".into()));
    assert_eq!(at("10.1.2.3"), (1, "10.1.2.3".into()));
    assert_eq!(at("2001:db8::1"), (1, "fd00:b::fe".into()));
    host.ip.remove_route(cidr("192.0.2.0/24")).unwrap();
    assert_eq!(
        next_hop(&host, "192.0.2.1").unwrap(),
        (0, "10.0.0.254".into())
    );
    assert_eq!(
        host.ip.remove_route(cidr("192.0.2.0/24")),
        Err(Error::NetworkUnreachable)
    );
    // The network of an address is not the program's to remove.
    assert_eq!(
        host.ip.remove_route(cidr("10.0.0.0/24")),
        Err(Error::NetworkUnreachable)
    );
}

#[test]
fn impossible_routes_and_addresses_are_refused() {
    let mut host = two_interfaces();
    let route = |destination: &str, gateway: &str, interface| Route {
        destination: cidr(destination),
        gateway: Some(ip(gateway)),
        interface,
        mss: None,
    };
    for bad in [
        route("10.0.0.0/33", "10.0.0.2", IF0),
        route("10.2.0.0/16", "fd00:a::2", IF0),
        route("10.2.0.0/16", "224.0.0.1", IF0),
        route("10.2.0.0/16", "10.0.0.2", crate::InterfaceId(2)),
    ] {
        assert_eq!(host.ip.add_route(bad), Err(Error::Invalid), "{bad:?}");
    }
    let mut add = |address| host.with(|ip, cx| ip.add_address(cx, IF0, cidr(address)));
    assert_eq!(add("10.0.0.1/24"), Err(Error::AddressInUse));
    assert_eq!(add("224.0.0.5/24"), Err(Error::Invalid));
    assert_eq!(add("0.0.0.0/24"), Err(Error::Invalid));
    assert_eq!(add("fd00::5/129"), Err(Error::Invalid));
    let small = host.add_interface(|c| c.mtu = 1279, &[]);
    let result = host.with(|ip, cx| ip.add_address(cx, small, cidr("fd00::9/64")));
    assert_eq!(result, Err(Error::NotSupported), "IPv6 needs 1280 bytes");
}

/// RFC 6724, as far as its rules apply here.
#[test]
fn the_source_fits_the_destination() {
    let mut host = two_interfaces();
    host.add_route("0.0.0.0/0", Some("10.1.0.254"), IF1);
    host.add_route("::/0", None, IF1);
    for address in ["fe80::1/64", "2001:db8::1/64", "fd00:b::77/64"] {
        host.with(|ip, cx| ip.add_address(cx, IF1, cidr(address)))
            .unwrap();
    }
    let of = |dst| source(&host, dst).unwrap();
    // The outgoing interface's.
    assert_eq!(of("8.8.8.8"), "10.1.0.1");
    assert_eq!(of("10.0.0.9"), "10.0.0.1");
    // Same label: a global destination is not spoken to from a unique local address.
    assert_eq!(of("2600::1"), "2001:db8::1");
    assert_eq!(
        of("e000::1"),
        "2001:db8::1",
        "although fd00 has more bits in common"
    );
    // Longest prefix; the first of equal ones.
    assert_eq!(of("fd00:b::9"), "fd00:b::1");
    assert_eq!(of("fd00:a::9"), "fd00:a::1");
    // Scope.
    let link_local = host.ip.route(host.now, ip("fe80::9"), Some(IF1)).unwrap();
    assert_eq!(link_local.source, Some(ip("fe80::1")));
    assert_eq!(link_local.interface, IF1);
}

#[test]
fn without_an_address_of_the_family_there_is_no_source() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    host.add_route("::/0", None, IF0);
    assert_eq!(source(&host, "2600::1"), None);
    let path = host.ip.route(host.now, ip("2600::1"), None).unwrap();
    assert_eq!(path.source(), Err(Error::AddressNotAvailable));
}

#[test]
fn a_path_tells_what_its_interface_can_and_its_route_wants() {
    let mut host = Host::new();
    host.add_interface(
        |c| {
            c.mtu = 9000;
            c.checksum_offload = true;
            c.segmentation_offload = 65_536;
        },
        &["10.0.0.1/24"],
    );
    let mss = Some(1000);
    let route = Route {
        destination: cidr("10.5.0.0/16"),
        gateway: None,
        interface: IF0,
        mss,
    };
    host.ip.add_route(route).unwrap();
    let path = host.ip.route(host.now, ip("10.5.0.1"), None).unwrap();
    assert_eq!((path.mtu, path.mss), (9000, mss));
    assert_eq!(
        (path.checksum_offload, path.segmentation_offload),
        (true, 65_536)
    );
    let own = host.ip.route(host.now, ip("10.0.0.1"), None).unwrap();
    assert_eq!(
        (own.interface, own.source, own.mtu),
        (LOOPBACK, Some(ip("10.0.0.1")), 65_535)
    );
    // Segments are not left to a device that leaves their checksums to us.
    let plain = host.add_interface(|c| c.segmentation_offload = 65_536, &["10.9.0.1/24"]);
    let path = host.ip.route(host.now, ip("10.9.0.2"), None).unwrap();
    assert_eq!((path.interface, path.segmentation_offload), (plain, 0));
}

#[test]
fn through_a_gateway_the_frame_goes_to_it_and_the_packet_to_the_destination() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    host.add_route("0.0.0.0/0", Some("10.0.0.254"), IF0);
    host.send_udp("10.0.0.1", "192.0.2.1", 5).unwrap();
    let request = estab_wire::arp::Packet::parse(&host.transmit_one()[14..]).unwrap();
    assert_eq!(request.target_protocol, ip("10.0.0.254"));
    let reply = estab_wire::arp::Packet {
        operation: estab_wire::arp::Operation::Reply,
        sender_hardware: PEER_MAC,
        sender_protocol: request.target_protocol,
        target_hardware: OWN_MAC,
        target_protocol: request.sender_protocol,
    };
    host.receive(arp_frame(OWN_MAC, reply));
    let frame = host.transmit_one();
    assert_eq!(ethernet::Header::parse(&frame).unwrap().dst, PEER_MAC);
    assert_eq!(
        ipv4::Header::parse(&frame[14..]).unwrap().dst,
        ip("192.0.2.1")
    );
}

#[test]
fn only_packets_for_us_are_taken() {
    let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
    let mut to =
        |src: &str, dst: &str| match host.receive(packet(src, dst, 17, &udp(src, dst, b"x"))) {
            Some(Delivery::Udp(delivered)) => Some(delivered.cast),
            _ => None,
        };
    assert_eq!(to("10.0.0.2", "10.0.0.1"), Some(Cast::Unicast));
    assert_eq!(to("10.0.0.2", "10.0.0.255"), Some(Cast::Broadcast));
    assert_eq!(to("10.0.0.2", "255.255.255.255"), Some(Cast::Broadcast));
    assert_eq!(to("10.0.0.2", "224.0.0.1"), Some(Cast::Multicast));
    assert_eq!(to("fd00::2", "fd00::1"), Some(Cast::Unicast));
    assert_eq!(to("fd00::2", "ff02::1"), Some(Cast::Multicast));
    for (src, dst) in [
        ("10.0.0.2", "10.0.0.3"),
        ("10.0.0.2", "127.0.0.1"),
        ("10.0.0.2", "224.0.0.251"),
        ("fd00::2", "fd00::3"),
        ("fd00::2", "::1"),
        ("fd00::2", "ff02::fb"),
    ] {
        assert_eq!(to(src, dst), None, "{dst}");
    }
    assert_eq!(host.ip.counters().not_for_us, 6);
}

/// RFC 9293 3.9.2.3 MUST-63: a source that cannot be is ignored by the IP layer.
#[test]
fn impossible_sources_are_ignored() {
    let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
    host.ip.set_any_address(IF0, true).unwrap();
    let sources = [
        "0.0.0.0",
        "127.0.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "10.0.0.255",
        "10.0.0.1",
        "240.0.0.1",
    ];
    for src in sources {
        let segment = tcp_header(1, 2);
        assert!(
            host.receive(packet(src, "10.0.0.1", 6, &segment)).is_none(),
            "{src}"
        );
    }
    for src in ["::", "::1", "ff02::1", "fd00::1", "::ffff:10.0.0.2"] {
        assert!(
            host.receive(packet(src, "fd00::1", 6, &tcp_header(1, 2)))
                .is_none(),
            "{src}"
        );
    }
    assert_eq!(host.ip.counters().bad_source, 12);
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
}

/// RFC 9293 3.9.2.3 MUST-57: no segment to a broadcast or multicast address reaches TCP.
#[test]
fn tcp_to_groups_is_discarded() {
    let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
    for (src, dst) in [
        ("10.0.0.2", "10.0.0.255"),
        ("10.0.0.2", "224.0.0.1"),
        ("fd00::2", "ff02::1"),
    ] {
        assert!(
            host.receive(packet(src, dst, 6, &tcp_header(1, 2)))
                .is_none(),
            "{dst}"
        );
    }
    assert_eq!(host.ip.counters().bad_destination, 3);
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
}

#[test]
fn any_address_mode_takes_all_unicast_destinations_and_answers_in_their_name() {
    let mut host = Host::tun(&[]);
    let request = packet("10.0.0.2", "192.0.2.77", 6, &tcp_header(1, 2));
    assert!(host.receive(request.clone()).is_none());
    host.ip.set_any_address(IF0, true).unwrap();
    let delivered = host.receive_transport(request);
    assert_eq!(
        (delivered.src, delivered.dst),
        (ip("10.0.0.2"), ip("192.0.2.77"))
    );
    assert!(!host.ip.is_local(ip("192.0.2.77")));
    for (src, dst) in [
        ("10.0.0.2", "127.0.0.1"),
        ("10.0.0.2", "224.0.0.9"),
        ("fd00::2", "::1"),
    ] {
        assert!(
            host.receive(packet(src, dst, 6, &tcp_header(1, 2)))
                .is_none(),
            "{dst}"
        );
    }
    // There is no route and no address, but who asked came from there.
    host.send_udp("192.0.2.77", "10.0.0.2", 5).unwrap();
    let sent = host.transmit_one();
    assert_checksums(&sent);
    assert_eq!(ipv4::Header::parse(&sent).unwrap().src, ip("192.0.2.77"));
    host.receive_transport(packet("fd00::2", "2001:db8::1", 6, &tcp_header(1, 2)));
}

#[test]
fn tos_ecn_and_hop_limit_are_passed_both_ways() {
    let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
    let meta = IpMeta {
        ecn: Ecn::Ect0,
        tos: 0xb8,
        hop_limit: 9,
        dont_fragment: true,
    };
    host.send_udp_with("10.0.0.1", "10.0.0.2", 1, meta).unwrap();
    let header = ipv4::Header::parse(&host.transmit_one()).unwrap();
    assert_eq!(
        (header.tos, header.ttl, header.dont_fragment),
        (0xba, 9, true)
    );
    host.send_udp_with("fd00::1", "fd00::2", 1, meta).unwrap();
    let header = ipv6::Header::parse(&host.transmit_one()).unwrap();
    assert_eq!((header.traffic_class, header.hop_limit), (0xba, 9));
    // The defaults: the setting for hosts, one hop for groups.
    host.settings.ip_default_ttl = 55;
    host.send_udp("10.0.0.1", "10.0.0.2", 1).unwrap();
    assert_eq!(ipv4::Header::parse(&host.transmit_one()).unwrap().ttl, 55);
    host.send_udp("10.0.0.1", "224.1.1.1", 1).unwrap();
    assert_eq!(ipv4::Header::parse(&host.transmit_one()).unwrap().ttl, 1);

    let header = ipv4::Header {
        tos: 0xbb,
        ttl: 3,
        ..ipv4::Header::new([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), 17)
    };
    let delivered = host.receive_transport(packet_v4(header, &udp("10.0.0.2", "10.0.0.1", b"x")));
    assert_eq!(
        delivered.meta,
        IpMeta {
            ecn: Ecn::Ce,
            tos: 0xb8,
            hop_limit: 3,
            dont_fragment: false
        }
    );
}

/// RFC 9293 3.9.2 MUST-50: unknown IP options are ignored. Source routes are refused, as Linux does by default.
#[test]
fn options_are_skipped_and_source_routes_refused() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    let with_options = |options: &[u8]| {
        let datagram = udp("10.0.0.2", "10.0.0.1", b"x");
        let mut bytes = packet("10.0.0.2", "10.0.0.1", 17, &[options, &datagram].concat());
        bytes[0] = 0x40 | (5 + options.len() / 4) as u8;
        bytes[10..12].fill(0);
        let sum = naive_checksum(None, &bytes[..20 + options.len()]);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        bytes
    };
    let timestamp = [68, 8, 5, 0, 0, 0, 0, 0];
    let delivered = host.receive_transport(with_options(&timestamp));
    assert_eq!(delivered.data.len(), 9);
    for malformed in [
        [200, 1, 0, 0],
        [200, 0, 0, 0],
        [1, 1, 1, 200],
        [200, 250, 0, 0],
    ] {
        host.receive_transport(with_options(&malformed));
    }
    for kind in [131, 137] {
        let route = [1, kind, 7, 4, 10, 0, 0, 9];
        assert!(host.receive(with_options(&route)).is_none());
    }
    assert_eq!(host.ip.counters().source_routed, 2);
}

/// RFC 4291: a link-local address is ours on its own link only.
#[test]
fn link_local_addresses_belong_to_their_link() {
    let mut host = Host::tun(&["fe80::1/64"]);
    let second = host.add_interface(|c| c.medium = Medium::Ip, &["fe80::2/64"]);
    let mut on = |interface, dst: &str| {
        let datagram = packet("fe80::9", dst, 17, &udp("fe80::9", dst, b"x"));
        let packet = PacketIn::from(Bytes::from(datagram));
        host.with(|ip, cx| ip.handle_packet(cx, interface, packet))
            .is_some()
    };
    assert!(on(IF0, "fe80::1") && on(second, "fe80::2"));
    assert!(!on(IF0, "fe80::2") && !on(second, "fe80::1"));
}
