use crate::{Cx, Event, FourTuple};
use core::fmt;

/// The states of a connection (RFC 9293 section 3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// No connection.
    Closed,
    /// Waiting for a connection request.
    Listen,
    /// A SYN was sent.
    SynSent,
    /// A SYN was received and one was sent.
    SynReceived,
    /// Open: data flows.
    Established,
    /// We closed first; our FIN is not acknowledged.
    FinWait1,
    /// Our FIN is acknowledged; the peer may still send.
    FinWait2,
    /// The peer closed; we may still send.
    CloseWait,
    /// Both closed at once; our FIN is not acknowledged.
    Closing,
    /// The peer closed first, then we; our FIN is not acknowledged.
    LastAck,
    /// Both are closed; old segments may still be under way.
    TimeWait,
}

/// What makes a connection change its state: the labels of RFC 9293 figure 5, and the ways out that its text adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The application connects.
    ActiveOpen,
    /// The application listens.
    PassiveOpen,
    /// A SYN without an acceptable ACK came.
    ReceiveSyn,
    /// A SYN with the ACK of ours came.
    ReceiveSynAck,
    /// Our SYN was acknowledged.
    ReceiveAckOfSyn,
    /// An ACK carried a valid SYN cookie (RFC 4987).
    ReceiveCookie,
    /// The application closed its sending side.
    Close,
    /// A FIN came, in order.
    ReceiveFin,
    /// Our FIN was acknowledged.
    ReceiveAckOfFin,
    /// An acceptable RST came.
    ReceiveRst,
    /// A hard ICMP error came while opening.
    ReceiveIcmp,
    /// The application aborted, or closing demanded a RST.
    Abort,
    /// Retransmission, keep-alive, user or linger time ran out.
    Timeout,
    /// 2 MSL passed, or nobody is left to wait for the peer's FIN.
    TimeWaitOver,
    /// A new SYN took the connection's place (RFC 6191).
    NewIncarnation,
    /// A limit on memory or on the number of connections.
    Evicted,
}

/// The one place where states change: takes the edge of the table that `cause` names and reports it. Where the table has
/// no such edge the state stays.
pub(crate) fn enter(cx: &mut Cx<'_>, tuple: &FourTuple, from: State, cause: Cause) -> State {
    let Some(to) = from.next(cause) else {
        debug_assert!(false, "no edge from {from} by {cause}");
        return from;
    };
    cx.report(tuple, Event::State { from, to, cause });
    to
}

impl State {
    /// All states, in the order of RFC 9293 section 3.3.2, CLOSED first.
    pub const ALL: [Self; 11] = [
        Self::Closed,
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
    ];

    /// Figure 5 of RFC 9293, whole: the state that follows, `None` where there is no such edge.
    pub const fn next(self, cause: Cause) -> Option<Self> {
        use Cause as C;
        Some(match (self, cause) {
            (Self::Closed, C::ActiveOpen) => Self::SynSent,
            (Self::Closed, C::PassiveOpen) => Self::Listen,
            (Self::Listen, C::ReceiveSyn) => Self::SynReceived,
            (Self::Listen, C::ReceiveCookie) => Self::Established,
            (Self::Listen, C::Close) => Self::Closed,
            (Self::SynSent, C::ReceiveSyn) => Self::SynReceived,
            (Self::SynSent, C::ReceiveSynAck) => Self::Established,
            (Self::SynSent, C::Close) => Self::Closed,
            (Self::SynReceived, C::ReceiveAckOfSyn) => Self::Established,
            (Self::SynReceived, C::Close) => Self::FinWait1,
            (Self::SynReceived, C::ReceiveFin) => Self::CloseWait,
            (Self::Established, C::Close) => Self::FinWait1,
            (Self::Established, C::ReceiveFin) => Self::CloseWait,
            (Self::FinWait1, C::ReceiveAckOfFin) => Self::FinWait2,
            (Self::FinWait1, C::ReceiveFin) => Self::Closing,
            (Self::FinWait2, C::ReceiveFin) => Self::TimeWait,
            (Self::CloseWait, C::Close) => Self::LastAck,
            (Self::Closing, C::ReceiveAckOfFin) => Self::TimeWait,
            (Self::LastAck, C::ReceiveAckOfFin) => Self::Closed,
            (Self::TimeWait, C::TimeWaitOver | C::NewIncarnation | C::ReceiveRst | C::Evicted) => {
                Self::Closed
            }
            (Self::FinWait2, C::TimeWaitOver) => Self::Closed,
            (Self::SynSent | Self::SynReceived, C::ReceiveIcmp) => Self::Closed,
            (Self::Closed | Self::Listen | Self::TimeWait, _) => return None,
            (_, C::ReceiveRst | C::Abort | C::Timeout | C::Evicted) => Self::Closed,
            _ => return None,
        })
    }

    /// Both ends know each other's sequence numbers (RFC 9293 section 3.10.7.4: "synchronized state").
    pub const fn is_synchronized(self) -> bool {
        !matches!(
            self,
            Self::Closed | Self::Listen | Self::SynSent | Self::SynReceived
        )
    }

    /// May the peer still send data that counts?
    pub const fn can_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// May the application still send?
    pub const fn can_send(self) -> bool {
        matches!(self, Self::Established | Self::CloseWait)
    }

    /// The RFC's spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        }
    }
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 16] = [
        Self::ActiveOpen,
        Self::PassiveOpen,
        Self::ReceiveSyn,
        Self::ReceiveSynAck,
        Self::ReceiveAckOfSyn,
        Self::ReceiveCookie,
        Self::Close,
        Self::ReceiveFin,
        Self::ReceiveAckOfFin,
        Self::ReceiveRst,
        Self::ReceiveIcmp,
        Self::Abort,
        Self::Timeout,
        Self::TimeWaitOver,
        Self::NewIncarnation,
        Self::Evicted,
    ];

    /// As figure 5 writes its labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ActiveOpen => "active OPEN",
            Self::PassiveOpen => "passive OPEN",
            Self::ReceiveSyn => "rcv SYN",
            Self::ReceiveSynAck => "rcv SYN,ACK",
            Self::ReceiveAckOfSyn => "rcv ACK of SYN",
            Self::ReceiveCookie => "rcv ACK of cookie",
            Self::Close => "CLOSE",
            Self::ReceiveFin => "rcv FIN",
            Self::ReceiveAckOfFin => "rcv ACK of FIN",
            Self::ReceiveRst => "rcv RST",
            Self::ReceiveIcmp => "rcv ICMP error",
            Self::Abort => "ABORT",
            Self::Timeout => "timeout",
            Self::TimeWaitOver => "2MSL timeout",
            Self::NewIncarnation => "rcv new SYN",
            Self::Evicted => "evicted",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
