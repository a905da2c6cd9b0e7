use super::corrupt::corrupt;
use super::pace::Pace;
use super::reorder::Held;
use super::{Impairments, Rule, Verdict, WirePacket};
use crate::packet::into_wire_packets;
use estab_stack::{Medium, PacketIn};
use estab_tcp::{Instant, Rng};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::time::Duration;

/// Packets that are under way at most; more are dropped.
const UNDER_WAY_MAX: usize = 65_536;
/// Their bytes at most.
const BYTES_MAX: usize = 256 << 20;

/// What was done to packets in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImpairCounters {
    /// Wire packets that came.
    pub packets: u64,
    /// Dropped by a rule.
    pub ruled_out: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Changed, or lost because they have no checksum that would notice; by chance or by a rule.
    pub corrupted: u64,
    /// Sent twice, by chance or by a rule.
    pub duplicated: u64,
    /// Held back for others to overtake.
    pub reordered: u64,
    /// Delayed by a rule.
    pub delayed: u64,
    /// Dropped because the queue before the rate was full.
    pub queue_full: u64,
    /// Dropped because 65,536 packets, or 256 MiB, were under way.
    pub overflow: u64,
}

/// One direction of an impaired link: packets go in, and come out when their time has come.
///
/// It holds no clock: [`push`](Self::push) and [`pop`](Self::pop) are told the time, which must not go back, and
/// [`deadline`](Self::deadline) says when to pop next.
pub struct Impairer {
    medium: Medium,
    settings: Impairments,
    rules: Vec<Box<dyn Rule>>,
    rng: Rng,
    is_bad: bool,
    pace: Pace,
    held: Held,
    /// By time of arrival, then in the order in which they were put here.
    due: BTreeMap<(Instant, u64), PacketIn>,
    serial: u64,
    /// Of all packets that are under way.
    bytes: usize,
    counters: ImpairCounters,
}

impl std::fmt::Debug for Impairer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Impairer")
            .field("settings", &self.settings)
            .field("rules", &self.rules.len())
            .field("under_way", &self.under_way())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Impairer {
    /// A direction without rules.
    pub fn new(medium: Medium, settings: Impairments, seed: u64) -> Self {
        Self {
            medium,
            settings,
            rules: Vec::new(),
            rng: Rng::new(seed),
            is_bad: false,
            pace: Pace::default(),
            held: Held::default(),
            due: BTreeMap::new(),
            serial: 0,
            bytes: 0,
            counters: ImpairCounters::default(),
        }
    }

    /// Adds a rule, to be asked after those that are there.
    pub fn add_rule(&mut self, rule: impl Rule + 'static) {
        self.rules.push(Box::new(rule));
    }

    /// Other settings from now on. What is under way stays so.
    pub fn set_impairments(&mut self, settings: Impairments) {
        self.settings = settings;
    }

    /// What happens to packets.
    pub fn impairments(&self) -> &Impairments {
        &self.settings
    }

    /// Nothing happens to any packet.
    pub fn is_perfect(&self) -> bool {
        self.rules.is_empty() && self.settings.is_perfect()
    }

    /// What was done so far.
    pub fn counters(&self) -> ImpairCounters {
        self.counters
    }

    /// Packets that have gone in and not come out.
    pub fn under_way(&self) -> usize {
        self.due.len() + self.held.len()
    }

    /// A packet goes in. One that was coalesced is cut into wire packets first, unless the link is perfect.
    pub fn push(&mut self, now: Instant, packet: PacketIn) {
        if self.is_perfect() {
            self.counters.packets += u64::from(packet.segments);
            if self.admit(&packet) {
                self.deliver(now, packet);
            }
            return;
        }
        for wire_packet in into_wire_packets(self.medium, packet) {
            self.push_one(now, wire_packet);
        }
    }

    /// A packet that has arrived by now, in the order of arrival.
    pub fn pop(&mut self, now: Instant) -> Option<PacketIn> {
        self.release_expired(now);
        let entry = self.due.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let packet = entry.remove();
        self.bytes -= packet.data.len();
        Some(packet)
    }

    /// When [`pop`](Self::pop) will have something; in the past when it has.
    pub fn deadline(&self) -> Option<Instant> {
        let first = self.due.first_key_value().map(|((at, _), _)| *at);
        [first, self.held.deadline()].into_iter().flatten().min()
    }

    fn push_one(&mut self, now: Instant, packet: PacketIn) {
        let verdict = self.judge(now, &packet);
        self.counters.packets += 1;
        if verdict == Verdict::Drop {
            self.counters.ruled_out += 1;
            return;
        }
        if self.settings.loss.draw(&mut self.rng, &mut self.is_bad) {
            self.counters.lost += 1;
            return;
        }
        let mut packet = packet;
        if self.settings.corrupt.draw(&mut self.rng) || verdict == Verdict::Corrupt {
            self.counters.corrupted += 1;
            match corrupt(self.medium, &packet, &mut self.rng) {
                Some(corrupted) => packet = corrupted,
                None => return,
            }
        }
        let later = match verdict {
            Verdict::Delay(delay) => {
                self.counters.delayed += 1;
                delay
            }
            _ => Duration::ZERO,
        };
        if self.settings.duplicate.draw(&mut self.rng) || verdict == Verdict::Duplicate {
            self.counters.duplicated += 1;
            self.send(now, packet.clone(), later);
        }
        self.send(now, packet, later);
    }

    fn judge(&mut self, now: Instant, packet: &PacketIn) -> Verdict {
        let view = WirePacket {
            data: &packet.data,
            medium: self.medium,
            index: self.counters.packets,
            now,
        };
        let mut verdicts = self.rules.iter_mut().map(|rule| rule.judge(&view));
        verdicts
            .find(|&verdict| verdict != Verdict::Pass)
            .unwrap_or(Verdict::Pass)
    }

    /// Puts a packet on the way.
    fn send(&mut self, now: Instant, packet: PacketIn, later: Duration) {
        let (settings, len) = (&self.settings, packet.data.len());
        let Some(arrival) = self.pace.arrival(now, len, settings, &mut self.rng) else {
            self.counters.queue_full += 1;
            return;
        };
        if !self.admit(&packet) {
            return;
        }
        let settings = &self.settings;
        if !later.is_zero() {
            self.deliver(arrival + later, packet);
        } else if settings.reorder.draw(&mut self.rng) && !self.held.is_full() {
            self.counters.reordered += 1;
            let gap = 1 + self.rng.below(settings.reorder_gap.max(1));
            let until = arrival + settings.reorder_hold;
            self.held.hold(packet, gap, until);
        } else {
            self.deliver(arrival, packet);
            let overtaken: SmallVec<[_; 4]> = self.held.overtaken().collect();
            for (until, packet) in overtaken {
                self.deliver(until.min(arrival), packet);
            }
        }
    }

    /// Is there room under way for one more?
    fn admit(&mut self, packet: &PacketIn) -> bool {
        let bytes = self.bytes + packet.data.len();
        if self.under_way() >= UNDER_WAY_MAX || bytes > BYTES_MAX {
            self.counters.overflow += 1;
            return false;
        }
        self.bytes = bytes;
        true
    }

    fn deliver(&mut self, arrival: Instant, packet: PacketIn) {
        self.due.insert((arrival, self.serial), packet);
        self.serial += 1;
    }

    fn release_expired(&mut self, now: Instant) {
        if self.held.deadline().is_some_and(|at| at <= now) {
            let expired: SmallVec<[_; 4]> = self.held.expired(now).collect();
            for (at, packet) in expired {
                self.deliver(at, packet);
            }
        }
    }
}
