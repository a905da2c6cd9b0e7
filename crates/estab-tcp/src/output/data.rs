//! Text that is sent for the first time, and the FIN behind it (RFC 9293 3.10.2, 3.7.4, 3.8.6.2.1).

use crate::event::Timer;
use crate::{Connection, Cx, Instant, SegmentOut, State};
use core::time::Duration;
use estab_wire::tcp::{Flags, SeqNum};

/// `TCP_CORK` holds partial segments no longer than this.
const CORK: Duration = Duration::from_millis(200);

impl Connection {
    /// New text, as the windows, Nagle's algorithm and silly-window avoidance allow; or the FIN alone.
    pub(super) fn data_segment(
        &mut self,
        cx: &mut Cx<'_>,
        max_segments: u16,
    ) -> Option<SegmentOut> {
        self.restart_after_idle(cx);
        let unsent = self.snd.unsent();
        if unsent == 0 {
            return self.fin_segment(cx);
        }
        let record = self.snd.marks.within_record(self.snd.nxt, unsent);
        let len = self.sendable(cx, record, max_segments)?;
        self.due.partial = false;
        let rides = self.snd.fin && len == unsent && self.snd.usable() > len;
        self.acks.data_sent(cx.now);
        self.sent_at = cx.now;
        Some(self.text_segment(cx, self.snd.nxt, len + u32::from(rides)))
    }

    // RFC 9293 3.8.6.2.1 MUST-38; 3.9.1.2 SHLD-28: whole segments wherever possible.
    /// How much of `unsent` bytes, which are all or end a record, goes out now.
    fn sendable(&mut self, cx: &mut Cx<'_>, unsent: u32, max_segments: u16) -> Option<u32> {
        let usable = self.snd.usable();
        let room = self.congestion_room();
        let (mss, segments) = self.payload_limits(max_segments);
        let total = self.snd.unsent();
        self.due.window_limited = room < total.min(usable) || self.uses_half_the_window(total);
        let most = unsent.min(usable).min(room);
        let whole = (most / mss).min(u32::from(segments)) * mss;
        if whole == most || whole == u32::from(segments) * mss {
            return (whole > 0).then_some(whole);
        }
        // A partial segment remains: all that is queued, or all that a window lets through.
        if most == unsent && self.may_send_partial(cx, unsent, mss) {
            return Some(most);
        }
        if whole > 0 {
            return Some(whole);
        }
        (most == usable && most < room && self.window_is_worth(usable)).then_some(most)
    }

    /// RFC 9293 3.8.6.2.1, third case: half of the largest window that the peer ever offered.
    fn window_is_worth(&self, usable: u32) -> bool {
        usable > 0 && self.snd.una == self.snd.nxt && usable >= self.snd.wnd_max / 2
    }

    /// In slow start a sender that uses half of the window is limited by it soon: it may grow.
    fn uses_half_the_window(&self, unsent: u32) -> bool {
        self.congestion.in_slow_start()
            && self.in_flight().saturating_add(unsent) > self.congestion.window() / 2
    }

    /// What the congestion window leaves; two duplicate ACKs let one segment each go beyond it (RFC 3042).
    fn congestion_room(&self) -> u32 {
        let limited_transmit = self.recovery.duplicates().min(2) * self.snd.mss;
        let beyond = if self.recovery.phase() == crate::event::RecoveryPhase::Open {
            limited_transmit
        } else {
            0
        };
        let room = self
            .congestion
            .window()
            .saturating_add(beyond)
            .saturating_sub(self.in_flight());
        // With nothing in flight a window below one segment would never open again.
        if self.snd.una == self.snd.nxt {
            room.max(self.snd.mss)
        } else {
            room
        }
    }

    /// Nagle's algorithm in Minshall's form (RFC 9293 3.7.4 SHLD-7, MUST-17): a partial segment waits while another one is
    /// unacknowledged, unless the application said otherwise, or nothing can follow it.
    fn may_send_partial(&mut self, cx: &mut Cx<'_>, unsent: u32, mss: u32) -> bool {
        // Behind a record's end there is something already: nothing can be added.
        let ended = self.snd.unsent() > unsent;
        if self.snd.fin || self.due.partial || ended || self.is_urgent() {
            return true;
        }
        if self.options.cork || self.is_held_by_more() {
            return self.cork_is_over(cx);
        }
        let small_outstanding = self.snd.small.after(self.snd.una);
        self.options.nodelay || !small_outstanding || unsent.is_multiple_of(mss)
    }

