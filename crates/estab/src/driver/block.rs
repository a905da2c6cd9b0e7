//! Waiting in a thread.

use super::leadership::{Leader, Member};
use super::waits::{Interest, Key};
use super::{Core, CoreGuard, Driver, Kick, thread_number};
use crate::clock::NEVER;
use crate::error;
use estab_stack::{Error, SocketId};
use estab_tcp::Instant;
use std::io;

/// How long a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not at all.
    None,
    /// Until then.
    Until(Instant),
    /// As long as it takes.
    Endless,
}

impl Driver {
    /// Makes the call again and again until it does not say `WouldBlock`, and waits in between. The waiting thread
    /// drives the devices when nobody else does.
    pub(crate) fn block<T>(
        &self,
        socket: SocketId,
        patience: Patience,
        mut call: impl FnMut(&mut Core, Instant) -> Result<T, Error>,
    ) -> io::Result<T> {
        let mut core = self.lock();
        let mut now = self.now();
        let wait = match call(&mut core, now) {
            Err(Error::WouldBlock(wait)) => wait,
            done => {
                let result = core.outcome(done);
                self.finish(core, now);
                return result;
            }
        };
        let until = match patience {
            Patience::None => {
                self.finish(core, now);
                return Err(error::io_error(Error::WouldBlock(wait)));
            }
            Patience::Until(until) => until,
            Patience::Endless => NEVER,
        };
        let (waiting, mut core) = Waiting::enter(self, core, socket, wait.into());
        if waiting.relocked {
            now = self.now();
        }
        loop {
            let led = core.lead.leads(waiting.member);
            (core, now) = waiting.once(core, now, until);
            // A leader handles the packets of all sockets: it only calls again when its own socket has an event. That
            // also keeps a writer from being served a few bytes at a time.
            let told = !led || core.take_told() || now >= until;
            let result = if told {
                call(&mut core, now)
            } else {
                Err(Error::WouldBlock(wait))
            };
            let would_block = matches!(result, Err(Error::WouldBlock(_)));
            let woken = core.take_woken();
            if led {
                core.lead.batch(!would_block, woken);
            }
            if would_block && now < until {
                continue;
            }
            let result = if would_block {
                Err(error::timed_out())
            } else {
                core.outcome(result)
            };
            waiting.leave(core, now);
            return result;
        }
    }

    /// Waits until `done` says so, or `until`, and drives the devices meanwhile. For what no socket's event tells: it
    /// looks again after every batch that this thread handles, and at least every `interval`.
    pub(crate) fn block_until<T>(
        &self,
        until: Instant,
        interval: std::time::Duration,
        mut done: impl FnMut(&mut Core, Instant) -> Option<T>,
    ) -> Option<T> {
        let core = self.lock();
        let (waiting, mut core) = Waiting::enter(self, core, SocketId::default(), Interest::CLOSED);
        let mut now = self.now();
        loop {
            let result = done(&mut core, now);
            if result.is_some() || now >= until {
                waiting.leave(core, now);
                return result;
            }
            (core, now) = waiting.once(core, now, until.min(now + interval));
        }
    }
}

/// A thread that waits in a call. It leaves in order whatever happens, a panic included.
struct Waiting<'a> {
    driver: &'a Driver,
    socket: SocketId,
    member: Member,
    /// The lock was released while it entered.
    relocked: bool,
    left: bool,
}

impl<'a> Waiting<'a> {
    fn enter(
        driver: &'a Driver,
        mut core: CoreGuard<'a>,
        socket: SocketId,
        interest: Interest,
    ) -> (Self, CoreGuard<'a>) {
        let (member, next) = core.lead.enter(std::thread::current(), thread_number());
        core.waits.add(socket, Key::Member(member), interest, None);
        if core.lead.leads(member) {
            // Who led before waits no longer on the host's behalf.
            core.asleep_until = None;
        }
        let kick = core.follow(next);
        let waiting = Self {
            driver,
            socket,
            member,
            relocked: kick != Kick::Nobody,
            left: false,
        };
        if kick == Kick::Nobody {
            return (waiting, core);
        }
        drop(core);
        driver.kick_for(kick);
        (waiting, driver.lock())
    }

    /// Waits for one thing: as the leader for the devices, else to be woken. The time afterwards.
    fn once(&self, core: CoreGuard<'a>, now: Instant, until: Instant) -> (CoreGuard<'a>, Instant) {
        if core.lead.leads(self.member) {
            let (core, released) = self.driver.flush(core, now);
            if released {
                return (core, self.driver.now());
            }
            let me = Leader::Member(self.member);
            return self.driver.turn(core, me, now, until);
        }
        self.driver.finish(core, now);
        if until == NEVER {
            std::thread::park();
        } else {
            std::thread::park_timeout(until - self.driver.now());
        }
        (self.driver.lock(), self.driver.now())
    }

    fn leave(mut self, core: CoreGuard<'a>, now: Instant) {
        self.left = true;
        self.leave_now(core, now);
    }

    fn leave_now(&self, mut core: CoreGuard<'a>, now: Instant) {
        core.waits.remove(self.socket, Key::Member(self.member));
        let next = core.lead.leave(self.member);
        let kick = core.follow(next);
        self.driver.finish_with(core, now, kick);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.left {
            self.leave_now(self.driver.lock(), self.driver.now());
        }
    }
}
