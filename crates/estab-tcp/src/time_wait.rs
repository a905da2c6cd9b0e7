use crate::event::{DropReason, Event, Timer, Variables};
use crate::input::timestamp::before;
use crate::record::{
    Limiter, ack_options, control, is_acceptable, outside, report_drop, report_in, report_out,
    timestamps,
};
use crate::state::enter;
use crate::{Cause, Cx, FourTuple, Instant, IpMeta, SegmentIn, SegmentOut, State};
use core::time::Duration;
use estab_wire::tcp::{Flags, SeqNum};

#[cfg(test)]
mod tests;

/// An ACK further behind than the largest window cannot be of this connection (RFC 5961, with the largest possible
/// MAX.SND.WND, as RFC 9293 3.10.7.4 allows).
const MAX_SND_WND: u32 = 0xffff << 14;
/// A connection that opens again this long after the last segment has later timestamps, whatever the peer's clock
/// (RFC 7323: a tick is at most a second).
const REUSE_AFTER: Duration = Duration::from_secs(1);

/// What is left of a connection in TIME-WAIT: enough to acknowledge a resent FIN and to judge a new SYN.
///
/// It reports the segments that it takes and makes. What a disposition carries is already reported; the caller sends it.
#[derive(Clone, Debug)]
pub struct TimeWait {
    iss: SeqNum,
    irs: SeqNum,
    snd_nxt: SeqNum,
    rcv_nxt: SeqNum,
    /// Our offset and TS.Recent, when timestamps were agreed.
    timestamps: Option<(u32, u32)>,
    /// As it stands in a header.
    window: u16,
    scale: u8,
    tos: u8,
    hop_limit: u8,
    /// When the wait began, or began again.
    since: Instant,
    deadline: Instant,
    answers: Limiter,
}

/// What a TIME-WAIT record makes of a segment.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub enum TimeWaitDisposition {
    /// Not used.
    Drop(DropReason),
    /// Answer with this ACK; the deadline may have moved.
    Reply(SegmentOut, DropReason),
    /// A SYN that may take the four-tuple over (RFC 6191): end the record with [`over`](TimeWait::over) and let a listener
    /// have the segment, which is not reported yet. The new connection's ISS must be after this number.
    NewIncarnation {
        /// Our last sequence number.
        snd_nxt: SeqNum,
    },
    /// A RST ended it (only when `tcp_rfc1337` is off): forget the record. CLOSED is reported.
    Closed,
}

/// What a connection leaves.
pub(crate) struct TimeWaitParts {
    pub(crate) iss: SeqNum,
    pub(crate) irs: SeqNum,
    pub(crate) snd_nxt: SeqNum,
    pub(crate) rcv_nxt: SeqNum,
    /// As it stands in a header.
    pub(crate) rcv_wnd: u16,
    /// Its shift; 0 when scaling was not agreed.
    pub(crate) rcv_wscale: u8,
    /// Our offset and TS.Recent, when timestamps were agreed.
    pub(crate) timestamps: Option<(u32, u32)>,
    pub(crate) tos: u8,
    /// 0: the stack's default.
    pub(crate) hop_limit: u8,
}

impl TimeWait {
    /// Begins to wait.
    pub(crate) fn new(cx: &mut Cx<'_>, tuple: &FourTuple, parts: TimeWaitParts) -> Self {
        let mut record = Self {
            iss: parts.iss,
            irs: parts.irs,
            snd_nxt: parts.snd_nxt,
            rcv_nxt: parts.rcv_nxt,
            timestamps: parts.timestamps,
            window: parts.rcv_wnd,
            tos: parts.tos,
            hop_limit: parts.hop_limit,
            scale: parts.rcv_wscale.min(14),
            since: cx.now,
            deadline: cx.now,
            answers: Limiter::default(),
        };
        record.arm(cx, tuple);
        record
    }

    /// SEGMENT ARRIVES (RFC 9293 3.10.7.4, TIME-WAIT).
    pub fn handle_segment(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
    ) -> TimeWaitDisposition {
        if self.is_new_incarnation(cx, segment) {
            let snd_nxt = self.snd_nxt;
            return TimeWaitDisposition::NewIncarnation { snd_nxt };
        }
        report_in(cx, tuple, segment, State::TimeWait, self.variables());
        let disposition = self.judge(cx, tuple, segment);
        if let TimeWaitDisposition::Drop(reason) | TimeWaitDisposition::Reply(_, reason) =
            &disposition
        {
            report_drop(cx, tuple, segment, *reason);
        }
        disposition
    }

    /// The steps of 3.10.7.4 in their order.
    fn judge(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
    ) -> TimeWaitDisposition {
        let header = &segment.header;
        if header.flags.rst() {
            return self.judge_rst(cx, tuple, segment);
        }
        // A SYN that may not take over: an old duplicate, or a peer that knows nothing of this connection and will say
        // so with a RST.
        if header.flags.syn() {
            return self.challenge(cx, tuple, DropReason::ChallengedSyn);
        }
        if let Some((_, recent)) = self.timestamps {
            match header.options.timestamps() {
                None => return TimeWaitDisposition::Drop(DropReason::NoTimestamp),
                Some(ts) if before(ts.value, recent) => {
                    return self.challenge(cx, tuple, DropReason::Paws);
                }
                Some(_) => {}
            }
        }
        let end = header.seq + segment.seq_len();
        if header.flags.fin() && header.flags.ack() && end == self.rcv_nxt {
            return self.acknowledge_fin(cx, tuple, segment);
        }
        // First: the sequence number.
        if !is_acceptable(segment, self.rcv_nxt, self.rcv_wnd()) {
            return self.challenge(cx, tuple, outside(segment, self.rcv_nxt));
        }
        // Fifth: the ACK.
        if !header.flags.ack() {
            return TimeWaitDisposition::Drop(DropReason::NoAck);
        }
        let behind = self.snd_nxt.since(header.ack);
        if behind > MAX_SND_WND {
            return self.challenge(cx, tuple, DropReason::InvalidAck);
        }
        // Seventh: the peer's FIN has come, no text can follow it.
        TimeWaitDisposition::Drop(DropReason::TimeWait)
    }

