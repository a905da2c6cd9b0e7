//! A segment comes in: whose is it? (RFC 9293 section 3.10.7)

use super::ConnectionId;
use super::output::{is_link_local, reset_for};
use crate::ip::{IcmpReport, LOOPBACK, TransportIn};
use crate::{Checksum, InterfaceId, Stack};
use core::net::{IpAddr, SocketAddr, SocketAddrV6};
use estab_tcp::event::DropReason;
use estab_tcp::{
    Event, Flags, FourTuple, IcmpError, IcmpErrorKind, Instant, SegmentIn, Sink, State,
};
use estab_wire::tcp::Header;

/// A segment on its way through the stack.
pub(super) struct Arrival {
    pub(super) tuple: FourTuple,
    pub(super) segment: SegmentIn,
    pub(super) interface: InterfaceId,
    /// The IP packet, to be quoted.
    pub(super) original: bytes::Bytes,
    /// An earlier incarnation of the connection ended at this sequence number.
    pub(super) after: Option<estab_tcp::SeqNum>,
}

impl Stack {
    pub(crate) fn tcp_arrives(&mut self, now: Instant, packet: TransportIn) {
        let arrival = match parse(packet, |address| self.ip.is_broadcast(address)) {
            Ok(arrival) => arrival,
            Err(reason) => return self.reporter.drop_packet(now, reason),
        };
        self.reporter.counters.segments_in += 1;
        let tuple = &arrival.tuple;
        if let Some(id) = self.tcp.connections.find(tuple) {
            return self.connection_arrives(now, id, arrival.segment);
        }
        if let Some(id) = self.tcp.half_open.find(tuple) {
            return self.half_open_arrives(now, id, arrival);
        }
        if let Some(id) = self.tcp.time_wait.find(tuple) {
            if let Some(arrival) = self.time_wait_arrives(now, id, arrival) {
                self.unconnected_arrives(now, arrival);
            }
            return;
        }
        self.unconnected_arrives(now, arrival);
    }

    fn connection_arrives(&mut self, now: Instant, id: ConnectionId, mut segment: SegmentIn) {
        let Some(kept) = self.tcp.connections.get(id) else {
            return;
        };
        if !segment.payload.is_empty()
            && kept.connection.state() != State::SynSent
            && self.allowance(kept) == 0
        {
            self.reporter.counters.memory_pressure += 1;
            strip(&mut segment);
        }
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        let mut cx = self.reporter.cx(now, &self.settings);
        kept.connection.handle_segment(&mut cx, segment);
        self.touched(now, id);
    }

    /// No connection and no record: a listener's, an interceptor's, or nobody's.
    pub(super) fn unconnected_arrives(&mut self, now: Instant, arrival: Arrival) {
        let local = arrival.tuple.local;
        let group = self.tcp.listeners.group(local.ip(), local.port());
        if let Some(listener) = self.tcp.listeners.pick(group, &arrival.tuple) {
            return self.listener_arrives(now, listener, arrival);
        }
        if let Some(arrival) = self.interception_arrives(now, arrival) {
            self.closed_arrives(now, &arrival);
        }
    }

    /// Would a SYN for this address and port be looked at by anyone?
    pub(super) fn is_served(&self, local: SocketAddr) -> bool {
        let group = self.tcp.listeners.group(local.ip(), local.port());
        !group.is_empty() || !self.tcp.interceptors.is_empty()
    }

    /// CLOSED (RFC 9293 3.10.7.1): everything but a RST is answered by one.
    pub(super) fn closed_arrives(&mut self, now: Instant, arrival: &Arrival) {
        self.segment_in_event(now, arrival, State::Closed);
        self.drop_arrival(now, arrival, DropReason::NoSocket);
        self.reset(now, arrival, State::Closed);
    }

    /// Answers a segment with RST, when that is allowed.
    pub(super) fn reset(&mut self, now: Instant, arrival: &Arrival, state: State) {
        let header = &arrival.segment.header;
        if header.flags.rst() {
            return;
        }
        let limit = self.settings.tcp_resets_per_sec;
        if !self.tcp.resets.allows(now, limit) {
            return self.drop_arrival(now, arrival, DropReason::RateLimited);
        }
        self.reporter.counters.resets_out += 1;
        let reset = reset_for(header, arrival.segment.seq_len());
        let over = self.answer_over(arrival.interface, &arrival.tuple);
        self.send_control(now, &arrival.tuple, over, state, reset);
    }

    pub(super) fn drop_arrival(&mut self, now: Instant, arrival: &Arrival, reason: DropReason) {
        let segment = &arrival.segment;
        let len = segment.payload.len();
        self.reporter
            .drop_segment(now, &arrival.tuple, reason, &segment.header, len);
    }

