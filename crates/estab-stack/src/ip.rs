//! The IP layer of a host: interfaces, addresses, routes, neighbours, IPv4 and IPv6 in both directions, ICMP.
//!
//! Input comes through [`IpLayer::handle_packet`] and [`IpLayer::poll_loopback`], which answer what is ARP's, NDP's and
//! ICMP's themselves and give back what is a transport's. Output goes through [`IpLayer::send`] into one bounded queue that
//! [`IpLayer::poll_transmit`] empties.
//!
//! The work for a packet is a few hash look-ups and a walk over the host's routes and addresses, of which there are few.
//! Nothing is forwarded, multicast groups cannot be joined, and addresses are not configured by routers.

mod address;
mod arp;
mod counters;
mod echo;
mod fragments;
mod icmp_in;
mod icmp_out;
mod identification;
mod input;
mod input_v4;
mod input_v6;
mod interface;
mod lru;
mod ndp;
mod neighbour;
mod output;
mod path;
mod queue;
mod rate;
mod reassembly;
mod route_table;
#[cfg(test)]
mod tests;
mod types;

pub use counters::IpCounters;
pub use echo::{Echo, EchoReply};
pub(crate) use types::{Cast, Delivery, IcmpReport, IpCx, Outgoing, Path, Transport, TransportIn};

use crate::{InterfaceId, PacketIn};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use echo::Echoes;
use estab_tcp::{Instant, Rng};
use icmp_out::ErrorMessage;
use identification::Identifications;
use interface::Interface;
use lru::LruMap;
use ndp::RouterSearch;
use neighbour::NeighbourTable;
use path::{PATH_MTUS_MAX, PathMtu};
use queue::{Cutting, Queued};
use rate::TokenBucket;
use reassembly::Reassembly;
use route_table::RouteTable;

/// The interface of packets to our own addresses. It has no device.
pub(crate) const LOOPBACK: InterfaceId = InterfaceId(u16::MAX);

/// The IP layer of a host.
pub(crate) struct IpLayer {
    interfaces: Vec<Interface>,
    /// Addresses of all interfaces, sorted.
    local: Vec<(IpAddr, InterfaceId)>,
    routes: RouteTable,
    router_searches: Vec<RouterSearch>,
    neighbours: NeighbourTable,
    path_mtus: LruMap<IpAddr, PathMtu>,
    reassembly: Reassembly,
    identifications: Identifications,
    icmp_bucket: TokenBucket,
    /// Towards the devices.
    output: VecDeque<Queued>,
    /// The packet that was at the front of `output` and is being cut.
    cutting: Option<(InterfaceId, Cutting)>,
    /// Towards ourselves.
    looped: VecDeque<PacketIn>,
    /// Of unreachable neighbours.
    reports: VecDeque<IcmpReport>,
    echoes: Echoes,
    counters: IpCounters,
}

impl IpLayer {
    /// A layer without interfaces. What it draws by lot comes from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        Self {
            interfaces: Vec::new(),
            local: Vec::new(),
            routes: RouteTable::default(),
            router_searches: Vec::new(),
            neighbours: NeighbourTable::new(&mut rng),
            path_mtus: LruMap::new(PATH_MTUS_MAX, rng.next_u64()),
            reassembly: Reassembly::default(),
            identifications: Identifications::new(&mut rng),
            icmp_bucket: TokenBucket::new(rng.next_u64()),
            output: VecDeque::new(),
            cutting: None,
            looped: VecDeque::new(),
            reports: VecDeque::new(),
            echoes: Echoes::default(),
            counters: IpCounters::default(),
        }
    }

    /// What was counted.
    pub(crate) const fn counters(&self) -> &IpCounters {
        &self.counters
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let routers = self.router_searches.iter().map(|search| search.at).min();
        [
            self.neighbours.poll_timeout(),
            self.reassembly.poll_timeout(),
            routers,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn handle_timeout(&mut self, cx: &mut IpCx<'_>) {
        self.neighbour_timeouts(cx);
        self.router_search_timeouts(cx);
        while let Some(late) = self.reassembly.handle_timeout(cx.now) {
            self.counters.reassembly_timeouts += 1;
            if let Some(first) = late.first {
                self.send_error(cx, late.interface, &first, ErrorMessage::ReassemblyTimeout);
            }
        }
    }
}