    /// RFC 1337 fix F1: a RST does not cut the wait short. Without the setting it counts only at RCV.NXT (RFC 5961).
    fn judge_rst(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
    ) -> TimeWaitDisposition {
        if !is_acceptable(segment, self.rcv_nxt, self.rcv_wnd()) {
            return TimeWaitDisposition::Drop(DropReason::InvalidRst);
        }
        if cx.settings.tcp_rfc1337 {
            return TimeWaitDisposition::Drop(DropReason::TimeWaitRst);
        }
        if segment.header.seq != self.rcv_nxt {
            return self.challenge(cx, tuple, DropReason::ChallengedRst);
        }
        enter(cx, tuple, State::TimeWait, Cause::ReceiveRst);
        TimeWaitDisposition::Closed
    }

    /// "The only thing that can arrive in this state is a retransmission of the remote FIN": our ACK of it was lost. No loop
    /// can come of the answer, since no ACK answers it.
    fn acknowledge_fin(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
    ) -> TimeWaitDisposition {
        if let (Some((_, recent)), Some(ts)) =
            (&mut self.timestamps, segment.header.options.timestamps())
        {
            *recent = ts.value;
        }
        self.arm(cx, tuple);
        TimeWaitDisposition::Reply(self.ack(cx, tuple), DropReason::Duplicate)
    }

    /// RFC 9293 3.6.1 MAY-2, SHLD-4: a SYN may open the connection anew when it is surely later than everything that the old
    /// one received, by its timestamp or else by its sequence number (RFC 6191).
    fn is_new_incarnation(&self, cx: &Cx<'_>, segment: &SegmentIn) -> bool {
        let flags = segment.header.flags;
        if !flags.syn() || flags.intersects(Flags::ACK | Flags::RST | Flags::FIN) {
            return false;
        }
        let is_later = segment.header.seq.at_or_after(self.rcv_nxt);
        let offered = segment
            .header
            .options
            .timestamps()
            .filter(|_| cx.settings.tcp_timestamps);
        match (self.timestamps, offered) {
            (Some((_, recent)), Some(ts)) if ts.value == recent => is_later,
            (Some((_, recent)), Some(ts)) => before(recent, ts.value),
            // Timestamps appear with the new incarnation, and tell its segments from the old ones.
            (None, Some(_)) => true,
            (_, None) => is_later,
        }
    }

    /// When it is over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// May `connect` take the four-tuple now (RFC 6191, `tcp_tw_reuse`)? If so, the ISS must be after this number.
    ///
    /// Our timestamps rise from one incarnation to the next, so the peer, should it be in TIME-WAIT too, can tell them apart.
    pub fn reusable(&self, cx: &Cx<'_>) -> Option<SeqNum> {
        let allowed = cx.settings.tcp_tw_reuse
            && cx.settings.tcp_timestamps
            && self.timestamps.is_some()
            && cx.now.since(self.since) >= REUSE_AFTER;
        allowed.then_some(self.snd_nxt)
    }

    /// Goes TIME-WAIT -> CLOSED and reports it.
    pub fn over(self, cx: &mut Cx<'_>, tuple: &FourTuple, cause: Cause) {
        if cause == Cause::TimeWaitOver {
            let timer = Timer::TimeWait;
            cx.report(tuple, Event::TimerFired { timer });
        }
        enter(cx, tuple, State::TimeWait, cause);
    }

    /// RFC 9293 3.6.1 MUST-13: 2 MSL from now.
    fn arm(&mut self, cx: &mut Cx<'_>, tuple: &FourTuple) {
        self.since = cx.now;
        self.deadline = cx.now + cx.settings.tcp_time_wait;
        let (timer, at) = (Timer::TimeWait, self.deadline);
        cx.report(tuple, Event::TimerArmed { timer, at });
    }

    /// RCV.WND in bytes.
    fn rcv_wnd(&self) -> u32 {
        u32::from(self.window) << self.scale
    }

    /// An ACK, unless one was sent just now.
    fn challenge(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        reason: DropReason,
    ) -> TimeWaitDisposition {
        if self.answers.allows(cx) {
            TimeWaitDisposition::Reply(self.ack(cx, tuple), reason)
        } else {
            TimeWaitDisposition::Drop(DropReason::RateLimited)
        }
    }

    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`
    fn ack(&self, cx: &mut Cx<'_>, tuple: &FourTuple) -> SegmentOut {
        let timestamps = self
            .timestamps
            .map(|(offset, recent)| timestamps(cx.now, offset, recent));
        let segment = control(
            tuple,
            Flags::ACK,
            (self.snd_nxt, self.rcv_nxt),
            self.window,
            ack_options(timestamps),
            IpMeta {
                tos: self.tos,
                hop_limit: self.hop_limit,
                dont_fragment: true,
                ..IpMeta::default()
            },
        );
        report_out(cx, tuple, &segment, State::TimeWait, self.variables());
        segment
    }

    fn variables(&self) -> Variables {
        Variables {
            iss: self.iss,
            snd_una: self.snd_nxt,
            snd_nxt: self.snd_nxt,
            irs: self.irs,
            rcv_nxt: self.rcv_nxt,
            rcv_wnd: self.rcv_wnd(),
            ..Variables::default()
        }
    }
}
