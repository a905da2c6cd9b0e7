//! Neighbour discovery (RFC 4861): solicitations and advertisements of neighbours and routers.

use super::address::{ALL_NODES, ALL_ROUTERS};
use super::interface::IPV6_MTU_MIN;
use super::neighbour::Heard;
use super::output::Packet;
use super::path::Hop;
use super::route_table::Origin;
use super::{IpCx, IpLayer};
use crate::{Cidr, HostEvent, InterfaceId, Route};
use arrayvec::ArrayVec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;
use estab_tcp::{Chunks, Instant, Interest, IpMeta};
use estab_wire::ethernet::Address as Mac;
use estab_wire::icmpv6::{Message, NDP_HOP_LIMIT, NdpOption, NdpOptions};
use estab_wire::ipv6::solicited_node;
use estab_wire::protocol;

// The constants of RFC 4861.
const ROUTER_SOLICITATIONS_MAX: u8 = 3;
const ROUTER_SOLICITATION_INTERVAL: Duration = Duration::from_secs(4);

/// The search for routers on one interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct RouterSearch {
    pub(super) interface: InterfaceId,
    pub(super) at: Instant,
    left: u8,
}

/// Where a message of neighbour discovery came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct NdpFrom {
    pub(super) interface: InterfaceId,
    pub(super) src: Ipv6Addr,
}

impl IpLayer {
    pub(super) fn ndp_input(&mut self, cx: &mut IpCx<'_>, from: NdpFrom, message: Message<'_>) {
        match message {
            Message::NeighborSolicitation { target, options } => {
                self.neighbour_solicited(cx, from, target, options);
            }
            Message::NeighborAdvertisement {
                router,
                solicited,
                override_entry,
                target,
                options,
            } => {
                let target = IpAddr::V6(target);
                if self
                    .interface(from.interface)
                    .is_some_and(|entry| entry.has(target))
                {
                    self.counters.address_conflicts += 1;
                    return;
                }
                let heard = Heard {
                    mac: options.target_link_address().filter(|mac| mac.is_unicast()),
                    solicited,
                    replaces: override_entry,
                    is_router: Some(router),
                    create: false,
                };
                let was_router = self.neighbours.is_router((from.interface, target));
                self.neighbour_heard(cx, (from.interface, target), heard);
                if was_router && !router {
                    // RFC 4861: a router that says it is none any more is not one for us either.
                    self.routes.forget(from.interface, DEFAULT, Some(target));
                }
            }
            Message::RouterAdvertisement {
                lifetime_s,
                options,
                ..
            } => {
                self.router_advertised(cx, from, lifetime_s, options);
            }
            // We are a host.
            _ => self.counters.neighbour_ignored += 1,
        }
    }

    fn neighbour_solicited(
        &mut self,
        cx: &mut IpCx<'_>,
        from: NdpFrom,
        target: Ipv6Addr,
        options: NdpOptions<'_>,
    ) {
        let ours = self
            .interface(from.interface)
            .is_some_and(|entry| entry.has(IpAddr::V6(target)));
        if !ours {
            self.counters.neighbour_ignored += 1;
            return;
        }
        let asker = IpAddr::V6(from.src);
        let mac = options.source_link_address().filter(|mac| mac.is_unicast());
        if !from.src.is_unspecified() {
            let heard = Heard {
                mac,
                solicited: false,
                replaces: true,
                is_router: None,
                create: self.is_on_link(cx, from.interface, asker),
            };
            self.neighbour_heard(cx, (from.interface, asker), heard);
        }
        let to = (!from.src.is_unspecified()).then_some((from.src, mac));
        self.send_advertisement(cx, from.interface, target, to);
    }

    /// Advertises an address of ours: to who asked, or to all.
    pub(super) fn send_advertisement(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        own: Ipv6Addr,
        to: Option<(Ipv6Addr, Option<Mac>)>,
    ) {
        let option = NdpOption::TargetLinkAddress(self.mac(interface)).to_bytes();
        let message = Message::NeighborAdvertisement {
            router: false,
            solicited: to.is_some(),
            override_entry: true,
            target: own,
            options: NdpOptions::new(&option).unwrap_or_default(),
        };
        let (dst, mac) = to.unwrap_or((ALL_NODES, None));
        self.send_ndp(cx, interface, own, dst, mac, message);
    }

    pub(super) fn send_solicitation(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        target: Ipv6Addr,
        mac: Option<Mac>,
    ) {
        let src = self.link_source_v6(interface);
        let option = NdpOption::SourceLinkAddress(self.mac(interface)).to_bytes();
        let with_source = if src.is_unspecified() {
            &[][..]
        } else {
            &option
        };
        let message = Message::NeighborSolicitation {
            target,
            options: NdpOptions::new(with_source).unwrap_or_default(),
        };
        let dst = if mac.is_some() {
            target
        } else {
            solicited_node(target)
        };
        self.send_ndp(cx, interface, src, dst, mac, message);
    }

