//! The way out of TCP.

use super::ConnectionId;
use crate::ip::{Outgoing, Path, Transport};
use crate::{Error, InterfaceId, Stack};
use core::net::{IpAddr, SocketAddr};
use estab_tcp::{
    Chunks, Flags, FourTuple, Header, IcmpError, IcmpErrorKind, Instant, IpMeta, SegmentOut,
    SeqNum, State,
};
use estab_wire::tcp::{HEADER_LEN_MAX, Options, UnscaledWindow};

/// Payload of the largest super-segment, so that with all headers it fits in an IP packet.
const SUPER_SEGMENT_MAX: u32 = 65_535 - 60 - HEADER_LEN_MAX as u32;
/// Payload of a super-segment that is cut in software.
const SOFTWARE_CUT_MAX: u32 = 16 << 10;

impl Stack {
    /// One turn of the connection at the head of the dirty list. They take turns, one super-segment each.
    pub(crate) fn transmit_next(&mut self, now: Instant) -> bool {
        let Some(id) = self.tcp.dirty.pop_front() else {
            return false;
        };
        if self.transmit_one(now, id) {
            self.tcp.dirty.push_back(id);
        } else {
            if let Some(kept) = self.tcp.connections.get_mut(id) {
                kept.dirty = false;
            }
            self.settle(now, id);
        }
        true
    }

    /// Sends one segment of a connection; false when it has none.
    pub(super) fn transmit_one(&mut self, now: Instant, id: ConnectionId) -> bool {
        let generation = self.route_generation;
        let Some(kept) = self.tcp.connections.get_mut(id).filter(|kept| !kept.ended) else {
            return false;
        };
        let tuple = *kept.connection.tuple();
        if kept.generation != generation {
            kept.generation = generation;
            if let Ok(path) = self.ip.route(now, tuple.remote.ip(), kept.interface) {
                kept.max_segments = max_segments(&path);
                let mut cx = self.reporter.cx(now, &self.settings);
                kept.connection.limit_path_mtu(&mut cx, path.mtu.into());
            }
        }
        let mut cx = self.reporter.cx(now, &self.settings);
        let Some(segment) = kept.connection.poll_transmit(&mut cx, kept.max_segments) else {
            return false;
        };
        let (interface, seq) = (kept.interface, segment.header.seq);
        if let Err(error) = self.send_segment(now, &tuple, interface, segment) {
            self.not_sent(now, id, seq, error);
        }
        true
    }

    /// The IP layer did not take a segment: the connection learns why, as from an ICMP error, and its timers do the rest.
    fn not_sent(&mut self, now: Instant, id: ConnectionId, seq: SeqNum, error: Error) {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        let tuple = *kept.connection.tuple();
        let kind = match error {
            Error::MessageTooLong => {
                // It can only be the link's own limit: look again.
                kept.generation = 0;
                None
            }
            Error::NetworkUnreachable => Some(IcmpErrorKind::NetUnreachable),
            Error::HostUnreachable => Some(IcmpErrorKind::HostUnreachable),
            _ => None,
        };
        if let Some(kind) = kind {
            let from = tuple.local.ip();
            let mut cx = self.reporter.cx(now, &self.settings);
            let error = IcmpError { seq, kind, from };
            kept.connection.handle_icmp(&mut cx, error);
        }
    }

    /// Hands a segment to the IP layer.
    pub(super) fn send_segment(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        interface: Option<InterfaceId>,
        segment: SegmentOut,
    ) -> Result<(), Error> {
        let mut header = [0; HEADER_LEN_MAX];
        let len = segment.header.emit(&mut header);
        let outgoing = Outgoing {
            transport: Transport::Tcp,
            // RFC 9293 3.9.1.1 MUST-45: the connection's address, wherever the route leads now.
            src: tuple.local.ip(),
            dst: tuple.remote.ip(),
            interface,
            meta: segment.ip,
            header: header.get(..len).unwrap_or_default(),
            payload: segment.payload,
            segment_size: segment.segment_size,
        };
        let mut cx = self.reporter.ip_cx(now, &self.settings);
        let result = self.ip.send(&mut cx, outgoing);
        let counters = &mut self.reporter.counters;
        match result {
            Ok(()) => counters.segments_out += 1,
            Err(_) => counters.unsendable += 1,
        }
        result
    }

    /// Sends a segment that no connection made.
    pub(super) fn send_control(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        interface: Option<InterfaceId>,
        state: State,
        segment: SegmentOut,
    ) {
        self.reporter.segment_out(now, tuple, state, &segment);
        self.send_reported(now, tuple, interface, segment);
    }

    /// Sends a segment of a record, which has reported it.
    pub(super) fn send_reported(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        interface: Option<InterfaceId>,
        segment: SegmentOut,
    ) {
        // What cannot be sent is counted there; the peer or a timer asks again.
        let _ = self.send_segment(now, tuple, interface, segment);
    }

    /// The interface over which a peer must be answered, where the routes could not know.
    pub(super) fn answer_over(
        &self,
        interface: InterfaceId,
        tuple: &FourTuple,
    ) -> Option<InterfaceId> {
        let foreign = !self.ip.is_local(tuple.local.ip());
        (foreign || is_link_local(tuple.remote.ip())).then_some(interface)
    }

    /// The path to a peer.
    pub(super) fn path(
        &self,
        now: Instant,
        remote: SocketAddr,
        interface: Option<InterfaceId>,
    ) -> Result<Path, Error> {
        self.ip.route(now, remote.ip(), interface)
    }
}

/// Wire segments that one super-segment may have on this path.
fn max_segments(path: &Path) -> u16 {
    let payload = match path.segmentation_offload {
        0 => SOFTWARE_CUT_MAX,
        most => most.min(SUPER_SEGMENT_MAX),
    };
    let each = u32::from(path.mtu).saturating_sub(40).max(1);
    u16::try_from(payload / each).unwrap_or(u16::MAX).max(1)
}

/// Bytes of payload that an IP packet of `mtu` bytes takes in a segment without options.
// RFC 9293 3.7.1 MUST-67: the MSS counts neither IP nor TCP options, only the fixed headers are taken off.
pub(super) fn mss_of(path: &Path, remote: IpAddr) -> u16 {
    let headers = if remote.is_ipv4() { 40 } else { 60 };
    let mss = path.mtu.saturating_sub(headers).max(1);
    path.mss.map_or(mss, |limit| limit.min(mss))
}

pub(crate) fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// The RST that answers a segment to no connection.
// RFC 9293 3.10.7.1, 3.5.2. That a RST is never answered is the caller's care.
pub(super) fn reset_for(header: &Header, seq_len: u32) -> SegmentOut {
    let (seq, ack, flags) = if header.flags.ack() {
        (header.ack, SeqNum(0), Flags::RST)
    } else {
        (SeqNum(0), header.seq + seq_len, Flags::RST | Flags::ACK)
    };
    bare(header.dst_port, header.src_port, seq, ack, flags)
}

/// A segment of a header only.
pub(super) fn bare(
    src_port: u16,
    dst_port: u16,
    seq: SeqNum,
    ack: SeqNum,
    flags: Flags,
) -> SegmentOut {
    SegmentOut {
        header: Header {
            src_port,
            dst_port,
            seq,
            ack,
            flags,
            window: UnscaledWindow(0),
            urgent: 0,
            options: Options::NONE,
        },
        ip: IpMeta {
            dont_fragment: true,
            ..IpMeta::default()
        },
        payload: Chunks::new(),
        segment_size: 0,
    }
}