    /// Reports a segment that meets no connection.
    pub(super) fn segment_in_event(&mut self, now: Instant, arrival: &Arrival, state: State) {
        let event = Event::SegmentIn {
            header: &arrival.segment.header,
            len: arrival.segment.payload.len(),
            state,
            variables: estab_tcp::event::Variables::default(),
        };
        self.reporter.event(now, &arrival.tuple, &event);
    }

    /// An ICMP error quotes a segment of ours, or a neighbour of ours does not answer.
    // RFC 9293 3.9.2.2 MUST-54: it goes to the connection that it is about.
    pub(crate) fn icmp_for_tcp(&mut self, now: Instant, report: &IcmpReport) {
        let tuple = FourTuple {
            local: canonical(report.local, None),
            remote: canonical(report.remote, None),
        };
        let error = IcmpError {
            seq: report.seq,
            kind: report.kind,
            from: report.from,
        };
        if let Some(id) = self.tcp.connections.find(&tuple) {
            self.icmp_for_connection(now, id, error);
        } else if let Some(id) = self.tcp.half_open.find(&tuple) {
            self.icmp_for_half_open(now, id, error);
        } else {
            self.reporter.counters.icmp_unmatched += 1;
        }
    }

    fn icmp_for_connection(&mut self, now: Instant, id: ConnectionId, error: IcmpError) {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        let before = kept.connection.info(&self.settings).path_mtu;
        let mut cx = self.reporter.cx(now, &self.settings);
        kept.connection.handle_icmp(&mut cx, error);
        let after = kept.connection.info(&self.settings).path_mtu;
        if let IcmpErrorKind::PacketTooBig { mtu } = error.kind
            && after < before
        {
            // The connection checked that it sent what is quoted (RFC 5927), so others may believe it too.
            let remote = kept.connection.tuple().remote.ip();
            let mut cx = self.reporter.ip_cx(now, &self.settings);
            self.ip.learn_path_mtu(&mut cx, remote, mtu);
            self.route_generation += 1;
        }
        self.touched(now, id);
    }
}

/// Takes the text out of a segment; what it acknowledges stays.
fn strip(segment: &mut SegmentIn) {
    segment.payload.clear();
    segment.header.flags = segment
        .header
        .flags
        .without(Flags::FIN | Flags::PSH | Flags::URG);
    segment.segments = 1;
    segment.segment_size = 0;
}

/// Verifies and parses.
fn parse(
    packet: TransportIn,
    is_broadcast: impl Fn(IpAddr) -> bool,
) -> Result<Arrival, DropReason> {
    // RFC 9293 3.1 MUST-3: the checksum is verified, unless the device has.
    if packet.checksum == Checksum::Unverified
        && !estab_wire::tcp::verify(packet.src, packet.dst, &packet.data)
    {
        return Err(DropReason::Checksum);
    }
    let (header, offset) = Header::parse(&packet.data).map_err(|_| DropReason::Malformed)?;
    // RFC 9293 3.9.2.3 MUST-57, MUST-63: neither end may be a group, nor the source nobody.
    let bad = |a: IpAddr| a.is_unspecified() || a.is_multicast() || is_broadcast(a);
    if bad(packet.src) || bad(packet.dst) {
        return Err(DropReason::Address);
    }
    let scope = Some(packet.interface);
    let tuple = FourTuple {
        local: canonical(SocketAddr::new(packet.dst, header.dst_port), None),
        remote: canonical(SocketAddr::new(packet.src, header.src_port), scope),
    };
    // Nobody but ourselves sends from our address and port.
    if tuple.local == tuple.remote && packet.interface != LOOPBACK {
        return Err(DropReason::Address);
    }
    let segment = SegmentIn {
        header,
        ip: packet.meta,
        payload: packet.data.slice(offset..),
        segments: packet.segments.max(1),
        segment_size: packet.segment_size,
    };
    Ok(Arrival {
        tuple,
        segment,
        interface: packet.interface,
        original: packet.original,
        after: None,
    })
}

/// One form for each address, so that tuples compare: IPv4 plain, no flow label, a scope only where it is needed.
pub(crate) fn canonical(address: SocketAddr, interface: Option<InterfaceId>) -> SocketAddr {
    let ip = address.ip().to_canonical();
    match (ip, address) {
        (IpAddr::V6(v6), SocketAddr::V6(given)) if is_link_local(ip) => {
            let scope = interface.map_or_else(|| given.scope_id(), InterfaceId::scope_id);
            SocketAddrV6::new(v6, address.port(), 0, scope).into()
        }
        _ => SocketAddr::new(ip, address.port()),
    }
}
