//! The stacks of this process, by the number that the table's `userdata` carries: a call after `free` finds nothing, instead of freed
//! memory.

use super::{Plugin, ignore_poison};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

static PLUGINS: RwLock<Registry> = RwLock::new(Registry {
    last: 0,
    plugins: BTreeMap::new(),
});

struct Registry {
    last: usize,
    plugins: BTreeMap<usize, Arc<Plugin>>,
}

/// The number is not zero.
pub(crate) fn add(plugin: Arc<Plugin>) -> usize {
    let mut registry = ignore_poison(PLUGINS.write());
    registry.last += 1;
    let number = registry.last;
    registry.plugins.insert(number, plugin);
    number
}

pub(crate) fn find(number: usize) -> Option<Arc<Plugin>> {
    ignore_poison(PLUGINS.read()).plugins.get(&number).cloned()
}

pub(crate) fn remove(number: usize) -> Option<Arc<Plugin>> {
    ignore_poison(PLUGINS.write()).plugins.remove(&number)
}

/// The one that gave out this descriptor.
pub(crate) fn owner(fd: i32) -> Option<Arc<Plugin>> {
    let registry = ignore_poison(PLUGINS.read());
    let mut plugins = registry.plugins.values();
    plugins.find(|plugin| plugin.check(fd).is_ok()).cloned()
}
