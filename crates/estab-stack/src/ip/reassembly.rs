//! Datagrams from fragments (RFC 791 section 3.2, RFC 8200 section 4.5), in bounded memory.

use crate::InterfaceId;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use estab_tcp::{Ecn, Instant};

/// Bytes that all fragments together may take, with what is spent on keeping them.
const BYTES_MAX: usize = 4 << 20;
/// The same for one source.
const SOURCE_BYTES_MAX: usize = 1 << 20;
/// Datagrams of one source that may be incomplete.
const SOURCE_DATAGRAMS_MAX: usize = 64;
/// Fragments of one datagram. 64 KiB in fragments for the smallest MTU of IPv6 are 53.
const FRAGMENTS_MAX: usize = 256;
/// What keeping a fragment, and a datagram, costs beside its bytes.
const OVERHEAD: usize = 128;
const LEN_MAX: usize = u16::MAX as usize;

const TIMEOUT_V4: Duration = Duration::from_secs(30);
const TIMEOUT_V6: Duration = Duration::from_secs(60);

/// What the fragments of one datagram have in common. The source comes first, so that those of one source stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) identification: u32,
    /// IPv4 only; zero for IPv6.
    pub(super) protocol: u8,
}

/// A fragment that came in.
#[derive(Debug)]
pub(super) struct Fragment<'a> {
    pub(super) interface: InterfaceId,
    /// The whole IP packet.
    pub(super) packet: &'a Bytes,
    /// Where in it the fragment's share of the datagram begins.
    pub(super) data_offset: usize,
    /// Where in the datagram that belongs.
    pub(super) start: usize,
    pub(super) more: bool,
    pub(super) ecn: Ecn,
}

/// A datagram whose fragments are all there.
#[derive(Debug)]
pub(super) struct Whole {
    /// The packet that was its first fragment, to take the header from.
    pub(super) first: Bytes,
    /// Where in it the data begins.
    pub(super) data_offset: usize,
    pub(super) pieces: Vec<Piece>,
    pub(super) len: usize,
    pub(super) ecn: Ecn,
}

/// What became of a fragment.
#[derive(Debug)]
pub(super) enum Outcome {
    /// More must come.
    Kept,
    /// That was the last one that was missing.
    Whole(Whole),
    /// The datagram is given up: overlaps, contradictions, too many fragments.
    Bad,
    /// No room.
    Full,
    /// It was here before.
    Duplicate,
}

/// A datagram that was given up because it is too late.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) interface: InterfaceId,
    /// The first fragment, if it came: only then an ICMP error is sent.
    pub(super) first: Option<Bytes>,
}

#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) data: Bytes,
}

#[derive(Debug)]
struct Datagram {
    /// Sorted, without overlaps.
    pieces: Vec<Piece>,
    /// Sum of the pieces' lengths.
    received: usize,
    /// Known when the last fragment is there.
    total: Option<usize>,
    first: Option<(Bytes, usize)>,
    /// Which codepoints came, a bit each.
    ecn: u8,
    /// Given up: whatever still comes of it is dropped, until its time is over.
    bad: bool,
    /// Counted against the limits.
    cost: usize,
    interface: InterfaceId,
    deadline: Instant,
}

/// The incomplete datagrams of a host.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    datagrams: BTreeMap<Key, Datagram>,
    deadlines: BTreeSet<(Instant, Key)>,
    sources: BTreeMap<IpAddr, Usage>,
    bytes: usize,
    /// Datagrams given up for room, to be counted.
    pub(super) evicted: u64,
}

#[derive(Debug, Default)]
struct Usage {
    bytes: usize,
    datagrams: usize,
}

