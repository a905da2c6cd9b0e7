//! What the small records, [`HalfOpen`](crate::HalfOpen) and [`TimeWait`](crate::TimeWait), share.

use crate::event::{DropReason, Event, Variables};
use crate::input::timestamp::timestamp;
use crate::{Chunks, Cx, FourTuple, Instant, Interest, IpMeta, SegmentIn, SegmentOut, State};
use estab_wire::tcp::{Flags, Header, Options, SegmentOptions, SeqNum, Timestamps, UnscaledWindow};

#[cfg(test)]
pub(crate) mod support;
#[cfg(test)]
mod tests;

/// What stands in a segment that is sent now: our clock with the connection's offset, and TS.Recent.
pub(crate) fn timestamps(now: Instant, offset: u32, recent: u32) -> Timestamps {
    Timestamps {
        value: timestamp(now, offset),
        echo: recent,
    }
}

/// Limits the answers to invalid segments: one in `tcp_invalid_ratelimit`, so that two ends that hold each other's
/// segments for invalid do not answer for ever. One record has its own limit: a common one would tell an outsider what
/// others receive (CVE-2016-5696).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limiter {
    /// The next answer may go then.
    next: Instant,
}

impl Limiter {
    pub(crate) fn allows(&mut self, cx: &Cx<'_>) -> bool {
        let allowed = cx.now >= self.next;
        if allowed {
            self.next = cx.now + cx.settings.tcp_invalid_ratelimit;
        }
        allowed
    }
}

/// The acceptability test (RFC 9293 3.10.7.4, table 6).
pub(crate) fn is_acceptable(segment: &SegmentIn, rcv_nxt: SeqNum, rcv_wnd: u32) -> bool {
    let seq = segment.header.seq;
    match (segment.seq_len(), rcv_wnd) {
        (0, 0) => seq == rcv_nxt,
        (_, 0) => false,
        (0, _) => seq.within(rcv_nxt, rcv_wnd),
        (len, _) => seq.within(rcv_nxt, rcv_wnd) || (seq + (len - 1)).within(rcv_nxt, rcv_wnd),
    }
}

/// Why a segment that is not acceptable is not used.
pub(crate) fn outside(segment: &SegmentIn, rcv_nxt: SeqNum) -> DropReason {
    let len = segment.seq_len();
    if len > 0 && (segment.header.seq + len).at_or_before(rcv_nxt) {
        DropReason::Duplicate
    } else {
        DropReason::OutsideWindow
    }
}

/// A segment without text.
pub(crate) fn control(
    tuple: &FourTuple,
    flags: Flags,
    (seq, ack): (SeqNum, SeqNum),
    window: u16,
    options: Options,
    ip: IpMeta,
) -> SegmentOut {
    SegmentOut {
        header: Header {
            src_port: tuple.local.port(),
            dst_port: tuple.remote.port(),
            seq,
            ack,
            flags,
            window: UnscaledWindow(window),
            urgent: 0,
            options,
        },
        ip,
        payload: Chunks::new(),
        segment_size: 0,
    }
}

/// Options of an ACK.
pub(crate) fn ack_options(timestamps: Option<Timestamps>) -> Options {
    Options::Segment(SegmentOptions {
        timestamps,
        ..SegmentOptions::default()
    })
}

/// Reports a segment that came.
pub(crate) fn report_in(
    cx: &mut Cx<'_>,
    tuple: &FourTuple,
    segment: &SegmentIn,
    state: State,
    variables: Variables,
) {
    cx.emit(tuple, Interest::SEGMENT, || Event::SegmentIn {
        header: &segment.header,
        len: segment.payload.len(),
        state,
        variables,
    });
}

/// Reports a segment that is handed over for sending.
pub(crate) fn report_out(
    cx: &mut Cx<'_>,
    tuple: &FourTuple,
    segment: &SegmentOut,
    state: State,
    variables: Variables,
) {
    cx.emit(tuple, Interest::SEGMENT, || Event::SegmentOut {
        header: &segment.header,
        len: segment.payload.len(),
        state,
        variables,
        segment_size: segment.segment_size,
    });
}

/// Reports a segment that is not used.
pub(crate) fn report_drop(
    cx: &mut Cx<'_>,
    tuple: &FourTuple,
    segment: &SegmentIn,
    reason: DropReason,
) {
    cx.emit(tuple, Interest::DROP, || Event::Drop {
        reason,
        header: &segment.header,
        len: segment.payload.len(),
    });
}
