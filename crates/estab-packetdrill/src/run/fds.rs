//! Descriptors of the script and those that stand for them.

use std::collections::BTreeMap;

/// Stands for a descriptor that the script never had, so that the subject refuses it.
const NOBODYS: i32 = 1_000_000;

#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    live: BTreeMap<i32, i32>,
}

impl Descriptors {
    /// The live descriptor behind one of the script.
    pub(crate) fn live(&self, script: i32) -> i32 {
        match self.live.get(&script) {
            Some(live) => *live,
            // Standard input and the like, and what is no descriptor at all.
            None if script < 0 => script,
            None => NOBODYS.saturating_add(script),
        }
    }

    pub(crate) fn known(&self, script: i32) -> Option<i32> {
        self.live.get(&script).copied()
    }

    /// The newest of the script's descriptors, by number.
    pub(crate) fn last(&self) -> Option<i32> {
        self.live.last_key_value().map(|(_, live)| *live)
    }

    /// A new descriptor; `false` when the script has one of this number already.
    pub(crate) fn add(&mut self, script: i32, live: i32) -> bool {
        self.live.insert(script, live).is_none()
    }

    pub(crate) fn remove(&mut self, script: i32) {
        self.live.remove(&script);
    }
}
