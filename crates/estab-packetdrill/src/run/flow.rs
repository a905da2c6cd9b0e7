//! A connection or datagram flow of the script: its ends, and how its numbers are mapped.

use super::space::{Space, Timestamps};
use crate::packet::{Live, LiveBody, LiveIcmp, LiveSegment, QuotedTransport, icmp};
use crate::script::{
    Body, Direction, Echoed, Flags, Icmp, IpFields, Options, Packet, Segment, Sequence, Span,
    TcpOption,
};
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

/// Stands for the subject's initial sequence number until it has told one.
const ISS_GUESS: u32 = 0x5000_0000;

/// Which protocol a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// How far a flow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A socket, and no more.
    Fresh,
    /// A listener.
    Listening,
    /// It has a peer.
    Peer,
}

/// A packet that was emitted and that no line has met yet.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) time: Duration,
    pub(crate) live: Live,
}

#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) protocol: Protocol,
    pub(crate) stage: Stage,
    /// The script's descriptor.
    pub(crate) fd: Option<i32>,
    /// The subject's end; port 0 and an unspecified address until they are known.
    pub(crate) local: SocketAddr,
    /// The port that `bind` asked for, to which a second `connect` goes back.
    pub(crate) bound_port: u16,
    pub(crate) remote: Option<SocketAddr>,
    /// Ports as the script writes them, local and remote.
    pub(crate) script_ports: Option<(u16, u16)>,
    /// Numbers of the subject, when its SYN was seen.
    pub(crate) local_space: Option<Space>,
    /// Numbers of the peer, which the runner chooses.
    pub(crate) remote_space: Option<Space>,
    remote_isn: u32,
    pub(crate) timestamps: Timestamps,
    pub(crate) queue: VecDeque<Arrived>,
    /// A new connection between the same ends may begin: it was reset, or closed by both.
    over: bool,
    fins: (bool, bool),
    /// The last segment that the subject sent: live sequence number and length.
    pub(crate) last_sent: Option<(u32, u32)>,
}

impl Flow {
    pub(crate) fn new(protocol: Protocol, local: SocketAddr, remote_isn: u32) -> Self {
        Self {
            protocol,
            stage: Stage::Fresh,
            fd: None,
            local,
            bound_port: local.port(),
            remote: None,
            script_ports: None,
            local_space: None,
            remote_space: None,
            remote_isn,
            timestamps: Timestamps::default(),
            queue: VecDeque::new(),
            over: false,
            fins: (false, false),
            last_sent: None,
        }
    }

    /// A new connection begins with the same socket.
    pub(crate) fn restart(&mut self, remote: SocketAddr) {
        self.stage = Stage::Peer;
        self.remote = Some(remote);
        self.local.set_port(self.bound_port);
        self.local_space = None;
        self.remote_space = None;
        self.over = false;
        self.fins = (false, false);
        self.timestamps = Timestamps::default();
    }

    /// Has the connection ended, so that a new one may begin between the same ends?
    pub(crate) const fn is_over(&self) -> bool {
        self.over
    }

    fn local_or_guess(&self) -> Space {
        self.local_space.unwrap_or(Space {
            script: 0,
            live: ISS_GUESS,
        })
    }

    fn remote_or_guess(&self) -> Space {
        self.remote_space.unwrap_or(Space {
            script: 0,
            live: self.remote_isn,
        })
    }

    /// A segment of the script as it goes over the wire to the subject. A SYN tells where the peer's numbers begin.
    pub(crate) fn inbound(&mut self, segment: &Segment) -> LiveSegment {
        if segment.flags.syn {
            self.peer_begins(segment.sequence.first);
        }
        self.over |= segment.flags.rst;
        self.fins.1 |= segment.flags.fin;
        let (local, remote) = (self.local_or_guess(), self.remote_or_guess());
        let options = match &segment.options {
            Options::These(options) => options.iter().map(|o| self.option_to_live(o)).collect(),
            Options::Any => Vec::new(),
        };
        LiveSegment {
            source_port: self.remote.map_or(0, |remote| remote.port()),
            destination_port: self.local.port(),
            seq: remote.live(segment.sequence.first),
            ack: segment.ack.map_or(0, |ack| local.live(ack)),
            flags: segment.flags,
            window: segment.window.unwrap_or(0),
            urgent: segment.urgent.unwrap_or(0),
            options,
            len: segment.sequence.len,
        }
    }

    /// The first SYN says where the peer's numbers begin. Later ones, of this connection or another one between the same ends, have
    /// their place among these numbers.
    fn peer_begins(&mut self, first: u32) {
        self.remote_space.get_or_insert(Space {
            script: first,
            live: self.remote_isn,
        });
    }

    fn option_to_live(&self, option: &TcpOption) -> TcpOption {
        match option {
            TcpOption::Sack(blocks) => {
                let local = self.local_or_guess();
                let block = |(left, right): &(u32, u32)| (local.live(*left), local.live(*right));
                TcpOption::Sack(blocks.iter().map(block).collect())
            }
            TcpOption::Timestamp { value, echo } => TcpOption::Timestamp {
                value: *value,
                echo: if *echo == 0 {
                    0
                } else {
                    self.timestamps.live(*echo)
                },
            },
            other => other.clone(),
        }
    }

