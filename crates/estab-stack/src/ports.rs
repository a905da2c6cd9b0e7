//! Who holds which local address and port, and the choice of a free one.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use estab_tcp::Rng;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

/// The local addresses that a socket stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// One IPv4 address, or all.
    V4(Option<Ipv4Addr>),
    /// One IPv6 address, or all.
    V6(Option<Ipv6Addr>),
    /// All addresses of both families: `::` without `IPV6_V6ONLY`.
    Dual,
}

impl Scope {
    /// Of one address, or of its family's wildcard.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4((!address.is_unspecified()).then_some(address)),
            IpAddr::V6(address) => Self::V6((!address.is_unspecified()).then_some(address)),
        }
    }

    /// The one address it stands for.
    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Self::V4(address) => address.map(IpAddr::V4),
            Self::V6(address) => address.map(IpAddr::V6),
            Self::Dual => None,
        }
    }

    /// As `getsockname` shows it.
    pub(crate) fn shown(self) -> IpAddr {
        match self {
            Self::V4(address) => address.unwrap_or(Ipv4Addr::UNSPECIFIED).into(),
            Self::V6(address) => address.unwrap_or(Ipv6Addr::UNSPECIFIED).into(),
            Self::Dual => Ipv6Addr::UNSPECIFIED.into(),
        }
    }

    /// Is there an address that both stand for?
    fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Dual, _) | (_, Self::Dual) => true,
            (Self::V4(a), Self::V4(b)) => a.is_none() || b.is_none() || a == b,
            (Self::V6(a), Self::V6(b)) => a.is_none() || b.is_none() || a == b,
            _ => false,
        }
    }
}

/// How a port is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// `SO_REUSEADDR`.
    pub(crate) reuse_address: bool,
    /// `SO_REUSEPORT`.
    pub(crate) reuse_port: bool,
    /// By a listener.
    pub(crate) listening: bool,
    /// Chosen by `connect`, so that connections to other destinations may share it.
    pub(crate) automatic: bool,
}

impl Claim {
    const KINDS: usize = 16;

    const fn index(self) -> usize {
        self.reuse_address as usize
            | (self.reuse_port as usize) << 1
            | (self.listening as usize) << 2
            | (self.automatic as usize) << 3
    }

    const fn from_index(index: usize) -> Self {
        Self {
            reuse_address: index & 1 != 0,
            reuse_port: index & 2 != 0,
            listening: index & 4 != 0,
            automatic: index & 8 != 0,
        }
    }

    /// May `self` come to where `held` is? As Linux has it: both with `SO_REUSEADDR` and nobody listens there, or both with
    /// `SO_REUSEPORT`.
    const fn goes_with(self, held: Self) -> bool {
        (self.reuse_address && held.reuse_address && !held.listening)
            || (self.reuse_port && held.reuse_port)
    }
}

/// A port held. Give it back with [`Ports::release`].
#[derive(Debug)]
#[must_use]
pub(crate) struct Hold {
    pub(crate) scope: Scope,
    pub(crate) port: u16,
    pub(crate) claim: Claim,
}

/// Holders of one port at one scope, counted by the kind of their claim: bind compares kinds, never walks sockets.
#[derive(Debug)]
struct Holders {
    scope: Scope,
    counts: [u32; Claim::KINDS],
}

/// The ports of one transport.
pub(crate) struct Ports {
    held: HashMap<u16, SmallVec<[Holders; 1]>, FixedState>,
    rng: Rng,
    ephemeral: Ephemeral,
}

impl Ports {
    pub(crate) fn new(hash_seed: u64, rng: Rng, ephemeral: Ephemeral) -> Self {
        Self {
            held: HashMap::with_hasher(FixedState::with_seed(hash_seed)),
            rng,
            ephemeral,
        }
    }

