//! TCP's part of the stack: which connection, record or listener a segment belongs to, and what becomes of them.

mod accept;
mod closing;
mod cookies;
mod disconnect;
mod half_open;
mod input;
mod interception;
mod keeping;
mod listen;
mod open;
mod output;
mod sequence;
#[cfg(test)]
mod tests;
mod time_wait;
mod transfer;

pub(crate) use input::canonical;
pub(crate) use interception::Interceptor;
pub(crate) use keeping::stream_readiness;

use crate::ports::{Ephemeral, Hold, Ports};
use crate::rate_limit::RateLimit;
use crate::receivers::Receivers;
use crate::secrets::{Purpose, Secrets};
use crate::table::{TupleHash, TupleTable};
use crate::timers::TimerId;
use crate::{InterfaceId, RequestId, SocketId};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use cookies::Cookies;
use estab_tcp::{Connection, HalfOpen, Instant, IsnGenerator, Rng, TimeWait};
use interception::PendingRequest;

slotmap::new_key_type! {
    /// A full connection.
    pub(crate) struct ConnectionId;
    /// A record in SYN-RECEIVED.
    pub(crate) struct HalfOpenId;
    /// A record in TIME-WAIT.
    pub(crate) struct TimeWaitId;
}

/// All of TCP's state.
pub(crate) struct Tcp {
    pub(crate) ports: Ports,
    pub(crate) connections: TupleTable<ConnectionId, Box<Kept>>,
    pub(crate) half_open: TupleTable<HalfOpenId, KeptHalfOpen>,
    pub(crate) time_wait: TupleTable<TimeWaitId, KeptTimeWait>,
    pub(crate) requests: TupleTable<RequestId, PendingRequest>,
    pub(crate) listeners: Receivers,
    /// Listeners for any address and port.
    pub(crate) interceptors: Vec<SocketId>,
    /// Connections that may have something to send, each at most once.
    pub(crate) dirty: VecDeque<ConnectionId>,
    pub(crate) orphans: usize,
    /// Bytes of data in all connections.
    pub(crate) buffered: u64,
    /// Sockets whose send was put off because `tcp_mem` was used up, each at most once.
    pub(crate) starved: VecDeque<SocketId>,
    resets: RateLimit,
    isn: IsnGenerator,
    cookies: Cookies,
}

/// A connection with what the stack knows of it.
pub(crate) struct Kept {
    pub(crate) connection: Connection,
    pub(crate) owner: Owner,
    timer: TimerId,
    pub(crate) hold: Option<Hold>,
    /// Its segments go over this interface whatever the routes say.
    interface: Option<InterfaceId>,
    /// The routes' generation for which `max_segments` holds.
    generation: u64,
    max_segments: u16,
    /// It stands in the dirty list.
    dirty: bool,
    /// It was ESTABLISHED.
    established: bool,
    /// It is over: its tuple and timer are given up, and only what was not read is left.
    pub(crate) ended: bool,
    /// The record that took its place.
    time_wait: Option<TimeWaitId>,
    /// Bytes of it in [`Tcp::buffered`].
    buffered: u64,
    /// It stands in the list of the starved.
    starved: bool,
}

/// Who will want to know of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Socket(SocketId),
    /// In the accept queue of this listener.
    Listener(SocketId),
    Orphan,
}

/// A half-open record with what the stack knows of it.
pub(crate) struct KeptHalfOpen {
    record: HalfOpen,
    owner: HalfOpenOwner,
    /// Where it stands in its listener's list.
    position: usize,
    timer: TimerId,
    since: Instant,
    /// Its ACK came, but the listener waits for data (`TCP_DEFER_ACCEPT`).
    deferred: bool,
    interface: Option<InterfaceId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HalfOpenOwner {
    Listener(SocketId),
    /// An intercepted request that this socket accepted.
    Accepting(SocketId),
}

impl HalfOpenOwner {
    const fn socket(self) -> SocketId {
        match self {
            Self::Listener(socket) | Self::Accepting(socket) => socket,
        }
    }
}

/// A TIME-WAIT record with what the stack knows of it.
pub(crate) struct KeptTimeWait {
    record: TimeWait,
    timer: TimerId,
    hold: Option<Hold>,
    interface: Option<InterfaceId>,
}

/// A listening socket.
#[derive(Default)]
pub(crate) struct Listener {
    /// The accept queue is full when it holds more than this, as in Linux.
    pub(crate) backlog: usize,
    /// The SYN queue.
    half_open: Vec<HalfOpenId>,
    /// The accept queue.
    pub(crate) queue: VecDeque<ConnectionId>,
    /// When it last sent a SYN cookie: only soon after are cookies looked for.
    cookie_sent: Option<Instant>,
}

impl Tcp {
    pub(crate) fn new(secrets: &Secrets, rng: &mut Rng) -> Self {
        let key = |purpose| secrets.key(purpose);
        let ephemeral = Ephemeral::new(key(Purpose::PortOffset), key(Purpose::PortIndex), rng);
        Self {
            ports: Ports::new(
                key(Purpose::ListenerGroup).1,
                Rng::new(rng.next_u64()),
                ephemeral,
            ),
            connections: TupleTable::new(TupleHash::fold(key(Purpose::ConnectionTable))),
            half_open: TupleTable::new(TupleHash::sip(key(Purpose::HalfOpenTable))),
            time_wait: TupleTable::new(TupleHash::fold(key(Purpose::TimeWaitTable))),
            requests: TupleTable::new(TupleHash::sip(key(Purpose::RequestTable))),
            listeners: Receivers::new(key(Purpose::ListenerGroup)),
            interceptors: Vec::new(),
            dirty: VecDeque::new(),
            orphans: 0,
            buffered: 0,
            starved: VecDeque::new(),
            resets: RateLimit::new(key(Purpose::Resets).0),
            isn: IsnGenerator::new(key(Purpose::Sequence)),
            cookies: Cookies::new(key(Purpose::Cookie), key(Purpose::CookieBase)),
        }
    }
}
