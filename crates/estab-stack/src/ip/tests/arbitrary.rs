//! Nothing that comes from a link may make the layer panic, hang, or take memory without bounds.

use super::support::*;
use crate::ip::IpLayer;
use alloc::vec::Vec;
use core::time::Duration;
use estab_wire::ethernet::EtherType;
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes that get past the first checks: a good beginning, then anything.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let v4 = (vec(any::<u8>(), 0..100), any::<u8>(), any::<u16>(), 0..4_u8).prop_map(
        |(body, protocol, fragment, kind)| {
            let protocol = [1, 6, 17, protocol][usize::from(kind)];
            let mut bytes = packet("10.0.0.2", "10.0.0.1", protocol, &body);
            bytes[6..8].copy_from_slice(&(fragment & 0x201f).to_be_bytes());
            bytes[10..12].fill(0);
            let sum = naive_checksum(None, &bytes[..20]);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
            bytes
        },
    );
    let v6 =
        (vec(any::<u8>(), 0..120), 0..9_usize, any::<bool>()).prop_map(|(body, kind, group)| {
            let protocol = [0, 6, 17, 43, 44, 58, 59, 60, 200][kind];
            let dst = if group { "ff02::1" } else { "fd00::1" };
            packet_with("fd00::2", dst, protocol, &body, 255)
        });
    let ndp = (vec(any::<u8>(), 20..80), 128..140_u8).prop_map(|(mut body, kind)| {
        body[..4].copy_from_slice(&[kind, 0, 0, 0]);
        let pseudo = Some((ip("fe80::2"), ip("ff02::1"), 58));
        let sum = naive_checksum(pseudo, &body);
        body[2..4].copy_from_slice(&sum.to_be_bytes());
        packet_with("fe80::2", "ff02::1", 58, &body, 255)
    });
    let error =
        (vec(any::<u8>(), 0..80), 0..20_u8, any::<u8>()).prop_map(|(quoted, kind, code)| {
            let mut message = [&[kind, code, 0, 0, 0, 0, 0, 0][..], &quoted].concat();
            let sum = naive_checksum(None, &message);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
            packet("10.0.0.254", "10.0.0.1", 1, &message)
        });
    prop_oneof![vec(any::<u8>(), 0..200), v4, v6, ndp, error]
}

fn assert_bounded(ip: &IpLayer) {
    assert!(ip.reassembly.bytes() <= 4 << 20);
    assert!(ip.output.len() <= 4096);
    assert!(ip.looped.len() <= 1024);
    assert!(ip.reports.len() <= 1024);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn arbitrary_input_does_no_harm(ethernet: bool, any_address: bool, input in vec((packets(), 0..3000_u64, any::<u16>()), 1..60)) {
        let addresses = &["10.0.0.1/24", "fd00::1/64"];
        let mut host = if ethernet { Host::ethernet(addresses) } else { Host::tun(addresses) };
        host.ip.set_any_address(IF0, any_address).unwrap();
        for (bytes, wait, how) in input {
            let bytes = match how % 8 {
                _ if !ethernet => bytes,
                0 => bytes,
                1 => frame(OWN_MAC, PEER_MAC, EtherType::ARP, &bytes),
                2 => frame(estab_wire::ethernet::Address::BROADCAST, PEER_MAC, EtherType::ARP, &bytes),
                _ if bytes.is_empty() => bytes,
                3 => frame(estab_wire::ethernet::Address([0x33, 0x33, 0, 0, 0, 1]), PEER_MAC, EtherType::IPV6, &bytes),
                _ => ip_frame(&bytes),
            };
            let delivery = host.receive(bytes);
            if let Some(crate::ip::Delivery::Tcp(delivered) | crate::ip::Delivery::Udp(delivered)) = delivery {
                let kind = estab_tcp::IcmpErrorKind::PortUnreachable;
                host.with(|ip, cx| ip.send_icmp_error(cx, IF0, &delivered.original, kind));
            }
            assert_bounded(&host.ip);
            if how % 3 == 0 {
                host.transmit();
            }
            host.advance(Duration::from_millis(wait));
            while host.ip.poll_unreachable().is_some() {}
        }
        host.transmit();
        host.advance(Duration::from_secs(100));
        prop_assert!(host.ip.reassembly.is_empty());
        prop_assert_eq!(host.ip.poll_timeout(), None);
    }
}