    fn kinds(&self, scope: Scope, port: u16) -> impl Iterator<Item = Claim> + '_ {
        self.held
            .get(&port)
            .into_iter()
            .flatten()
            .filter(move |holders| holders.scope.overlaps(scope))
            .flat_map(|holders| {
                (0..Claim::KINDS)
                    .filter(|index| holders.counts.get(*index).is_some_and(|n| *n > 0))
                    .map(Claim::from_index)
            })
    }

    /// Would such a claim meet one that it does not go with?
    pub(crate) fn conflicts(&self, scope: Scope, port: u16, claim: Claim) -> bool {
        self.kinds(scope, port).any(|held| !claim.goes_with(held))
    }

    /// Holds a port, whoever else does: ask [`Self::conflicts`] first.
    pub(crate) fn hold(&mut self, scope: Scope, port: u16, claim: Claim) -> Hold {
        *self.count(scope, port, claim) += 1;
        Hold { scope, port, claim }
    }

    pub(crate) fn release(&mut self, hold: Hold) {
        let count = self.count(hold.scope, hold.port, hold.claim);
        *count = count.saturating_sub(1);
        if let Some(scopes) = self.held.get_mut(&hold.port) {
            scopes.retain(|holders| holders.counts.iter().any(|n| *n > 0));
            if scopes.is_empty() {
                self.held.remove(&hold.port);
            }
        }
    }

    /// The holder's options changed, or it began or ceased to listen.
    pub(crate) fn change(&mut self, hold: &mut Hold, claim: Claim) {
        let new = self.hold(hold.scope, hold.port, claim);
        self.release(core::mem::replace(hold, new));
    }

    /// A port that nobody holds at any overlapping address.
    pub(crate) fn free(&mut self, scope: Scope, range: (u16, u16)) -> Option<u16> {
        let (first, last) = range;
        let size = u32::from(last.checked_sub(first)?) + 1;
        let start = self.rng.below(size);
        (0..size)
            .map(|i| first + ((start + i) % size) as u16)
            .find(|port| self.kinds(scope, *port).next().is_none())
    }

    /// A port for a connection: not bound by anyone, though other connections may share it; `usable` says whether the
    /// four-tuple with it is free. RFC 6056 algorithm 4.
    pub(crate) fn ephemeral(
        &mut self,
        local: IpAddr,
        remote: SocketAddr,
        range: (u16, u16),
        mut usable: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let (first, last) = range;
        let size = u32::from(last.checked_sub(first)?) + 1;
        let scope = Scope::of(local);
        for _ in 0..size {
            let port = first + (self.ephemeral.next(local, remote) % size) as u16;
            if self.kinds(scope, port).all(|held| held.automatic) && usable(port) {
                return Some(port);
            }
        }
        None
    }

    /// Ports that somebody holds.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    fn count(&mut self, scope: Scope, port: u16, claim: Claim) -> &mut u32 {
        let scopes = self.held.entry(port).or_default();
        let at = scopes
            .iter()
            .position(|holders| holders.scope == scope)
            .unwrap_or_else(|| {
                scopes.push(Holders {
                    scope,
                    counts: [0; Claim::KINDS],
                });
                scopes.len() - 1
            });
        &mut scopes[at].counts[claim.index()]
    }
}

/// The double hash of RFC 6056: a keyed offset for each destination, and a table of counters that destinations share.
pub(crate) struct Ephemeral {
    offset: SipHasher13,
    index: SipHasher13,
    counters: [u32; 64],
}

impl Ephemeral {
    pub(crate) fn new(offset: (u64, u64), index: (u64, u64), rng: &mut Rng) -> Self {
        Self {
            offset: SipHasher13::new_with_keys(offset.0, offset.1),
            index: SipHasher13::new_with_keys(index.0, index.1),
            counters: core::array::from_fn(|_| rng.next_u32()),
        }
    }

