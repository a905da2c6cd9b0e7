use core::net::SocketAddr;
use core::time::Duration;
use estab_tcp::CongestionControl;
use estab_tcp::IcmpErrorKind;

slotmap::new_key_type! {
    /// A socket of a stack. A generation inside makes a stale one harmless: it gives [`Error::BadSocket`](crate::Error::BadSocket).
    pub struct SocketId;
}

/// What a socket is ready for, a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness(u8);

impl Readiness {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Reading or accepting will not wait: data, end of file, an error, a connection.
    pub const READABLE: Self = Self(1);
    /// Sending will not wait: room, or an error at once. A connecting socket becomes writable when it is decided.
    pub const WRITABLE: Self = Self(2);
    /// The peer closed its sending side (`POLLRDHUP`).
    pub const READ_CLOSED: Self = Self(4);
    /// Both directions are closed (`POLLHUP`).
    pub const HANG_UP: Self = Self(8);
    /// An error is pending (`POLLERR`).
    pub const ERROR: Self = Self(16);
    /// Urgent data (`POLLPRI`).
    pub const PRIORITY: Self = Self(32);

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Is all of `other` in it?
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Is any of `other` in it?
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Is nothing in it?
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// `self` when the condition holds, else nothing.
    pub(crate) const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

/// What the driver must pass on, through `poll_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackEvent {
    /// The readiness of a socket rose: wake those who wait for it.
    Ready(SocketId, Readiness),
    /// A lingering close is over; its result is read by calling `close` again.
    Closed(SocketId),
}

/// `SO_LINGER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linger {
    /// Close returns at once, what is queued is still sent.
    Off,
    /// Close drops what is queued and resets.
    Abort,
    /// Close waits until all is acknowledged, at most this long; then the rest is dropped with a reset.
    Wait(Duration),
}

/// Flags of receiving and sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageFlags {
    /// `MSG_PEEK`: what is read stays.
    pub peek: bool,
    /// `MSG_OOB`: the urgent byte.
    pub urgent: bool,
    /// `MSG_MORE`: more follows, hold back a partial segment.
    pub more: bool,
    /// `MSG_EOR`: what follows begins a segment of its own.
    pub end_of_record: bool,
    /// `MSG_TRUNC` on TCP: discard instead of copying.
    pub truncate: bool,
}

/// A request that a listener for any address and port has intercepted; its SYN is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// To decide with.
    pub id: RequestId,
    /// The address and port that the client wants to reach.
    pub local: SocketAddr,
    /// The client.
    pub remote: SocketAddr,
}

slotmap::new_key_type! {
    /// An undecided request.
    pub struct RequestId;
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Answer with SYN-ACK; the socket becomes writable when the handshake is complete.
    Accept,
    /// Answer with RST.
    Refuse,
    /// Answer with an ICMP error: host, network or port unreachable, or prohibited.
    Unreachable(IcmpErrorKind),
    /// Never answer.
    Drop,
}

/// A datagram that was received.
#[derive(Clone, Debug)]
pub struct UdpReceived {
    /// From whom.
    pub from: SocketAddr,
    /// To which of our addresses.
    pub to: SocketAddr,
    /// Bytes copied.
    pub len: usize,
    /// Bytes of the datagram; more than `len` when the buffer was too small.
    pub datagram_len: usize,
}

/// Socket options with their values: the one list that all socket layers match exhaustively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketOption {
    /// `SO_REUSEADDR`.
    ReuseAddress(bool),
    /// `SO_REUSEPORT`.
    ReusePort(bool),
    /// `SO_KEEPALIVE`.
    Keepalive(bool),
    /// `SO_LINGER`.
    Linger(Linger),
    /// `SO_BROADCAST`.
    Broadcast(bool),
    /// `SO_OOBINLINE`.
    OobInline(bool),
    /// `SO_SNDBUF` in bytes of data (no doubling: that is Linux's socket layer).
    SendBuffer(u32),
    /// `SO_RCVBUF` in bytes of data.
    ReceiveBuffer(u32),
    /// `SO_RCVLOWAT`.
    ReceiveLowWater(u32),
    /// `TCP_NODELAY`.
    NoDelay(bool),
    /// `TCP_CORK`.
    Cork(bool),
    /// `TCP_QUICKACK`.
    QuickAck(bool),
    /// `TCP_MAXSEG`.
    MaxSegment(u16),
    /// `TCP_KEEPIDLE`.
    KeepaliveIdle(Duration),
    /// `TCP_KEEPINTVL`.
    KeepaliveInterval(Duration),
    /// `TCP_KEEPCNT`.
    KeepaliveCount(u8),
    /// `TCP_SYNCNT`.
    SynRetries(u8),
    /// `TCP_LINGER2`.
    Linger2(Duration),
    /// `TCP_USER_TIMEOUT`; zero: none.
    UserTimeout(Duration),
    /// `TCP_WINDOW_CLAMP`; zero: none.
    WindowClamp(u32),
    /// `TCP_NOTSENT_LOWAT`.
    NotSentLowWater(u32),
    /// `TCP_DEFER_ACCEPT`: a connection is accepted when data came, or this much later.
    DeferAccept(Duration),
    /// `TCP_CONGESTION`.
    Congestion(CongestionControl),
    /// `IP_TOS`, `IPV6_TCLASS`.
    Tos(u8),
    /// `IP_TTL`, `IPV6_UNICAST_HOPS`.
    HopLimit(u8),
    /// `IPV6_V6ONLY`.
    V6Only(bool),
}

/// Names of the options, to read one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is documented at SocketOption")]
pub enum OptionName {
    ReuseAddress,
    ReusePort,
    Keepalive,
    Linger,
    Broadcast,
    OobInline,
    SendBuffer,
    ReceiveBuffer,
    ReceiveLowWater,
    NoDelay,
    Cork,
    QuickAck,
    MaxSegment,
    KeepaliveIdle,
    KeepaliveInterval,
    KeepaliveCount,
    SynRetries,
    Linger2,
    UserTimeout,
    WindowClamp,
    NotSentLowWater,
    DeferAccept,
    Congestion,
    Tos,
    HopLimit,
    V6Only,
}
