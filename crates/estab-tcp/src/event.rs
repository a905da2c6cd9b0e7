//! One stream of typed events, from which every picture, capture and test is made.

use crate::{Cause, ConnectionError, Cx, FourTuple, Instant, State};
use estab_wire::tcp::{Header, SeqNum};

/// Receives events. The interest is asked before an event is built, so that an idle trace costs a branch.
pub trait Sink {
    /// Which kinds to report.
    fn interest(&self) -> Interest;
    /// One event of one connection.
    fn event(&mut self, now: Instant, connection: &FourTuple, event: &Event<'_>);
}

impl Cx<'_> {
    /// Does anybody listen to events of this kind? Ask first where an event costs something to build.
    pub(crate) fn wants(&self, kind: Interest) -> bool {
        self.sink
            .as_ref()
            .is_some_and(|sink| sink.interest().contains(kind))
    }

    /// Reports an event to a sink that is interested in it.
    pub(crate) fn report(&mut self, tuple: &FourTuple, event: Event<'_>) {
        let now = self.now;
        if let Some(sink) = self.sink.as_deref_mut()
            && sink.interest().contains(event.kind())
        {
            sink.event(now, tuple, &event);
        }
    }

    /// Reports an event that is built only for a sink that is interested in its kind.
    pub(crate) fn emit<'e>(
        &mut self,
        tuple: &FourTuple,
        kind: Interest,
        event: impl FnOnce() -> Event<'e>,
    ) {
        if self.wants(kind) {
            self.report(tuple, event());
        }
    }
}

/// Kinds of events, a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest(u16);

impl Interest {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// [`Event::State`].
    pub const STATE: Self = Self(1);
    /// [`Event::SegmentIn`] and [`Event::SegmentOut`].
    pub const SEGMENT: Self = Self(2);
    /// [`Event::Drop`].
    pub const DROP: Self = Self(4);
    /// [`Event::TimerArmed`] and [`Event::TimerFired`].
    pub const TIMER: Self = Self(8);
    /// [`Event::Retransmit`], [`Event::Recovery`] and [`Event::Congestion`].
    pub const RECOVERY: Self = Self(16);
    /// [`Event::Call`].
    pub const CALL: Self = Self(32);
    /// [`Event::Error`].
    pub const ERROR: Self = Self(64);
    /// Whole packets of the stack below (used by captures).
    pub const PACKET: Self = Self(128);
    /// Everything but whole packets.
    pub const NO_PACKETS: Self = Self(0x7f);
    /// Everything.
    pub const ALL: Self = Self::NO_PACKETS.with(Self::PACKET);

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Is all of `other` in it?
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The sequence variables of RFC 9293 section 3.3.1, as they are when a segment is sent or has been processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// Initial send sequence number.
    pub iss: SeqNum,
    /// SND.UNA.
    pub snd_una: SeqNum,
    /// SND.NXT.
    pub snd_nxt: SeqNum,
    /// SND.WND in bytes.
    pub snd_wnd: u32,
    /// Initial receive sequence number.
    pub irs: SeqNum,
    /// RCV.NXT.
    pub rcv_nxt: SeqNum,
    /// RCV.WND in bytes, as announced.
    pub rcv_wnd: u32,
    /// Congestion window in bytes.
    pub cwnd: u32,
}

/// What happened in a connection.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The state changed.
    State {
        /// From which.
        from: State,
        /// To which.
        to: State,
        /// Why.
        cause: Cause,
    },
    /// A segment arrived. Comes before what it causes.
    SegmentIn {
        /// Its header.
        header: &'a Header,
        /// Its payload's length.
        len: usize,
        /// The state it met.
        state: State,
        /// The variables it met.
        variables: Variables,
    },
    /// A segment is handed over for sending.
    SegmentOut {
        /// Its header.
        header: &'a Header,
        /// Its payload's length.
        len: usize,
        /// The state it is sent from.
        state: State,
        /// The variables after it.
        variables: Variables,
        /// Where it is cut into wire segments ([`SegmentOut::segment_size`](crate::SegmentOut::segment_size)); a
        /// payload that is not longer is one segment.
        segment_size: u16,
    },
    /// A segment that arrived, or a part of it, is not used.
    Drop {
        /// Why.
        reason: DropReason,
        /// Its header.
        header: &'a Header,
        /// Its payload's length.
        len: usize,
    },
    /// A timer was set, or set anew.
    TimerArmed {
        /// Which.
        timer: Timer,
        /// When it will fire.
        at: Instant,
    },
    /// A timer's time came.
    TimerFired {
        /// Which.
        timer: Timer,
    },
    /// Data or a control flag is sent again.
    Retransmit {
        /// From here.
        seq: SeqNum,
        /// So many bytes of sequence space.
        len: u32,
        /// Why.
        reason: RetransmitReason,
    },
    /// Loss recovery begins, goes on or ends.
    Recovery {
        /// What it is doing now.
        phase: RecoveryPhase,
    },
    /// The congestion window or its threshold changed by a loss or its end.
    Congestion {
        /// Congestion window, bytes.
        cwnd: u32,
        /// Slow start threshold, bytes.
        ssthresh: u32,
    },
    /// The application asked for something.
    Call(Call),
    /// The connection failed; the application will be told.
    Error(ConnectionError),
}

