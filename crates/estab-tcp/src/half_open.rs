use crate::event::{DropReason, Event, RetransmitReason, Timer, Variables};
use crate::input::timestamp::{before, timestamp};
use crate::record::{
    Limiter, ack_options, control, is_acceptable, outside, report_drop, report_in, report_out,
    timestamps,
};
use crate::state::enter;
use crate::{
    Cause, Cx, FourTuple, Instant, IpMeta, SegmentIn, SegmentOut, Settings, SocketOptions, State,
};
use core::time::Duration;
use estab_wire::tcp::{Flags, Options, SeqNum, SynOptions, Timestamps};

mod negotiation;
#[cfg(test)]
mod tests;

use negotiation::Scales;

/// A connection in SYN-RECEIVED that a listener's SYN queue holds: a small record, no buffers.
///
/// It reports the segments that it takes and makes. What a disposition carries is already reported; the caller sends it.
#[derive(Clone, Debug)]
pub struct HalfOpen {
    opening: Opening,
    irs: SeqNum,
    /// TS.Recent, when timestamps are agreed.
    ts_recent: Option<u32>,
    /// Bytes from RCV.NXT on that were announced.
    window: u32,
    /// The window in the peer's SYN, which is never scaled.
    peer_window: u16,
    peer_mss: u16,
    scales: Option<Scales>,
    sack: bool,
    /// Came back as a SYN cookie: the listener never left LISTEN.
    cookie: bool,
    /// The SYN-ACK was sent more than once.
    resent: bool,
    /// Retransmissions by the timer.
    retransmits: u8,
    created: Instant,
    deadline: Instant,
    /// When it is forgotten, whatever the peer repeats: the time that all retransmissions take.
    end: Instant,
    answers: Limiter,
}

/// What a half-open record makes of a segment (RFC 9293 3.10.7.4 in SYN-RECEIVED).
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub enum HalfOpenDisposition {
    /// Not used.
    Drop(DropReason),
    /// Answer with this segment, and keep the record.
    Reply(SegmentOut, DropReason),
    /// Our SYN is acknowledged: make a connection with `Connection::from_half_open` and the segment. The record is as it
    /// was, and may also be kept, when there is no room for the connection.
    Established,
    /// Answer with this RST, and keep the record (an unacceptable ACK).
    Reset(SegmentOut),
    /// The peer reset it: forget the record. CLOSED is reported.
    Closed,
}

/// What a new connection learns from its owner.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Initial send sequence number (RFC 6528).
    pub iss: SeqNum,
    /// Added to the clock in our timestamps (RFC 7323).
    pub timestamp_offset: u32,
    /// MSS to announce: what the interface, or the route, allows in one segment without options.
    pub mss: u16,
}

