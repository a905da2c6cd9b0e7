use super::support::*;
use crate::{Checksum, Echo, EchoReply, Error, PacketIn};
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;
use estab_wire::{icmpv4, icmpv6, ipv4, protocol};

fn echo_v4(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    icmpv4::Message::EchoRequest {
        ident: 7,
        seq: 3,
        data,
    }
    .emit(&mut out);
    out
}

fn v6(text: &str) -> Ipv6Addr {
    match ip(text) {
        IpAddr::V6(v6) => v6,
        IpAddr::V4(_) => panic!("IPv6"),
    }
}

pub(super) fn echo_v6(src: &str, dst: &str, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    icmpv6::Message::EchoRequest {
        ident: 7,
        seq: 3,
        data,
    }
    .emit(v6(src), v6(dst), &mut out);
    out
}

#[test]
fn echo_requests_are_answered_with_the_same_data() {
    let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
    assert!(
        host.receive(packet(
            "10.0.0.2",
            "10.0.0.1",
            protocol::ICMP,
            &echo_v4(b"hello")
        ))
        .is_none()
    );
    let reply = host.transmit_one();
    assert_checksums(&reply);
    let header = ipv4::Header::parse(&reply).unwrap();
    assert_eq!(
        (header.src, header.dst),
        ([10, 0, 0, 1].into(), [10, 0, 0, 2].into())
    );
    assert_eq!(header.ttl, 64);
    let expected = icmpv4::Message::EchoReply {
        ident: 7,
        seq: 3,
        data: b"hello",
    };
    assert_eq!(icmpv4::Message::parse(body(&reply)), Ok(expected));

    let request = echo_v6("fd00::2", "fd00::1", b"hello");
    assert!(
        host.receive(packet("fd00::2", "fd00::1", protocol::ICMPV6, &request))
            .is_none()
    );
    let reply = host.transmit_one();
    assert_checksums(&reply);
    let expected = icmpv6::Message::EchoReply {
        ident: 7,
        seq: 3,
        data: b"hello",
    };
    assert_eq!(
        icmpv6::Message::parse(v6("fd00::1"), v6("fd00::2"), body(&reply)),
        Ok(expected)
    );
    assert_eq!(host.ip.counters().echo_replies, 2);
    assert_eq!(
        host.notes(),
        [
            "in",
            "icmp in 8 0",
            "icmp out 0 0",
            "out",
            "in",
            "icmp in 128 0",
            "icmp out 129 0",
            "out"
        ]
    );
}

#[test]
fn an_echo_of_a_whole_mtu_and_more_comes_back() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    let data = pattern(4000);
    let parts =
        super::fragments::cut_v4(&packet("10.0.0.2", "10.0.0.1", 1, &echo_v4(&data)), 1480, 9);
    for part in parts {
        host.receive(part);
    }
    let reply = super::fragments::join_v4(&host.transmit());
    assert_checksums(&reply);
    let expected = icmpv4::Message::EchoReply {
        ident: 7,
        seq: 3,
        data: &data,
    };
    assert_eq!(icmpv4::Message::parse(body(&reply)), Ok(expected));
}

#[test]
fn groups_and_the_setting_silence_echo() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    for group in ["10.0.0.255", "255.255.255.255", "224.0.0.1"] {
        host.receive(packet("10.0.0.2", group, protocol::ICMP, &echo_v4(b"")));
    }
    host.settings.icmp_echo_ignore_all = true;
    host.receive(packet(
        "10.0.0.2",
        "10.0.0.1",
        protocol::ICMP,
        &echo_v4(b""),
    ));
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
    assert_eq!(host.ip.counters().icmp_ignored, 4);
}

#[test]
fn an_ipv6_group_is_answered_from_an_address_of_the_link() {
    let mut host = Host::ethernet(&["fd00::1/64"]);
    let request = packet(
        "fd00::2",
        "ff02::1",
        58,
        &echo_v6("fd00::2", "ff02::1", b"x"),
    );
    let group = estab_wire::ethernet::Address::for_ipv6_multicast(v6("ff02::1"));
    host.receive(frame(
        group,
        PEER_MAC,
        estab_wire::ethernet::EtherType::IPV6,
        &request,
    ));
    // The peer is not known yet: the reply waits behind a solicitation.
    let solicitation = host.transmit_one();
    assert_eq!(solicitation[14 + 40], 135);
    assert_eq!(host.ip.counters().echo_replies, 1);
}

