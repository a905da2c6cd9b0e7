//! Things that are found by the two ends of their connection.

use core::hash::{Hash, Hasher};
use estab_tcp::FourTuple;
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use slotmap::{Key, SlotMap};

/// How a table hashes its tuples. Both are keyed by the stack's seed.
pub(crate) enum TupleHash {
    /// Fast: for what a handshake has proven to exist.
    Fold(u64, SharedSeed),
    /// Strong: for what anybody can fill with tuples of his choice.
    Sip(SipHasher13),
}

impl TupleHash {
    pub(crate) fn fold(key: (u64, u64)) -> Self {
        Self::Fold(key.0, SharedSeed::from_u64(key.1))
    }

    pub(crate) fn sip(key: (u64, u64)) -> Self {
        Self::Sip(SipHasher13::new_with_keys(key.0, key.1))
    }

    pub(crate) fn of(&self, tuple: &FourTuple) -> u64 {
        match self {
            Self::Fold(seed, shared) => {
                let mut hasher = FoldHasher::with_seed(*seed, shared);
                tuple.hash(&mut hasher);
                hasher.finish()
            }
            Self::Sip(keyed) => {
                let mut hasher = *keyed;
                tuple.hash(&mut hasher);
                hasher.finish()
            }
        }
    }
}

struct Entry<V> {
    tuple: FourTuple,
    hash: u64,
    linked: bool,
    value: V,
}

/// Values with stable keys, found by tuple for as long as they are linked.
pub(crate) struct TupleTable<K: Key, V> {
    slots: SlotMap<K, Entry<V>>,
    index: HashTable<K>,
    hash: TupleHash,
}

impl<K: Key, V> TupleTable<K, V> {
    pub(crate) fn new(hash: TupleHash) -> Self {
        Self {
            slots: SlotMap::with_key(),
            index: HashTable::new(),
            hash,
        }
    }

    pub(crate) fn find(&self, tuple: &FourTuple) -> Option<K> {
        #[cfg(test)]
        crate::work::lookup();
        let hash = self.hash.of(tuple);
        let same = |key: &K| self.slots.get(*key).is_some_and(|e| e.tuple == *tuple);
        self.index.find(hash, same).copied()
    }

    /// Adds a value; the tuple must not be linked already.
    pub(crate) fn insert_with_key(&mut self, tuple: FourTuple, make: impl FnOnce(K) -> V) -> K {
        debug_assert!(self.find(&tuple).is_none());
        let hash = self.hash.of(&tuple);
        let key = self.slots.insert_with_key(|key| Entry {
            tuple,
            hash,
            linked: true,
            value: make(key),
        });
        let slots = &self.slots;
        let rehash = |key: &K| slots.get(*key).map_or(0, |entry| entry.hash);
        self.index.insert_unique(hash, key, rehash);
        key
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        #[cfg(test)]
        crate::work::lookup();
        self.slots.get(key).map(|entry| &entry.value)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        #[cfg(test)]
        crate::work::lookup();
        self.slots.get_mut(key).map(|entry| &mut entry.value)
    }

    /// In the order of the slots, which the hash does not touch.
    pub(crate) fn keys(&self) -> impl Iterator<Item = K> + '_ {
        self.slots.keys()
    }

    pub(crate) fn tuple(&self, key: K) -> Option<FourTuple> {
        #[cfg(test)]
        crate::work::lookup();
        self.slots.get(key).map(|entry| entry.tuple)
    }

    /// Keeps the value, but gives its tuple free.
    pub(crate) fn unlink(&mut self, key: K) {
        #[cfg(test)]
        crate::work::lookup();
        if let Some(entry) = self.slots.get_mut(key)
            && core::mem::take(&mut entry.linked)
            && let Ok(found) = self.index.find_entry(entry.hash, |other| *other == key)
        {
            found.remove();
        }
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<(FourTuple, V)> {
        self.unlink(key);
        self.slots
            .remove(key)
            .map(|entry| (entry.tuple, entry.value))
    }

    /// Values held, linked or not.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, SocketAddr};

    slotmap::new_key_type! { struct Id; }

    fn tuple(port: u16) -> FourTuple {
        FourTuple {
            local: SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 80)),
            remote: SocketAddr::from((Ipv4Addr::new(10, 0, 0, 2), port)),
        }
    }

    #[test]
    fn finds_what_is_linked_and_only_that() {
        for hash in [TupleHash::fold((1, 2)), TupleHash::sip((1, 2))] {
            let mut table = TupleTable::<Id, u16>::new(hash);
            let keys: alloc::vec::Vec<_> = (0..5000)
                .map(|port| table.insert_with_key(tuple(port), |_| port))
                .collect();
            for (port, key) in (0..).zip(&keys) {
                assert_eq!(table.find(&tuple(port)), Some(*key));
            }
            table.unlink(keys[7]);
            assert_eq!(
                (table.find(&tuple(7)), table.get(keys[7])),
                (None, Some(&7))
            );
            let again = table.insert_with_key(tuple(7), |_| 99);
            assert_eq!(table.remove(keys[7]), Some((tuple(7), 7)));
            assert_eq!(
                table.find(&tuple(7)),
                Some(again),
                "the newer one stays linked"
            );
            assert_eq!(table.len(), 5000);
        }
    }
}