impl Event<'_> {
    /// The kind, for the test against a sink's interest.
    pub const fn kind(&self) -> Interest {
        match self {
            Self::State { .. } => Interest::STATE,
            Self::SegmentIn { .. } | Self::SegmentOut { .. } => Interest::SEGMENT,
            Self::Drop { .. } => Interest::DROP,
            Self::TimerArmed { .. } | Self::TimerFired { .. } => Interest::TIMER,
            Self::Retransmit { .. } | Self::Recovery { .. } | Self::Congestion { .. } => {
                Interest::RECOVERY
            }
            Self::Call(_) => Interest::CALL,
            Self::Error(_) => Interest::ERROR,
        }
    }
}

/// The timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Retransmission (RFC 6298).
    Retransmit,
    /// Window probe (RFC 9293 3.8.6.1).
    Persist,
    /// Delayed acknowledgement (RFC 9293 3.8.6.3).
    DelayedAck,
    /// Keep-alive (RFC 9293 3.8.4).
    Keepalive,
    /// Data held back by `TCP_CORK` or by silly-window avoidance (RFC 9293 3.8.6.2.1).
    Cork,
    /// An orphan in FIN-WAIT-2.
    FinWait2,
    /// The caller's time for connecting or for a lingering close is over.
    User,
    /// 2 MSL.
    TimeWait,
}

impl ConnectionEvent {
    pub(crate) const ALL: [Self; 7] = [
        Self::Established,
        Self::Readable,
        Self::Writable,
        Self::Urgent,
        Self::Flushed,
        Self::Suspect,
        Self::Finished,
    ];
}

impl Timer {
    pub(crate) const ALL: [Self; 8] = [
        Self::Retransmit,
        Self::Persist,
        Self::DelayedAck,
        Self::Keepalive,
        Self::Cork,
        Self::FinWait2,
        Self::User,
        Self::TimeWait,
    ];
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retransmit => "retransmit",
            Self::Persist => "persist",
            Self::DelayedAck => "delayed-ack",
            Self::Keepalive => "keepalive",
            Self::Cork => "cork",
            Self::FinWait2 => "fin-wait-2",
            Self::User => "user",
            Self::TimeWait => "time-wait",
        }
    }
}

/// Why something is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetransmitReason {
    /// The retransmission timer fired.
    Timeout,
    /// Three duplicate acknowledgements (RFC 5681).
    FastRetransmit,
    /// An acknowledgement of a part, in recovery (RFC 6582).
    PartialAck,
    /// The path MTU shrank (RFC 1191).
    PathMtu,
    /// A repeated SYN asks for the SYN-ACK again.
    RepeatedSyn,
}

/// What loss recovery is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecoveryPhase {
    /// Nothing is known to be lost.
    #[default]
    Open,
    /// Fast recovery.
    Recovery,
    /// After a retransmission time-out.
    Loss,
}

/// Calls of the application (RFC 9293 section 3.10.1 - 3.10.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Passive OPEN.
    Listen,
    /// Active OPEN.
    Connect,
    /// A connection was handed to the application.
    Accept,
    /// SEND, with the bytes queued.
    Send(usize),
    /// RECEIVE, with the bytes delivered.
    Receive(usize),
    /// The sending side is shut down.
    ShutdownWrite,
    /// The receiving side is shut down.
    ShutdownRead,
    /// CLOSE.
    Close,
    /// ABORT.
    Abort,
}

