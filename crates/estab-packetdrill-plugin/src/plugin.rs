//! One stack in real time: who may touch it, who waits for it, and the thread that runs its timers.

mod calls;
mod registry;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use registry::{add, find, owner, remove};
pub(crate) use state::State;

use crate::clock::Clock;
use crate::emitted::Packet;
use crate::options::Options;
use core::task::Poll;
use estab_posix::{Errno, Polled, Waiting};
use estab_tcp::Instant;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use std::{io, mem};

/// The tool locks all memory, so the thread's stack is no larger than it needs.
const THREAD_STACK: usize = 512 << 10;
/// The shortest sleep, so that a timer that is not yet due never makes a thread spin: the tool may run with SCHED_RR.
const NAP: Duration = Duration::from_micros(20);

/// A stack under the tool.
pub(crate) struct Plugin {
    clock: Clock,
    state: Mutex<State>,
    /// The stack moved: calls that wait look again.
    moved: Condvar,
    /// There is a packet for the tool.
    emitted: Condvar,
    /// A timer is due before the thread meant to wake.
    earlier: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// What was said on standard error: nothing twice.
    said: Mutex<BTreeSet<String>>,
}

impl Plugin {
    /// A stack with its thread.
    ///
    /// # Errors
    /// What is wrong with the options, or why there is no thread.
    pub(crate) fn start(options: Options) -> Result<Arc<Self>, String> {
        let clock = Clock::start();
        let plugin = Arc::new(Self {
            clock,
            state: Mutex::new(State::new(options, clock)?),
            moved: Condvar::new(),
            emitted: Condvar::new(),
            earlier: Condvar::new(),
            thread: Mutex::default(),
            said: Mutex::default(),
        });
        let thread = plugin
            .spawn()
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        *ignore_poison(plugin.thread.lock()) = Some(thread);
        Ok(plugin)
    }

    fn spawn(self: &Arc<Self>) -> io::Result<JoinHandle<()>> {
        let plugin = Arc::clone(self);
        Builder::new()
            .name("estab timers".into())
            .stack_size(THREAD_STACK)
            .spawn(move || {
                // The message is printed by the panic itself, and the poisoned lock tells all others.
                let _ = catch_unwind(AssertUnwindSafe(|| plugin.run_timers()));
                plugin.wake_all();
            })
    }

    /// Ends the thread. Calls that wait end with `EINTR`.
    pub(crate) fn stop(&self) {
        ignore_poison(self.state.lock()).stopping = true;
        self.wake_all();
        let thread = ignore_poison(self.thread.lock()).take();
        if let Some(thread) = thread {
            // It has caught its panics.
            let _ = thread.join();
        }
    }

    /// Wakes whoever sleeps, after a panic or at the end.
    pub(crate) fn wake_all(&self) {
        // The lock is taken so that nobody is between a look and its sleep.
        drop(ignore_poison(self.state.lock()));
        self.moved.notify_all();
        self.emitted.notify_all();
        self.earlier.notify_all();
    }

    /// A time of the stack's clock, as time of day.
    pub(crate) fn time_of_day(&self) -> Duration {
        self.clock.time_of_day(self.clock.now())
    }

    /// Prints a line on standard error, unless it was said before.
    fn say(&self, line: String) {
        let mut said = ignore_poison(self.said.lock());
        if !said.contains(&line) {
            eprintln!("estab: {line}");
            said.insert(line);
        }
    }

    /// # Errors
    /// `EIO`: a call panicked while it held the lock, so nothing is sure any more.
    fn lock(&self) -> Result<MutexGuard<'_, State>, Errno> {
        self.state.lock().map_err(|_| Errno(libc::EIO))
    }

    /// Does something that never waits.
    pub(crate) fn at_once<T>(
        &self,
        call: impl FnOnce(&mut State, Instant) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut state = self.lock()?;
        let now = state.advance(self.clock.now()).now;
        let result = call(&mut state, now);
        state.transmit();
        state.generation += 1;
        self.tell(&mut state);
        result
    }

    /// Does something that may wait: until the stack has moved or the deadline has come, and then again.
    pub(crate) fn waiting<T>(
        &self,
        mut call: impl FnMut(&mut State, Instant, &mut Waiting) -> Polled<T>,
    ) -> Result<T, Errno> {
        let mut waiting = Waiting::new();
        let mut state = self.lock()?;
        let mut first = true;
        loop {
            let now = state.advance(self.clock.now()).now;
            let before = waiting.done();
            let result = call(&mut state, now, &mut waiting);
            state.transmit();
            // A call that only looked again has changed nothing for others.
            let moved = mem::replace(&mut first, false) || waiting.done() != before;
            state.generation += u64::from(moved || result.is_ready());
            self.tell(&mut state);
            match result {
                Poll::Ready(result) => return result,
                // What was sent on the way may have come back to this host, and what it waits for with it.
                Poll::Pending if moved => {}
                Poll::Pending => state = self.sleep(state, waiting.deadline())?,
            }
        }
    }

    /// Sleeps until the stack has moved or the deadline has come.
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        deadline: Option<Instant>,
    ) -> Result<MutexGuard<'a, State>, Errno> {
        let poisoned = Errno(libc::EIO);
        let generation = state.generation;
        while state.generation == generation {
            if state.stopping {
                return Err(Errno(libc::EINTR));
            }
            let Some(deadline) = deadline else {
                state = self.moved.wait(state).map_err(|_| poisoned)?;
                continue;
            };
            let left = deadline.since(self.clock.now()).max(NAP);
            let (woken, timeout) = self.moved.wait_timeout(state, left).map_err(|_| poisoned)?;
            state = woken;
            if timeout.timed_out() {
                break;
            }
        }
        Ok(state)
    }

    /// Wakes those to whom the last turn matters.
    fn tell(&self, state: &mut State) {
        if mem::take(&mut state.has_emitted) {
            self.emitted.notify_all();
        }
        if state.generation != state.told {
            state.told = state.generation;
            self.moved.notify_all();
        }
        if state.next_timer() < state.wakes_at {
            self.earlier.notify_one();
        }
    }

    /// The thread.
    fn run_timers(&self) {
        let Ok(mut state) = self.lock() else { return };
        while !state.stopping {
            let advanced = state.advance(self.clock.now());
            state.generation += u64::from(advanced.ran);
            // It is about to look, and need not be told.
            state.wakes_at = Instant::ZERO;
            self.tell(&mut state);
            let next = state.next_timer();
            state.wakes_at = next;
            let left = next.since(advanced.now).max(NAP);
            let Ok((woken, _)) = self.earlier.wait_timeout(state, left) else {
                return;
            };
            state = woken;
        }
    }

    /// A packet from the tool.
    pub(crate) fn deliver(&self, packet: Vec<u8>) -> Result<(), Errno> {
        self.at_once(|state, now| {
            state.deliver(now, packet);
            Ok(())
        })
    }

    /// The next packet for the tool, or `None` when there was none for so long.
    pub(crate) fn receive(&self, patience: Duration) -> Result<Option<Packet>, Errno> {
        let until = self.clock.now() + patience;
        let mut state = self.lock()?;
        loop {
            if let Some(packet) = state.emitted.pop() {
                return Ok(Some(packet));
            }
            let left = until.since(self.clock.now());
            if left.is_zero() || state.stopping {
                return Ok(None);
            }
            let waited = self.emitted.wait_timeout(state, left);
            state = waited.map_err(|_| Errno(libc::EIO))?.0;
        }
    }
}

fn ignore_poison<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
