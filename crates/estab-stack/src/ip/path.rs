//! From a destination to the way there: routes, next hops, our address for it, path MTUs.

use super::address::{common_prefix_len, contains, is_link_local_v6, same_family};
use super::interface::{IPV6_MTU_MIN, Interface};
use super::{IpCx, IpLayer, LOOPBACK, Path};
use crate::{Error, InterfaceId};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use estab_tcp::Instant;

/// Path MTUs that are remembered.
pub(super) const PATH_MTUS_MAX: usize = 4096;

/// After this time a larger packet is tried again (RFC 1191, RFC 8201).
const PATH_MTU_LIFE: Duration = Duration::from_secs(600);

/// Bytes of the largest IPv4 packet: what a packet to ourselves may have.
pub(super) const LOOPBACK_MTU: u16 = u16::MAX;

/// The path MTUs that RFC 1191 guesses when a router told none.
const PLATEAUS: [u16; 9] = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296];

/// The guess for a packet of this length that did not fit.
pub(super) fn plateau_below(len: u16) -> u16 {
    PLATEAUS
        .into_iter()
        .find(|plateau| *plateau < len)
        .unwrap_or(68)
}

/// A path MTU that was learned, and until when it is believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathMtu {
    mtu: u16,
    expires: Instant,
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) interface: InterfaceId,
    pub(super) next_hop: IpAddr,
    pub(super) mss: Option<u16>,
}

impl IpLayer {
    /// How packets get there now. `interface` overrides the routes (scope ids, where a request came from).
    ///
    /// # Errors
    /// [`Error::NetworkUnreachable`]: no route.
    pub(crate) fn route(
        &self,
        now: Instant,
        dst: IpAddr,
        interface: Option<InterfaceId>,
    ) -> Result<Path, Error> {
        let hop = self.hop(now, dst, interface)?;
        let Some(entry) = self.interface(hop.interface) else {
            return Ok(Path {
                interface: LOOPBACK,
                next_hop: dst,
                source: Some(loopback_source(dst)),
                mtu: LOOPBACK_MTU,
                mss: None,
                checksum_offload: true,
                segmentation_offload: LOOPBACK_MTU.into(),
            });
        };
        Ok(Path {
            interface: hop.interface,
            next_hop: hop.next_hop,
            source: self.source_for(hop.interface, dst),
            mtu: self.path_mtu(now, entry, dst),
            mss: hop.mss,
            checksum_offload: entry.config.checksum_offload,
            segmentation_offload: entry.config.segmentation_offload,
        })
    }

    /// The next hop only.
    pub(super) fn hop(
        &self,
        now: Instant,
        dst: IpAddr,
        interface: Option<InterfaceId>,
    ) -> Result<Hop, Error> {
        if self.is_local(dst) {
            return Ok(Hop {
                interface: LOOPBACK,
                next_hop: dst,
                mss: None,
            });
        }
        if dst.is_unspecified() {
            return Err(Error::NetworkUnreachable);
        }
        if let Some(id) = interface
            && self.interface(id).is_none()
        {
            return Err(Error::Invalid);
        }
        let direct = |interface| Hop {
            interface,
            next_hop: dst,
            mss: None,
        };
        // Link-local destinations are neighbours on every link; without a scope id the first one with IPv6 is meant.
        if is_link_local_v6(dst) {
            return interface
                .or_else(|| self.first_interface(true))
                .map(direct)
                .ok_or(Error::NetworkUnreachable);
        }
        if let Some(route) = self.routes.find(now, dst, interface) {
            return Ok(Hop {
                interface: route.interface,
                next_hop: route.gateway.unwrap_or(dst),
                mss: route.mss,
            });
        }
        let group = dst.is_multicast() || self.is_broadcast(dst);
        interface
            .or_else(|| group.then(|| self.first_interface(dst.is_ipv6())).flatten())
            .or_else(|| self.any_address_interface())
            .map(direct)
            .ok_or(Error::NetworkUnreachable)
    }

    /// The hop of an answer to something that came in there.
    pub(super) fn reply_hop(
        &self,
        now: Instant,
        dst: IpAddr,
        arrival: InterfaceId,
    ) -> Result<Hop, Error> {
        let arrival = (arrival != LOOPBACK).then_some(arrival);
        if is_link_local_v6(dst) {
            return self.hop(now, dst, arrival);
        }
        self.hop(now, dst, None)
            .or_else(|_| self.hop(now, dst, arrival))
    }

