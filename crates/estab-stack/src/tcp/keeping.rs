//! What follows whenever a connection was touched: events, timers, memory, its end.

use super::{ConnectionId, Kept, Owner};
use crate::ports::Hold;
use crate::sockets::Kind;
use crate::stack::TimerKey;
use crate::{Error, InterfaceId, Readiness, SocketId, Stack};
use alloc::boxed::Box;
use estab_tcp::{Connection, ConnectionEvent, Instant, State};

/// What each connection may hold even when `tcp_mem` is used up, so that it gets on.
pub(crate) const MIN_SHARE: u64 = 4096;

impl Stack {
    /// Takes a new connection into the table.
    pub(super) fn keep_connection(
        &mut self,
        now: Instant,
        connection: Connection,
        owner: Owner,
        hold: Option<Hold>,
        interface: Option<InterfaceId>,
    ) -> ConnectionId {
        let timers = &mut self.timers;
        let tuple = *connection.tuple();
        let id = self.tcp.connections.insert_with_key(tuple, |id| {
            Box::new(Kept {
                connection,
                owner,
                timer: timers.add(TimerKey::Connection(id)),
                hold,
                interface,
                generation: 0,
                max_segments: 1,
                dirty: false,
                established: false,
                ended: false,
                time_wait: None,
                buffered: 0,
                starved: false,
            })
        });
        if let Owner::Socket(socket) = owner
            && let Ok(socket) = self.sockets.get_mut(socket)
        {
            socket.kind = Kind::Stream(id);
        }
        self.touched(now, id);
        id
    }

    /// To be called after anything was done with a connection: it may want to send, and the rest of [`Self::settle`].
    pub(crate) fn touched(&mut self, now: Instant, id: ConnectionId) {
        if let Some(kept) = self.tcp.connections.get_mut(id)
            && !kept.ended
            && !core::mem::replace(&mut kept.dirty, true)
        {
            self.tcp.dirty.push_back(id);
        }
        self.settle(now, id);
    }

    /// Takes note of what changed in a connection.
    pub(super) fn settle(&mut self, now: Instant, id: ConnectionId) {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        let mut finished = false;
        let mut suspect = false;
        let mut arrived = Readiness::NONE;
        while let Some(event) = kept.connection.poll_event() {
            match event {
                ConnectionEvent::Established => kept.established = true,
                ConnectionEvent::Finished => finished = true,
                ConnectionEvent::Suspect => suspect = true,
                ConnectionEvent::Readable => arrived = arrived.with(Readiness::READABLE),
                ConnectionEvent::Urgent => arrived = arrived.with(Readiness::PRIORITY),
                ConnectionEvent::Writable | ConnectionEvent::Flushed => {}
            }
        }
        if suspect {
            // RFC 9293 3.8.3 MUST-20 (a): look for another way.
            kept.generation = 0;
        }
        if finished && !kept.ended {
            self.finish(now, id);
        } else if !kept.ended {
            let deadline = kept.connection.poll_timeout();
            self.timers.arm(kept.timer, deadline);
        }
        self.account(id);
        self.tell(now, id, arrived);
        self.forget_if_unwanted(id);
    }

    /// A connection is in CLOSED or TIME-WAIT: sends what it still owes, and gives up its tuple, timer and port.
    fn finish(&mut self, now: Instant, id: ConnectionId) {
        while self.transmit_one(now, id) {}
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        while kept.connection.poll_event().is_some() {}
        kept.ended = true;
        self.timers.remove(kept.timer);
        let hold = kept.hold.take();
        self.tcp.connections.unlink(id);
        let Some(kept) = self.tcp.connections.get(id) else {
            return;
        };
        if kept.connection.state() == State::TimeWait {
            self.enter_time_wait(now, id, hold);
        } else if let Some(hold) = hold {
            self.give_back(id, hold);
        }
    }

    /// A port that the application bound stays bound for as long as the socket lives.
    fn give_back(&mut self, id: ConnectionId, hold: Hold) {
        if let Some(Owner::Socket(socket)) = self.tcp.connections.get(id).map(|kept| kept.owner)
            && let Ok(socket) = self.sockets.get_mut(socket)
            && socket.bound
            && socket.hold.is_none()
        {
            socket.hold = Some(hold);
        } else {
            self.tcp.ports.release(hold);
        }
    }

    /// Follows the bytes that a connection holds.
    fn account(&mut self, id: ConnectionId) {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        let buffered = kept.connection.buffered() as u64;
        self.tcp.buffered = self.tcp.buffered - kept.buffered + buffered;
        kept.buffered = buffered;
        self.feed_the_starved();
    }

