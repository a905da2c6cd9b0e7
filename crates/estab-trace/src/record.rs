//! Events that own what they tell, so that they can be kept, sorted, matched and printed later.

use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};
use estab_stack::{HostEvent, InterfaceId};
use estab_tcp::event::{Call, DropReason, RecoveryPhase, RetransmitReason, Timer, Variables};
use estab_tcp::{Cause, ConnectionError, Event, Flags, FourTuple, Header, Instant, SeqNum, State};
use std::sync::Arc;

/// One event of one host.
#[derive(Clone, Debug)]
pub struct Record {
    /// When, on the clock of the host's driver.
    pub time: Instant,
    /// The host's name.
    pub host: Arc<str>,
    /// What happened.
    pub event: HostRecord,
}

/// [`HostEvent`] with nothing borrowed.
#[derive(Clone, Debug)]
pub enum HostRecord {
    /// Of a TCP connection, a listener, or one of their small records.
    Tcp {
        /// Its ends. A listener's remote end is unspecified.
        connection: FourTuple,
        /// What happened.
        event: TcpRecord,
    },
    /// A packet came in.
    PacketIn {
        /// Over this interface.
        interface: InterfaceId,
        /// From the medium's first byte.
        data: Bytes,
    },
    /// A packet was handed to the link.
    PacketOut {
        /// Over this interface.
        interface: InterfaceId,
        /// From the medium's first byte. A checksum that is left to the device is not complete here.
        data: Bytes,
    },
    /// A packet that is not TCP's, or never reached it, is not used.
    Drop {
        /// Why.
        reason: DropReason,
    },
    /// A datagram of UDP.
    Udp {
        /// Sent, or received.
        sent: bool,
        /// The host's end.
        local: SocketAddr,
        /// The peer's.
        remote: SocketAddr,
        /// Bytes of payload.
        len: usize,
    },
    /// An ICMP message.
    Icmp {
        /// Sent, or received.
        sent: bool,
        /// The other host.
        remote: IpAddr,
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
    /// Something was done to the host or its cable from outside.
    Environment(Environment),
}

/// What is done to a host from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// It crashes and starts again, and has forgotten all connections.
    Reboot,
    /// Its cable is cut: nothing passes.
    CableCut,
    /// Its cable is whole again.
    CableMended,
}

impl Environment {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reboot => "reboot",
            Self::CableCut => "cable cut",
            Self::CableMended => "cable mended",
        }
    }
}

/// [`Event`] with nothing borrowed.
#[derive(Clone, Debug)]
pub enum TcpRecord {
    /// The state changed.
    State {
        /// From which.
        from: State,
        /// To which.
        to: State,
        /// Why.
        cause: Cause,
    },
    /// A segment arrived; comes before what it causes.
    SegmentIn(Segment),
    /// A wire segment was handed over for sending. A super-segment gives several of these.
    SegmentOut(Segment),
    /// A segment that arrived, or a part of it, is not used.
    Drop {
        /// Why.
        reason: DropReason,
        /// Its header.
        header: Header,
        /// Bytes of its payload.
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
    /// Something is sent again; the segment follows.
    Retransmit {
        /// From here.
        seq: SeqNum,
        /// So much of the sequence space.
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
    /// The connection failed.
    Error(ConnectionError),
}

/// A segment as one end saw it.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its header.
    pub header: Header,
    /// Bytes of its payload.
    pub len: usize,
    /// The state it met, or is sent from.
    pub state: State,
    /// The variables it met, or those after sending.
    pub variables: Variables,
}

impl Record {
    /// Makes records of an event: one, but for a super-segment that is sent, which gives one for each wire segment.
    pub fn from_event(
        time: Instant,
        host: &Arc<str>,
        event: &HostEvent<'_>,
        mut each: impl FnMut(Self),
    ) {
        let mut give = |event| {
            each(Self {
                time,
                host: Arc::clone(host),
                event,
            });
        };
        match event {
            HostEvent::Tcp { connection, event } => tcp_records(event, |event| {
                give(HostRecord::Tcp {
                    connection: *connection,
                    event,
                });
            }),
            HostEvent::PacketIn { interface, packet } => give(HostRecord::PacketIn {
                interface: *interface,
                data: packet.data.clone(),
            }),
            HostEvent::PacketOut { interface, packet } => give(HostRecord::PacketOut {
                interface: *interface,
                data: packet.to_bytes(),
            }),
            HostEvent::Drop { reason } => give(HostRecord::Drop { reason: *reason }),
            HostEvent::Udp {
                sent,
                local,
                remote,
                len,
            } => give(HostRecord::Udp {
                sent: *sent,
                local: *local,
                remote: *remote,
                len: *len,
            }),
            HostEvent::Icmp {
                sent,
                remote,
                kind,
                code,
            } => give(HostRecord::Icmp {
                sent: *sent,
                remote: *remote,
                kind: *kind,
                code: *code,
            }),
        }
    }

