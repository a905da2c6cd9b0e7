//! Routes, the longest prefix first.

use super::address::{contains, is_valid, network, same_family};
use crate::{Cidr, Error, InterfaceId, Route};
use alloc::vec::Vec;
use core::net::IpAddr;
use estab_tcp::Instant;

/// Routes that routers may have taught us.
const LEARNED_MAX: usize = 32;

/// Where a route comes from; of equal prefixes the first kind wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The network of an address of ours.
    OnLink,
    /// The program said so.
    Static,
    /// A router said so; void after this time.
    Learned(Instant),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    route: Route,
    origin: Origin,
}

/// A host has a handful of routes, so a sorted list that is walked from the longest prefix is the quickest table.
/// Its length depends on the program and on [`LEARNED_MAX`], never on the number of sockets or peers.
#[derive(Debug, Default)]
pub(super) struct RouteTable {
    entries: Vec<Entry>,
}

impl RouteTable {
    /// Adds a route; one with the same destination, interface and kind, and for those that the program set also the same gateway, is replaced.
    pub(super) fn add(&mut self, route: Route, origin: Origin) -> Result<(), Error> {
        if !is_valid(route.destination) {
            return Err(Error::Invalid);
        }
        if let Some(gateway) = route.gateway
            && (!same_family(gateway, route.destination.address)
                || gateway.is_unspecified()
                || gateway.is_multicast())
        {
            return Err(Error::Invalid);
        }
        let route = Route {
            destination: network(route.destination),
            ..route
        };
        let learned = matches!(origin, Origin::Learned(_));
        self.entries.retain(|entry| {
            !(entry.route.destination == route.destination
                && entry.route.interface == route.interface
                && entry.route.gateway == route.gateway
                && matches!(entry.origin, Origin::Learned(_)) == learned)
        });
        if learned && self.learned() >= LEARNED_MAX {
            return Err(Error::NoBuffers);
        }
        self.insert(Entry { route, origin });
        Ok(())
    }

    /// Removes what the program set for this destination.
    pub(super) fn remove(&mut self, destination: Cidr) -> Result<(), Error> {
        let destination = network(destination);
        let before = self.entries.len();
        self.entries.retain(|entry| {
            entry.origin != Origin::Static || entry.route.destination != destination
        });
        if self.entries.len() == before {
            Err(Error::NetworkUnreachable)
        } else {
            Ok(())
        }
    }

    /// Removes the route to a network that no address of ours is in any more.
    pub(super) fn remove_on_link(&mut self, interface: InterfaceId, destination: Cidr) {
        let destination = network(destination);
        self.entries.retain(|entry| {
            entry.origin != Origin::OnLink
                || entry.route.interface != interface
                || entry.route.destination != destination
        });
    }

    /// Removes what a router taught: the route through `gateway`, or the network when there is none.
    pub(super) fn forget(
        &mut self,
        interface: InterfaceId,
        destination: Cidr,
        gateway: Option<IpAddr>,
    ) {
        let destination = network(destination);
        self.entries.retain(|entry| {
            !(matches!(entry.origin, Origin::Learned(_))
                && entry.route.interface == interface
                && entry.route.destination == destination
                && entry.route.gateway == gateway)
        });
    }

    /// A router does not answer: others that are as good come before it (RFC 4861).
    pub(super) fn demote(&mut self, interface: InterfaceId, router: IpAddr) {
        let by_router = |entry: &Entry| {
            matches!(entry.origin, Origin::Learned(_))
                && entry.route.interface == interface
                && entry.route.gateway == Some(router)
        };
        let Some(at) = self.entries.iter().position(by_router) else {
            return;
        };
        let entry = self.entries.remove(at);
        self.insert(entry);
    }

    /// Drops what routers taught and did not repeat.
    pub(super) fn expire(&mut self, now: Instant) {
        self.entries.retain(|entry| !entry.is_expired(now));
    }

    /// The route with the longest prefix, over `interface` if that is given.
    pub(super) fn find(
        &self,
        now: Instant,
        dst: IpAddr,
        interface: Option<InterfaceId>,
    ) -> Option<&Route> {
        let entry = self.entries.iter().find(|entry| {
            contains(entry.route.destination, dst)
                && interface.is_none_or(|interface| interface == entry.route.interface)
                && !entry.is_expired(now)
        })?;
        Some(&entry.route)
    }

    /// Behind those of the same rank.
    fn insert(&mut self, entry: Entry) {
        let rank = |entry: &Entry| {
            let kind = match entry.origin {
                Origin::OnLink => 0_u8,
                Origin::Static => 1,
                Origin::Learned(_) => 2,
            };
            (u8::MAX - entry.route.destination.prefix_len, kind)
        };
        let at = self
            .entries
            .partition_point(|other| rank(other) <= rank(&entry));
        self.entries.insert(at, entry);
    }

    fn learned(&self) -> usize {
        let learned = |entry: &&Entry| matches!(entry.origin, Origin::Learned(_));
        self.entries.iter().filter(learned).count()
    }
}

impl Entry {
    fn is_expired(&self, now: Instant) -> bool {
        matches!(self.origin, Origin::Learned(until) if until <= now)
    }
}
