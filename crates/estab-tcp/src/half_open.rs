use crate::event::DropReason;
use crate::{Cx, FourTuple, Instant, SegmentIn, SegmentOut, SocketOptions};
use estab_wire::tcp::SeqNum;

/// A connection in SYN-RECEIVED that a listener's SYN queue holds: a small record, no buffers.
#[derive(Clone, Debug)]
pub struct HalfOpen {}

/// What a half-open record makes of a segment (RFC 9293 3.10.7.4 in SYN-RECEIVED).
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub enum HalfOpenDisposition {
    /// Not used.
    Drop(DropReason),
    /// Answer with this segment, and keep the record.
    Reply(SegmentOut, DropReason),
    /// Our SYN is acknowledged: make a connection with `Connection::from_half_open` and the segment.
    Established,
    /// Answer with this RST, and keep the record (an unacceptable ACK).
    Reset(SegmentOut),
    /// The peer reset it: forget the record.
    Closed,
}

/// What a new connection learns from its owner.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Initial send sequence number (RFC 6528).
    pub iss: SeqNum,
    /// Added to the clock in our timestamps (RFC 7323 section 7.1).
    pub timestamp_offset: u32,
    /// MSS to announce: what the interface, or the route, allows in one segment without options.
    pub mss: u16,
}

#[allow(unused_variables)]
impl HalfOpen {
    /// From a SYN that met a listener; goes LISTEN -> SYN-RECEIVED and reports it. The SYN-ACK is not sent by this.
    pub fn new(
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        syn: &SegmentIn,
        opening: Opening,
        options: &SocketOptions,
    ) -> Self {
        todo!()
    }

    /// The SYN-ACK, to send and resend.
    pub fn syn_ack(
        &self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        options: &SocketOptions,
    ) -> SegmentOut {
        todo!()
    }

    /// SEGMENT ARRIVES. A repeated SYN gives `Reply` with the SYN-ACK again.
    pub fn handle_segment(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
        options: &SocketOptions,
    ) -> HalfOpenDisposition {
        todo!()
    }

    /// When the SYN-ACK must be resent, or the record forgotten.
    pub fn deadline(&self) -> Instant {
        todo!()
    }

    /// The deadline passed: the SYN-ACK again, or `None` when the retries are used up and the record must go.
    pub fn handle_timeout(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        options: &SocketOptions,
    ) -> Option<SegmentOut> {
        todo!()
    }

    /// A SYN cookie came back valid (RFC 4987): the record as it would have been. `mss` is the peer's, as the cookie
    /// kept it; scale, SACK and timestamps are taken from the timestamp that our SYN-ACK carried.
    pub fn from_cookie(
        cx: &mut Cx<'_>,
        ack: &SegmentIn,
        opening: Opening,
        peer: CookieOptions,
    ) -> Self {
        todo!()
    }
}

/// What a SYN cookie and its timestamp remember of the SYN's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieOptions {
    /// The peer's MSS, one of a few.
    pub mss: u16,
    /// The peer's window scale.
    pub window_scale: Option<u8>,
    /// SACK was offered.
    pub sack: bool,
    /// Timestamps were offered.
    pub timestamps: bool,
}

pub(crate) struct HalfOpenParts {
    pub(crate) opening: Opening,
    pub(crate) irs: SeqNum,
    pub(crate) peer_mss: u16,
    pub(crate) peer_wscale: Option<u8>,
    pub(crate) our_wscale: Option<u8>,
    pub(crate) sack: bool,
    pub(crate) timestamps: Option<u32>,
    pub(crate) announced_window: u16,
    pub(crate) peer_window: u16,
    pub(crate) resent: bool,
    pub(crate) sent_at: Instant,
}
impl HalfOpen {
    pub(crate) fn into_parts(self) -> HalfOpenParts {
        todo!()
    }
}