impl Reassembly {
    /// Takes a fragment. Its data is copied, so that it does not pin a device's buffer.
    pub(super) fn insert(&mut self, now: Instant, key: Key, fragment: &Fragment<'_>) -> Outcome {
        let len = fragment.packet.len() - fragment.data_offset;
        let end = fragment.start + len;
        let cost = fragment.packet.len() + OVERHEAD;
        if !self.make_room(&key, cost) {
            return Outcome::Full;
        }
        if !self.datagrams.contains_key(&key) {
            self.begin(now, key, fragment.interface);
        }
        let Some(datagram) = self.datagrams.get_mut(&key) else {
            return Outcome::Full;
        };
        if datagram.bad {
            return Outcome::Bad;
        }
        let at = datagram
            .pieces
            .partition_point(|piece| piece.start < fragment.start);
        // RFC 8200 section 4.5: an exact duplicate is no overlap.
        if let Some(piece) = datagram.pieces.get(at)
            && piece.start == fragment.start
            && piece.data.len() == len
            && piece.data == fragment.packet[fragment.data_offset..]
        {
            return Outcome::Duplicate;
        }
        if datagram.contradicts(at, fragment.start, end, fragment.more) {
            self.give_up(&key);
            return Outcome::Bad;
        }
        if !fragment.more {
            datagram.total = Some(end);
        }
        let copy = Bytes::copy_from_slice(fragment.packet);
        let data = copy.slice(fragment.data_offset..);
        if fragment.start == 0 {
            datagram.first = Some((copy, fragment.data_offset));
        }
        datagram.pieces.insert(
            at,
            Piece {
                start: fragment.start,
                data,
            },
        );
        datagram.received += len;
        datagram.ecn |= 1 << fragment.ecn as u8;
        datagram.cost += cost;
        let complete = datagram.total == Some(datagram.received);
        self.charge(key.src, cost);
        if complete {
            self.finish(&key)
        } else {
            Outcome::Kept
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The next datagram whose time is over; call until `None`.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Late> {
        let &(at, key) = self.deadlines.first()?;
        if at > now {
            return None;
        }
        let datagram = self.remove(&key)?;
        // Of a datagram that was given up nothing is left, so nobody is told.
        let first = datagram.first.map(|(packet, _)| packet);
        Some(Late {
            interface: datagram.interface,
            first,
        })
    }

    /// Nothing held and nothing remembered?
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
            && self.deadlines.is_empty()
            && self.sources.is_empty()
            && self.bytes == 0
    }

    /// Bytes that are held, by the accounts.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn begin(&mut self, now: Instant, key: Key, interface: InterfaceId) {
        let deadline = now
            + if key.src.is_ipv4() {
                TIMEOUT_V4
            } else {
                TIMEOUT_V6
            };
        let datagram = Datagram {
            pieces: Vec::new(),
            received: 0,
            total: None,
            first: None,
            ecn: 0,
            bad: false,
            cost: OVERHEAD,
            interface,
            deadline,
        };
        self.datagrams.insert(key, datagram);
        self.deadlines.insert((deadline, key));
        self.charge(key.src, OVERHEAD);
        self.sources.entry(key.src).or_default().datagrams += 1;
    }

    fn charge(&mut self, src: IpAddr, cost: usize) {
        self.bytes += cost;
        self.sources.entry(src).or_default().bytes += cost;
    }

    fn release(&mut self, src: IpAddr, cost: usize) {
        self.bytes = self.bytes.saturating_sub(cost);
        if let Some(usage) = self.sources.get_mut(&src) {
            usage.bytes = usage.bytes.saturating_sub(cost);
        }
    }

