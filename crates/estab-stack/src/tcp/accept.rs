//! The calls `listen` and `accept`, and the end of a listener.

use super::{ConnectionId, Listener, Owner};
use crate::ports::Claim;
use crate::sockets::Kind;
use crate::{Error, Readiness, SocketId, Stack, Wait};
use core::net::{IpAddr, SocketAddr};
use estab_tcp::event::Call;
use estab_tcp::{Cause, Event, FourTuple, Instant, Sink, State};

impl Stack {
    /// Passive OPEN (RFC 9293 3.10.1): connections to the socket's address are completed, and wait to be accepted: up to
    /// `backlog` + 1 of them, and as many half-open ones; `somaxconn` and `tcp_max_syn_backlog` are their limits. On a
    /// listener it changes the backlog.
    // RFC 9293 3.9.1.1 MUST-41: it gets a record of its own or an error. MUST-42: connections that have the port do not
    // stand in its way, when all say SO_REUSEADDR.
    ///
    /// # Errors
    /// [`Error::AddressInUse`]: somebody listens there already. [`Error::Invalid`]: the socket is connected.
    pub fn listen(&mut self, now: Instant, socket: SocketId, backlog: u32) -> Result<(), Error> {
        let backlog = backlog.min(self.settings.somaxconn) as usize;
        let state = self.sockets.get_mut(socket)?;
        match &mut state.kind {
            Kind::Fresh => {}
            Kind::Listener(listener) => {
                listener.backlog = backlog;
                return Ok(());
            }
            Kind::Udp(_) | Kind::Interceptor(_) => return Err(Error::NotSupported),
            Kind::Stream(_) | Kind::Accepting(_) | Kind::Failed(..) => return Err(Error::Invalid),
        }
        // RFC 9293 3.9.1.1 MUST-41: a socket with a connection is left alone, and so is whoever holds the port already.
        // MUST-42: connections on the port that are being opened do not matter when they and this allow reuse.
        if state.hold.is_none() {
            let any = state.any();
            let any = SocketAddr::new(any.shown(), 0);
            self.bind(socket, any)?;
        }
        let state = self.sockets.get_mut(socket)?;
        let Some(mut hold) = state.hold.take() else {
            return Err(Error::Invalid);
        };
        let claim = Claim {
            listening: true,
            ..hold.claim
        };
        let (scope, port) = (hold.scope, hold.port);
        self.tcp.ports.release(hold);
        if self.tcp.ports.conflicts(scope, port, claim) {
            let again = Claim {
                listening: false,
                ..claim
            };
            state.hold = Some(self.tcp.ports.hold(scope, port, again));
            return Err(Error::AddressInUse);
        }
        hold = self.tcp.ports.hold(scope, port, claim);
        state.hold = Some(hold);
        state.kind = Kind::Listener(
            Listener {
                backlog,
                ..Listener::default()
            }
            .into(),
        );
        self.tcp.listeners.add(scope, port, socket);
        self.sockets.set_readiness(socket, Readiness::NONE);
        let tuple = listening_at(SocketAddr::new(scope.shown(), port));
        self.reporter.event(now, &tuple, &Event::Call(Call::Listen));
        self.report_state(now, &tuple, State::Closed, Cause::PassiveOpen);
        Ok(())
    }

    /// Takes the next connection: a socket of its own, and the peer's address, which is a plain IPv4 one for an IPv4 peer,
    /// whatever the listener's family. It may be over already.
    ///
    /// # Errors
    /// `WouldBlock(Readable)` when none waits. [`Error::Invalid`]: the socket does not listen.
    pub fn accept(
        &mut self,
        now: Instant,
        socket: SocketId,
    ) -> Result<(SocketId, SocketAddr), Error> {
        let listener = self.sockets.get_mut(socket)?;
        let state = match &mut listener.kind {
            Kind::Listener(state) => state,
            Kind::Udp(_) | Kind::Interceptor(_) => return Err(Error::NotSupported),
            _ => return Err(Error::Invalid),
        };
        let Some(id) = state.queue.pop_front() else {
            return Err(Error::WouldBlock(Wait::Readable));
        };
        let more = !state.queue.is_empty();
        let accepted = listener.accepted(Kind::Stream(id));
        self.sockets
            .set_readiness(socket, Readiness::READABLE.when(more));
        let accepted = self.sockets.add(accepted);
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::Invalid);
        };
        kept.owner = Owner::Socket(accepted);
        let tuple = *kept.connection.tuple();
        self.reporter.counters.accepted += 1;
        self.reporter.event(now, &tuple, &Event::Call(Call::Accept));
        self.settle(now, id);
        Ok((accepted, tuple.remote))
    }

    /// Nobody listens any more: what is half-open or was not accepted is reset. The port is given up.
    pub(super) fn end_listener(&mut self, now: Instant, socket: SocketId) {
        let Ok(state) = self.sockets.get_mut(socket) else {
            return;
        };
        let Some(hold) = state.hold.take() else {
            return;
        };
        self.tcp.listeners.remove(hold.scope, hold.port, socket);
        let tuple = listening_at(SocketAddr::new(hold.scope.shown(), hold.port));
        self.tcp.ports.release(hold);
        while let Some(id) = self
            .listener(socket)
            .and_then(|l| l.half_open.last().copied())
        {
            self.reporter.counters.unaccepted_resets += 1;
            self.end_half_open(now, id, Cause::Abort);
        }
        while let Some(id) = self.next_unaccepted(socket) {
            self.reporter.counters.unaccepted_resets += 1;
            self.abort_connection(now, id);
        }
        self.report_state(now, &tuple, State::Listen, Cause::Close);
    }

    fn next_unaccepted(&mut self, listener: SocketId) -> Option<ConnectionId> {
        match &mut self.sockets.get_mut(listener).ok()?.kind {
            Kind::Listener(state) => state.queue.pop_front(),
            _ => None,
        }
    }

    /// Resets a connection that nobody holds any more.
    pub(super) fn abort_connection(&mut self, now: Instant, id: ConnectionId) {
        if let Some(kept) = self.tcp.connections.get_mut(id) {
            let mut cx = self.reporter.cx(now, &self.settings);
            kept.connection.abort(&mut cx);
            self.orphan(now, id);
        }
    }

    /// A transition of something that has no connection.
    pub(super) fn report_state(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        from: State,
        cause: Cause,
    ) {
        if let Some(to) = from.next(cause) {
            let event = Event::State { from, to, cause };
            self.reporter.event(now, tuple, &event);
        }
    }
}

/// A listener's ends, for the events.
fn listening_at(local: SocketAddr) -> FourTuple {
    let nobody: IpAddr = match local {
        SocketAddr::V4(_) => core::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => core::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    FourTuple {
        local,
        remote: SocketAddr::new(nobody, 0),
    }
}
