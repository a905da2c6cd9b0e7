//! What a stack looks up, counted in tests: the work for a packet must not grow with what else there is.

extern crate std;

use std::cell::Cell;

/// Work that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Connections, records and sockets looked at.
    pub(crate) lookups: u64,
    /// Items of the index of deadlines looked at.
    pub(crate) timer_steps: u64,
}

std::thread_local! {
    static DONE: Cell<Work> = const { Cell::new(Work { lookups: 0, timer_steps: 0 }) };
}

fn add(work: Work) {
    let done = DONE.get();
    DONE.set(Work {
        lookups: done.lookups + work.lookups,
        timer_steps: done.timer_steps + work.timer_steps,
    });
}

pub(crate) fn lookup() {
    add(Work {
        lookups: 1,
        ..Work::default()
    });
}

pub(crate) fn timer_steps(timer_steps: u64) {
    add(Work {
        timer_steps,
        ..Work::default()
    });
}

/// The work that this thread does in `f`.
pub(crate) fn during(f: impl FnOnce()) -> Work {
    DONE.take();
    f();
    DONE.take()
}
