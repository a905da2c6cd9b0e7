//! The calls `shutdown`, `close` and `abort`.

use super::ConnectionId;
use crate::sockets::{Kind, Lingering};
use crate::{Error, Linger, SocketId, Stack, Wait};
use alloc::vec::Vec;
use core::time::Duration;
use estab_tcp::{Cause, Instant, Shutdown, State};

impl Stack {
    /// Ends one direction or both, and keeps the socket. After [`Shutdown::Write`] the peer sees the end of the stream behind all
    /// that was sent, and reading goes on. After [`Shutdown::Read`] what is there can still be read, then comes the end; what the
    /// peer sends from then on is acknowledged and thrown away; with both ended it is answered with a reset, as after `close`. A listener whose reading is shut down listens no more.
    ///
    /// # Errors
    /// [`Error::NotConnected`], also when the connection is over or not yet open.
    pub fn shutdown(&mut self, now: Instant, socket: SocketId, how: Shutdown) -> Result<(), Error> {
        let id = match self.sockets.get(socket)?.kind {
            Kind::Stream(id) => id,
            Kind::Udp(_) => return self.udp_shutdown(socket, how),
            Kind::Listener(_) if how != Shutdown::Write => {
                self.end_listener(now, socket);
                let state = self.sockets.get_mut(socket)?;
                state.kind = Kind::Fresh;
                state.bound = false;
                let ready = self.readiness_now(socket);
                self.sockets.set_readiness(socket, ready);
                return Ok(());
            }
            _ => return Err(Error::NotConnected),
        };
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::BadSocket);
        };
        if kept.ended || matches!(kept.connection.state(), State::SynSent | State::SynReceived) {
            return Err(Error::NotConnected);
        }
        let mut cx = self.reporter.cx(now, &self.settings);
        kept.connection.shutdown(&mut cx, how);
        self.touched(now, id);
        Ok(())
    }

    /// Ends the socket; its id is not valid any more afterwards.
    ///
    /// What was sent is still delivered, by a connection that nobody holds, then the connection closes in order; unless there
    /// was data that was not read: then the peer is reset (RFC 2525 2.17). [`Linger`] changes that: with
    /// [`Linger::Abort`] the connection is reset at once; with [`Linger::Wait`] and `may_wait` it gives `WouldBlock(Closed)` until
    /// all is acknowledged or the time has passed. When [`StackEvent::Closed`](crate::StackEvent::Closed) says so, call it again for the
    /// result. Calling it again with `may_wait` false before that stops waiting, and what was sent is still delivered.
    ///
    /// # Errors
    /// `WouldBlock(Closed)`: the socket is still there. All others mean that it is gone: [`Error::LingerTimedOut`], or what ended the
    /// connection during the wait.
    pub fn close(&mut self, now: Instant, socket: SocketId, may_wait: bool) -> Result<(), Error> {
        match &self.sockets.get(socket)?.kind {
            Kind::Stream(id) => return self.close_stream(now, socket, *id, may_wait),
            Kind::Fresh | Kind::Failed(..) => {}
            Kind::Accepting(id) => {
                let id = *id;
                self.end_half_open(now, id, Cause::Abort);
            }
            Kind::Listener(_) => self.end_listener(now, socket),
            Kind::Interceptor(_) => self.end_interceptor(socket),
            Kind::Udp(_) => self.end_udp(socket),
        }
        self.forget_socket(socket);
        Ok(())
    }

    /// Ends the socket at once: what was queued is dropped, the peer is reset, there is no TIME-WAIT (RFC 9293 3.10.5).
    ///
    /// # Errors
    /// [`Error::BadSocket`].
    pub fn abort(&mut self, now: Instant, socket: SocketId) -> Result<(), Error> {
        let Kind::Stream(id) = self.sockets.get(socket)?.kind else {
            return self.close(now, socket, false);
        };
        self.reporter.counters.aborts += 1;
        self.forget_socket(socket);
        self.abort_connection(now, id);
        Ok(())
    }

    /// Resets all connections, whether a socket holds them or not, and drops what they have queued: the host goes down.
    pub fn abort_connections(&mut self, now: Instant) {
        let ids: Vec<ConnectionId> = self.tcp.connections.keys().collect();
        for id in ids {
            let Some(kept) = self.tcp.connections.get_mut(id) else {
                continue;
            };
            if !kept.ended {
                self.reporter.counters.aborts += 1;
                let mut cx = self.reporter.cx(now, &self.settings);
                kept.connection.abort(&mut cx);
                self.touched(now, id);
            }
        }
    }

    fn close_stream(
        &mut self,
        now: Instant,
        socket: SocketId,
        id: ConnectionId,
        may_wait: bool,
    ) -> Result<(), Error> {
        let state = self.sockets.get(socket)?;
        if let Some(lingering) = state.lingering {
            return match lingering.result {
                None if may_wait => Err(Error::WouldBlock(Wait::Closed)),
                result => self.let_go(now, socket, id, result.unwrap_or(Ok(()))),
            };
        }
        let linger = state.linger;
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::BadSocket);
        };
        let lives = !kept.ended;
        if lives && linger == Linger::Abort {
            self.reporter.counters.linger_resets += 1;
            let mut cx = self.reporter.cx(now, &self.settings);
            kept.connection.abort(&mut cx);
            return self.let_go(now, socket, id, Ok(()));
        }
        if lives && kept.connection.readable_bytes() > 0 {
            self.reporter.counters.unread_resets += 1;
        }
        let wait = match linger {
            Linger::Wait(time) if may_wait && lives => Some(time),
            _ => None,
        };
        let mut cx = self.reporter.cx(now, &self.settings);
        kept.connection.close(&mut cx, wait);
        match wait {
            Some(time) => self.linger(now, socket, id, time),
            None => self.let_go(now, socket, id, Ok(())),
        }
    }

    fn linger(
        &mut self,
        now: Instant,
        socket: SocketId,
        id: ConnectionId,
        time: Duration,
    ) -> Result<(), Error> {
        self.sockets.get_mut(socket)?.lingering = Some(Lingering {
            until: now + time,
            result: None,
        });
        self.touched(now, id);
        match self.sockets.get(socket)?.lingering.and_then(|l| l.result) {
            // It had nothing to wait for.
            Some(result) => self.let_go(now, socket, id, result),
            None => Err(Error::WouldBlock(Wait::Closed)),
        }
    }

    /// The socket goes, its connection goes on alone.
    fn let_go(
        &mut self,
        now: Instant,
        socket: SocketId,
        id: ConnectionId,
        result: Result<(), Error>,
    ) -> Result<(), Error> {
        self.forget_socket(socket);
        self.orphan(now, id);
        result
    }

    /// Takes a socket out of the table, with the port that it still holds.
    pub(crate) fn forget_socket(&mut self, socket: SocketId) {
        let Some(mut state) = self.sockets.remove(socket) else {
            return;
        };
        if let Some(hold) = state.hold.take() {
            match state.kind {
                Kind::Udp(_) => self.udp.ports.release(hold),
                _ => self.tcp.ports.release(hold),
            }
        }
    }
}
