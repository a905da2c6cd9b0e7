//! A link between two interfaces.

use crate::{End, Rule};
use bytes::Bytes;
use core::net::IpAddr;
use core::time::Duration;
use estab_device::impair::{ImpairCounters, Impairer, Impairments, WirePacket};
use estab_stack::{Medium, PacketIn};
use estab_tcp::Instant;
use estab_wire::{icmpv4, icmpv6, ipv4, ipv6, protocol};
use std::collections::VecDeque;

/// What a link is like.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// IP packets or Ethernet frames.
    pub medium: Medium,
    /// Bytes of an IP packet that the interfaces at the ends take.
    pub mtu: [u16; 2],
    /// Super-segments of so much payload go over it in one piece, as between machines on one host; 0: none.
    pub segmentation_offload: u32,
    /// What happens to what end A sends, and to what end B sends.
    pub ways: [Impairments; 2],
}

impl Default for LinkConfig {
    /// IP packets of up to 1500 bytes, 10 ms each way.
    fn default() -> Self {
        Self {
            medium: Medium::Ip,
            mtu: [1500; 2],
            segmentation_offload: 0,
            ways: [Impairments::default(); 2],
        }
        .delay(Duration::from_millis(10))
    }
}

impl LinkConfig {
    /// The same, with another time from one end to the other.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.ways[0].delay = delay;
        self.ways[1].delay = delay;
        self
    }
}

/// What became of the packets of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Handed over by a host.
    pub sent: u64,
    /// Handed to a host.
    pub delivered: u64,
    /// Lost because the cable was cut.
    pub cut: u64,
    /// Answered by the router in the middle.
    pub too_big: u64,
    /// What was done to what end A sent, and to what end B sent.
    pub ways: [ImpairCounters; 2],
}

/// A cable between two ends, with rules for what happens to which packets: what a [`Network`](crate::Network) joins hosts
/// with. Whoever holds one tells it the time, so that the same cable can lie before a real network too.
#[derive(Debug)]
pub struct Link {
    pub(crate) config: LinkConfig,
    ways: [Impairer; 2],
    is_cut: bool,
    /// A router in the middle lets packets of so many bytes pass.
    narrow: Option<u16>,
    injected: VecDeque<(End, PacketIn)>,
    counters: LinkCounters,
}