    fn next(&mut self, local: IpAddr, remote: SocketAddr) -> u32 {
        use core::hash::{Hash, Hasher};
        let hash = |keyed: &SipHasher13| {
            let mut hasher = *keyed;
            (local, remote).hash(&mut hasher);
            hasher.finish()
        };
        let offset = hash(&self.offset) as u32;
        let index = hash(&self.index) as usize % self.counters.len();
        let counter = &mut self.counters[index];
        *counter = counter.wrapping_add(1);
        offset.wrapping_add(*counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY4: Scope = Scope::V4(None);
    const ONE4: Scope = Scope::V4(Some(Ipv4Addr::new(10, 0, 0, 1)));
    const OTHER4: Scope = Scope::V4(Some(Ipv4Addr::new(10, 0, 0, 2)));
    const ANY6: Scope = Scope::V6(None);
    const ONE6: Scope = Scope::V6(Some(Ipv6Addr::LOCALHOST));

    fn ports() -> Ports {
        let mut rng = Rng::new(1);
        let ephemeral = Ephemeral::new((1, 2), (3, 4), &mut rng);
        Ports::new(5, rng, ephemeral)
    }

    #[test]
    fn scopes_that_share_an_address_conflict() {
        let cases = [
            (ANY4, ANY4, true),
            (ANY4, ONE4, true),
            (ONE4, ONE4, true),
            (ONE4, OTHER4, false),
            (ANY4, ANY6, false),
            (ONE4, ONE6, false),
            (ANY6, ONE6, true),
            (Scope::Dual, ANY4, true),
            (Scope::Dual, ONE4, true),
            (Scope::Dual, ONE6, true),
            (Scope::Dual, Scope::Dual, true),
        ];
        for (a, b, conflict) in cases {
            for (a, b) in [(a, b), (b, a)] {
                let mut ports = ports();
                let hold = ports.hold(a, 80, Claim::default());
                assert_eq!(
                    ports.conflicts(b, 80, Claim::default()),
                    conflict,
                    "{a:?} {b:?}"
                );
                assert!(!ports.conflicts(b, 81, Claim::default()));
                ports.release(hold);
                assert!(!ports.conflicts(b, 80, Claim::default()));
                assert_eq!(ports.len(), 0);
            }
        }
    }

    #[test]
    fn claims_go_together_as_linux_has_it() {
        for held in (0..Claim::KINDS).map(Claim::from_index) {
            for new in (0..Claim::KINDS).map(Claim::from_index) {
                let mut ports = ports();
                let hold = ports.hold(ANY4, 80, held);
                let allowed = (new.reuse_address && held.reuse_address && !held.listening)
                    || (new.reuse_port && held.reuse_port);
                assert_eq!(ports.conflicts(ONE4, 80, new), !allowed);
                ports.release(hold);
            }
        }
    }

    #[test]
    fn one_holder_that_objects_is_enough() {
        let mut ports = ports();
        let polite = Claim {
            reuse_address: true,
            ..Claim::default()
        };
        let a = ports.hold(ANY4, 80, polite);
        let mut b = ports.hold(ANY4, 80, polite);
        assert!(!ports.conflicts(ANY4, 80, polite));
        ports.change(&mut b, Claim::default());
        assert!(ports.conflicts(ANY4, 80, polite));
        ports.release(b);
        assert!(!ports.conflicts(ANY4, 80, polite));
        ports.release(a);
    }

    #[test]
    fn a_free_port_is_found_while_there_is_one() {
        let mut ports = ports();
        let mut holds = alloc::vec::Vec::new();
        for _ in 0..10 {
            let port = ports.free(ANY4, (5000, 5009)).expect("one is free");
            assert!((5000..=5009).contains(&port));
            holds.push(ports.hold(ANY4, port, Claim::default()));
        }
        assert_eq!(ports.free(ANY4, (5000, 5009)), None);
        assert_eq!(ports.free(Scope::Dual, (5000, 5009)), None);
        assert!(ports.free(ANY6, (5000, 5009)).is_some());
        assert_eq!(ports.free(ANY4, (9, 8)), None, "an empty range");
        holds.into_iter().for_each(|hold| ports.release(hold));
    }

    #[test]
    fn ephemeral_ports_are_shared_by_destinations_and_differ_by_keys() {
        let local = IpAddr::from([10, 0, 0, 1]);
        let remote = SocketAddr::from(([10, 0, 0, 9], 80));
        let range = (40_000, 40_007);
        let mut first = ports();
        let got: alloc::vec::Vec<_> = (0..8)
            .map(|_| {
                first
                    .ephemeral(local, remote, range, |_| true)
                    .expect("free")
            })
            .collect();
        let mut sorted = got;
        sorted.sort_unstable();
        assert_eq!(sorted, (40_000..=40_007).collect::<alloc::vec::Vec<_>>());
        let bound = first.hold(ANY4, 40_003, Claim::default());
        let shared = first.hold(
            Scope::of(local),
            40_004,
            Claim {
                automatic: true,
                ..Claim::default()
            },
        );
        let mut seen = alloc::collections::BTreeSet::new();
        for _ in 0..64 {
            seen.extend(first.ephemeral(local, remote, range, |port| port != 40_005));
        }
        assert!(!seen.contains(&40_003) && !seen.contains(&40_005) && seen.contains(&40_004));
        assert_eq!(first.ephemeral(local, remote, range, |_| false), None);
        first.release(bound);
        first.release(shared);
    }
}