#[test]
fn wrong_checksums_are_dropped_and_counted() {
    let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
    let good = packet("10.0.0.2", "10.0.0.1", protocol::ICMP, &echo_v4(b"hello"));
    for at in [8, 12, 24, 28, 32] {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(host.receive(bad).is_none(), "byte {at}");
    }
    let mut bad = packet(
        "fd00::2",
        "fd00::1",
        58,
        &echo_v6("fd00::2", "fd00::1", b"hello"),
    );
    bad[45] ^= 1;
    assert!(host.receive(bad).is_none());
    assert_eq!(host.transmit(), Vec::<Bytes>::new());
    assert_eq!(host.ip.counters().bad_checksum, 6);
    host.receive(good);
    assert_eq!(host.transmit().len(), 1);
}

#[test]
fn padding_of_the_link_is_no_part_of_the_packet() {
    let mut host = Host::ethernet(&["10.0.0.1/24"]);
    let mut padded = ip_frame(&packet(
        "10.0.0.2",
        "10.0.0.1",
        17,
        &udp("10.0.0.2", "10.0.0.1", b"hi"),
    ));
    padded.extend(vec![0xee; 20]);
    let delivered = host.receive_transport(padded);
    assert_eq!(delivered.data.len(), 10);
    assert_eq!(delivered.original.len(), 30);
}

#[test]
fn what_the_device_says_about_a_coalesced_packet_is_passed_on() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    let segment = [&tcp_header(1, 0x10)[..], &pattern(3000)].concat();
    let data = Bytes::from(packet("10.0.0.2", "10.0.0.1", 6, &segment));
    let coalesced = PacketIn {
        data,
        checksum: Checksum::Valid,
        segments: 3,
        segment_size: 1200,
    };
    let delivery = host.with(|ip, cx| ip.handle_packet(cx, IF0, coalesced));
    let Some(crate::ip::Delivery::Tcp(delivered)) = delivery else {
        panic!("TCP: {delivery:?}");
    };
    assert_eq!((delivered.segments, delivered.segment_size), (3, 1200));
    assert_eq!(delivered.checksum, Checksum::Valid);
    assert_eq!(delivered.data, segment);
}

fn ask(host: &mut Host, to: &str, sequence: u16) -> Result<(), Error> {
    let echo = echo(to, sequence);
    host.with(|ip, cx| ip.send_echo_request(cx, echo, Bytes::from_static(b"hello")))
}

fn echo(to: &str, sequence: u16) -> Echo {
    Echo {
        to: ip(to),
        identifier: 5,
        sequence,
    }
}

#[test]
fn our_own_requests_find_their_replies() {
    for (own, peer) in [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")] {
        let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
        let mut answerer = Host::tun(&["10.0.0.2/24", "fd00::2/64"]);
        ask(&mut host, peer, 1).unwrap();
        let request = host.transmit_one();
        assert_checksums(&request);
        assert!(answerer.receive(request).is_none());
        let reply = answerer.transmit_one();
        host.advance(Duration::from_millis(30));
        assert_eq!(host.ip.take_echo_reply(echo(peer, 1)), None);
        // From another, or with another number: not the reply.
        let stranger = match own {
            "10.0.0.1" => packet("10.0.0.3", own, protocol::ICMP, body(&reply)),
            _ => reply[..50].to_vec(),
        };
        host.receive(stranger);
        assert_eq!(host.ip.take_echo_reply(echo(peer, 1)), None);
        host.receive(reply.clone());
        let expected = EchoReply {
            echo: echo(peer, 1),
            round_trip: Duration::from_millis(30),
            hop_limit: 64,
            len: 5,
        };
        assert_eq!(host.ip.take_echo_reply(echo(peer, 1)), Some(expected));
        // A second one answers nothing.
        host.receive(reply);
        assert_eq!(host.ip.take_echo_reply(echo(peer, 1)), None);
    }
}

#[test]
fn we_can_ask_ourselves() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    for own in ["10.0.0.1", "127.0.0.1", "::1"] {
        ask(&mut host, own, 1).unwrap();
        assert!(host.with(|ip, cx| ip.poll_loopback(cx)).is_none());
        assert!(host.ip.take_echo_reply(echo(own, 1)).is_some(), "{own}");
    }
    assert_eq!(
        ask(&mut host, "192.0.2.1", 1),
        Err(Error::NetworkUnreachable)
    );
}

#[test]
fn requests_under_way_are_bounded() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    for sequence in 0..100 {
        ask(&mut host, "127.0.0.1", sequence).unwrap();
    }
    assert_eq!(host.ip.counters().echo_overflows, 36);
    host.with(|ip, cx| ip.poll_loopback(cx));
    let taken = |&sequence: &u16| {
        host.ip
            .take_echo_reply(echo("127.0.0.1", sequence))
            .is_some()
    };
    let replies: Vec<u16> = (0..100).filter(taken).collect();
    assert_eq!(replies, (36..100).collect::<Vec<_>>());
}
