//! The sockets of a stack: what each is now, and what it was told.

use crate::ports::{Hold, Scope};
use crate::tcp::{ConnectionId, HalfOpenId, Interceptor, Listener};
use crate::udp::UdpSocket;
use crate::{Error, Linger, Readiness, SocketId, StackEvent};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::net::SocketAddr;
use core::time::Duration;
use estab_tcp::{ConnectionError, FourTuple, Instant, SocketOptions};
use slotmap::SlotMap;

/// A socket.
pub(crate) struct Socket {
    /// Made for IPv6.
    pub(crate) v6: bool,
    /// `IPV6_V6ONLY`.
    pub(crate) v6_only: bool,
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) broadcast: bool,
    pub(crate) linger: Linger,
    pub(crate) defer_accept: Duration,
    /// What a connection gets from this socket, and a listener's connections inherit.
    pub(crate) options: SocketOptions,
    /// The address and port it is bound to, while no connection holds them.
    pub(crate) hold: Option<Hold>,
    /// The application chose the port.
    pub(crate) bound: bool,
    pub(crate) kind: Kind,
    /// An error to be told while the socket has no connection.
    pub(crate) error: Option<ConnectionError>,
    /// Every arrival is told, not only the first.
    pub(crate) tell_arrivals: bool,
    /// The readiness that whoever waits has been told of.
    told: Readiness,
    /// What will be told.
    untold: Readiness,
    closed_untold: bool,
    queued: bool,
    /// A lingering close is under way.
    pub(crate) lingering: Option<Lingering>,
}

/// What a socket is.
pub(crate) enum Kind {
    /// TCP, neither connected nor listening.
    Fresh,
    Listener(Box<Listener>),
    Interceptor(Box<Interceptor>),
    /// An intercepted request that was accepted; the handshake is not complete.
    Accepting(HalfOpenId),
    /// Such a request that failed, with the error until it is told.
    Failed(FourTuple, Option<ConnectionError>),
    Stream(ConnectionId),
    Udp(Box<UdpSocket>),
}

/// A close that waits.
#[derive(Clone, Copy)]
pub(crate) struct Lingering {
    pub(crate) until: Instant,
    pub(crate) result: Option<Result<(), Error>>,
}

impl Socket {
    pub(crate) fn new(v6: bool, kind: Kind) -> Self {
        Self {
            v6,
            v6_only: false,
            reuse_address: false,
            reuse_port: false,
            broadcast: false,
            linger: Linger::Off,
            defer_accept: Duration::ZERO,
            options: SocketOptions::default(),
            hold: None,
            bound: false,
            kind,
            error: None,
            tell_arrivals: false,
            told: Readiness::NONE,
            untold: Readiness::NONE,
            closed_untold: false,
            queued: false,
            lingering: None,
        }
    }

    /// A socket for a connection that came through this one, whose options it inherits.
    pub(crate) fn accepted(&self, kind: Kind) -> Self {
        Self {
            v6_only: self.v6_only,
            reuse_address: self.reuse_address,
            reuse_port: self.reuse_port,
            linger: self.linger,
            options: self.options.clone(),
            ..Self::new(self.v6, kind)
        }
    }

    /// What it stands for when it is bound to a wildcard or not at all.
    pub(crate) fn any(&self) -> Scope {
        match (self.v6, self.v6_only) {
            (false, _) => Scope::V4(None),
            (true, false) => Scope::Dual,
            (true, true) => Scope::V6(None),
        }
    }

    /// The scope of an address that it is bound to or speaks with. IPv4 addresses may be given to an IPv6 socket as they
    /// are, or mapped.
    pub(crate) fn scope(&self, address: SocketAddr) -> Result<Scope, Error> {
        let address = match address {
            SocketAddr::V6(_) if !self.v6 => return Err(Error::FamilyNotSupported),
            SocketAddr::V4(_) if self.v6 && self.v6_only => return Err(Error::FamilyNotSupported),
            _ => address.ip(),
        };
        let plain = address.to_canonical();
        if plain != address && self.v6_only {
            return Err(Error::NetworkUnreachable);
        }
        if address.is_unspecified() && address.is_ipv6() {
            return Ok(self.any());
        }
        Ok(Scope::of(plain))
    }
}

/// All sockets, and the queue of what is to be told about them.
pub(crate) struct Sockets {
    slots: SlotMap<SocketId, Box<Socket>>,
    /// Each socket stands in it at most once.
    queue: VecDeque<SocketId>,
    /// Of sockets that went away before a wake-up was passed on.
    limit: usize,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self {
            slots: SlotMap::with_key(),
            queue: VecDeque::new(),
            limit: 64,
        }
    }

    pub(crate) fn add(&mut self, socket: Socket) -> SocketId {
        self.slots.insert(Box::new(socket))
    }

    pub(crate) fn get(&self, id: SocketId) -> Result<&Socket, Error> {
        #[cfg(test)]
        crate::work::lookup();
        self.slots.get(id).map(|s| &**s).ok_or(Error::BadSocket)
    }

    pub(crate) fn get_mut(&mut self, id: SocketId) -> Result<&mut Socket, Error> {
        #[cfg(test)]
        crate::work::lookup();
        self.slots
            .get_mut(id)
            .map(|s| &mut **s)
            .ok_or(Error::BadSocket)
    }

    pub(crate) fn remove(&mut self, id: SocketId) -> Option<Box<Socket>> {
        let socket = self.slots.remove(id)?;
        if self.queue.len() > 2 * self.slots.len() + self.limit {
            self.queue.retain(|id| self.slots.contains_key(*id));
        }
        Some(socket)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The readiness is this now: what rose will be told.
    pub(crate) fn set_readiness(&mut self, id: SocketId, now: Readiness) {
        #[cfg(test)]
        crate::work::lookup();
        let Some(socket) = self.slots.get_mut(id) else {
            return;
        };
        let rose = now.without(socket.told);
        socket.told = now;
        // What rose and fell before it was told is not told.
        socket.untold = socket.untold.with(rose).and(now);
        if !socket.untold.is_none() && !core::mem::replace(&mut socket.queued, true) {
            self.queue.push_back(id);
        }
    }

    /// Something arrived that the socket may have been ready for already: to be told again if it asked for that.
    pub(crate) fn tell_arrival(&mut self, id: SocketId, ready: Readiness) {
        let Some(socket) = self.slots.get_mut(id) else {
            return;
        };
        if !socket.tell_arrivals {
            return;
        }
        socket.untold = socket.untold.with(ready.and(socket.told));
        if !socket.untold.is_none() && !core::mem::replace(&mut socket.queued, true) {
            self.queue.push_back(id);
        }
    }

    /// A lingering close is over.
    pub(crate) fn tell_closed(&mut self, id: SocketId) {
        if let Some(socket) = self.slots.get_mut(id) {
            socket.closed_untold = true;
            if !core::mem::replace(&mut socket.queued, true) {
                self.queue.push_back(id);
            }
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<StackEvent> {
        while let Some(id) = self.queue.front().copied() {
            let Some(socket) = self.slots.get_mut(id) else {
                self.queue.pop_front();
                continue;
            };
            if core::mem::take(&mut socket.closed_untold) {
                return Some(StackEvent::Closed(id));
            }
            self.queue.pop_front();
            socket.queued = false;
            let ready = core::mem::take(&mut socket.untold);
            if !ready.is_none() {
                return Some(StackEvent::Ready(id, ready));
            }
        }
        None
    }
}
