//! Sockets that take what comes for an address and a port from anybody: TCP's listeners, and UDP.

use crate::SocketId;
use crate::ports::Scope;
use crate::table::TupleHash;
use core::net::IpAddr;
use estab_tcp::FourTuple;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// Groups of sockets by what they are bound to. More than one in a group share by `SO_REUSEPORT`.
pub(crate) struct Receivers {
    groups: HashMap<(Scope, u16), SmallVec<[SocketId; 1]>, FixedState>,
    hash: TupleHash,
}

impl Receivers {
    pub(crate) fn new(key: (u64, u64)) -> Self {
        Self {
            groups: HashMap::with_hasher(FixedState::with_seed(key.0)),
            hash: TupleHash::fold(key),
        }
    }

    pub(crate) fn add(&mut self, scope: Scope, port: u16, socket: SocketId) {
        self.groups.entry((scope, port)).or_default().push(socket);
    }

    pub(crate) fn remove(&mut self, scope: Scope, port: u16, socket: SocketId) {
        if let Some(group) = self.groups.get_mut(&(scope, port)) {
            group.retain(|member| *member != socket);
            if group.is_empty() {
                self.groups.remove(&(scope, port));
            }
        }
    }

    /// The group for what comes to an address: bound to just it, then to its family, then to both families.
    pub(crate) fn group(&self, address: IpAddr, port: u16) -> &[SocketId] {
        let family = match address {
            IpAddr::V4(_) => Scope::V4(None),
            IpAddr::V6(_) => Scope::V6(None),
        };
        [Scope::of(address), family, Scope::Dual]
            .into_iter()
            .find_map(|scope| self.groups.get(&(scope, port)))
            .map_or(&[], |group| &**group)
    }

    /// The member of a group that a peer's packets go to, always the same one.
    pub(crate) fn pick(&self, group: &[SocketId], tuple: &FourTuple) -> Option<SocketId> {
        match group {
            [] => None,
            [only] => Some(*only),
            many => {
                let hash = self.hash.of(tuple) >> 32;
                let index = (hash * many.len() as u64) >> 32;
                many.get(index as usize).copied()
            }
        }
    }
}
