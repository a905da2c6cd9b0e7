//! Neighbours on Ethernet and whether they can be reached (RFC 4861, used for ARP too).

use super::lru::LruMap;
use super::queue::Queued;
use crate::InterfaceId;
use alloc::collections::{BTreeSet, VecDeque};
use core::net::IpAddr;
use core::time::Duration;
use estab_tcp::{Instant, Rng};
use estab_wire::ethernet::Address as Mac;

/// Neighbours that are remembered.
pub(super) const NEIGHBOURS_MAX: usize = 1024;
/// Packets that may wait for one neighbour.
const WAITING_MAX: usize = 16;
/// Packets that may wait for all of them.
const WAITING_TOTAL_MAX: usize = 256;

// The constants of RFC 4861.
const SOLICITATIONS_MAX: u8 = 3;
const RETRANS_TIMER: Duration = Duration::from_secs(1);
const DELAY_FIRST_PROBE: Duration = Duration::from_secs(5);
const REACHABLE_MS: u32 = 30_000;

/// A neighbour: an address on a link.
pub(super) type Key = (InterfaceId, IpAddr);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its Ethernet address is asked for; so many times already.
    Incomplete(u8),
    /// It answered not long ago; until then.
    Reachable(Instant),
    /// Its address is known, but not whether it still holds.
    Stale,
    /// Used while stale: a probe follows unless it is confirmed before.
    Delay,
    /// Asked directly whether it is still there; so many times already.
    Probe(u8),
}

#[derive(Debug)]
struct Neighbour {
    state: State,
    mac: Mac,
    is_router: bool,
    /// When the state needs attention; also stands in `NeighbourTable::deadlines`.
    deadline: Option<Instant>,
    waiting: VecDeque<Queued>,
}

/// What we heard of a neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    /// Its Ethernet address, when the message had one.
    pub(super) mac: Option<Mac>,
    /// It answers a question of ours.
    pub(super) solicited: bool,
    /// It may replace the Ethernet address that we know.
    pub(super) replaces: bool,
    /// What it says about being a router, when it does.
    pub(super) is_router: Option<bool>,
    /// Remember it even if we had nothing to do with it so far.
    pub(super) create: bool,
}

/// What the owner of the table must do about a deadline.
#[derive(Debug)]
pub(super) enum Due {
    /// Ask for it; directly when its address is known.
    Solicit(Key, Option<Mac>),
    /// It did not answer; these packets cannot be sent.
    Failed(Key, VecDeque<Queued>),
}

/// What became of a packet for a neighbour whose address is not known.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Nobody asked for it yet: do.
    pub(super) solicit: bool,
    /// Packets that were dropped for it.
    pub(super) dropped: u64,
    /// Another neighbour was forgotten for it.
    pub(super) evicted: bool,
}

/// The neighbours of all interfaces, bounded, with the packets that wait for them.
pub(super) struct NeighbourTable {
    neighbours: LruMap<Key, Neighbour>,
    deadlines: BTreeSet<(Instant, InterfaceId, IpAddr)>,
    waiting: usize,
    rng: Rng,
}

