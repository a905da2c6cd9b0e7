//! The ladder of one host, printed as it happens.

use super::draw::{Row, Shape, heading};
use super::{Side, datagram, label, note, peer_of};
use crate::{HostRecord, Record, Relative, TcpRecord, describe};
use core::net::IpAddr;
use estab_stack::{HostEvent, HostSink};
use estab_tcp::event::RetransmitReason;
use estab_tcp::{FourTuple, Instant, Interest};
use std::io::Write;
use std::sync::Arc;

/// A sink that prints each event of one host at once. The peer is somebody else's TCP, so its rail has no states; an
/// arrow shows when a segment passed this host. Port numbers of the peer tell connections apart.
pub struct LiveLadder<W> {
    host: Arc<str>,
    out: W,
    relative: Relative,
    peer: Option<IpAddr>,
    headed: bool,
    again: Option<(FourTuple, RetransmitReason)>,
    /// Writing failed: nobody reads any more.
    broken: bool,
}

impl<W: Write> LiveLadder<W> {
    /// Prints to `out` the events of the host with this name.
    pub fn new(host: &str, out: W) -> Self {
        Self {
            host: host.into(),
            out,
            relative: Relative::new(),
            peer: None,
            headed: false,
            again: None,
            broken: false,
        }
    }

    /// Prints one record.
    pub fn record(&mut self, record: &Record) {
        let Some(row) = self.row(record) else {
            return;
        };
        let mut text = String::new();
        if !self.headed {
            self.headed = true;
            text = heading(&self.host, "peer");
        }
        let peer = peer_of(&record.event).filter(|peer| !peer.is_unspecified());
        if let Some(peer) = peer
            && self.peer != Some(peer)
        {
            self.peer = Some(peer);
            let mut to = Row::new(record.time);
            to.note(Side::Right, format!("peer {peer}"));
            text.push_str(&to.draw(true));
            text.push('\n');
        }
        text.push_str(&row.draw(true));
        text.push('\n');
        self.write(&text);
    }

    fn write(&mut self, text: &str) {
        if !self.broken {
            let written = self.out.write_all(text.as_bytes());
            self.broken = written.and_then(|()| self.out.flush()).is_err();
        }
    }

    fn row(&mut self, record: &Record) -> Option<Row> {
        let mut row = Row::new(record.time);
        match &record.event {
            HostRecord::Tcp { connection, event } => self.tcp(connection, event, &mut row)?,
            HostRecord::Environment(what) => {
                row.note(Side::Left, format!("*** {} ***", what.name()))
            }
            HostRecord::Drop { reason } => {
                let (name, clause) = reason.describe();
                row.note(Side::Left, format!("drop: {name} ({clause})"));
            }
            HostRecord::Udp { .. } | HostRecord::Icmp { .. } => {
                let (sent, text) = datagram(&record.event)?;
                row.arrow(sender(sent), Shape::Whole, text);
            }
            HostRecord::PacketIn { .. } | HostRecord::PacketOut { .. } => return None,
        }
        Some(row)
    }

    fn tcp(&mut self, tuple: &FourTuple, event: &TcpRecord, row: &mut Row) -> Option<()> {
        let port = tuple.remote.port();
        match event {
            TcpRecord::SegmentOut(segment) | TcpRecord::SegmentIn(segment) => {
                let sent = matches!(event, TcpRecord::SegmentOut(_));
                let (from, to) = describe::ends(sent, tuple.local, tuple.remote);
                self.relative.observe(from, to, &segment.header);
                let mut text = label(&self.relative, from, to, segment, true);
                if sent && let Some((_, reason)) = self.again.take_if(|(of, _)| of == tuple) {
                    text.push_str(&format!(" [again: {}]", describe::retransmit(reason)));
                }
                row.set_state(Side::Left, Some(segment.state));
                row.arrow(sender(sent), Shape::Whole, format!(":{port} {text}"));
            }
            TcpRecord::TimerArmed { .. } | TcpRecord::Congestion { .. } => return None,
            TcpRecord::Retransmit { reason, .. } => {
                self.again = Some((*tuple, *reason));
                return None;
            }
            _ => {
                if let TcpRecord::State { to, .. } = event {
                    row.set_state(Side::Left, Some(*to));
                }
                let text = note(event, tuple, &self.relative);
                let text = if port == 0 {
                    text
                } else {
                    format!(":{port} {text}")
                };
                row.note(Side::Left, text);
            }
        }
        Some(())
    }
}

const fn sender(sent: bool) -> Side {
    if sent { Side::Left } else { Side::Right }
}

impl<W: Write + Send> HostSink for LiveLadder<W> {
    fn interest(&self) -> Interest {
        if self.broken {
            Interest::NONE
        } else {
            Interest::NO_PACKETS
        }
    }

    fn event(&mut self, now: Instant, event: &HostEvent<'_>) {
        let host = Arc::clone(&self.host);
        Record::from_event(now, &host, event, |record| self.record(&record));
    }
}