    fn first_interface(&self, v6: bool) -> Option<InterfaceId> {
        let with = |interface: &Interface| {
            interface
                .addresses
                .iter()
                .any(|cidr| cidr.address.is_ipv6() == v6)
        };
        let at = self.interfaces.iter().position(with)?;
        Some(InterfaceId(at as u16))
    }

    fn any_address_interface(&self) -> Option<InterfaceId> {
        let at = self
            .interfaces
            .iter()
            .position(|interface| interface.any_address)?;
        Some(InterfaceId(at as u16))
    }

    /// Our address for a destination over an interface, by RFC 6724: rule 2 (scope), rule 5 (outgoing
    /// interface), rule 6 (label), rule 8 (longest prefix). The others are about addresses that we do not have:
    /// deprecated, home and temporary ones.
    fn source_for(&self, interface: InterfaceId, dst: IpAddr) -> Option<IpAddr> {
        let mut best: Option<(_, IpAddr)> = None;
        for (id, cidr) in self.addresses() {
            let address = cidr.address;
            // A link-local address means nothing on another link.
            if !same_family(address, dst) || id != interface && is_link_local_v6(address) {
                continue;
            }
            let (from, to) = (scope(address), scope(dst));
            let rank = (
                // A source of smaller scope than the destination is the worst; of the others the smallest that will do.
                if from < to {
                    (0, from)
                } else {
                    (1, Scope::Global as u8 - from)
                },
                id == interface,
                label(address) == label(dst),
                contains(cidr, dst),
                common_prefix_len(address, dst).min(cidr.prefix_len),
            );
            // Of equal ones the first stays.
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, address));
            }
        }
        best.map(|(_, address)| address)
    }

    pub(super) fn path_mtu(&self, now: Instant, interface: &Interface, dst: IpAddr) -> u16 {
        let mtu = interface.mtu(dst.is_ipv6());
        if self.path_mtus.is_empty() {
            return mtu;
        }
        match self.path_mtus.peek(&dst) {
            Some(learned) if learned.expires > now => learned.mtu.min(mtu),
            _ => mtu,
        }
    }

    /// A transport has checked an ICMP `PacketTooBig` and believes it. It is forgotten after ten minutes.
    pub(crate) fn learn_path_mtu(&mut self, cx: &mut IpCx<'_>, dst: IpAddr, mtu: u32) {
        let floor = if dst.is_ipv6() {
            IPV6_MTU_MIN
        } else {
            cx.settings.min_pmtu
        };
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX).max(floor);
        if let Some(known) = self.path_mtus.peek(&dst)
            && known.expires > cx.now
            && known.mtu <= mtu
        {
            return;
        }
        let learned = PathMtu {
            mtu,
            expires: cx.now + PATH_MTU_LIFE,
        };
        self.counters.path_mtu_updates += 1;
        if self
            .path_mtus
            .insert(dst, learned)
            .is_some_and(|(gone, _)| gone != dst)
        {
            self.counters.path_mtu_evictions += 1;
        }
    }
}

/// A packet to ourselves comes from the address that it goes to, or from the first one of 127.0.0.0/8.
fn loopback_source(dst: IpAddr) -> IpAddr {
    match dst {
        IpAddr::V4(v4) if v4.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => dst,
    }
}

/// Scopes that RFC 6724 compares, with their numbers.
enum Scope {
    Link = 2,
    Site = 5,
    Global = 14,
}

fn scope(address: IpAddr) -> u8 {
    let scope = match address {
        IpAddr::V6(v6) if v6.is_multicast() => return v6.octets()[1] & 0xf,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Scope::Link,
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfec0 => Scope::Site,
        IpAddr::V4(v4) if v4.is_link_local() => Scope::Link,
        _ => Scope::Global,
    };
    scope as u8
}

/// The labels of RFC 6724 that tell apart what is still in use: unique local, 6to4, Teredo, all others.
fn label(address: IpAddr) -> u8 {
    let IpAddr::V6(v6) = address else {
        return 4;
    };
    match v6.segments() {
        [first, ..] if first & 0xfe00 == 0xfc00 => 13,
        [0x2002, ..] => 2,
        [0x2001, 0, ..] => 5,
        _ if v6 == Ipv6Addr::LOCALHOST => 0,
        _ => 1,
    }
}