    /// Gives up older datagrams of the same source, then the oldest of all, until there is room for one fragment more.
    fn make_room(&mut self, key: &Key, cost: usize) -> bool {
        let cost = cost + OVERHEAD;
        if cost > SOURCE_BYTES_MAX {
            return false;
        }
        let is_new = !self.datagrams.contains_key(key);
        while self.sources.get(&key.src).is_some_and(|usage| {
            usage.bytes + cost > SOURCE_BYTES_MAX
                || is_new && usage.datagrams >= SOURCE_DATAGRAMS_MAX
        }) {
            let Some(oldest) = self.oldest_of(key) else {
                return false;
            };
            self.remove(&oldest);
            self.evicted += 1;
        }
        while self.bytes + cost > BYTES_MAX {
            let Some(&(_, oldest)) = self.deadlines.iter().find(|(_, other)| other != key) else {
                return false;
            };
            self.remove(&oldest);
            self.evicted += 1;
        }
        true
    }

    /// The oldest datagram of the key's source that is not the key's; of at most `SOURCE_DATAGRAMS_MAX`.
    fn oldest_of(&self, key: &Key) -> Option<Key> {
        // The least address of all: IPv4 sorts before IPv6.
        let first = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let from = Key {
            src: key.src,
            dst: first,
            identification: 0,
            protocol: 0,
        };
        self.datagrams
            .range(from..)
            .take_while(|(other, _)| other.src == key.src)
            .filter(|(other, _)| *other != key)
            .min_by_key(|(_, datagram)| datagram.deadline)
            .map(|(other, _)| *other)
    }

    fn remove(&mut self, key: &Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(key)?;
        self.deadlines.remove(&(datagram.deadline, *key));
        self.release(key.src, datagram.cost);
        if let Some(usage) = self.sources.get_mut(&key.src) {
            usage.datagrams = usage.datagrams.saturating_sub(1);
            if usage.datagrams == 0 {
                self.sources.remove(&key.src);
            }
        }
        Some(datagram)
    }

    /// RFC 8200 section 4.5: all fragments are dropped, those too that are still on their way.
    fn give_up(&mut self, key: &Key) {
        let Some(datagram) = self.datagrams.get_mut(key) else {
            return;
        };
        let freed = datagram.cost - OVERHEAD;
        datagram.cost = OVERHEAD;
        datagram.bad = true;
        datagram.pieces = Vec::new();
        datagram.first = None;
        self.release(key.src, freed);
    }

    fn finish(&mut self, key: &Key) -> Outcome {
        let Some(datagram) = self.remove(key) else {
            return Outcome::Bad;
        };
        let (Some((first, data_offset)), Some(ecn)) = (datagram.first, merge_ecn(datagram.ecn))
        else {
            return Outcome::Bad;
        };
        Outcome::Whole(Whole {
            first,
            data_offset,
            pieces: datagram.pieces,
            len: datagram.received,
            ecn,
        })
    }
}

impl Datagram {
    /// Does the fragment that would be the piece `at` overlap others, or disagree about where the datagram ends?
    fn contradicts(&self, at: usize, start: usize, end: usize, more: bool) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.pieces.get(at));
        let overlaps = before.is_some_and(|piece| piece.end() > start)
            || self.pieces.get(at).is_some_and(|piece| piece.start < end);
        let wrong_end = match self.total {
            Some(total) => end > total || !more && end != total,
            None => !more && self.pieces.last().is_some_and(|piece| piece.end() > end),
        };
        overlaps || wrong_end || end > LEN_MAX || self.pieces.len() >= FRAGMENTS_MAX
    }
}

impl Piece {
    fn end(&self) -> usize {
        self.start + self.data.len()
    }
}

/// RFC 3168 section 5.3: a mark on any fragment marks the whole, unless another says that its sender does not know
/// ECN; then something is wrong and nothing is delivered.
fn merge_ecn(seen: u8) -> Option<Ecn> {
    let has = |ecn: Ecn| seen & 1 << ecn as u8 != 0;
    match (has(Ecn::Ce), has(Ecn::NotEct)) {
        (true, true) => None,
        (true, false) => Some(Ecn::Ce),
        (false, true) => Some(Ecn::NotEct),
        (false, false) if has(Ecn::Ect0) => Some(Ecn::Ect0),
        (false, false) => Some(Ecn::Ect1),
    }
}
