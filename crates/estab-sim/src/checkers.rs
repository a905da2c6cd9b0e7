//! What must hold after a run, whatever happened in it.

use crate::{HostId, Network, PeerReport};
use core::fmt;
use core::time::Duration;
use estab_tcp::{Cause, Header, SeqNum, State};
use estab_trace::states::{Edge, edges};
use estab_trace::{Record, Relative, TcpRecord};
use estab_wire::tcp::UnscaledWindow;
use std::collections::{BTreeMap, BTreeSet};

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Violation {}

fn must(holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation(what()))
    }
}

/// Two ends of one connection got just what the other one sent, and both orderly.
///
/// # Errors
/// Says what is not so.
pub fn streams_are_equal(one: &PeerReport, other: &PeerReport) -> Result<(), Violation> {
    for (here, there) in [(one, other), (other, one)] {
        must(here.mismatch.is_none(), || {
            format!("a wrong byte at {:?}", here.mismatch)
        })?;
        must(here.error.is_none(), || {
            format!("an error: {:?}", here.error)
        })?;
        must(here.end_of_file, || "no end of file".into())?;
        must(here.received == there.sent, || {
            format!("{} bytes received of {} sent", here.received, there.sent)
        })?;
    }
    Ok(())
}

/// What a connection that may fail must still keep to: no wrong byte, none that was not sent, and an end of file only after
/// the last one.
///
/// # Errors
/// Says what is not so.
pub fn streams_are_prefixes(one: &PeerReport, other: &PeerReport) -> Result<(), Violation> {
    for (here, there) in [(one, other), (other, one)] {
        must(here.mismatch.is_none(), || {
            format!("a wrong byte at {:?}", here.mismatch)
        })?;
        must(here.received <= there.sent, || {
            format!("{} bytes received of {} sent", here.received, there.sent)
        })?;
        let early = here.end_of_file && here.error.is_none() && here.received < there.sent;
        must(!early, || {
            format!(
                "end of file after {} of {} bytes",
                here.received, there.sent
            )
        })?;
    }
    Ok(())
}

/// Nothing is left of any connection: no socket, record, timer or byte, at any host. Lets time pass for that, at most `limit`.
///
/// # Errors
/// Says what is left.
pub fn nothing_is_left(network: &mut Network, limit: Duration) -> Result<(), Violation> {
    let rested = network.run_to_rest(limit);
    let hosts: Vec<HostId> = network.hosts().collect();
    for host in hosts {
        let counters = network.stack(host).counters();
        let left = [
            ("sockets", counters.sockets),
            ("connections", counters.connections),
            ("orphans", counters.orphans),
            ("half-open records", counters.half_open),
            ("TIME-WAIT records", counters.time_wait),
            ("timers", counters.timers),
            ("buffered bytes", counters.buffered),
        ];
        for (what, left) in left {
            let name = network.name(host);
            must(left == 0, || format!("{name}: {left} {what} are left"))?;
        }
    }
    must(rested, || {
        format!("something still happens after {limit:?}")
    })
}

/// No segment with RST was sent.
///
/// # Errors
/// Tells the first one.
pub fn no_resets(records: &[Record]) -> Result<(), Violation> {
    let reset = records
        .iter()
        .find(|record| record.sent().is_some_and(|sent| sent.header.flags.rst()));
    reset.map_or(Ok(()), |reset| {
        let at = reset.time;
        Err(Violation(format!("{} sent a RST at {at:?}", reset.host)))
    })
}

/// No segment was sent that a link's packets of `mtu[host]` bytes do not hold, for hosts named `a` and `b`.
///
/// # Errors
/// Tells the first one.
pub fn segments_fit(records: &[Record], mtu: [u16; 2]) -> Result<(), Violation> {
    for record in records {
        let (Some(sent), Some((tuple, _))) = (record.sent(), record.tcp()) else {
            continue;
        };
        if tuple.local.ip() == tuple.remote.ip() {
            continue;
        }
        let ip = if tuple.local.is_ipv4() { 20 } else { 40 };
        let bytes = ip + sent.header.header_len() + sent.len;
        let most = usize::from(mtu[usize::from(&*record.host == "b")]);
        must(bytes <= most, || {
            let at = record.time;
            format!(
                "{} sent a packet of {bytes} bytes at {at:?}, {most} fit",
                record.host
            )
        })?;
    }
    Ok(())
}

/// No host ever took back a window that it had offered (RFC 9293 3.8.6). Unless `strict`, less than what a window scale can express
/// may be missing: a receiver whose buffer is full rounds down, and still accepts it (RFC 7323).
///
/// # Errors
/// Tells the first time.
pub fn windows_are_kept(records: &[Record], strict: bool) -> Result<(), Violation> {
    let mut relative = Relative::new();
    let mut edges: BTreeMap<_, SeqNum> = BTreeMap::new();
    for record in records {
        let (Some(sent), Some((tuple, _))) = (record.sent(), record.tcp()) else {
            continue;
        };
        let (header, way) = (&sent.header, (tuple.local, tuple.remote));
        relative.observe(tuple.local, tuple.remote, header);
        if header.flags.syn() {
            edges.remove(&way);
        }
        if !header.flags.ack() || header.flags.rst() {
            continue;
        }
        let bytes = |header: &Header| relative.window_bytes(tuple.local, tuple.remote, header);
        let unit = bytes(&Header {
            window: UnscaledWindow(1),
            ..header.clone()
        });
        let edge = header.ack + bytes(header);
        let before = edges.entry(way).or_insert(edge);
        must(before.before(edge + if strict { 1 } else { unit }), || {
            let by = before.since(edge);
            format!(
                "{} took {by} bytes of window back at {:?}",
                record.host, record.time
            )
        })?;
        *before = before.max(edge);
    }
    Ok(())
}

/// Edges of the state table that runs have taken.
#[derive(Clone, Debug, Default)]
pub struct Coverage(BTreeSet<(&'static str, &'static str)>);

impl Coverage {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds those of a run.
    ///
    /// # Errors
    /// A change that the table does not have.
    pub fn add(&mut self, records: &[Record]) -> Result<(), Violation> {
        for record in records {
            if let Some((_, TcpRecord::State { from, to, cause })) = record.tcp() {
                must(from.next(*cause) == Some(*to), || {
                    format!("{from} -> {to} by {cause} is not in the table")
                })?;
                self.0.insert((from.name(), cause.name()));
            }
        }
        Ok(())
    }

    /// Was this edge taken?
    pub fn has(&self, from: State, cause: Cause) -> bool {
        self.0.contains(&(from.name(), cause.name()))
    }

    /// Edges of the table that were never taken.
    pub fn missing(&self) -> Vec<Edge> {
        edges()
            .filter(|edge| !self.has(edge.from, edge.cause))
            .collect()
    }
}