    /// Urgent data does not wait.
    fn is_urgent(&self) -> bool {
        self.snd.up.is_some_and(|up| up.after(self.snd.nxt))
    }

    /// The last write said that more follows.
    fn is_held_by_more(&self) -> bool {
        self.snd.more
    }

    // RFC 9293 3.9.1.2 MUST-60: nothing is held back without end.
    fn cork_is_over(&mut self, cx: &mut Cx<'_>) -> bool {
        if !self.timers.is_armed(Timer::Cork) {
            self.arm(cx, Timer::Cork, cx.now + CORK);
        }
        false
    }

    /// The FIN without text: everything before it was sent.
    fn fin_segment(&mut self, cx: &mut Cx<'_>) -> Option<SegmentOut> {
        let ready = self.snd.fin && !self.snd.is_fin_sent() && self.snd.usable() > 0;
        ready.then(|| self.text_segment(cx, self.snd.nxt, 1))
    }

    /// RFC 5681 section 4.1.
    fn restart_after_idle(&mut self, cx: &Cx<'_>) {
        let idle =
            self.snd.una == self.snd.nxt && cx.now.since(self.sent_at) > self.rtt.rto(cx.settings);
        if idle && cx.settings.tcp_slow_start_after_idle && self.sent_at != Instant::ZERO {
            self.congestion.restart_after_idle(cx.settings);
        }
    }

    /// A segment of `len` bytes of sequence space from `seq`, for the first time or again: text, and the FIN when the range
    /// reaches beyond the queue.
    pub(super) fn text_segment(&mut self, cx: &mut Cx<'_>, seq: SeqNum, len: u32) -> SegmentOut {
        let end = seq + len;
        let queue_end = self.snd.queue_end();
        let text_end = end.min(queue_end);
        let text = text_end.since(seq);
        let offset = seq.since(self.snd.queue_start());
        let mut flags = Flags::ACK;
        if end.after(queue_end) {
            flags |= Flags::FIN;
        }
        // RFC 9293 3.9.1.2 MUST-61: the last segment of what was written is pushed.
        if text > 0 && (text_end == queue_end || self.snd.marks.is_pushed(seq, text_end)) {
            flags |= Flags::PSH;
        }
        let payload = self.snd.queue.slice(offset as usize, text as usize);
        let mut header = self.header(cx, seq, flags);
        self.mark_urgent_segment(&mut header);
        self.note_sent(cx, seq, end, text);
        SegmentOut {
            header,
            ip: self.ip_meta(),
            payload,
            segment_size: self.segment_size(),
        }
    }

    // RFC 9293 3.8.5 MUST-30.
    /// SEG.UP names the byte after the urgent ones (RFC 9293 3.8.5 MUST-62, MUST-31).
    fn mark_urgent_segment(&self, header: &mut estab_wire::tcp::Header) {
        let Some(up) = self.snd.up.filter(|up| up.after(header.seq)) else {
            return;
        };
        if let Ok(urgent) = u16::try_from(up.since(header.seq)) {
            header.flags |= Flags::URG;
            header.urgent = urgent;
        }
    }

    fn note_sent(&mut self, cx: &mut Cx<'_>, seq: SeqNum, end: SeqNum, text: u32) {
        if end.after(self.snd.nxt) {
            if self.snd.una == self.snd.nxt {
                self.progress_at = cx.now;
            }
            if self.timed.is_none() && seq == self.snd.nxt {
                self.timed = Some((end, cx.now));
            }
            self.snd.nxt = end;
            self.snd.max = self.snd.max.max(end);
        }
        if !text.is_multiple_of(self.snd.mss) {
            self.snd.small = end;
        }
        if self.state != State::Closed {
            self.arm_retransmission(cx);
        }
    }
}
