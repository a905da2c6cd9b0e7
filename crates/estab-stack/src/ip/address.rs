//! What an address says by itself, and arithmetic with networks.

use crate::Cidr;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use estab_wire::ethernet::Address as Mac;

/// All nodes, link-local scope (RFC 4291).
pub(super) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers, link-local scope (RFC 4291).
pub(super) const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// All hosts on this subnet (RFC 1112).
pub(super) const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

/// The Ethernet group that carries an IP group.
pub(super) const fn group_mac(address: IpAddr) -> Mac {
    match address {
        IpAddr::V4(v4) => Mac::for_ipv4_multicast(v4),
        IpAddr::V6(v6) => Mac::for_ipv6_multicast(v6),
    }
}

/// The link-local address made of an Ethernet address (RFC 2464).
pub(super) fn link_local(mac: Mac) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    let interface = [a ^ 2, b, c, 0xff, 0xfe, d, e, f];
    Ipv6Addr::from_bits(0xfe80 << 112 | u128::from(u64::from_be_bytes(interface)))
}

/// fe80::/10.
pub(super) fn is_link_local_v6(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// Can a packet from outside come from it? Not from a group, from nobody, or from our own inside (RFC 1122 3.2.1.3).
/// Mapped addresses must not appear on a wire: a socket would take them for IPv4.
pub(super) fn is_possible_source(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let first = v4.octets()[0];
            first != 0 && first != 127 && first < 224
        }
        IpAddr::V6(v6) => {
            !(v6.is_multicast() || v6.is_unspecified() || v6.is_loopback())
                && v6.to_ipv4_mapped().is_none()
        }
    }
}

/// The same family?
pub(super) const fn same_family(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
}

/// How many leading bits are the same; 0 for different families.
pub(super) fn common_prefix_len(a: IpAddr, b: IpAddr) -> u8 {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() as u8,
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() as u8,
        _ => 0,
    }
}

/// Is the address in the network? Never across families.
pub(super) fn contains(network: Cidr, address: IpAddr) -> bool {
    same_family(network.address, address)
        && common_prefix_len(network.address, address) >= network.prefix_len
}

/// Is the length of the prefix possible in its family?
pub(super) const fn is_valid(cidr: Cidr) -> bool {
    cidr.prefix_len <= if cidr.address.is_ipv4() { 32 } else { 128 }
}

/// The network with the bits behind the prefix zero.
pub(super) fn network(cidr: Cidr) -> Cidr {
    let len = u32::from(cidr.prefix_len);
    let address = match cidr.address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(len))
                .unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(len))
                .unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    };
    Cidr {
        address,
        prefix_len: cidr.prefix_len,
    }
}

/// The broadcast address of an IPv4 network; those of /31 and /32 have none (RFC 3021).
pub(super) fn directed_broadcast(cidr: Cidr) -> Option<Ipv4Addr> {
    let IpAddr::V4(v4) = cidr.address else {
        return None;
    };
    (cidr.prefix_len < 31)
        .then(|| Ipv4Addr::from_bits(v4.to_bits() | u32::MAX >> u32::from(cidr.prefix_len)))
}
