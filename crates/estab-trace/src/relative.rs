//! Relative sequence numbers, as tcpdump prints them, and windows in bytes.

use core::net::SocketAddr;
use estab_tcp::{Header, SeqNum};
use estab_wire::tcp::Options;
use std::collections::{BTreeMap, VecDeque};

/// One direction of a connection: from, to.
type Direction = (SocketAddr, SocketAddr);

/// Directions that are remembered; the oldest is forgotten first.
const DIRECTIONS_MAX: usize = 8192;

/// Remembers where the sequence spaces of the connections began. Show it each segment, in the order of time.
#[derive(Clone, Debug, Default)]
pub struct Relative {
    directions: BTreeMap<Direction, Known>,
    order: VecDeque<Direction>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// The initial sequence number of the newest incarnation.
    iss: SeqNum,
    /// That of the one before it: its late segments are still read by it.
    earlier: Option<SeqNum>,
    /// Window scale that its SYN offered.
    scale: Option<u8>,
}

impl Relative {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns from a segment.
    pub fn observe(&mut self, from: SocketAddr, to: SocketAddr, header: &Header) {
        let key = (from, to);
        if let Options::Syn(options) = &header.options {
            let earlier = self.directions.get(&key).copied();
            if let Some(known) = earlier
                && known.iss == header.seq
            {
                return;
            }
            let known = Known {
                iss: header.seq,
                earlier: earlier.map(|known| known.iss),
                scale: options.window_scale,
            };
            self.insert(key, known);
        } else if !self.directions.contains_key(&key) && !header.flags.rst() {
            let known = Known {
                iss: header.seq - 1,
                earlier: None,
                scale: None,
            };
            self.insert(key, known);
        }
    }

    fn insert(&mut self, key: Direction, known: Known) {
        if self.directions.insert(key, known).is_none() {
            self.order.push_back(key);
            if self.order.len() > DIRECTIONS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.directions.remove(&oldest);
            }
        }
    }

    /// A sequence number of what `from` sends, counted from its SYN. Unknown directions stay absolute.
    pub fn seq(&self, from: SocketAddr, to: SocketAddr, seq: SeqNum) -> u32 {
        let Some(known) = self.directions.get(&(from, to)) else {
            return seq.0;
        };
        let newest = seq.since(known.iss);
        let distance = |relative: u32| relative.min(relative.wrapping_neg());
        match known.earlier.map(|iss| seq.since(iss)) {
            Some(older) if distance(older) < distance(newest) => older,
            _ => newest,
        }
    }

    /// An acknowledgement number that `from` sends: it counts what `to` sent.
    pub fn ack(&self, from: SocketAddr, to: SocketAddr, ack: SeqNum) -> u32 {
        self.seq(to, from, ack)
    }

    /// The window that a segment offers, in bytes: shifted when both SYNs offered scaling (RFC 7323).
    pub fn window_bytes(&self, from: SocketAddr, to: SocketAddr, header: &Header) -> u32 {
        let window = u32::from(header.window.0);
        if header.flags.syn() {
            return window;
        }
        let scale = |key| self.directions.get(&key).and_then(|known| known.scale);
        match (scale((from, to)), scale((to, from))) {
            (Some(shift), Some(_)) => window << shift.min(14),
            _ => window,
        }
    }
}
