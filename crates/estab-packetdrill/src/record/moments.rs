//! What happened at a host, moment by moment.

use super::calls::Called;
use super::{Host, RecordError, build};
use crate::packet::{
    Ip, Live, LiveBody, LiveSegment, QuotedTransport, flags_from_bits, options, parse,
};
use crate::script::Script;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use estab_stack::{Layers, Medium};
use estab_tcp::Header;
use estab_tcp::event::DropReason;
use estab_trace::{Environment, HostRecord, Record, TcpRecord};
use estab_wire::tcp::{self, CHECKSUM_OFFSET, HEADER_LEN, HEADER_LEN_MAX};
use estab_wire::{protocol, udp};

/// A packet or a call.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) time: Duration,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    /// It sent this, or it came in.
    Packet {
        outbound: bool,
        live: Live,
    },
    Called(Called),
}

/// The script of what a host recorded, and of the calls that were made. The records must have whole packets.
///
/// # Errors
/// Something happened that no script can say.
pub fn from_records(
    host: &Host,
    records: &[Record],
    calls: &[Called],
) -> Result<Script, RecordError> {
    let mut moments = Vec::new();
    let mut calls = calls.iter().peekable();
    let mut call = |moments: &mut Vec<Moment>, before: usize| {
        while let Some(called) = calls.next_if(|called| called.after <= before) {
            moments.push(Moment {
                time: since_start(called.time),
                what: What::Called(called.clone()),
            });
        }
    };
    for (index, record) in records.iter().enumerate() {
        call(&mut moments, index);
        if *record.host != *host.name {
            continue;
        }
        let rest = records.get(index + 1..).unwrap_or_default();
        if let Some((outbound, live)) = packet(record, rest)? {
            let what = What::Packet { outbound, live };
            let time = since_start(record.time);
            moments.push(Moment { time, what });
        }
    }
    call(&mut moments, usize::MAX);
    build::script(host, &moments)
}

fn since_start(time: estab_tcp::Instant) -> Duration {
    Duration::from_nanos(time.as_nanos())
}

/// The packet of a record, if it has one that matters.
fn packet(record: &Record, rest: &[Record]) -> Result<Option<(bool, Live)>, RecordError> {
    Ok(match &record.event {
        HostRecord::Environment(Environment::Reboot) => {
            return Err(RecordError::new(
                "the host is started anew: no call says that",
            ));
        }
        HostRecord::PacketIn { data, .. } if is_used(record, rest) => {
            let live = parse::packet(&with_checksums(data)).ok();
            live.filter(|live| live.body != LiveBody::Other)
                .map(|live| (false, live))
        }
        // Of segments there are records of their own, which are cut as they go over the wire.
        HostRecord::PacketOut { data, .. } => {
            let live = parse::packet(&with_checksums(data)).ok();
            let other = |live: &Live| !matches!(live.body, LiveBody::Tcp(_) | LiveBody::Other);
            live.filter(other).map(|live| (true, live))
        }
        HostRecord::Tcp {
            connection,
            event: TcpRecord::SegmentOut(segment),
        } => {
            let (local, remote) = (connection.local, connection.remote);
            segment_out(local, remote, &segment.header, segment.len).map(|live| (true, live))
        }
        _ => None,
    })
}

/// Was a packet that came in well-formed, and meant for the host?
fn is_used(record: &Record, rest: &[Record]) -> bool {
    let own = rest.iter().filter(|other| other.host == record.host);
    let until_next = own.take_while(|other| {
        other.time == record.time && !matches!(other.event, HostRecord::PacketIn { .. })
    });
    !until_next.into_iter().any(|other| match &other.event {
        HostRecord::Drop { reason }
        | HostRecord::Tcp {
            event: TcpRecord::Drop { reason, .. },
            ..
        } => matches!(
            reason,
            DropReason::Checksum | DropReason::Malformed | DropReason::Address
        ),
        _ => false,
    })
}

/// The checksum of a segment or datagram.
type SumOf = fn(IpAddr, IpAddr, &[u8]) -> u16;

/// A packet with right checksums: a link in memory carries them unfinished.
pub(super) fn with_checksums(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    let Some(layers) = Layers::find(Medium::Ip, &packet) else {
        return packet;
    };
    let end = layers.end.min(packet.len());
    let (offset, of): (usize, SumOf) = match layers.protocol {
        protocol::TCP => (CHECKSUM_OFFSET, |src, dst, bytes| {
            tcp::checksum(src, dst, std::iter::once(bytes))
        }),
        protocol::UDP => (udp::CHECKSUM_OFFSET, |src, dst, bytes| {
            udp::checksum(src, dst, std::iter::once(bytes))
        }),
        _ => return packet,
    };
    let (src, dst) = (layers.src, layers.dst);
    if let Some(transport) = packet
        .get_mut(layers.transport..end)
        .filter(|transport| transport.len() >= offset + 2)
    {
        transport[offset..offset + 2].fill(0);
        let sum = of(src, dst, transport);
        transport[offset..offset + 2].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

fn segment_out(local: SocketAddr, remote: SocketAddr, header: &Header, len: usize) -> Option<Live> {
    let mut bytes = [0; HEADER_LEN_MAX];
    let header_len = header.emit(&mut bytes);
    let segment = LiveSegment {
        source_port: local.port(),
        destination_port: remote.port(),
        seq: header.seq.0,
        ack: header.ack.0,
        flags: flags_from_bits(header.flags.bits()),
        window: header.window.0,
        urgent: header.urgent,
        options: options::parse(bytes.get(HEADER_LEN..header_len)?).ok()?,
        len: u32::try_from(len).ok()?,
    };
    Some(Live {
        ip: Ip {
            source: local.ip(),
            destination: remote.ip(),
            tos: 0,
            ttl: 0,
            flow_label: 0,
        },
        body: LiveBody::Tcp(segment),
    })
}

/// The ends of a packet, or of the one that it quotes: the host's own first.
pub(super) fn ends(outbound: bool, live: &Live) -> Option<(SocketAddr, SocketAddr)> {
    if let LiveBody::Icmp(message) = &live.body {
        let quoted = message.quoted?;
        let was_sent_by_host = !outbound;
        let (source, destination) = (quoted.source, quoted.destination);
        return Some(if was_sent_by_host {
            (source, destination)
        } else {
            (destination, source)
        });
    }
    let (source, destination) = live.ends()?;
    Some(if outbound {
        (source, destination)
    } else {
        (destination, source)
    })
}

/// Is it about UDP?
pub(super) fn is_udp(live: &Live) -> bool {
    match &live.body {
        LiveBody::Udp { .. } => true,
        LiveBody::Icmp(message) => message
            .quoted
            .is_some_and(|quoted| matches!(quoted.transport, QuotedTransport::Udp { .. })),
        LiveBody::Tcp(_) | LiveBody::Other => false,
    }
}
