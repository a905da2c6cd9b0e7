use super::support::*;
use crate::ip::{Delivery, path::plateau_below};
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;
use estab_tcp::IcmpErrorKind;
use estab_wire::{icmpv4, icmpv6, ipv4, ipv6, protocol};

fn host() -> Host {
    Host::tun(&["10.0.0.1/24", "fd00::1/64"])
}

fn mtu(host: &Host, dst: &str) -> u16 {
    host.ip.route(host.now, ip(dst), None).unwrap().mtu
}

/// What the layer makes of a "fragmentation needed" about a segment with so much text.
fn told_v4(host: &mut Host, next_hop_mtu: u16, text: usize) -> Option<u32> {
    let segment = [&tcp_header(1, 0x10)[..], &pattern(text)].concat();
    let quoted = &packet("10.0.0.1", "10.0.0.2", 6, &segment)[..28];
    let message = icmpv4::Message::DestinationUnreachable {
        code: 4,
        next_hop_mtu,
        quoted,
    };
    let mut out = Vec::new();
    message.emit(&mut out);
    kind(host.receive(packet("10.0.0.254", "10.0.0.1", protocol::ICMP, &out)))
}

fn told_v6(host: &mut Host, mtu: u32, text: usize) -> Option<u32> {
    let segment = [&tcp_header(1, 0x10)[..], &pattern(text)].concat();
    let quoted = &packet("fd00::1", "fd00::2", 6, &segment)[..];
    let (IpAddr::V6(src), IpAddr::V6(dst)) = (ip("fd00::fe"), ip("fd00::1")) else {
        panic!("IPv6");
    };
    let mut out = Vec::new();
    icmpv6::Message::PacketTooBig {
        mtu,
        quoted: &quoted[..quoted.len().min(1200)],
    }
    .emit(src, dst, &mut out);
    kind(host.receive(packet("fd00::fe", "fd00::1", protocol::ICMPV6, &out)))
}

fn kind(delivery: Option<Delivery>) -> Option<u32> {
    match delivery {
        Some(Delivery::IcmpError(report)) => match report.kind {
            IcmpErrorKind::PacketTooBig { mtu } => Some(mtu),
            other => panic!("{other:?}"),
        },
        _ => None,
    }
}

#[test]
fn too_big_carries_an_mtu_that_can_be_believed() {
    let mut host = host();
    assert_eq!(told_v4(&mut host, 1400, 1460), Some(1400));
    // Never below the floors.
    assert_eq!(told_v4(&mut host, 68, 1460), Some(552));
    assert_eq!(told_v6(&mut host, 1400, 1440), Some(1400));
    assert_eq!(told_v6(&mut host, 1280, 1440), Some(1280));
    // RFC 8201: less than any IPv6 link takes.
    assert_eq!(told_v6(&mut host, 1279, 1440), None);
    // RFC 1191: none was told, so the next plateau below the packet is guessed.
    assert_eq!(told_v4(&mut host, 0, 1460), Some(1492));
    assert_eq!(told_v4(&mut host, 0, 1400), Some(1006));
    assert_eq!(told_v4(&mut host, 0, 600), Some(552));
    // RFC 5927: an MTU that the packet would have fit is no reason.
    assert_eq!(told_v4(&mut host, 1500, 1460), None);
    assert_eq!(told_v4(&mut host, 9000, 1460), None);
    assert_eq!(told_v6(&mut host, 1500, 1440), None);
    // A super-segment was cut to what the link takes.
    assert_eq!(told_v4(&mut host, 0, 30_000), Some(1492));
    assert_eq!(told_v4(&mut host, 1400, 30_000), Some(1400));
    assert_eq!(told_v4(&mut host, 9000, 30_000), None);
    assert_eq!(host.ip.counters().icmp_not_ours, 5);
    // Nothing was believed yet: that is for the transport to say.
    assert_eq!(mtu(&host, "10.0.0.2"), 1500);
}

#[test]
fn plateaus_go_down_to_the_smallest_mtu() {
    let mut len = u16::MAX;
    let mut seen = Vec::new();
    while len > 68 {
        len = plateau_below(len);
        seen.push(len);
    }
    assert_eq!(
        seen,
        [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68]
    );
}

#[test]
fn a_believed_mtu_holds_for_ten_minutes() {
    let mut host = host();
    let learn =
        |host: &mut Host, dst, mtu| host.with(|layer, cx| layer.learn_path_mtu(cx, ip(dst), mtu));
    learn(&mut host, "10.0.0.2", 1000);
    assert_eq!(
        (mtu(&host, "10.0.0.2"), mtu(&host, "10.0.0.3")),
        (1000, 1500)
    );
    // Larger ones are not believed while it holds, smaller ones are, down to the floor.
    learn(&mut host, "10.0.0.2", 1200);
    assert_eq!(mtu(&host, "10.0.0.2"), 1000);
    learn(&mut host, "10.0.0.2", 10);
    assert_eq!(mtu(&host, "10.0.0.2"), 552);
    learn(&mut host, "fd00::2", 10);
    assert_eq!(mtu(&host, "fd00::2"), 1280);
    learn(&mut host, "10.0.0.4", 100_000);
    assert_eq!(mtu(&host, "10.0.0.4"), 1500);
    host.advance(Duration::from_secs(599));
    assert_eq!(mtu(&host, "10.0.0.2"), 552);
    host.advance(Duration::from_secs(1));
    assert_eq!(mtu(&host, "10.0.0.2"), 1500);
    learn(&mut host, "10.0.0.2", 1400);
    assert_eq!(mtu(&host, "10.0.0.2"), 1400);
    assert_eq!(host.ip.counters().path_mtu_updates, 5);
}

#[test]
fn datagrams_are_fragmented_to_the_path_mtu() {
    let mut host = host();
    for (own, dst, small) in [("10.0.0.1", "10.0.0.2", 576), ("fd00::1", "fd00::2", 1280)] {
        host.with(|layer, cx| layer.learn_path_mtu(cx, ip(dst), small));
        host.send_udp(own, dst, 1400).unwrap();
        let parts = host.transmit();
        assert!(parts.len() > 1);
        for part in &parts {
            assert!(part.len() <= small as usize);
            if own.contains(':') {
                assert_eq!(
                    ipv6::Header::parse(part).unwrap().next_header,
                    protocol::FRAGMENT
                );
            } else {
                assert!(ipv4::Header::parse(part).unwrap().is_fragment());
            }
        }
    }
}

#[test]
fn the_cache_is_bounded() {
    let mut host = host();
    for n in 0..10_000_u32 {
        let [_, _, c, d] = n.to_be_bytes();
        let dst = IpAddr::from([10, 0, c, d]);
        host.with(|layer, cx| layer.learn_path_mtu(cx, dst, 1000));
    }
    assert_eq!(host.ip.path_mtus.len(), 4096);
    assert_eq!(host.ip.counters().path_mtu_evictions, 10_000 - 4096);
}
