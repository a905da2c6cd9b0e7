//! What to send now: the single way out. Input and timers only change state; this reads it, in order of urgency.

mod control;
mod data;
mod retransmit;

use crate::event::Timer;
use crate::{Connection, Cx, Instant, IpMeta, SegmentOut, State};
use estab_wire::tcp::{Flags, Header, Options, SackBlocks, SegmentOptions, SeqNum};

impl Connection {
    pub(crate) fn next_segment(
        &mut self,
        cx: &mut Cx<'_>,
        max_segments: u16,
    ) -> Option<SegmentOut> {
        if let Some(reset) = self.reset_segment(cx) {
            return Some(reset);
        }
        match self.state {
            State::Closed | State::Listen => None,
            State::SynSent => self.syn_segment(cx),
            State::SynReceived => self.syn_segment(cx).or_else(|| self.ack_segment(cx)),
            State::TimeWait => self.ack_segment(cx),
            _ => self.synchronized_segment(cx, max_segments),
        }
    }

    fn synchronized_segment(&mut self, cx: &mut Cx<'_>, max_segments: u16) -> Option<SegmentOut> {
        // Several ACKs that must not melt into one go before the data that would carry the last of them.
        if self.acks.owed() > 1 {
            return self.ack_segment(cx);
        }
        let segment = self
            .retransmission(cx, max_segments)
            .or_else(|| self.probe_segment(cx))
            .or_else(|| self.data_segment(cx, max_segments))
            .or_else(|| self.ack_segment(cx))
            .or_else(|| self.keepalive_segment(cx));
        if segment.is_none() {
            // Asked for everything and gave nothing more: what remains waits for the peer, or for this timer.
            self.due.partial = false;
            self.arm_retransmission(cx);
        }
        segment
    }

    /// What every segment after the SYN has. Announces the window, and counts as the ACK that was owed.
    pub(crate) fn header(&mut self, cx: &mut Cx<'_>, seq: SeqNum, flags: Flags) -> Header {
        let window = self.rcv.announce();
        self.rcv.last_ack = self.rcv.nxt;
        self.acks.sent();
        self.timers.stop(Timer::DelayedAck);
        Header {
            src_port: self.tuple.local.port(),
            dst_port: self.tuple.remote.port(),
            seq,
            ack: self.rcv.nxt,
            flags: flags | Flags::ACK,
            window,
            urgent: 0,
            options: Options::Segment(SegmentOptions {
                timestamps: self.timestamps(cx.now),
                sack: self.sack_blocks(cx),
            }),
        }
    }

    /// The D-SACK first, then what is held out of order, the latest first (RFC 2018 section 4, RFC 2883 section 4). A duplicate is
    /// reported once.
    fn sack_blocks(&mut self, cx: &Cx<'_>) -> SackBlocks {
        let mut blocks = SackBlocks::new();
        let duplicate = self.rcv.duplicate.take();
        if !self.agreed.sack {
            return blocks;
        }
        let most = if self.agreed.timestamps { 3 } else { 4 };
        if cx.settings.tcp_dsack {
            blocks.extend(duplicate);
        }
        let mut held = self.rcv.reassembly.sack_blocks(most - blocks.len());
        // A FIN that waits behind text takes a sequence number there.
        if let Some(fin) = self.rcv.early_fin
            && let Some(block) = held.iter_mut().find(|block| block.right == fin)
        {
            block.right += 1;
        }
        blocks.extend(held);
        blocks
    }

    /// Bytes that SACK blocks would take from a segment's payload.
    fn sack_space(&self) -> u32 {
        if !self.agreed.sack || (self.rcv.reassembly.is_empty() && self.rcv.duplicate.is_none()) {
            return 0;
        }
        let most = if self.agreed.timestamps { 3 } else { 4 };
        4 + 8 * most
    }

    // RFC 9293 3.7.1: what options take is taken from the text, whatever the segment is sent for.
    /// Bytes of text in a wire segment now, and how many of these may go out at once: a super-segment's SACK blocks would be
    /// those of a moment that is past when its last part arrives.
    pub(crate) fn payload_limits(&self, max_segments: u16) -> (u32, u16) {
        match self.sack_space() {
            0 => (self.snd.mss, max_segments),
            space => (self.snd.mss.saturating_sub(space).max(1), 1),
        }
    }

    // RFC 9293 3.9.2 MUST-48, SHLD-21, SHLD-22, MUST-49: from the options as they are now.
    pub(crate) fn ip_meta(&self) -> IpMeta {
        IpMeta {
            tos: self.options.tos,
            hop_limit: self.options.hop_limit.unwrap_or(0),
            dont_fragment: true,
            ..IpMeta::default()
        }
    }

    /// The segment size that a device may cut at.
    pub(crate) fn segment_size(&self) -> u16 {
        self.snd.mss.min(u32::from(u16::MAX)) as u16
    }

    // RFC 9293 3.8.6 MUST-35: a window that shrank to zero is probed like one that was closed.
    /// Keeps the timer that brings on what is outstanding: retransmission, or the persist timer when the peer's window is
    /// closed or too small for what is queued.
    pub(crate) fn arm_retransmission(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Closed | State::TimeWait) {
            return;
        }
        let outstanding = self.snd.una != self.snd.nxt;
        let waiting = self.snd.end().after(self.snd.nxt);
        if outstanding && (self.snd.wnd > 0 || !self.state.is_synchronized()) {
            self.timers.stop(Timer::Persist);
            self.arm_if_not(cx, Timer::Retransmit);
        } else if outstanding || (waiting && self.snd.usable() < self.smallest_useful()) {
            self.timers.stop(Timer::Retransmit);
            self.arm_if_not(cx, Timer::Persist);
        } else {
            self.timers.stop(Timer::Retransmit);
            self.timers.stop(Timer::Persist);
        }
    }

    /// A window that is smaller than this cannot be used without a silly segment.
    fn smallest_useful(&self) -> u32 {
        let queued = self.snd.end().since(self.snd.nxt);
        self.snd.mss.min(queued).min((self.snd.wnd_max / 2).max(1))
    }

    fn arm_if_not(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        if !self.timers.is_armed(timer) {
            let at = self.retransmission_deadline(cx);
            self.arm(cx, timer, at);
        }
    }

    /// RFC 6298: one time-out from now; but never beyond what `TCP_USER_TIMEOUT` allows.
    fn retransmission_deadline(&self, cx: &Cx<'_>) -> Instant {
        let at = cx.now + self.rtt.rto(cx.settings);
        match self.options.user_timeout {
            Some(limit) if self.state.is_synchronized() => {
                at.min((self.progress_at + limit).max(cx.now))
            }
            _ => at,
        }
    }
}
