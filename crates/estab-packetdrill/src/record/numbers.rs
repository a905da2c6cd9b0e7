//! From the numbers on the wire to those that scripts count with.

use crate::packet::{LiveIcmp, LiveSegment, QuotedTransport, icmp};
use crate::script::{Echoed, Icmp, Options, Segment, Sequence, TcpOption};
use core::net::SocketAddr;
use std::collections::BTreeMap;

/// The first timestamp of each direction, as scripts have it.
const FIRST_TIMESTAMP: u32 = 100;

/// A connection by its ends, the host's own first.
type Ends = (SocketAddr, SocketAddr);

/// Where the numbers of all connections begin.
#[derive(Debug, Default)]
pub(super) struct Numbers(BTreeMap<Ends, Flow>);

#[derive(Debug, Default)]
struct Flow {
    own: Side,
    peer: Side,
    /// It was reset, or closed by both: a SYN begins a new one.
    over: bool,
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    isn: Option<u32>,
    first_timestamp: Option<u32>,
    fin: bool,
}

impl Side {
    fn relative(&self, number: u32) -> u32 {
        number.wrapping_sub(self.isn.unwrap_or(number))
    }

    fn timestamp(&self, value: u32) -> u32 {
        let first = self.first_timestamp.unwrap_or(value);
        value.wrapping_sub(first).wrapping_add(FIRST_TIMESTAMP)
    }
}

impl Numbers {
    /// A segment as a script has it.
    pub(super) fn segment(&mut self, outbound: bool, ends: Ends, live: &LiveSegment) -> Segment {
        let flow = self.0.entry(ends).or_default();
        let (from, to) = if outbound {
            (&mut flow.own, &mut flow.peer)
        } else {
            (&mut flow.peer, &mut flow.own)
        };
        if live.flags.syn && !live.flags.ack && flow.over {
            (*from, *to) = (Side::default(), Side::default());
            flow.over = false;
        }
        if live.flags.syn {
            from.isn.get_or_insert(live.seq);
        }
        // Of a connection whose beginning nobody saw: the numbers are small.
        let refuses = live.flags.rst && live.flags.ack;
        from.isn
            .get_or_insert_with(|| live.seq.wrapping_sub(u32::from(!refuses)));
        if live.flags.ack {
            to.isn.get_or_insert_with(|| live.ack.wrapping_sub(1));
        }
        from.fin |= live.flags.fin;
        flow.over |= live.flags.rst || (from.fin && to.fin);
        let first = from.relative(live.seq);
        Segment {
            flags: live.flags,
            sequence: Sequence {
                first,
                last: first.wrapping_add(live.len),
                len: live.len,
            },
            ack: live.flags.ack.then(|| to.relative(live.ack)),
            window: Some(live.window),
            urgent: live.flags.urg.then_some(live.urgent),
            options: Options::These(
                live.options
                    .iter()
                    .map(|option| relative(option, from, to))
                    .collect(),
            ),
        }
    }

    /// A message as a script has it; `ends` are those of the connection that it is about.
    pub(super) fn message(
        &self,
        outbound: bool,
        v6: bool,
        ends: Option<Ends>,
        live: &LiveIcmp,
    ) -> Icmp {
        let (kind, code) = icmp::names(v6, live.kind, live.code);
        let [a, b, c, d] = live.rest;
        let echo = icmp::is_echo(v6, live.kind);
        let mtu = match (v6, live.kind, live.code) {
            (true, 2, _) => Some(u32::from_be_bytes(live.rest)),
            (false, 3, 4) => Some(u16::from_be_bytes([c, d]).into()),
            _ => None,
        };
        // An error that comes in quotes what the host sent.
        let flow = ends.and_then(|ends| self.0.get(&ends));
        let isn = flow.and_then(|flow| {
            if outbound {
                flow.peer.isn
            } else {
                flow.own.isn
            }
        });
        let echoed = live.quoted.map(|quoted| match quoted.transport {
            QuotedTransport::Udp { len } => Echoed::Udp { len },
            QuotedTransport::Tcp { seq, len } => {
                let first = seq.wrapping_sub(isn.unwrap_or(seq));
                let last = first.wrapping_add(len);
                Echoed::Tcp(Sequence { first, last, len })
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
}

fn relative(option: &TcpOption, from: &mut Side, to: &Side) -> TcpOption {
    match option {
        TcpOption::Sack(blocks) => {
            let block = |(left, right): &(u32, u32)| (to.relative(*left), to.relative(*right));
            TcpOption::Sack(blocks.iter().map(block).collect())
        }
        TcpOption::Timestamp { value, echo } => {
            from.first_timestamp.get_or_insert(*value);
            TcpOption::Timestamp {
                value: from.timestamp(*value),
                echo: if *echo == 0 { 0 } else { to.timestamp(*echo) },
            }
        }
        other => other.clone(),
    }
}