impl Link {
    /// A link on which nothing is under way. Chance is drawn from the seed.
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        let way = |end: End| {
            let seed = seed ^ end as u64;
            Impairer::new(config.medium, config.ways[end as usize], seed)
        };
        Self {
            ways: End::BOTH.map(way),
            config,
            is_cut: false,
            narrow: None,
            injected: VecDeque::new(),
            counters: LinkCounters::default(),
        }
    }

    /// Adds a rule behind those it has.
    pub fn add_rule(&mut self, rule: Rule) {
        self.ways[rule.from as usize].add_rule(rule);
    }

    /// From now on this happens to what one end sends.
    pub fn set_impairments(&mut self, from: End, impairments: Impairments) {
        self.ways[from as usize].set_impairments(impairments);
    }

    /// Puts a router with a small link into the middle: it answers with ICMP to packets of more bytes and drops them.
    pub const fn set_narrow(&mut self, mtu: Option<u16>) {
        self.narrow = mtu;
    }

    /// What became of its packets.
    pub fn counters(&self) -> LinkCounters {
        LinkCounters {
            ways: [self.ways[0].counters(), self.ways[1].counters()],
            ..self.counters
        }
    }

    /// Takes a packet from one end.
    pub fn send(&mut self, now: Instant, from: End, packet: PacketIn) {
        self.counters.sent += 1;
        if self.is_cut {
            self.counters.cut += 1;
            return;
        }
        match self.narrow {
            Some(mtu) if self.wire_len(now, &packet) > usize::from(mtu) => {
                self.counters.too_big += 1;
                if let Some(answer) = too_big(self.config.medium, &packet.data, now, mtu) {
                    self.ways[from.other() as usize].push(now, answer.into());
                }
            }
            _ => self.ways[from as usize].push(now, packet),
        }
    }

    /// Bytes of the longest wire packet that this one is cut into.
    fn wire_len(&self, now: Instant, packet: &PacketIn) -> usize {
        let view = WirePacket {
            data: &packet.data,
            medium: self.config.medium,
            index: 0,
            now,
        };
        match view.tcp() {
            Some((_, len)) if packet.segments > 1 => {
                packet.data.len() - len + usize::from(packet.segment_size)
            }
            _ => packet.data.len(),
        }
    }

    /// Puts a packet in front of a host, as if it had come over the link just now.
    pub fn inject(&mut self, to: End, data: Bytes) {
        self.injected.push_back((to, data.into()));
    }

    /// When the next packet arrives; in the past when it has.
    pub fn due(&self) -> Option<Instant> {
        if !self.injected.is_empty() {
            return Some(Instant::ZERO);
        }
        self.ways.iter().filter_map(Impairer::deadline).min()
    }

    /// A packet that has arrived by now, and where.
    pub fn receive(&mut self, now: Instant) -> Option<(End, PacketIn)> {
        let arrived = self.injected.pop_front().or_else(|| {
            // The earlier first; when they come at once, what A sent.
            let [a, b] = [&self.ways[0], &self.ways[1]].map(Impairer::deadline);
            let from = match (a, b) {
                (Some(a), Some(b)) if b < a => End::B,
                (None, Some(_)) => End::B,
                _ => End::A,
            };
            let packet = self.ways[from as usize].pop(now)?;
            Some((from.other(), packet))
        })?;
        self.counters.delivered += 1;
        Some(arrived)
    }

    /// Cuts the cable, which loses what is under way, or mends it.
    pub fn set_cut(&mut self, cut: bool) {
        self.is_cut = cut;
        if cut {
            for way in &mut self.ways {
                while way.pop(Instant::from_nanos(u64::MAX)).is_some() {
                    self.counters.cut += 1;
                }
            }
        }
    }
}

/// What a router answers to a packet that does not fit its next link: RFC 1191's, or RFC 8201's. IPv4 packets that may
/// be fragmented are just lost here.
fn too_big(medium: Medium, data: &[u8], now: Instant, mtu: u16) -> Option<Bytes> {
    let view = WirePacket {
        data,
        medium,
        index: 0,
        now,
    };
    let layers = view.layers()?;
    // Behind an Ethernet header the answer would need one too; routers are simulated on links of IP packets.
    if medium != Medium::Ip {
        return None;
    }
    let mut out = Vec::new();
    // The router answers in the destination's name.
    match (layers.src, layers.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            if !ipv4::Header::parse(data).ok()?.dont_fragment {
                return None;
            }
            let message = icmpv4::Message::DestinationUnreachable {
                code: icmpv4::unreachable::FRAGMENTATION_NEEDED,
                next_hop_mtu: mtu,
                quoted: data.get(..data.len().min(548))?,
            };
            let mut header = ipv4::Header::new(dst, src, protocol::ICMP);
            let mut body = Vec::new();
            message.emit(&mut body);
            header.total_len = u16::try_from(ipv4::HEADER_LEN + body.len()).ok()?;
            let mut bytes = [0; ipv4::HEADER_LEN];
            header.emit(&mut bytes);
            out.extend_from_slice(&bytes);
            out.extend(body);
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let message = icmpv6::Message::PacketTooBig {
                mtu: mtu.into(),
                quoted: data.get(..data.len().min(1232))?,
            };
            let mut header = ipv6::Header::new(dst, src, protocol::ICMPV6);
            let mut body = Vec::new();
            message.emit(dst, src, &mut body);
            header.payload_len = u16::try_from(body.len()).ok()?;
            let mut bytes = [0; ipv6::HEADER_LEN];
            header.emit(&mut bytes);
            out.extend_from_slice(&bytes);
            out.extend(body);
        }
        _ => return None,
    }
    Some(out.into())
}