    /// Memory came free: those whose send was put off may try again.
    fn feed_the_starved(&mut self) {
        let low = self.settings.tcp_mem - self.settings.tcp_mem / 8;
        if self.tcp.starved.is_empty() || self.tcp.buffered > low {
            return;
        }
        for socket in core::mem::take(&mut self.tcp.starved) {
            if let Ok(Kind::Stream(id)) = self.sockets.get(socket).map(|s| &s.kind)
                && let Some(kept) = self.tcp.connections.get_mut(*id)
            {
                kept.starved = false;
                let ready = stream_readiness(kept);
                self.sockets.set_readiness(socket, ready);
            }
        }
    }

    /// Bytes that a connection may take in now.
    pub(super) fn allowance(&self, kept: &Kept) -> u64 {
        let free = self.settings.tcp_mem.saturating_sub(self.tcp.buffered);
        free.max(MIN_SHARE.saturating_sub(kept.buffered))
    }

    /// The application must wait until memory is free.
    pub(super) fn starve(&mut self, id: ConnectionId, socket: SocketId) {
        self.reporter.counters.memory_pressure += 1;
        if let Some(kept) = self.tcp.connections.get_mut(id) {
            if !core::mem::replace(&mut kept.starved, true) {
                self.tcp.starved.push_back(socket);
            }
            let ready = stream_readiness(kept);
            self.sockets.set_readiness(socket, ready);
        }
    }

    /// Tells the socket what its connection is ready for, what arrived, and whether a lingering close is over.
    fn tell(&mut self, now: Instant, id: ConnectionId, arrived: Readiness) {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        let Owner::Socket(socket_id) = kept.owner else {
            return;
        };
        let ready = stream_readiness(kept);
        self.sockets.set_readiness(socket_id, ready);
        self.sockets.tell_arrival(socket_id, arrived);
        let Ok(socket) = self.sockets.get_mut(socket_id) else {
            return;
        };
        let Some(lingering) = &mut socket.lingering else {
            return;
        };
        let flushed = kept.connection.is_flushed();
        if lingering.result.is_some() || !(flushed || kept.ended) {
            return;
        }
        let result = if flushed {
            Ok(())
        } else if now >= lingering.until {
            self.reporter.counters.linger_timeouts += 1;
            Err(Error::LingerTimedOut)
        } else {
            kept.connection
                .error()
                .map_or(Ok(()), |error| Err(error.into()))
        };
        lingering.result = Some(result);
        self.sockets.tell_closed(socket_id);
    }

    /// An ended connection that nobody holds is gone.
    fn forget_if_unwanted(&mut self, id: ConnectionId) {
        if let Some(kept) = self.tcp.connections.get(id)
            && kept.ended
            && kept.owner == Owner::Orphan
        {
            self.tcp.orphans -= 1;
            self.forget_connection(id);
        }
    }

    /// The state of a connection, or of the record that took its place.
    pub(crate) fn connection_state(&self, id: ConnectionId) -> State {
        let Some(kept) = self.tcp.connections.get(id) else {
            return State::Closed;
        };
        match (kept.connection.state(), kept.time_wait) {
            (State::TimeWait, record) if kept.ended => record
                .and_then(|record| self.tcp.time_wait.get(record))
                .map_or(State::Closed, |_| State::TimeWait),
            (state, _) => state,
        }
    }

    /// Takes an ended connection out of the table.
    pub(super) fn forget_connection(&mut self, id: ConnectionId) {
        if let Some((_, kept)) = self.tcp.connections.remove(id) {
            debug_assert!(kept.ended && kept.hold.is_none());
            self.tcp.buffered -= kept.buffered;
            self.feed_the_starved();
        }
    }

    /// Nobody holds the connection any more.
    pub(super) fn orphan(&mut self, now: Instant, id: ConnectionId) {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        kept.owner = Owner::Orphan;
        kept.connection.orphan();
        self.tcp.orphans += 1;
        let lives = !matches!(kept.connection.state(), State::Closed | State::TimeWait);
        if lives && self.tcp.orphans > self.settings.tcp_max_orphans as usize {
            let mut cx = self.reporter.cx(now, &self.settings);
            kept.connection.evict(&mut cx);
            self.reporter.counters.orphan_overflows += 1;
        }
        self.touched(now, id);
    }
}

/// What a connected or connecting socket is ready for.
pub(crate) fn stream_readiness(kept: &Kept) -> Readiness {
    let connection = &kept.connection;
    let read_closed = connection.is_read_closed();
    let hang_up = read_closed && connection.is_write_closed();
    Readiness::READABLE
        .when(connection.is_readable())
        .with(Readiness::WRITABLE.when(connection.is_writable() && !kept.starved))
        .with(Readiness::READ_CLOSED.when(read_closed))
        .with(Readiness::HANG_UP.when(hang_up))
        .with(Readiness::ERROR.when(connection.error().is_some()))
        .with(Readiness::PRIORITY.when(connection.has_urgent()))
}
