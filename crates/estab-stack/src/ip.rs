//! The IP layer of a host: interfaces, addresses, routes, neighbours, IPv4 and IPv6 in both directions, ICMP.
//!
//! Input comes through [`IpLayer::handle_packet`] and [`IpLayer::poll_loopback`], which answer what is ARP's, NDP's and
//! ICMP's themselves and give back what is a transport's. Output goes through [`IpLayer::send`] into one bounded queue that
//! [`IpLayer::poll_transmit`] empties.

mod counters;
mod types;

pub use counters::IpCounters;
pub(crate) use types::{Cast, Delivery, IcmpReport, IpCx, Outgoing, Path, Transport, TransportIn};

use crate::{Cidr, Error, InterfaceConfig, InterfaceId, PacketIn, PacketOut, Route};
use bytes::Bytes;
use core::net::IpAddr;
use estab_tcp::{IcmpErrorKind, Instant};

/// The interface of packets to our own addresses. It has no device.
pub(crate) const LOOPBACK: InterfaceId = InterfaceId(u16::MAX);

/// The IP layer of a host.
pub(crate) struct IpLayer {
    counters: IpCounters,
}

#[allow(unused_variables)]
impl IpLayer {
    /// A layer without interfaces. What it draws by lot comes from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        todo!()
    }
    /// What was counted.
    pub(crate) fn counters(&self) -> &IpCounters {
        &self.counters
    }

    pub(crate) fn add_interface(&mut self, config: InterfaceConfig) -> InterfaceId {
        todo!()
    }
    /// Adds an address with the route to its network, and announces it on Ethernet.
    pub(crate) fn add_address(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        address: Cidr,
    ) -> Result<(), Error> {
        todo!()
    }
    pub(crate) fn remove_address(
        &mut self,
        interface: InterfaceId,
        address: IpAddr,
    ) -> Result<(), Error> {
        todo!()
    }
    pub(crate) fn add_route(&mut self, route: Route) -> Result<(), Error> {
        todo!()
    }
    pub(crate) fn remove_route(&mut self, destination: Cidr) -> Result<(), Error> {
        todo!()
    }
    /// Takes packets for any unicast destination as ours.
    pub(crate) fn set_any_address(
        &mut self,
        interface: InterfaceId,
        on: bool,
    ) -> Result<(), Error> {
        todo!()
    }
    /// Is it an address of ours (127.0.0.0/8 and ::1 too)? Any-address mode makes no difference here.
    pub(crate) fn is_local(&self, address: IpAddr) -> bool {
        todo!()
    }
    /// Limited broadcast, or that of a network of ours?
    pub(crate) fn is_broadcast(&self, address: IpAddr) -> bool {
        todo!()
    }
    /// Our addresses, loopback left out.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (InterfaceId, Cidr)> + '_ {
        core::iter::empty()
    }

    /// How packets get there now. `interface` overrides the routes (scope ids, where a request came from).
    pub(crate) fn route(
        &self,
        now: Instant,
        dst: IpAddr,
        interface: Option<InterfaceId>,
    ) -> Result<Path, Error> {
        todo!()
    }
    /// A transport has checked an ICMP `PacketTooBig` and believes it.
    pub(crate) fn learn_path_mtu(&mut self, cx: &mut IpCx<'_>, dst: IpAddr, mtu: u32) {
        todo!()
    }

    /// A packet or frame came in. What is for a transport comes back, the rest is done here.
    pub(crate) fn handle_packet(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        packet: PacketIn,
    ) -> Option<Delivery> {
        todo!()
    }
    /// The next packet from ourselves to ourselves. Call until `None`.
    pub(crate) fn poll_loopback(&mut self, cx: &mut IpCx<'_>) -> Option<Delivery> {
        todo!()
    }
    /// Sends. Errors: no route, too long and not to be fragmented, queue full.
    pub(crate) fn send(&mut self, cx: &mut IpCx<'_>, out: Outgoing<'_>) -> Result<(), Error> {
        todo!()
    }
    /// Answers a packet with an ICMP error, unless the rules (RFC 1122 3.2.2, RFC 4443 2.4) or the rate limit forbid it.
    /// `original` is [`TransportIn::original`].
    pub(crate) fn send_icmp_error(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        original: &Bytes,
        kind: IcmpErrorKind,
    ) {
        todo!()
    }

    /// The next packet for a device.
    pub(crate) fn poll_transmit(&mut self, cx: &mut IpCx<'_>) -> Option<(InterfaceId, PacketOut)> {
        todo!()
    }
    /// What could not be sent because its neighbour does not answer: `HostUnreachable`, soft.
    pub(crate) fn poll_unreachable(&mut self) -> Option<IcmpReport> {
        todo!()
    }
    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        todo!()
    }
    pub(crate) fn handle_timeout(&mut self, cx: &mut IpCx<'_>) {
        todo!()
    }
}