    /// The connection and its event, if it is one of TCP.
    pub fn tcp(&self) -> Option<(&FourTuple, &TcpRecord)> {
        match &self.event {
            HostRecord::Tcp { connection, event } => Some((connection, event)),
            _ => None,
        }
    }

    /// The segment, if one was sent here.
    pub fn sent(&self) -> Option<&Segment> {
        match self.tcp() {
            Some((_, TcpRecord::SegmentOut(segment))) => Some(segment),
            _ => None,
        }
    }

    /// The segment, if one arrived here.
    pub fn received(&self) -> Option<&Segment> {
        match self.tcp() {
            Some((_, TcpRecord::SegmentIn(segment))) => Some(segment),
            _ => None,
        }
    }
}

fn tcp_records(event: &Event<'_>, mut each: impl FnMut(TcpRecord)) {
    each(match event {
        Event::State { from, to, cause } => TcpRecord::State {
            from: *from,
            to: *to,
            cause: *cause,
        },
        Event::SegmentIn {
            header,
            len,
            state,
            variables,
        } => TcpRecord::SegmentIn(Segment {
            header: (*header).clone(),
            len: *len,
            state: *state,
            variables: *variables,
        }),
        Event::SegmentOut {
            header,
            len,
            state,
            variables,
            segment_size,
        } => {
            let whole = Segment {
                header: (*header).clone(),
                len: *len,
                state: *state,
                variables: *variables,
            };
            return whole.cut(usize::from(*segment_size), |part| {
                each(TcpRecord::SegmentOut(part));
            });
        }
        Event::Drop {
            reason,
            header,
            len,
        } => TcpRecord::Drop {
            reason: *reason,
            header: (*header).clone(),
            len: *len,
        },
        Event::TimerArmed { timer, at } => TcpRecord::TimerArmed {
            timer: *timer,
            at: *at,
        },
        Event::TimerFired { timer } => TcpRecord::TimerFired { timer: *timer },
        Event::Retransmit { seq, len, reason } => TcpRecord::Retransmit {
            seq: *seq,
            len: *len,
            reason: *reason,
        },
        Event::Recovery { phase } => TcpRecord::Recovery { phase: *phase },
        Event::Congestion { cwnd, ssthresh } => TcpRecord::Congestion {
            cwnd: *cwnd,
            ssthresh: *ssthresh,
        },
        Event::Call(call) => TcpRecord::Call(*call),
        Event::Error(error) => TcpRecord::Error(*error),
    });
}

impl Segment {
    /// Cuts a super-segment as a device does: FIN and PSH belong to the last part only, CWR to the first.
    fn cut(self, size: usize, mut each: impl FnMut(Self)) {
        if size == 0 || self.len <= size {
            return each(self);
        }
        let mut at = 0;
        while at < self.len {
            let len = size.min(self.len - at);
            let mut part = self.clone();
            part.len = len;
            part.header.seq += u32::try_from(at).unwrap_or(u32::MAX);
            if at > 0 {
                part.header.flags = part.header.flags.without(Flags::CWR);
            }
            at += len;
            if at < self.len {
                part.header.flags = part.header.flags.without(Flags::FIN | Flags::PSH);
            }
            each(part);
        }
    }
}
