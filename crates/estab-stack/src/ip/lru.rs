//! A bounded map that forgets what was not used for the longest time.

use alloc::vec::Vec;
use core::hash::Hash;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

const NONE: u32 = u32::MAX;

struct Node<K, V> {
    entry: Option<(K, V)>,
    newer: u32,
    older: u32,
}

/// Look-up, insertion, removal and eviction take constant time. Never iterated in hash order.
pub(super) struct LruMap<K, V> {
    index: HashMap<K, u32, FixedState>,
    nodes: Vec<Node<K, V>>,
    free: u32,
    newest: u32,
    oldest: u32,
    capacity: usize,
}

impl<K: Copy + Eq + Hash, V> LruMap<K, V> {
    /// For at most `capacity` entries, at least 1. Memory grows with use.
    pub(super) fn new(capacity: usize, seed: u64) -> Self {
        Self {
            index: HashMap::with_hasher(FixedState::with_seed(seed)),
            nodes: Vec::new(),
            free: NONE,
            newest: NONE,
            oldest: NONE,
            capacity: capacity.max(1),
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Looks without counting it as a use.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        let at = *self.index.get(key)?;
        self.nodes[at as usize]
            .entry
            .as_ref()
            .map(|(_, value)| value)
    }

    /// Looks, to change it, without counting it as a use.
    pub(super) fn peek_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = *self.index.get(key)?;
        self.nodes[at as usize]
            .entry
            .as_mut()
            .map(|(_, value)| value)
    }

    /// Looks, and makes it the newest.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = *self.index.get(key)?;
        if self.newest != at {
            self.unlink(at);
            self.link_newest(at);
        }
        self.nodes[at as usize]
            .entry
            .as_mut()
            .map(|(_, value)| value)
    }

    /// Adds or replaces. Gives back what had to go: the oldest entry when the map was full, or the one replaced.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let mut gone = self.remove(&key).map(|value| (key, value));
        if gone.is_none() && self.index.len() >= self.capacity {
            gone = self.remove_oldest();
        }
        let node = Node {
            entry: Some((key, value)),
            newer: NONE,
            older: NONE,
        };
        let at = if self.free == NONE {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        } else {
            let at = self.free;
            self.free = self.nodes[at as usize].older;
            self.nodes[at as usize] = node;
            at
        };
        self.index.insert(key, at);
        self.link_newest(at);
        gone
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.index.remove(key)?;
        self.unlink(at);
        let node = &mut self.nodes[at as usize];
        node.older = self.free;
        let entry = node.entry.take();
        self.free = at;
        entry.map(|(_, value)| value)
    }

    pub(super) fn remove_oldest(&mut self) -> Option<(K, V)> {
        let (key, _) = self.nodes.get(self.oldest as usize)?.entry.as_ref()?;
        let key = *key;
        self.remove(&key).map(|value| (key, value))
    }

    fn link_newest(&mut self, at: u32) {
        let before = self.newest;
        self.nodes[at as usize].older = before;
        self.nodes[at as usize].newer = NONE;
        match self.nodes.get_mut(before as usize) {
            Some(node) => node.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32) {
        let Node { newer, older, .. } = self.nodes[at as usize];
        match self.nodes.get_mut(newer as usize) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        match self.nodes.get_mut(older as usize) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
    }
}
