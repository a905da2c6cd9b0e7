//! JSON lines: one object an event.
//!
//! Every object has `t` (seconds), `host`, and `event`, which is one of:
//!
//! | `event` | Fields |
//! |---|---|
//! | `send`, `recv` | `proto` (`tcp`, `udp`, `icmp`), `src`, `dst`; of TCP `flags` as tcpdump writes them, `seq` and `ack` (relative), `win` as transmitted, `window` in bytes, `len`, `options` as tcpdump writes them, `state`, `cwnd`, and `retransmit` with the reason when it is one; of UDP `len`; of ICMP `type`, `code`, `text` |
//! | `state` | `from`, `to` in the RFC's spelling, `cause` |
//! | `drop` | `reason`, `clause`; of TCP `flags`, `seq`, `len` |
//! | `timer` | `timer`, `what` (`armed` with `at`, or `fired`) |
//! | `call` | `call`, `len` when it moved bytes; or what was done to the host from outside: `reboot`, `cable cut`, `cable mended` |
//! | `error` | `error` by its name in `errno`, `text` |
//!
//! All of TCP's have `local` and `remote`.

use crate::{HostRecord, Record, Relative, Segment, TcpRecord, describe};
use core::net::SocketAddr;
use estab_tcp::event::{Call, RetransmitReason};
use estab_tcp::{FourTuple, Header};
use serde_json::Value;
use std::sync::Arc;

/// Prints records as JSON lines. Keep it for a whole trace: it remembers where sequence spaces began.
#[derive(Debug, Default)]
pub struct Json {
    relative: Relative,
    /// A retransmission was announced; its segment is next.
    retransmit: Option<(Arc<str>, FourTuple, RetransmitReason)>,
}

/// The fields of one object, in order.
struct Object(String);

impl Object {
    fn put(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&Value::from(key).to_string());
        self.0.push(':');
        self.0.push_str(&value.into().to_string());
        self
    }

    fn tuple(&mut self, connection: &FourTuple) -> &mut Self {
        self.put("local", connection.local.to_string());
        self.put("remote", connection.remote.to_string())
    }
}

impl Json {
    /// A printer that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// All of a trace.
    pub fn print(records: &[Record]) -> String {
        let mut json = Self::new();
        let lines = records.iter().filter_map(|record| json.line(record));
        lines.flat_map(|line| [line, "\n".into()]).collect()
    }

    /// The object of one record, without a line end; `None` for what has none: whole packets, and the inner life of
    /// loss recovery, which shows in `cwnd` and `retransmit` of the segments.
    pub fn line(&mut self, record: &Record) -> Option<String> {
        let mut object = Object(String::new());
        let nanos = record.time.as_nanos();
        object.put("t", nanos as f64 / 1e9);
        object.put("host", record.host.as_ref());
        match &record.event {
            HostRecord::Tcp { connection, event } => {
                self.tcp(&mut object, &record.host, connection, event)?;
            }
            HostRecord::PacketIn { .. } | HostRecord::PacketOut { .. } => return None,
            HostRecord::Environment(what) => {
                object.put("event", "call").put("call", what.name());
            }
            HostRecord::Drop { reason } => {
                let (name, clause) = reason.describe();
                object.put("event", "drop");
                object.put("reason", name).put("clause", clause);
            }
            HostRecord::Udp {
                sent,
                local,
                remote,
                len,
            } => {
                let (src, dst) = describe::ends(*sent, *local, *remote);
                object.put("event", way(*sent)).put("proto", "udp");
                object.put("src", src.to_string());
                object.put("dst", dst.to_string());
                object.put("len", *len);
            }
            HostRecord::Icmp {
                sent,
                remote,
                kind,
                code,
            } => {
                object.put("event", way(*sent)).put("proto", "icmp");
                let key = if *sent { "dst" } else { "src" };
                object.put(key, remote.to_string());
                object.put("type", *kind).put("code", *code);
                object.put("text", describe::icmp(*remote, *kind, *code));
            }
        }
        object.0.push('}');
        Some(object.0)
    }

    fn tcp(
        &mut self,
        object: &mut Object,
        host: &Arc<str>,
        connection: &FourTuple,
        event: &TcpRecord,
    ) -> Option<()> {
        match event {
            TcpRecord::SegmentOut(segment) => {
                self.segment(object, host, connection, true, segment);
            }
            TcpRecord::SegmentIn(segment) => {
                self.segment(object, host, connection, false, segment);
            }
            TcpRecord::State { from, to, cause } => {
                object.put("event", "state").tuple(connection);
                object.put("from", from.name()).put("to", to.name());
                object.put("cause", cause.name());
            }
            TcpRecord::Drop {
                reason,
                header,
                len,
            } => {
                let (name, clause) = reason.describe();
                object.put("event", "drop").tuple(connection);
                object.put("reason", name).put("clause", clause);
                object.put("flags", header.flags.to_string());
                self.seq(object, connection.remote, connection.local, header);
                object.put("len", *len);
            }
            TcpRecord::TimerArmed { timer, at } => {
                object.put("event", "timer").tuple(connection);
                object.put("timer", timer.name()).put("what", "armed");
                object.put("at", at.as_nanos() as f64 / 1e9);
            }
            TcpRecord::TimerFired { timer } => {
                object.put("event", "timer").tuple(connection);
                object.put("timer", timer.name()).put("what", "fired");
            }
            TcpRecord::Call(call) => {
                object.put("event", "call").tuple(connection);
                object.put("call", describe::call_name(*call));
                if let Call::Send(len) | Call::Receive(len) = call {
                    object.put("len", *len);
                }
            }
            TcpRecord::Error(error) => {
                object.put("event", "error").tuple(connection);
                object.put("error", describe::errno(*error));
                object.put("text", error.to_string());
            }
            TcpRecord::Retransmit { reason, .. } => {
                self.retransmit = Some((Arc::clone(host), *connection, *reason));
                return None;
            }
            TcpRecord::Recovery { .. } | TcpRecord::Congestion { .. } => return None,
        }
        Some(())
    }

    fn segment(
        &mut self,
        object: &mut Object,
        host: &Arc<str>,
        connection: &FourTuple,
        sent: bool,
        segment: &Segment,
    ) {
        let (src, dst) = describe::ends(sent, connection.local, connection.remote);
        let header = &segment.header;
        self.relative.observe(src, dst, header);
        object.put("event", way(sent)).put("proto", "tcp");
        object.put("src", src.to_string());
        object.put("dst", dst.to_string());
        object.put("flags", header.flags.to_string());
        self.seq(object, src, dst, header);
        if header.flags.ack() {
            object.put("ack", self.relative.ack(src, dst, header.ack));
        }
        object.put("win", header.window.0);
        object.put("window", self.relative.window_bytes(src, dst, header));
        if header.flags.urg() {
            object.put("urg", header.urgent);
        }
        object.put("len", segment.len);
        let options = describe::options(header, |seq| self.relative.ack(src, dst, seq));
        object.put("options", options);
        object.tuple(connection).put("state", segment.state.name());
        object.put("cwnd", segment.variables.cwnd);
        if sent
            && let Some((_, _, reason)) = self
                .retransmit
                .take_if(|(at, tuple, _)| at == host && tuple == connection)
        {
            object.put("retransmit", describe::retransmit(reason));
        }
    }

    fn seq(&self, object: &mut Object, src: SocketAddr, dst: SocketAddr, header: &Header) {
        object.put("seq", self.relative.seq(src, dst, header.seq));
    }
}

const fn way(sent: bool) -> &'static str {
    if sent { "send" } else { "recv" }
}
