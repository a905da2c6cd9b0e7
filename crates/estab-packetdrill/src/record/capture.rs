//! Scripts from the packets of one connection: the calls that would explain them are guessed.

use super::calls::{Called, Verb};
use super::moments::{Moment, What, ends, with_checksums};
use super::{Host, RecordError, build};
use crate::packet::{Live, LiveBody, LiveSegment, parse};
use crate::script::{Action, Body, Direction, Script, TcpOption};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use estab_stack::{Error, SocketOption};
use estab_tcp::{Instant, Settings, Shutdown};
use std::collections::BTreeSet;

mod guess;

/// The smallest payload of a full segment: a capture with a tiny MSS shall not become one of millions of segments.
const PAYLOAD_MIN: u32 = 48;

/// An answer that was seen so late was not seen where it was made.
const CAPTURE_DELAY: Duration = Duration::from_millis(1);

/// A packet of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When, on any clock.
    pub time: Duration,
    /// From the IP header on.
    pub data: Vec<u8>,
    /// Was it sent by the host that captured it? `None`: the capture does not tell.
    pub outbound: Option<bool>,
}

/// A segment, or an ICMP message about one.
#[derive(Clone, Debug)]
struct Seen {
    time: Duration,
    outbound: bool,
    live: Live,
}

/// Scripts that say the same as a capture of one connection, from the host at `local`, the likeliest first. Without `local` it is the host that
/// captured, or the one that opened the connection.
///
/// They differ in what packets do not tell: settings, Nagle's algorithm, when data was read.
///
/// # Errors
/// There is not just one connection, or its beginning is not there.
pub fn from_capture(
    packets: &[Captured],
    local: Option<IpAddr>,
) -> Result<Vec<Script>, RecordError> {
    let seen = seen(packets, local)?;
    let own_syn = syn(&seen, true);
    let peer_syn = syn(&seen, false);
    let first = seen
        .first()
        .ok_or_else(|| RecordError::new("there are no packets"))?;
    let (own, _) = ends(first.outbound, &first.live)
        .ok_or_else(|| RecordError::new("there are no segments"))?;
    if own_syn.is_none() && peer_syn.is_none() {
        return Err(RecordError::new(
            "the connection's beginning is not in the capture: there is no SYN",
        ));
    }
    let seen = cut_all(
        &from_its_own_side(&seen),
        segment_size(own.is_ipv6(), own_syn, peer_syn),
    );
    let mut scripts = Vec::new();
    for windows in [true, false] {
        for base in [crate::subject::linux_defaults(), Settings::default()] {
            let host = Host {
                name: String::new(),
                address: own.ip(),
                mtu: mtu(own.is_ipv6(), own_syn),
                settings: guess::settings(base, own_syn, peer_syn),
            };
            for (no_delay, reads) in [(false, true), (true, true), (false, false), (true, false)] {
                let moments = guess::moments(&seen, no_delay, reads);
                let mut script = build::script(&host, &moments)?;
                if !windows {
                    forget_windows(&mut script);
                }
                if !scripts.contains(&script) {
                    scripts.push(script);
                }
            }
        }
    }
    Ok(scripts)
}

/// The packets of the one connection, from the host's side, the first at time 0.
fn seen(packets: &[Captured], local: Option<IpAddr>) -> Result<Vec<Seen>, RecordError> {
    let start = packets.first().map_or(Duration::ZERO, |packet| packet.time);
    let mut all = Vec::new();
    for packet in packets {
        // What is not well-formed is not TCP's business.
        let Ok(live) = parse::packet(&with_checksums(&packet.data)) else {
            continue;
        };
        let is_about_tcp = match &live.body {
            LiveBody::Tcp(_) => true,
            LiveBody::Icmp(message) => message.quoted.is_some(),
            LiveBody::Udp { .. } | LiveBody::Other => false,
        };
        if is_about_tcp {
            all.push((packet.time.saturating_sub(start), packet.outbound, live));
        }
    }
    let segments = || {
        all.iter()
            .filter(|(_, _, live)| matches!(live.body, LiveBody::Tcp(_)))
    };
    let pairs: BTreeSet<(SocketAddr, SocketAddr)> = segments()
        .filter_map(|(_, _, live)| live.ends())
        .map(|(source, destination)| (source.min(destination), source.max(destination)))
        .collect();
    if pairs.len() != 1 {
        let count = pairs.len();
        return Err(RecordError::new(format!(
            "there are {count} connections in the capture, but a script is made of one: filter it first, such as by \
             `tshark -r FILE -Y 'tcp.stream == 0' -w ONE`"
        )));
    }
    let sent_by_host = segments().find(|(_, outbound, _)| *outbound == Some(true));
    let opens = |live: &Live| matches!(&live.body, LiveBody::Tcp(segment) if segment.flags.syn && !segment.flags.ack);
    let opened = segments().find(|(_, _, live)| opens(live));
    let host = local
        .or_else(|| sent_by_host.or(opened).map(|(_, _, live)| live.ip.source))
        .ok_or_else(|| {
            RecordError::new("the connection's beginning is not in the capture: there is no SYN")
        })?;
    if !pairs
        .iter()
        .any(|(one, other)| [one.ip(), other.ip()].contains(&host))
    {
        return Err(RecordError::new(format!(
            "the connection has no end at {host}"
        )));
    }
    let side = |(time, _, live): (Duration, Option<bool>, Live)| {
        let outbound = match &live.body {
            // Those about what the host sent come in.
            LiveBody::Icmp(message) => message
                .quoted
                .is_some_and(|quoted| quoted.source.ip() != host),
            _ => live.ip.source == host,
        };
        Seen {
            time,
            outbound,
            live,
        }
    };
    Ok(all.into_iter().map(side).collect())
}

