use crate::support::{bytes, hex, v4, v6};
use estab_wire::arp::{Operation, Packet};
use estab_wire::ethernet::{Address, EtherType, HEADER_LEN, Header};
use estab_wire::{Error, ipv6};
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 6]>().prop_map(Address)
}

#[test]
fn ethernet() {
    let frame = hex("ffffffffffff 02005e100001 0806 0001");
    let header = Header::parse(&frame).unwrap();
    assert_eq!(
        header,
        Header {
            dst: Address::BROADCAST,
            src: Address([0x02, 0, 0x5e, 0x10, 0, 1]),
            ethertype: EtherType::ARP,
        }
    );
    assert_eq!(format!("{}", header.src), "02:00:5e:10:00:01");
    for (len, field, expected) in [
        (13, "0800", Err(Error::Truncated)),
        (14, "0800", Ok(EtherType::IPV4)),
        (14, "86dd", Ok(EtherType::IPV6)),
        (14, "8100", Ok(EtherType(0x8100))),
        (14, "0600", Ok(EtherType(0x600))),
        (14, "05ff", Err(Error::Unsupported)),
        (14, "0000", Err(Error::Unsupported)),
    ] {
        let frame = [vec![0; 12], hex(field)].concat();
        let got = Header::parse(&frame[..len]).map(|header| header.ethertype);
        assert_eq!(got, expected, "{field}");
    }
}

#[test]
fn kinds_of_addresses() {
    for (octets, broadcast, multicast, unicast) in [
        ([0xff; 6], true, true, false),
        ([0x01, 0, 0x5e, 0, 0, 1], false, true, false),
        ([0x33, 0x33, 0, 0, 0, 1], false, true, false),
        ([0x02, 0, 0, 0, 0, 1], false, false, true),
        ([0; 6], false, false, false),
    ] {
        let address = Address(octets);
        assert_eq!(address.is_broadcast(), broadcast, "{address}");
        assert_eq!(address.is_multicast(), multicast, "{address}");
        assert_eq!(address.is_unicast(), unicast, "{address}");
    }
}

#[test]
fn multicast_mapping() {
    assert_eq!(
        Address::for_ipv4_multicast(Ipv4Addr::new(239, 129, 2, 3)),
        Address([0x01, 0, 0x5e, 0x01, 2, 3])
    );
    let group = ipv6::solicited_node("2001:db8::1:2345:6789".parse().unwrap());
    assert_eq!(group, "ff02::1:ff45:6789".parse::<Ipv6Addr>().unwrap());
    assert_eq!(
        Address::for_ipv6_multicast(group),
        Address([0x33, 0x33, 0xff, 0x45, 0x67, 0x89])
    );
    assert!(ipv6::is_solicited_node(group));
    for other in [
        "ff02::1:fe45:6789",
        "ff02::1",
        "fe80::1:ff45:6789",
        "ff05::1:ff45:6789",
    ] {
        assert!(!ipv6::is_solicited_node(other.parse().unwrap()), "{other}");
    }
}

const REQUEST: &str = "0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202";

#[test]
fn arp_request() {
    let bytes = hex(REQUEST);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(
        packet,
        Packet {
            operation: Operation::Request,
            sender_hardware: Address([2, 0, 0, 0, 0, 1]),
            sender_protocol: Ipv4Addr::new(192, 0, 2, 1),
            target_hardware: Address([0; 6]),
            target_protocol: Ipv4Addr::new(192, 0, 2, 2),
        }
    );
    let mut out = [0; 28];
    packet.emit(&mut out);
    assert_eq!(out[..], bytes);
}

#[test]
fn arp_errors() {
    for (at, value, error) in [
        (1, 6, Error::Unsupported),
        (2, 0x86, Error::Unsupported),
        (4, 8, Error::Malformed),
        (5, 16, Error::Malformed),
        (7, 0, Error::Unsupported),
        (7, 3, Error::Unsupported),
        (6, 1, Error::Unsupported),
    ] {
        let mut bytes = hex(REQUEST);
        bytes[at] = value;
        assert_eq!(Packet::parse(&bytes), Err(error), "byte {at}");
    }
    let bytes = hex(REQUEST);
    for len in 0..bytes.len() {
        assert_eq!(Packet::parse(&bytes[..len]), Err(Error::Truncated));
    }
}

proptest! {
    #[test]
    fn ethernet_round_trip(dst in address(), src in address(), ethertype in 0x600u16.., rest in bytes(20)) {
        let header = Header { dst, src, ethertype: EtherType(ethertype) };
        let mut out = [0; HEADER_LEN];
        header.emit(&mut out);
        prop_assert_eq!(Header::parse(&[&out, &*rest].concat()), Ok(header));
    }

    #[test]
    fn arp_round_trip(
        reply: bool, sender_hardware in address(), sender_protocol in v4(),
        target_hardware in address(), target_protocol in v4(), padding in bytes(18),
    ) {
        let operation = if reply { Operation::Reply } else { Operation::Request };
        let packet = Packet {
            operation, sender_hardware, sender_protocol, target_hardware, target_protocol,
        };
        let mut out = [0; 28];
        packet.emit(&mut out);
        prop_assert_eq!(Packet::parse(&[&out, &*padding].concat()), Ok(packet));
    }

    #[test]
    fn solicited_node_groups(address in v6()) {
        prop_assert!(ipv6::is_solicited_node(ipv6::solicited_node(address)));
    }
}
