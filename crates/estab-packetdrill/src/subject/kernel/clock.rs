//! Real time, since the script's start.

use std::time::{Duration, Instant};

/// `CLOCK_MONOTONIC` since a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

#[allow(
    clippy::disallowed_methods,
    reason = "the kernel lives in real time, and its packets are stamped with it"
)]
impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        Instant::now().saturating_duration_since(self.0)
    }
}

/// The calling thread is woken when its time has come, and not when it suits the system.
pub(crate) fn sleep_precisely() {
    // SAFETY: the request takes a number, and changes nothing but when this thread wakes. It cannot fail in a way that matters.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_u64, 0_u64, 0_u64, 0_u64) };
}

/// A thread of this process, 0 for the calling one, comes before all others, if the system allows that (root).
pub(crate) fn first(thread: i32) {
    schedule(thread, libc::SCHED_RR, 1);
}

/// The calling thread is one among others again.
pub(crate) fn one_of_many() {
    schedule(0, libc::SCHED_OTHER, 0);
}

fn schedule(thread: i32, policy: i32, priority: i32) {
    let parameter = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: the parameter outlives the call, which concerns one thread only. Without permission all stays as it is.
    unsafe { libc::sched_setscheduler(thread, policy, &raw const parameter) };
}