impl NeighbourTable {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            neighbours: LruMap::new(NEIGHBOURS_MAX, rng.next_u64()),
            deadlines: BTreeSet::new(),
            waiting: 0,
            rng: Rng::new(rng.next_u64()),
        }
    }

    /// The Ethernet address for a packet that is sent now. Using a stale one starts its verification.
    pub(super) fn lookup(&mut self, now: Instant, key: Key) -> Option<Mac> {
        let neighbour = self.neighbours.get_mut(&key)?;
        match neighbour.state {
            State::Incomplete(_) => return None,
            State::Reachable(until) if until > now => {}
            State::Delay | State::Probe(_) => {}
            State::Reachable(_) | State::Stale => {
                neighbour.state = State::Delay;
                set_deadline(
                    &mut self.deadlines,
                    key,
                    neighbour,
                    Some(now + DELAY_FIRST_PROBE),
                );
            }
        }
        Some(neighbour.mac)
    }

    /// Keeps a packet until its neighbour is known. RFC 1122 2.3.2.2: the latest packet is kept rather than the first.
    pub(super) fn wait(&mut self, now: Instant, key: Key, packet: Queued) -> Waiting {
        let mut result = Waiting::default();
        if self.neighbours.peek(&key).is_none() {
            result.solicit = true;
            self.insert(key, State::Incomplete(1), Mac::default(), &mut result);
        }
        let Some(neighbour) = self.neighbours.get_mut(&key) else {
            return result;
        };
        if result.solicit {
            set_deadline(
                &mut self.deadlines,
                key,
                neighbour,
                Some(now + RETRANS_TIMER),
            );
        }
        if neighbour.waiting.len() >= WAITING_MAX {
            neighbour.waiting.pop_front();
            self.waiting -= 1;
            result.dropped += 1;
        }
        if self.waiting >= WAITING_TOTAL_MAX {
            result.dropped += 1;
        } else {
            neighbour.waiting.push_back(packet);
            self.waiting += 1;
        }
        result
    }

    /// Somebody said where a neighbour is. Gives back the packets that waited for it, with its address.
    pub(super) fn heard(
        &mut self,
        now: Instant,
        key: Key,
        heard: Heard,
        result: &mut Waiting,
    ) -> Option<(Mac, VecDeque<Queued>)> {
        if self.neighbours.peek(&key).is_none() {
            if let (true, Some(mac)) = (heard.create, heard.mac) {
                self.insert(key, State::Stale, mac, result);
                if let Some(neighbour) = self.neighbours.get_mut(&key) {
                    neighbour.is_router = heard.is_router.unwrap_or(false);
                }
            }
            return None;
        }
        let reachable = State::Reachable(now + Duration::from_millis(self.reachable_ms().into()));
        let neighbour = self.neighbours.get_mut(&key)?;
        neighbour.is_router = heard.is_router.unwrap_or(neighbour.is_router);
        if let State::Incomplete(_) = neighbour.state {
            neighbour.mac = heard.mac?;
            neighbour.state = if heard.solicited {
                reachable
            } else {
                State::Stale
            };
        } else {
            let other = heard.mac.is_some_and(|mac| mac != neighbour.mac);
            if other && !heard.replaces {
                // RFC 4861: a doubt, but the address that we know stays.
                if let State::Reachable(_) = neighbour.state {
                    neighbour.state = State::Stale;
                }
                return None;
            }
            neighbour.mac = heard.mac.unwrap_or(neighbour.mac);
            if heard.solicited {
                neighbour.state = reachable;
            } else if other {
                neighbour.state = State::Stale;
            } else {
                return None;
            }
        }
        set_deadline(&mut self.deadlines, key, neighbour, None);
        let waiting = core::mem::take(&mut neighbour.waiting);
        self.waiting -= waiting.len();
        Some((neighbour.mac, waiting))
    }

    /// Is it known to be a router?
    pub(super) fn is_router(&self, key: Key) -> bool {
        self.neighbours
            .peek(&key)
            .is_some_and(|neighbour| neighbour.is_router)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, ..)| *at)
    }

    /// The next thing that is due; call until `None`.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Due> {
        let &(at, interface, address) = self.deadlines.first()?;
        if at > now {
            return None;
        }
        let key = (interface, address);
        self.deadlines.pop_first();
        let neighbour = self.neighbours.peek_mut(&key)?;
        neighbour.deadline = None;
        let (state, mac) = match neighbour.state {
            State::Incomplete(asked) if asked < SOLICITATIONS_MAX => {
                (State::Incomplete(asked + 1), None)
            }
            State::Delay => (State::Probe(1), Some(neighbour.mac)),
            State::Probe(asked) if asked < SOLICITATIONS_MAX => {
                (State::Probe(asked + 1), Some(neighbour.mac))
            }
            State::Incomplete(_) | State::Probe(_) | State::Reachable(_) | State::Stale => {
                let gone = self.neighbours.remove(&key)?;
                self.waiting -= gone.waiting.len();
                return Some(Due::Failed(key, gone.waiting));
            }
        };
        neighbour.state = state;
        set_deadline(
            &mut self.deadlines,
            key,
            neighbour,
            Some(now + RETRANS_TIMER),
        );
        Some(Due::Solicit(key, mac))
    }

    fn insert(&mut self, key: Key, state: State, mac: Mac, result: &mut Waiting) {
        let neighbour = Neighbour {
            state,
            mac,
            is_router: false,
            deadline: None,
            waiting: VecDeque::new(),
        };
        if let Some((gone, neighbour)) = self.neighbours.insert(key, neighbour) {
            if let Some(at) = neighbour.deadline {
                self.deadlines.remove(&(at, gone.0, gone.1));
            }
            self.waiting -= neighbour.waiting.len();
            result.dropped += neighbour.waiting.len() as u64;
            result.evicted = true;
        }
    }

    /// RFC 4861: between half and one and a half of the base.
    fn reachable_ms(&mut self) -> u32 {
        REACHABLE_MS / 2 + self.rng.below(REACHABLE_MS)
    }
}

fn set_deadline(
    deadlines: &mut BTreeSet<(Instant, InterfaceId, IpAddr)>,
    key: Key,
    neighbour: &mut Neighbour,
    at: Option<Instant>,
) {
    if let Some(old) = neighbour.deadline {
        deadlines.remove(&(old, key.0, key.1));
    }
    if let Some(at) = at {
        deadlines.insert((at, key.0, key.1));
    }
    neighbour.deadline = at;
}