impl Opening {
    /// The timestamp in a segment that is sent now.
    pub const fn timestamp(&self, now: Instant) -> u32 {
        timestamp(now, self.timestamp_offset)
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

/// What a connection takes over.
pub(crate) struct HalfOpenParts {
    pub(crate) opening: Opening,
    pub(crate) irs: SeqNum,
    /// As the peer announced it, or the default.
    pub(crate) peer_mss: u16,
    pub(crate) peer_wscale: Option<u8>,
    pub(crate) our_wscale: Option<u8>,
    pub(crate) sack: bool,
    /// TS.Recent.
    pub(crate) timestamps: Option<u32>,
    /// Bytes after RCV.NXT.
    pub(crate) announced_window: u32,
    pub(crate) peer_window: u16,
    /// The SYN-ACK was sent more than once.
    pub(crate) resent: bool,
    /// When it was sent, unless that is unknown or more than one answer.
    pub(crate) sent_at: Option<Instant>,
    /// A SYN cookie: the state before is LISTEN, and the segment is not reported yet.
    pub(crate) cookie: bool,
}

impl HalfOpen {
    /// From a SYN that met a listener; goes LISTEN -> SYN-RECEIVED and reports it. The SYN-ACK is not sent by this. Text and
    /// FIN beside the SYN are not kept, the peer will send them again.
    pub fn new(
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        syn: &SegmentIn,
        opening: Opening,
        options: &SocketOptions,
    ) -> Self {
        report_in(cx, tuple, syn, State::Listen, Variables::default());
        Self::accept(cx, tuple, syn, opening, options)
    }

    /// The same from a SYN that was reported when it came, and has waited for a decision since.
    pub fn accept(
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        syn: &SegmentIn,
        opening: Opening,
        options: &SocketOptions,
    ) -> Self {
        let mut record = Self::negotiate(cx, tuple, syn, opening, options);
        enter(cx, tuple, State::Listen, Cause::ReceiveSyn);
        let retries = cx.settings.tcp_synack_retries;
        record.end = (0..=retries).fold(cx.now, |at, n| at + interval(cx.settings, n));
        record.arm(cx, tuple);
        record
    }

    /// The answer to a SYN of which nothing is kept, for its ISS is a cookie (RFC 4987); `opening.timestamp_offset` may be
    /// chosen so that our timestamp keeps the SYN's options. The listener stays in LISTEN.
    pub fn cookie_syn_ack(
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        syn: &SegmentIn,
        opening: Opening,
        options: &SocketOptions,
    ) -> SegmentOut {
        report_in(cx, tuple, syn, State::Listen, Variables::default());
        let mut record = Self::negotiate(cx, tuple, syn, opening, options);
        record.cookie = true;
        record.syn_ack(cx, tuple, options)
    }

    /// The SYN-ACK, to send and resend.
    pub fn syn_ack(
        &self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        options: &SocketOptions,
    ) -> SegmentOut {
        // RFC 9293 3.7.1 MUST-14, MAY-3: the MSS option always stands in it.
        let mss = self
            .opening
            .mss
            .min(options.max_segment.unwrap_or(u16::MAX));
        let offer = SynOptions {
            mss: Some(mss),
            window_scale: self.scales.map(|scales| scales.ours),
            sack_permitted: self.sack,
            timestamps: self.timestamps(cx.now),
        };
        let segment = control(
            tuple,
            Flags::SYN | Flags::ACK,
            (self.opening.iss, self.irs + 1),
            self.window.min(0xffff) as u16,
            Options::Syn(offer),
            ip_meta(options),
        );
        self.sent(cx, tuple, segment)
    }

    /// SEGMENT ARRIVES (RFC 9293 3.10.7.4, SYN-RECEIVED). A repeated SYN gives `Reply` with the SYN-ACK again.
    pub fn handle_segment(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
        options: &SocketOptions,
    ) -> HalfOpenDisposition {
        report_in(cx, tuple, segment, State::SynReceived, self.variables());
        let disposition = self.judge(cx, tuple, segment, options);
        match &disposition {
            HalfOpenDisposition::Drop(reason) | HalfOpenDisposition::Reply(_, reason) => {
                report_drop(cx, tuple, segment, *reason);
            }
            HalfOpenDisposition::Reset(_) => {
                report_drop(cx, tuple, segment, DropReason::UnacceptableAck);
            }
            HalfOpenDisposition::Established | HalfOpenDisposition::Closed => {}
        }
        disposition
    }

    /// The steps of 3.10.7.4 in their order.
    fn judge(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
        options: &SocketOptions,
    ) -> HalfOpenDisposition {
        let header = &segment.header;
        let rcv_nxt = self.irs + 1;
        let rst = header.flags.rst();
        if header.flags.syn() && !rst && !header.flags.ack() && header.seq == self.irs {
            return self.answer_repeated_syn(cx, tuple, segment, options);
        }
        if let (Some(recent), false) = (self.ts_recent, rst) {
            match header.options.timestamps() {
                None => return HalfOpenDisposition::Drop(DropReason::NoTimestamp),
                Some(ts) if before(ts.value, recent) => {
                    return self.challenge(cx, tuple, options, DropReason::Paws);
                }
                Some(_) => {}
            }
        }

        // First: the sequence number.
        if !is_acceptable(segment, rcv_nxt, self.window) {
            return if rst {
                HalfOpenDisposition::Drop(DropReason::InvalidRst)
            } else {
                self.challenge(cx, tuple, options, outside(segment, rcv_nxt))
            };
        }
        // Second: a RST counts only at RCV.NXT (RFC 5961). RFC 9293 3.5.3: back to LISTEN, which the listener never left.
        if rst {
            if header.seq != rcv_nxt {
                return self.challenge(cx, tuple, options, DropReason::ChallengedRst);
            }
            enter(cx, tuple, State::SynReceived, Cause::ReceiveRst);
            return HalfOpenDisposition::Closed;
        }
        // Fourth: a SYN. By the letter it ends the record; anybody could send it. A peer that has forgotten the
        // connection answers the challenge with a RST at RCV.NXT.
        if header.flags.syn() {
            return self.challenge(cx, tuple, options, DropReason::ChallengedSyn);
        }
        // Fifth: the ACK.
        if !header.flags.ack() {
            return HalfOpenDisposition::Drop(DropReason::NoAck);
        }
        let (snd_una, snd_nxt) = (self.opening.iss, self.opening.iss + 1);
        if !(header.ack.after(snd_una) && header.ack.at_or_before(snd_nxt)) {
            return HalfOpenDisposition::Reset(self.reset(cx, tuple, header.ack, options));
        }
        HalfOpenDisposition::Established
    }

    /// The peer did not get our SYN-ACK.
    fn answer_repeated_syn(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        segment: &SegmentIn,
        options: &SocketOptions,
    ) -> HalfOpenDisposition {
        if let (Some(recent), Some(ts)) = (&mut self.ts_recent, segment.header.options.timestamps())
            && !before(ts.value, *recent)
        {
            *recent = ts.value;
        }
        let syn_ack = self.resend(cx, tuple, RetransmitReason::RepeatedSyn, options);
        HalfOpenDisposition::Reply(syn_ack, DropReason::Duplicate)
    }

    /// Our initial sequence number.
    pub fn iss(&self) -> SeqNum {
        self.opening.iss
    }

    /// The peer's.
    pub fn irs(&self) -> SeqNum {
        self.irs
    }

    /// When the SYN-ACK must be resent, or the record forgotten.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The deadline passed: the SYN-ACK again, or `None` when the retries are used up and the record must go; CLOSED is
    /// reported then.
    pub fn handle_timeout(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        options: &SocketOptions,
    ) -> Option<SegmentOut> {
        let timer = Timer::Retransmit;
        cx.report(tuple, Event::TimerFired { timer });
        if cx.now >= self.end {
            enter(cx, tuple, State::SynReceived, Cause::Timeout);
            return None;
        }
        self.retransmits = self.retransmits.saturating_add(1);
        Some(self.resend(cx, tuple, RetransmitReason::Timeout, options))
    }

    /// Goes SYN-RECEIVED -> CLOSED for a reason of the owner's and reports it: `Cause::Abort` when the listener closes,
    /// `Cause::Evicted` for lack of room, `Cause::ReceiveIcmp`.
    pub fn over(self, cx: &mut Cx<'_>, tuple: &FourTuple, cause: Cause) {
        enter(cx, tuple, State::SynReceived, cause);
    }

    /// The peer's window scale, SACK and so on, for the connection.
    pub(crate) fn into_parts(self) -> HalfOpenParts {
        HalfOpenParts {
            opening: self.opening,
            irs: self.irs,
            peer_mss: self.peer_mss,
            peer_wscale: self.scales.map(|scales| scales.peers),
            our_wscale: self.scales.map(|scales| scales.ours),
            sack: self.sack,
            timestamps: self.ts_recent,
            announced_window: self.window,
            peer_window: self.peer_window,
            resent: self.resent,
            sent_at: (!self.resent && !self.cookie).then_some(self.created),
            cookie: self.cookie,
        }
    }

    fn resend(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        reason: RetransmitReason,
        options: &SocketOptions,
    ) -> SegmentOut {
        self.resent = true;
        let (seq, len) = (self.opening.iss, 1);
        cx.report(tuple, Event::Retransmit { seq, len, reason });
        self.arm(cx, tuple);
        self.syn_ack(cx, tuple, options)
    }

    /// Waits for the ACK as long as it is this retransmission's turn.
    fn arm(&mut self, cx: &mut Cx<'_>, tuple: &FourTuple) {
        self.deadline = (cx.now + interval(cx.settings, self.retransmits)).min(self.end);
        let (timer, at) = (Timer::Retransmit, self.deadline);
        cx.report(tuple, Event::TimerArmed { timer, at });
    }

    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`, unless one was sent just now.
    fn challenge(
        &mut self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        options: &SocketOptions,
        reason: DropReason,
    ) -> HalfOpenDisposition {
        if !self.answers.allows(cx) {
            return HalfOpenDisposition::Drop(DropReason::RateLimited);
        }
        // Only a SYN's window is not scaled. Rounded up, since what was offered is not taken back.
        let shift = self.scales.map_or(0, |scales| scales.ours);
        let window = self.window.div_ceil(1 << shift);
        self.window = window << shift;
        let segment = control(
            tuple,
            Flags::ACK,
            (self.opening.iss + 1, self.irs + 1),
            window as u16,
            ack_options(self.timestamps(cx.now)),
            ip_meta(options),
        );
        HalfOpenDisposition::Reply(self.sent(cx, tuple, segment), reason)
    }

    /// `<SEQ=SEG.ACK><CTL=RST>`
    fn reset(
        &self,
        cx: &mut Cx<'_>,
        tuple: &FourTuple,
        seq: SeqNum,
        options: &SocketOptions,
    ) -> SegmentOut {
        let ack = SeqNum(0);
        let segment = control(
            tuple,
            Flags::RST,
            (seq, ack),
            0,
            Options::NONE,
            ip_meta(options),
        );
        self.sent(cx, tuple, segment)
    }

    fn sent(&self, cx: &mut Cx<'_>, tuple: &FourTuple, segment: SegmentOut) -> SegmentOut {
        let state = if self.cookie {
            State::Listen
        } else {
            State::SynReceived
        };
        report_out(cx, tuple, &segment, state, self.variables());
        segment
    }

    fn timestamps(&self, now: Instant) -> Option<Timestamps> {
        let recent = self.ts_recent?;
        Some(timestamps(now, self.opening.timestamp_offset, recent))
    }

    fn variables(&self) -> Variables {
        Variables {
            iss: self.opening.iss,
            snd_una: self.opening.iss,
            snd_nxt: self.opening.iss + 1,
            snd_wnd: u32::from(self.peer_window),
            irs: self.irs,
            rcv_nxt: self.irs + 1,
            rcv_wnd: self.window,
            cwnd: 0,
        }
    }
}

/// The wait after the `n`th retransmission: 1, 2, 4 ... times the first time-out.
fn interval(settings: &Settings, n: u8) -> Duration {
    let factor = 1u32.checked_shl(u32::from(n)).unwrap_or(u32::MAX);
    settings
        .tcp_rto_initial
        .saturating_mul(factor)
        .min(settings.tcp_rto_max)
}

fn ip_meta(options: &SocketOptions) -> IpMeta {
    IpMeta {
        tos: options.tos,
        hop_limit: options.hop_limit.unwrap_or(0),
        dont_fragment: true,
        ..IpMeta::default()
    }
}
