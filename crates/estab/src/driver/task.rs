//! The driver task: on tokio, the devices are driven by a task of the runtime that the sockets are used on.

use super::leadership::Leader;
use super::turn::{Plan, PortSet};
use super::{Driver, Kick};
use crate::clock::NEVER;
use estab_tcp::Instant;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use smallvec::SmallVec;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// Batches before the task lets others run.
const BATCHES_MAX: usize = 16;

/// Drives a host from inside a runtime, until the host is stopped or the runtime ends.
struct DriverTask {
    driver: Arc<Driver>,
    ports: Vec<Option<AsyncFd<Arc<OwnedFd>>>>,
    timer: Timer,
}

impl Driver {
    /// Makes the current runtime drive the host, when there is one and none does so far. Else the background thread
    /// goes on.
    pub(crate) fn ensure_task(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if !self.lock().lead.task_came() {
            return;
        }
        match DriverTask::new(self) {
            Ok(task) => drop(runtime.spawn(task)),
            Err(error) => {
                tracing::warn!(%error, "no driver task: the background thread drives the host");
                self.task_gone();
            }
        }
    }

    fn task_gone(&self) {
        let mut core = self.lock();
        core.task_waker = None;
        let next = core.lead.task_gone();
        let kick = core.follow(next);
        self.finish_with(core, self.now(), kick);
    }
}

impl DriverTask {
    fn new(driver: &Arc<Driver>) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let ports = driver.ports.iter().map(|port| {
            let descriptor = port.descriptor.clone();
            descriptor
                .map(|descriptor| watch(descriptor, interest))
                .transpose()
        });
        Ok(Self {
            ports: ports.collect::<io::Result<_>>()?,
            timer: Timer::new()?,
            driver: Arc::clone(driver),
        })
    }

    /// One batch. `Pending` when there is nothing to do until the task is woken; ready with `true` when the host
    /// ends.
    fn poll_once(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let driver = Arc::clone(&self.driver);
        let mut core = driver.lock();
        let now = driver.now();
        if core.ending.is_some() {
            return Poll::Ready(true);
        }
        let me = Leader::Task;
        let (leads, next) = core.lead.task_enter();
        let kick = core.follow(next);
        if !leads {
            core.task_waker = Some(cx.waker().clone());
            driver.finish_with(core, now, kick);
            return Poll::Pending;
        }
        core.asleep_until = None;
        let (mut core, released) = driver.flush(core, now);
        if released || kick != Kick::Nobody {
            drop(core);
            driver.kick_for(kick);
            return Poll::Ready(false);
        }
        let mut plan = core.plan(now, NEVER);
        // What the reactor tells it tells once: always take all there is.
        plan.bulk = PortSet::ALL;
        let waits = plan.waits(now);
        if waits {
            core.task_waker = Some(cx.waker().clone());
            if !core.lead.rest(me) {
                let next = core.lead.relieve(me);
                let kick = core.follow(next);
                driver.finish_with(core, now, kick);
                return Poll::Pending;
            }
            core.asleep_until = Some(plan.until.min(self.timer.armed));
            core.counters.sleeps += 1;
        }
        drop(core);

        let expired = self.timer.poll_expired(cx, plan.until, now);
        let (guards, writable) = self.poll_ports(cx, &plan);
        if waits && !expired && guards.is_empty() && writable.is_empty() {
            return Poll::Pending;
        }
        let mut core = driver.lock();
        if !core.lead.resume(me) {
            core.give_back(&plan);
            return Poll::Ready(false);
        }
        core.asleep_until = None;
        let mut catch = core.take_catch();
        drop(core);
        let mut ready = plan.pending;
        for (index, _) in &guards {
            ready.add(*index);
        }
        driver.receive(ready, &plan, now, &mut catch);
        for (index, mut guard) in guards {
            if catch.is_drained(index) {
                guard.clear_ready();
            }
        }
        let mut core = driver.lock();
        core.unblock(writable);
        core.handle(driver.now(), catch);
        Poll::Ready(false)
    }

    /// What the reactor says of the ports: those to receive from, and those with room again.
    fn poll_ports(
        &self,
        cx: &mut Context<'_>,
        plan: &Plan,
    ) -> (SmallVec<[Readable<'_>; 2]>, PortSet) {
        let (mut readable, mut writable) = (SmallVec::new(), PortSet::default());
        for (index, port) in self.ports.iter().enumerate() {
            let Some(port) = port else { continue };
            if plan.failing.contains(index) {
                continue;
            }
            if let Poll::Ready(Ok(guard)) = port.poll_read_ready(cx) {
                readable.push((index, guard));
            }
            if !plan.blocked.contains(index) {
                continue;
            }
            if let Poll::Ready(Ok(mut guard)) = port.poll_write_ready(cx) {
                // Should it still be full, the reactor tells again.
                guard.clear_ready();
                writable.add(index);
            }
        }
        (readable, writable)
    }
}

type Readable<'a> = (usize, AsyncFdReadyGuard<'a, Arc<OwnedFd>>);

impl Future for DriverTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..BATCHES_MAX {
            match self.poll_once(cx) {
                Poll::Ready(false) => {}
                Poll::Ready(true) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for DriverTask {
    fn drop(&mut self) {
        self.driver.task_gone();
    }
}

#[allow(
    deprecated,
    reason = "its successor is unsafe since it takes raw descriptors too; these are owned, and stay open meanwhile"
)]
fn watch<T: AsFd + AsRawFd>(descriptor: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(descriptor, interest)
}

/// A timer of the kernel's: it needs no time driver in the runtime, and is exact.
struct Timer {
    descriptor: AsyncFd<OwnedFd>,
    /// When it fires; `NEVER` when it will not.
    armed: Instant,
}

impl Timer {
    fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let descriptor = rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self {
            descriptor: watch(descriptor, Interest::READABLE)?,
            armed: NEVER,
        })
    }

    /// Arms it for `until`, unless it fires earlier anyway. Did it fire?
    fn poll_expired(&mut self, cx: &mut Context<'_>, until: Instant, now: Instant) -> bool {
        let mut expired = false;
        while let Poll::Ready(Ok(mut guard)) = self.descriptor.poll_read_ready(cx) {
            let read = rustix::io::read(guard.get_inner().as_fd(), &mut [0; 8]);
            if read.is_ok() {
                self.armed = NEVER;
                expired = true;
            }
            guard.clear_ready();
        }
        if until < self.armed {
            self.arm(until, now);
        }
        expired
    }

    fn arm(&mut self, until: Instant, now: Instant) {
        // Zero would disarm it.
        let left = (until - now).max(std::time::Duration::from_nanos(1));
        let value = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            },
        };
        let flags = TimerfdTimerFlags::empty();
        match rustix::time::timerfd_settime(self.descriptor.get_ref(), flags, &value) {
            Ok(_) => self.armed = until,
            Err(error) => tracing::warn!(%error, "a timer cannot be armed"),
        }
    }
}
