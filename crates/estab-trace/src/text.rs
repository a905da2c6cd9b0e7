//! One line an event, segments as tcpdump writes them.

use crate::{HostRecord, Record, Relative, Segment, TcpRecord, describe};
use core::fmt::Write;
use core::net::SocketAddr;
use estab_tcp::FourTuple;

/// Prints records one a line. Keep it for a whole trace: it remembers where sequence spaces began.
#[derive(Debug, Default)]
pub struct Text {
    relative: Relative,
}

impl Text {
    /// A printer that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// All of a trace.
    pub fn print(records: &[Record]) -> String {
        let mut text = Self::new();
        let mut out = String::new();
        for record in records {
            if let Some(line) = text.line(record) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out
    }

    /// The line of one record; `None` for whole packets, whose segments are told by their own records.
    pub fn line(&mut self, record: &Record) -> Option<String> {
        let what = match &record.event {
            HostRecord::Tcp { connection, event } => self.tcp(connection, event),
            HostRecord::PacketIn { .. } | HostRecord::PacketOut { .. } => return None,
            HostRecord::Environment(what) => what.name().into(),
            HostRecord::Drop { reason } => {
                let (name, clause) = reason.describe();
                format!("drop {name} ({clause})")
            }
            HostRecord::Udp {
                sent,
                local,
                remote,
                len,
            } => {
                let (from, to) = describe::ends(*sent, *local, *remote);
                format!(
                    "{} {} > {}: UDP, length {len}",
                    way(*sent),
                    endpoint(from),
                    endpoint(to)
                )
            }
            HostRecord::Icmp {
                sent,
                remote,
                kind,
                code,
            } => {
                let side = if *sent { "to" } else { "from" };
                let what = describe::icmp(*remote, *kind, *code);
                format!("{} ICMP {what}, {side} {remote}", way(*sent))
            }
        };
        let time = record.time.as_secs_f64();
        Some(format!("{time:>12.6} {:<2} {what}", record.host))
    }

    fn tcp(&mut self, connection: &FourTuple, event: &TcpRecord) -> String {
        let ends = || {
            let (local, remote) = (endpoint(connection.local), endpoint(connection.remote));
            format!("{local} - {remote}")
        };
        match event {
            TcpRecord::SegmentOut(segment) => self.segment("out", connection, true, segment),
            TcpRecord::SegmentIn(segment) => self.segment("in ", connection, false, segment),
            TcpRecord::State { from, to, cause } => format!("{}: {from} -> {to}, {cause}", ends()),
            TcpRecord::Drop { reason, len, .. } => {
                let (name, clause) = reason.describe();
                format!("{}: drop {name} ({clause}), length {len}", ends())
            }
            TcpRecord::TimerArmed { timer, at } => {
                let at = at.as_secs_f64();
                format!("{}: timer {} set for {at:.6}", ends(), timer.name())
            }
            TcpRecord::TimerFired { timer } => format!("{}: timer {}", ends(), timer.name()),
            TcpRecord::Retransmit { seq, len, reason } => {
                let (local, remote) = (connection.local, connection.remote);
                let from = self.relative.seq(local, remote, *seq);
                let why = describe::retransmit(*reason);
                format!(
                    "{}: again {from}:{}, {why}",
                    ends(),
                    from.wrapping_add(*len)
                )
            }
            TcpRecord::Recovery { phase } => {
                format!("{}: loss recovery: {}", ends(), describe::phase(*phase))
            }
            TcpRecord::Congestion { cwnd, ssthresh } => {
                format!("{}: cwnd {cwnd}, ssthresh {ssthresh}", ends())
            }
            TcpRecord::Call(call) => format!("{}: {}", ends(), describe::call(*call)),
            TcpRecord::Error(error) => {
                format!("{}: {} ({error})", ends(), describe::errno(*error))
            }
        }
    }

    fn segment(&mut self, way: &str, tuple: &FourTuple, sent: bool, segment: &Segment) -> String {
        let (from, to) = describe::ends(sent, tuple.local, tuple.remote);
        let header = &segment.header;
        self.relative.observe(from, to, header);
        let (flags, len) = (header.flags, segment.len);
        let mut line = format!(
            "{way} {} > {}: Flags [{flags}]",
            endpoint(from),
            endpoint(to)
        );
        // Writing to a String cannot fail.
        let seq = self.relative.seq(from, to, header.seq);
        if len > 0 {
            let end = seq.wrapping_add(u32::try_from(len).unwrap_or(u32::MAX));
            let _ = write!(line, ", seq {seq}:{end}");
        } else {
            let _ = write!(line, ", seq {seq}");
        }
        if flags.ack() {
            let _ = write!(line, ", ack {}", self.relative.ack(from, to, header.ack));
        }
        let _ = write!(line, ", win {}", header.window.0);
        if flags.urg() {
            let _ = write!(line, ", urg {}", header.urgent);
        }
        let options = describe::options(header, |seq| self.relative.ack(from, to, seq));
        if !options.is_empty() {
            let _ = write!(line, ", options [{}]", options.join(","));
        }
        let _ = write!(line, ", length {len}, {}", segment.state);
        line
    }
}

const fn way(sent: bool) -> &'static str {
    if sent { "out" } else { "in " }
}

/// Address and port as tcpdump joins them.
fn endpoint(address: SocketAddr) -> String {
    format!("{}.{}", address.ip(), address.port())
}
