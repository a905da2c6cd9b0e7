//! A link between two interfaces.

use crate::rule::{Action, Rules};
use crate::{End, Rule, Seen, Transport};
use bytes::Bytes;
use core::net::IpAddr;
use core::time::Duration;
use estab_stack::{Medium, PacketIn};
use estab_tcp::Instant;
use estab_wire::{icmpv4, icmpv6, ipv4, ipv6, protocol};
use std::collections::BTreeMap;

/// What a link is like.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// IP packets or Ethernet frames.
    pub medium: Medium,
    /// Bytes of an IP packet that the interfaces at the ends take.
    pub mtu: [u16; 2],
    /// Time from one end to the other.
    pub delay: Duration,
}

impl Default for LinkConfig {
    /// IP packets of up to 1500 bytes, 10 ms each way.
    fn default() -> Self {
        Self {
            medium: Medium::Ip,
            mtu: [1500; 2],
            delay: Duration::from_millis(10),
        }
    }
}

/// What became of the packets of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Handed over by a host.
    pub sent: u64,
    /// Handed to a host.
    pub delivered: u64,
    /// Lost by a rule or because the cable was cut.
    pub dropped: u64,
}

/// A cable between two ends, with rules for what happens to which packets: what a [`Network`](crate::Network) joins hosts
/// with. Whoever holds one tells it the time, so that the same cable can lie before a real network too.
pub struct Link {
    pub(crate) config: LinkConfig,
    pub(crate) rules: Rules,
    pub(crate) cut: bool,
    pub(crate) counters: LinkCounters,
    /// What is under way, by when it arrives and in which order it was sent.
    underway: BTreeMap<(Instant, u64), (End, PacketIn)>,
    sequence: u64,
}

impl Link {
    /// A link on which nothing is under way.
    pub fn new(config: LinkConfig) -> Self {
        Self {
            config,
            rules: Rules::default(),
            cut: false,
            counters: LinkCounters::default(),
            underway: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Adds a rule behind those it has.
    pub fn add_rule(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Takes a packet from one end.
    pub fn send(&mut self, now: Instant, from: End, data: Bytes) {
        self.counters.sent += 1;
        if self.cut {
            self.counters.dropped += 1;
            return;
        }
        let seen = Seen::parse(self.config.medium, &data);
        let action = seen.as_ref().and_then(|seen| self.rules.judge(from, seen));
        match action {
            None => self.pass(now, from.other(), Duration::ZERO, data),
            Some(Action::Drop) => self.counters.dropped += 1,
            Some(Action::Delay(extra)) => self.pass(now, from.other(), extra, data),
            Some(Action::Duplicate) => {
                self.pass(now, from.other(), Duration::ZERO, data.clone());
                self.pass(now, from.other(), Duration::ZERO, data);
            }
            Some(Action::TooBig(mtu)) => {
                self.counters.dropped += 1;
                if let Some(answer) = seen.and_then(|seen| too_big(&seen, &data, mtu)) {
                    self.pass(now, from, Duration::ZERO, answer);
                }
            }
        }
    }

    fn pass(&mut self, now: Instant, to: End, extra: Duration, data: Bytes) {
        let due = now + self.config.delay + extra;
        self.sequence += 1;
        self.underway
            .insert((due, self.sequence), (to, data.into()));
    }

    /// Puts a packet in front of a host, as if it had come over the link just now.
    pub fn inject(&mut self, now: Instant, to: End, data: Bytes) {
        self.sequence += 1;
        self.underway
            .insert((now, self.sequence), (to, data.into()));
    }

    /// When the next packet arrives.
    pub fn due(&self) -> Option<Instant> {
        self.underway.keys().next().map(|(due, _)| *due)
    }

    /// A packet that has arrived by now, and where.
    pub fn receive(&mut self, now: Instant) -> Option<(End, PacketIn)> {
        self.due().filter(|due| *due <= now)?;
        let (_, arrived) = self.underway.pop_first()?;
        self.counters.delivered += 1;
        Some(arrived)
    }

    /// Cuts the cable: what is under way is lost, and what is sent from now on. Or mends it.
    pub fn set_cut(&mut self, cut: bool) {
        self.cut = cut;
        if cut {
            self.lose_underway();
        }
    }

    /// What became of its packets.
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// Forgets what is under way to an end, or to both.
    pub fn lose_underway(&mut self) {
        self.counters.dropped += self.underway.len() as u64;
        self.underway.clear();
    }
}

/// What a router answers to a packet that does not fit its next link: RFC 1191's, or RFC 8201's. IPv4 packets that may
/// be fragmented are just lost here.
fn too_big(seen: &Seen, packet: &[u8], mtu: u16) -> Option<Bytes> {
    // The router's address: the first one of the destination's network will do.
    let mut out = Vec::new();
    match (seen.src, seen.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            if !ipv4::Header::parse(packet).ok()?.dont_fragment {
                return None;
            }
            let quoted = packet.get(..packet.len().min(548))?;
            let message = icmpv4::Message::DestinationUnreachable {
                code: icmpv4::unreachable::FRAGMENTATION_NEEDED,
                next_hop_mtu: mtu,
                quoted,
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
            let quoted = packet.get(..packet.len().min(1232))?;
            let message = icmpv6::Message::PacketTooBig {
                mtu: mtu.into(),
                quoted,
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
    debug_assert!(matches!(
        Seen::parse(Medium::Ip, &out).map(|seen| seen.transport),
        Some(Transport::Icmp { .. })
    ));
    Some(out.into())
}
