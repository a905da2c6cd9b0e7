//! The index of deadlines: one for each connection and record, however many there are.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;
use estab_tcp::Instant;
use slotmap::SlotMap;

slotmap::new_key_type! {
    /// A timer in the index.
    pub(crate) struct TimerId;
}

/// A lazy heap. The slots hold the truth; moving a deadline later does not touch the heap unless it is the next one to
/// fire, and what became stale is thrown away when it comes to the top, or when there is more of it than of the rest.
pub(crate) struct Timers<K> {
    slots: SlotMap<TimerId, Slot<K>>,
    heap: BinaryHeap<Reverse<Item>>,
    armed: usize,
    last: u64,
}

struct Slot<K> {
    key: K,
    deadline: Option<Instant>,
    /// The one item in the heap that counts for this timer.
    queued: Option<(Instant, u64)>,
}

/// Equal times fire in the order in which they were armed, so that runs repeat.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    at: Instant,
    order: u64,
    id: TimerId,
}

impl<K: Copy> Timers<K> {
    pub(crate) fn new() -> Self {
        Self {
            slots: SlotMap::with_key(),
            heap: BinaryHeap::new(),
            armed: 0,
            last: 0,
        }
    }

    /// A timer that is not armed.
    pub(crate) fn add(&mut self, key: K) -> TimerId {
        self.slots.insert(Slot {
            key,
            deadline: None,
            queued: None,
        })
    }

    pub(crate) fn remove(&mut self, id: TimerId) {
        if let Some(slot) = self.slots.remove(id) {
            self.armed -= usize::from(slot.deadline.is_some());
            self.settle();
            self.compact();
        }
    }

    /// Sets, moves or clears a deadline.
    pub(crate) fn arm(&mut self, id: TimerId, deadline: Option<Instant>) {
        let Some(slot) = self.slots.get_mut(id) else {
            return;
        };
        if slot.deadline == deadline {
            return;
        }
        self.armed += usize::from(deadline.is_some());
        self.armed -= usize::from(slot.deadline.is_some());
        slot.deadline = deadline;
        if let Some(at) = deadline
            && slot.queued.is_none_or(|(queued, _)| at < queued)
        {
            self.push(id, at);
        }
        self.settle();
        self.compact();
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(item)| item.at)
    }

    /// Takes a timer whose time has come; it is not armed any more.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let Reverse(item) = self.heap.pop()?;
        let slot = self.slots.get_mut(item.id)?;
        slot.deadline = None;
        slot.queued = None;
        self.armed -= 1;
        let key = slot.key;
        self.settle();
        Some(key)
    }

    /// How many are armed.
    pub(crate) fn armed(&self) -> usize {
        self.armed
    }

    fn push(&mut self, id: TimerId, at: Instant) {
        self.last += 1;
        let order = self.last;
        if let Some(slot) = self.slots.get_mut(id) {
            slot.queued = Some((at, order));
            self.heap.push(Reverse(Item { at, order, id }));
        }
    }

    /// Makes the top of the heap a true deadline.
    fn settle(&mut self) {
        while let Some(Reverse(top)) = self.heap.peek() {
            #[cfg(test)]
            crate::work::timer_steps(1);
            let (id, at, order) = (top.id, top.at, top.order);
            let moved = match self.slots.get_mut(id) {
                Some(slot) if slot.queued == Some((at, order)) => match slot.deadline {
                    Some(deadline) if deadline <= at => return,
                    moved => {
                        slot.queued = None;
                        moved
                    }
                },
                _ => None,
            };
            self.heap.pop();
            if let Some(at) = moved {
                self.push(id, at);
            }
        }
    }

    /// Keeps what is stale below what is not, so that the heap's memory follows the number of timers.
    fn compact(&mut self) {
        if self.heap.len() > 2 * self.slots.len() + 64 {
            #[cfg(test)]
            crate::work::timer_steps(self.heap.len() as u64);
            let slots = &self.slots;
            self.heap.retain(|Reverse(item)| {
                slots
                    .get(item.id)
                    .is_some_and(|slot| slot.queued == Some((item.at, item.order)))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn fires_in_order_and_equal_times_in_the_order_of_arming() {
        let mut timers = Timers::new();
        let ids: alloc::vec::Vec<_> = (0..4).map(|key| timers.add(key)).collect();
        timers.arm(ids[2], Some(at(10)));
        timers.arm(ids[0], Some(at(10)));
        timers.arm(ids[1], Some(at(5)));
        timers.arm(ids[3], Some(at(50)));
        assert_eq!((timers.next(), timers.armed()), (Some(at(5)), 4));
        assert_eq!(timers.pop_due(at(4)), None);
        let fired: alloc::vec::Vec<_> = core::iter::from_fn(|| timers.pop_due(at(20))).collect();
        assert_eq!(fired, [1, 2, 0]);
        assert_eq!((timers.next(), timers.armed()), (Some(at(50)), 1));
    }

    #[test]
    fn a_deadline_moves_both_ways_and_next_is_always_true() {
        let mut timers = Timers::new();
        let a = timers.add('a');
        let b = timers.add('b');
        timers.arm(b, Some(at(100)));
        timers.arm(a, Some(at(10)));
        timers.arm(a, Some(at(200)));
        assert_eq!(timers.next(), Some(at(100)));
        timers.arm(b, None);
        assert_eq!(timers.next(), Some(at(200)));
        timers.arm(a, Some(at(1)));
        assert_eq!(timers.next(), Some(at(1)));
        timers.remove(a);
        assert_eq!((timers.next(), timers.armed()), (None, 0));
        timers.arm(a, Some(at(1)));
        assert_eq!(timers.next(), None, "a timer that is gone cannot be armed");
    }

    #[test]
    fn stale_items_stay_bounded() {
        let mut timers = Timers::new();
        let first = timers.add(0);
        timers.arm(first, Some(at(0)));
        let other = timers.add(1);
        for round in 0..100_000 {
            timers.arm(other, Some(at(1_000_000 - round)));
            timers.arm(other, Some(at(2_000_000)));
        }
        assert!(timers.heap.len() <= 100, "{}", timers.heap.len());
        timers.arm(first, None);
        assert_eq!(timers.next(), Some(at(2_000_000)));
    }
}