/// Why a segment, or a part of it, was not used. Each has its clause; each has a counter in the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DropReason {
    /// Sequence number outside the window (RFC 9293 3.10.7.4, first).
    OutsideWindow,
    /// All of its text was received before (RFC 9293 3.10.7.4, first).
    Duplicate,
    /// Timestamp older than TS.Recent (RFC 7323).
    Paws,
    /// RST in the window but not at RCV.NXT (RFC 5961).
    ChallengedRst,
    /// RST outside the window.
    InvalidRst,
    /// SYN on a synchronised connection (RFC 5961).
    ChallengedSyn,
    /// ACK of something never sent, or far too old (RFC 5961).
    InvalidAck,
    /// No ACK where one must be (RFC 9293 3.10.7.4, fifth).
    NoAck,
    /// Unacceptable ACK while opening (RFC 9293 3.10.7.3).
    UnacceptableAck,
    /// Text after the peer's FIN.
    AfterFin,
    /// Text to a socket that is closed (RFC 9293 3.10.4, RFC 2525 2.17).
    Closed,
    /// Beyond what the receive buffer may hold.
    NoRoom,
    /// No timestamp although they were agreed (RFC 7323).
    NoTimestamp,
    /// No connection and no listener for it (RFC 9293 3.10.7.1).
    NoSocket,
    /// A listener answers only SYNs (RFC 9293 3.10.7.2).
    NotSyn,
    /// The SYN queue is full and cookies are off.
    SynQueueFull,
    /// The accept queue is full.
    AcceptQueueFull,
    /// A cookie that is not ours or is too old (RFC 4987).
    InvalidCookie,
    /// Late segment in TIME-WAIT (RFC 9293 3.10.7.4).
    TimeWait,
    /// RST ignored in TIME-WAIT (RFC 1337).
    TimeWaitRst,
    /// A limit on answers: the segment deserved one but too many were sent.
    RateLimited,
    /// Wrong checksum.
    Checksum,
    /// Not a well-formed packet.
    Malformed,
    /// Source or destination that TCP does not serve: broadcast, multicast, unspecified.
    Address,
    /// The interceptor decided not to answer, or has not decided yet.
    Intercepted,
}

impl DropReason {
    /// All reasons, in the order of their counters.
    pub const ALL: [Self; 25] = [
        Self::OutsideWindow,
        Self::Duplicate,
        Self::Paws,
        Self::ChallengedRst,
        Self::InvalidRst,
        Self::ChallengedSyn,
        Self::InvalidAck,
        Self::NoAck,
        Self::UnacceptableAck,
        Self::AfterFin,
        Self::Closed,
        Self::NoRoom,
        Self::NoTimestamp,
        Self::NoSocket,
        Self::NotSyn,
        Self::SynQueueFull,
        Self::AcceptQueueFull,
        Self::InvalidCookie,
        Self::TimeWait,
        Self::TimeWaitRst,
        Self::RateLimited,
        Self::Checksum,
        Self::Malformed,
        Self::Address,
        Self::Intercepted,
    ];

    /// A short name, and the clause behind it.
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::OutsideWindow => ("outside-window", "RFC 9293 3.10.7.4"),
            Self::Duplicate => ("duplicate", "RFC 9293 3.10.7.4"),
            Self::Paws => ("paws", "RFC 7323"),
            Self::ChallengedRst => ("challenged-rst", "RFC 5961"),
            Self::InvalidRst => ("invalid-rst", "RFC 9293 3.10.7.4"),
            Self::ChallengedSyn => ("challenged-syn", "RFC 5961"),
            Self::InvalidAck => ("invalid-ack", "RFC 5961"),
            Self::NoAck => ("no-ack", "RFC 9293 3.10.7.4"),
            Self::UnacceptableAck => ("unacceptable-ack", "RFC 9293 3.10.7.3"),
            Self::AfterFin => ("after-fin", "RFC 9293 3.10.7.4"),
            Self::Closed => ("closed", "RFC 2525 2.17"),
            Self::NoRoom => ("no-room", "RFC 9293 3.8.6"),
            Self::NoTimestamp => ("no-timestamp", "RFC 7323"),
            Self::NoSocket => ("no-socket", "RFC 9293 3.10.7.1"),
            Self::NotSyn => ("not-syn", "RFC 9293 3.10.7.2"),
            Self::SynQueueFull => ("syn-queue-full", "RFC 4987"),
            Self::AcceptQueueFull => ("accept-queue-full", "RFC 4987"),
            Self::InvalidCookie => ("invalid-cookie", "RFC 4987"),
            Self::TimeWait => ("time-wait", "RFC 9293 3.10.7.4"),
            Self::TimeWaitRst => ("time-wait-rst", "RFC 1337"),
            Self::RateLimited => ("rate-limited", "RFC 5961"),
            Self::Checksum => ("checksum", "RFC 9293 3.1"),
            Self::Malformed => ("malformed", "RFC 9293 3.1"),
            Self::Address => ("address", "RFC 9293 3.9.2.3"),
            Self::Intercepted => ("intercepted", ""),
        }
    }
}

/// What a connection tells its owner through `poll_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// The handshake is complete.
    Established,
    /// There is something to read: data, end of file or an error.
    Readable,
    /// There is room to send, or sending fails at once.
    Writable,
    /// Urgent data was announced.
    Urgent,
    /// All that was sent, and the FIN, is acknowledged.
    Flushed,
    /// Retransmission goes on without an answer: the network layer should look for another way (RFC 9293 3.8.3).
    Suspect,
    /// CLOSED, or TIME-WAIT: the owner replaces the connection by a record or forgets it.
    Finished,
}