/// The host answers a SYN at once. If its answer was seen late, the capture was made at the other end: times are moved by half of that.
fn from_its_own_side(seen: &[Seen]) -> Vec<Seen> {
    let mut seen = seen.to_vec();
    let first_syn = |outbound: bool| {
        let mut one_way = seen.iter().filter(|seen| seen.outbound == outbound);
        one_way.find(|seen| {
            let flags = seen.segment().map(|segment| segment.flags);
            flags.is_some_and(|flags| flags.syn || (flags.rst && flags.ack))
        })
    };
    let (Some(came), Some(went)) = (first_syn(false), first_syn(true)) else {
        return seen;
    };
    let answers = went.segment().is_some_and(|segment| segment.flags.ack);
    let way = went.time.saturating_sub(came.time) / 2;
    if answers && way > CAPTURE_DELAY {
        for one in &mut seen {
            one.time = if one.outbound {
                one.time.saturating_sub(way)
            } else {
                one.time + way
            };
        }
        seen.sort_by_key(|seen| seen.time);
        let start = seen.first().map_or(Duration::ZERO, |seen| seen.time);
        for one in &mut seen {
            one.time -= start;
        }
    }
    seen
}

impl Seen {
    fn segment(&self) -> Option<&LiveSegment> {
        match &self.live.body {
            LiveBody::Tcp(segment) => Some(segment),
            _ => None,
        }
    }
}

/// The first SYN of one side.
fn syn(seen: &[Seen], outbound: bool) -> Option<&LiveSegment> {
    let segments = seen.iter().filter(|seen| seen.outbound == outbound);
    segments
        .filter_map(Seen::segment)
        .find(|segment| segment.flags.syn)
}

fn mss(syn: Option<&LiveSegment>) -> Option<u16> {
    syn?.options.iter().find_map(|option| match option {
        TcpOption::Mss(mss) => Some(*mss),
        _ => None,
    })
}

/// The MTU that the host's SYN speaks of.
fn mtu(v6: bool, own_syn: Option<&LiveSegment>) -> u16 {
    let headers = if v6 { 60 } else { 40 };
    mss(own_syn).map_or(1500, |mss| mss.saturating_add(headers))
}

/// Bytes of payload in a full segment that the host sends.
fn segment_size(v6: bool, own_syn: Option<&LiveSegment>, peer_syn: Option<&LiveSegment>) -> u32 {
    let default = if v6 { 1220 } else { 536 };
    let largest = mss(own_syn)
        .unwrap_or(u16::MAX)
        .min(mss(peer_syn).unwrap_or(default));
    let stamped = |syn: Option<&LiveSegment>| {
        syn.is_some_and(|syn| {
            syn.options
                .iter()
                .any(|option| matches!(option, TcpOption::Timestamp { .. }))
        })
    };
    let options = if stamped(own_syn) && stamped(peer_syn) {
        12
    } else {
        0
    };
    u32::from(largest).saturating_sub(options).max(PAYLOAD_MIN)
}

/// Super-segments as they go over the wire: a capture shows what was handed to the device.
fn cut_all(seen: &[Seen], size: u32) -> Vec<Seen> {
    let mut all = Vec::with_capacity(seen.len());
    for one in seen {
        match one.segment() {
            Some(segment) if one.outbound && segment.len > size => {
                let mut at = 0;
                while at < segment.len {
                    let len = size.min(segment.len - at);
                    let mut part = segment.clone();
                    part.len = len;
                    part.seq = part.seq.wrapping_add(at);
                    at += len;
                    let last = at == segment.len;
                    part.flags.fin &= last;
                    part.flags.psh &= last;
                    let mut one = one.clone();
                    one.live.body = LiveBody::Tcp(part);
                    all.push(one);
                }
            }
            _ => all.push(one.clone()),
        }
    }
    all
}

fn forget_windows(script: &mut Script) {
    for event in &mut script.events {
        if let Action::Packet(packet) = &mut event.action
            && packet.direction == Direction::Outbound
            && let Body::Tcp(segment) = &mut packet.body
        {
            segment.window = None;
        }
    }
}
