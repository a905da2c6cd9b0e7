use crate::event::DropReason;
use crate::{Cx, FourTuple, Instant, SegmentIn, SegmentOut};

/// What is left of a connection in TIME-WAIT: enough to acknowledge a resent FIN and to judge a new SYN.
#[derive(Clone, Debug)]
pub struct TimeWait {}

/// What a TIME-WAIT record makes of a segment.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub enum TimeWaitDisposition {
    /// Not used.
    Drop(DropReason),
    /// Answer with this ACK; the deadline may have moved.
    Reply(SegmentOut, DropReason),
    /// A SYN that may take the four-tuple over (RFC 6191): forget the record and let a listener have the segment. The
    /// new connection's ISS must be after this number.
    NewIncarnation {
        /// Our last sequence number.
        snd_nxt: estab_wire::tcp::SeqNum,
    },
    /// A RST ended it (only when `tcp_rfc1337` is off).
    Closed,
}

#[allow(unused_variables)]
impl TimeWait {
    /// SEGMENT ARRIVES (RFC 9293 3.10.7.4, TIME-WAIT).
    pub fn handle_segment(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
    ) -> TimeWaitDisposition {
        todo!()
    }

    /// When it is over.
    pub fn deadline(&self) -> Instant {
        todo!()
    }

    /// May `connect` take the four-tuple now (RFC 6191, `tcp_tw_reuse`)? If so, the ISS must be after this number.
    pub fn reusable(&self, cx: &Cx<'_>) -> Option<estab_wire::tcp::SeqNum> {
        todo!()
    }

    /// Goes TIME-WAIT -> CLOSED and reports it.
    pub fn over(self, cx: &mut Cx<'_>, tuple: &FourTuple, cause: crate::Cause) {
        todo!()
    }
}

pub(crate) struct TimeWaitParts {
    pub(crate) snd_nxt: estab_wire::tcp::SeqNum,
    pub(crate) rcv_nxt: estab_wire::tcp::SeqNum,
    pub(crate) rcv_wnd: u16,
    pub(crate) timestamps: Option<(u32, u32)>,
    pub(crate) tos: u8,
    pub(crate) hop_limit: u8,
}
impl TimeWait {
    pub(crate) fn new(_cx: &mut Cx<'_>, _parts: TimeWaitParts) -> Self {
        todo!()
    }
}
