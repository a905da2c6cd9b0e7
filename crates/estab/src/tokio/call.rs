//! Calls that wait in a task.

use crate::driver::Core;
use crate::driver::waits::{Interest, Key};
use crate::socket::Socket;
use estab_stack::{Error, Readiness, Stack};
use estab_tcp::Instant;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use tokio::io::Ready;
use tokio::task::coop;

impl Socket {
    /// Makes a call; `Pending` when it says `WouldBlock`, and the task is woken when it is worth another attempt. Both
    /// happen under one lock, so no wake-up is lost in between.
    pub(crate) fn poll_core<T>(
        &self,
        cx: &mut Context<'_>,
        key: Key,
        call: impl FnOnce(&mut Core, Instant) -> Result<T, Error>,
    ) -> Poll<io::Result<T>> {
        let budget = ready!(coop::poll_proceed(cx));
        let host = self.host();
        let mut core = host.lock();
        let now = host.now();
        match call(&mut core, now) {
            Err(Error::WouldBlock(wait)) => {
                core.waits
                    .add(self.id(), key, wait.into(), Some(cx.waker()));
                Poll::Pending
            }
            done => {
                budget.made_progress();
                let result = core.outcome(done);
                host.finish(core, now);
                Poll::Ready(result)
            }
        }
    }

    /// The same for a call of the stack.
    pub(crate) fn poll_call<T>(
        &self,
        cx: &mut Context<'_>,
        key: Key,
        call: impl FnOnce(&mut Stack, Instant) -> Result<T, Error>,
    ) -> Poll<io::Result<T>> {
        self.poll_core(cx, key, |core, now| {
            core.check_up()?;
            call(&mut core.stack, now)
        })
    }

    /// Makes a call again and again until it does not say `WouldBlock`.
    pub(crate) async fn wait<T>(
        &self,
        mut call: impl FnMut(&mut Stack, Instant) -> Result<T, Error>,
    ) -> io::Result<T> {
        self.wait_core(|core, now| {
            core.check_up()?;
            call(&mut core.stack, now)
        })
        .await
    }

    /// The same for a call that changes more than the stack.
    pub(crate) async fn wait_core<T>(
        &self,
        mut call: impl FnMut(&mut Core, Instant) -> Result<T, Error>,
    ) -> io::Result<T> {
        let ticket = Ticket::new(self);
        poll_fn(|cx| self.poll_core(cx, ticket.key, &mut call)).await
    }

    /// Makes a call that is not to wait.
    pub(crate) fn attempt<T>(
        &self,
        call: impl FnOnce(&mut Stack, Instant) -> Result<T, Error>,
    ) -> io::Result<T> {
        self.call(|stack, now, _| call(stack, now))
    }

    /// Waits until the socket is ready for any of it.
    pub(crate) async fn ready(&self, interest: tokio::io::Interest) -> io::Result<Ready> {
        let ticket = Ticket::new(self);
        poll_fn(|cx| self.poll_ready(cx, ticket.key, interest)).await
    }

    /// What of the interest the socket is ready for; `Pending` when that is nothing.
    pub(crate) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        key: Key,
        interest: tokio::io::Interest,
    ) -> Poll<io::Result<Ready>> {
        let budget = ready!(coop::poll_proceed(cx));
        let mut core = self.host().lock();
        let is_down = core.down;
        let ready = translate(core.stack.readiness(self.id()), interest);
        if ready.is_empty() && !is_down {
            core.waits
                .add(self.id(), key, wanted(interest), Some(cx.waker()));
            return Poll::Pending;
        }
        budget.made_progress();
        Poll::Ready(Ok(if is_down { Ready::ALL } else { ready }))
    }
}

/// The right to be woken, of one future. Gives it back when the future is dropped.
struct Ticket<'a> {
    socket: &'a Socket,
    key: Key,
}

impl<'a> Ticket<'a> {
    fn new(socket: &'a Socket) -> Self {
        let key = socket.host().lock().new_key();
        Self { socket, key }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut core = self.socket.host().lock();
        core.waits.remove(self.socket.id(), self.key);
    }
}

/// What of the stack's readiness answers to an interest, in tokio's words.
fn translate(readiness: Readiness, interest: tokio::io::Interest) -> Ready {
    let mut ready = Ready::EMPTY;
    let hang_up = readiness.contains(Readiness::HANG_UP);
    if interest.is_readable() {
        if readiness.contains(Readiness::READABLE) {
            ready |= Ready::READABLE;
        }
        if hang_up || readiness.contains(Readiness::READ_CLOSED) {
            ready |= Ready::READABLE | Ready::READ_CLOSED;
        }
    }
    if interest.is_writable() {
        if readiness.contains(Readiness::WRITABLE) {
            ready |= Ready::WRITABLE;
        }
        if hang_up {
            ready |= Ready::WRITABLE | Ready::WRITE_CLOSED;
        }
    }
    if interest.is_priority() && readiness.contains(Readiness::PRIORITY) {
        ready |= Ready::PRIORITY;
    }
    if readiness.contains(Readiness::ERROR) {
        // As epoll does, an error is told whatever was asked for.
        ready |= Ready::ERROR;
        if interest.is_readable() {
            ready |= Ready::READABLE;
        }
        if interest.is_writable() {
            ready |= Ready::WRITABLE;
        }
    }
    ready
}

/// What to wait for.
fn wanted(interest: tokio::io::Interest) -> Interest {
    let mut wanted = Interest::ERRORS;
    if interest.is_readable() {
        wanted = wanted.with(Readiness::READABLE.with(Readiness::READ_CLOSED));
    }
    if interest.is_writable() {
        wanted = wanted.with(Readiness::WRITABLE);
    }
    if interest.is_priority() {
        wanted = wanted.with(Readiness::PRIORITY);
    }
    wanted
}