    /// The subject sent a SYN that meets one of the script's, or nothing yet: its numbers begin here.
    pub(crate) fn learn(&mut self, live: &LiveSegment, script_first: u32) {
        self.last_sent = Some((live.seq, live.len));
        if live.flags.syn && (self.local_space.is_none() || self.over) {
            self.local_space = Some(Space {
                script: script_first,
                live: live.seq,
            });
            self.over = false;
            self.fins = (false, false);
        }
        self.over |= live.flags.rst;
        self.fins.0 |= live.flags.fin;
        self.over |= self.fins == (true, true);
    }

    /// What the subject sent, in the script's numbers. Timestamps stay live ones where `expected` has none.
    pub(crate) fn to_script(
        &self,
        arrived: &Live,
        expected: Option<&Packet>,
        with_ports: bool,
    ) -> Packet {
        let body = match &arrived.body {
            LiveBody::Tcp(live) => {
                let expected = expected.and_then(|packet| match &packet.body {
                    Body::Tcp(segment) => Some(segment),
                    _ => None,
                });
                Body::Tcp(self.segment_to_script(live, expected))
            }
            LiveBody::Udp { len, .. } => Body::Udp { len: *len },
            LiveBody::Icmp(message) => Body::Icmp(self.icmp_to_script(message, arrived)),
            LiveBody::Other => Body::Udp { len: 0 },
        };
        Packet {
            direction: Direction::Outbound,
            encapsulation: Vec::new(),
            ip: IpFields::default(),
            ports: with_ports.then(|| self.shown_ports()),
            body,
            span: Span::default(),
        }
    }

    /// Ports as the script knows them, source first, for what the subject sends.
    fn shown_ports(&self) -> (u16, u16) {
        let remote = self.remote.map_or(0, |remote| remote.port());
        self.script_ports
            .unwrap_or_else(|| (self.local.port(), remote))
    }

    fn segment_to_script(&self, live: &LiveSegment, expected: Option<&Segment>) -> Segment {
        let local = if live.flags.syn && (self.local_space.is_none() || self.over) {
            Space {
                script: expected.map_or(0, |expected| expected.sequence.first),
                live: live.seq,
            }
        } else {
            self.local_or_guess()
        };
        // RFC 9293 3.10.7.1: what answers a segment without ACK, of no connection, has the number 0 itself.
        let of_nothing = live.flags.rst && live.flags.ack && live.seq == 0;
        let first = if of_nothing && self.local_space.is_none() {
            0
        } else {
            local.script(live.seq)
        };
        let options = live
            .options
            .iter()
            .map(|option| self.option_to_script(option))
            .collect();
        let mut flags = live.flags;
        if expected.is_some_and(|expected| expected.flags.ace.is_some()) {
            flags = with_ace(flags);
        }
        Segment {
            flags,
            sequence: Sequence {
                first,
                last: first.wrapping_add(live.len),
                len: live.len,
            },
            ack: flags.ack.then(|| self.remote_or_guess().script(live.ack)),
            window: Some(live.window),
            urgent: flags.urg.then_some(live.urgent),
            options: Options::These(options),
        }
    }

    fn option_to_script(&self, option: &TcpOption) -> TcpOption {
        match option {
            TcpOption::Sack(blocks) => {
                let remote = self.remote_or_guess();
                let block =
                    |(left, right): &(u32, u32)| (remote.script(*left), remote.script(*right));
                TcpOption::Sack(blocks.iter().map(block).collect())
            }
            TcpOption::Timestamp { value, echo } => TcpOption::Timestamp {
                value: self.timestamps.script(*value),
                echo: *echo,
            },
            other => other.clone(),
        }
    }

    fn icmp_to_script(&self, message: &LiveIcmp, arrived: &Live) -> Icmp {
        let v6 = arrived.ip.source.is_ipv6();
        let (kind, code) = icmp::names(v6, message.kind, message.code);
        let [a, b, c, d] = message.rest;
        let echo = icmp::is_echo(v6, message.kind);
        let frag_needed = !v6 && (message.kind, message.code) == (3, 4);
        let mtu = if v6 && message.kind == 2 {
            Some(u32::from_be_bytes(message.rest))
        } else if frag_needed {
            Some(u32::from(u16::from_be_bytes([c, d])))
        } else {
            None
        };
        let echoed = message.quoted.map(|quoted| match quoted.transport {
            QuotedTransport::Udp { len } => Echoed::Udp { len },
            QuotedTransport::Tcp { seq, len } => {
                let first = self.remote_or_guess().script(seq);
                Echoed::Tcp(Sequence {
                    first,
                    last: first.wrapping_add(len),
                    len,
                })
            }
        });
        Icmp {
            kind,
            code,
            mtu,
            id: echo.then(|| u16::from_be_bytes([a, b])),
            sequence: echo.then(|| u16::from_be_bytes([c, d])),
            echoed,
        }
    }

    /// Live sequence number of something that the subject sent, by the script's.
    pub(crate) fn sent(&self, script: u32) -> u32 {
        self.local_or_guess().live(script)
    }
}

/// AccECN's three flags as the number that they are (RFC 9768).
fn with_ace(flags: Flags) -> Flags {
    let ace = u8::from(flags.ae) << 2 | u8::from(flags.cwr) << 1 | u8::from(flags.ece);
    Flags {
        ae: false,
        cwr: false,
        ece: false,
        ace: Some(ace),
        ..flags
    }
}