    /// Begins to look for routers on a link.
    pub(super) fn solicit_routers(&mut self, cx: &mut IpCx<'_>, interface: InterfaceId) {
        let search = RouterSearch {
            interface,
            at: cx.now,
            left: ROUTER_SOLICITATIONS_MAX,
        };
        self.router_searches
            .retain(|other| other.interface != interface);
        self.router_searches.push(search);
        self.router_search_timeouts(cx);
    }

    pub(super) fn router_search_timeouts(&mut self, cx: &mut IpCx<'_>) {
        // One entry an interface at most, and none when routers answered.
        for at in 0..self.router_searches.len() {
            let search = &mut self.router_searches[at];
            if search.at > cx.now {
                continue;
            }
            search.left = search.left.saturating_sub(1);
            search.at = cx.now + ROUTER_SOLICITATION_INTERVAL;
            let interface = search.interface;
            let src = self.link_source_v6(interface);
            let option = NdpOption::SourceLinkAddress(self.mac(interface)).to_bytes();
            let options = NdpOptions::new(&option).unwrap_or_default();
            let message = Message::RouterSolicitation { options };
            self.send_ndp(cx, interface, src, ALL_ROUTERS, None, message);
        }
        self.router_searches.retain(|search| search.left > 0);
    }

    /// RFC 4861: default router, MTU and on-link prefixes. Addresses are the program's to give.
    fn router_advertised(
        &mut self,
        cx: &mut IpCx<'_>,
        from: NdpFrom,
        lifetime_s: u16,
        options: NdpOptions<'_>,
    ) {
        self.router_searches
            .retain(|search| search.interface != from.interface);
        self.routes.expire(cx.now);
        let router = IpAddr::V6(from.src);
        let heard = Heard {
            mac: options.source_link_address().filter(|mac| mac.is_unicast()),
            solicited: false,
            replaces: true,
            is_router: Some(true),
            create: lifetime_s > 0,
        };
        self.neighbour_heard(cx, (from.interface, router), heard);
        self.learn_route(cx, from.interface, DEFAULT, Some(router), lifetime_s.into());
        if let Some(mtu) = options.mtu()
            && let Ok(mtu) = u16::try_from(mtu)
            && let Some(entry) = self.interfaces.get_mut(usize::from(from.interface.0))
            && (IPV6_MTU_MIN..=entry.config.mtu).contains(&mtu)
        {
            entry.mtu_v6 = mtu;
        }
        for prefix in options.prefixes() {
            let network = Cidr {
                address: IpAddr::V6(prefix.prefix),
                prefix_len: prefix.prefix_len,
            };
            let usable = prefix.on_link
                && prefix.prefix_len <= 128
                && !prefix.prefix.is_unicast_link_local()
                && !prefix.prefix.is_multicast();
            if usable {
                self.learn_route(cx, from.interface, network, None, prefix.valid_s);
            }
        }
    }

    fn learn_route(
        &mut self,
        cx: &IpCx<'_>,
        interface: InterfaceId,
        destination: Cidr,
        gateway: Option<IpAddr>,
        seconds: u32,
    ) {
        if seconds == 0 {
            self.routes.forget(interface, destination, gateway);
            return;
        }
        let until = match seconds {
            u32::MAX => Instant::from_nanos(u64::MAX),
            _ => cx.now + Duration::from_secs(seconds.into()),
        };
        let route = Route {
            destination,
            gateway,
            interface,
            mss: None,
        };
        if self.routes.add(route, Origin::Learned(until)).is_err() {
            self.counters.router_overflows += 1;
        }
    }

    fn mac(&self, interface: InterfaceId) -> Mac {
        self.interface(interface)
            .map_or_else(Mac::default, |entry| entry.mac())
    }

    fn send_ndp(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        src: Ipv6Addr,
        dst: Ipv6Addr,
        mac: Option<Mac>,
        message: Message<'_>,
    ) {
        // The longest is a solicitation with one option: 32 bytes.
        let mut header = ArrayVec::<u8, 64>::new();
        header.extend(message.header(src, dst));
        if header.try_extend_from_slice(message.body()).is_err() {
            return;
        }
        let packet = Packet {
            hop: Hop {
                interface,
                next_hop: IpAddr::V6(dst),
                mss: None,
            },
            src: IpAddr::V6(src),
            dst: IpAddr::V6(dst),
            protocol: protocol::ICMPV6,
            meta: IpMeta {
                hop_limit: NDP_HOP_LIMIT,
                ..IpMeta::default()
            },
            header: &header,
            payload: Chunks::new(),
            segment_size: 0,
            mac,
        };
        let kind = header.first().copied().unwrap_or_default();
        if self.emit(cx, packet).is_ok() {
            self.counters.icmp_out += 1;
            cx.report(Interest::SEGMENT, || HostEvent::Icmp {
                sent: true,
                remote: IpAddr::V6(dst),
                kind,
                code: 0,
            });
        }
    }
}

/// The destination of a default route.
const DEFAULT: Cidr = Cidr {
    address: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    prefix_len: 0,
};
