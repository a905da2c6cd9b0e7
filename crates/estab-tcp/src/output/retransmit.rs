//! Sending again what recovery says was lost.

use crate::event::RecoveryPhase;
use crate::{Connection, Cx, SegmentOut};

impl Connection {
    pub(super) fn retransmission(
        &mut self,
        cx: &mut Cx<'_>,
        max_segments: u16,
    ) -> Option<SegmentOut> {
        let (from, to) = self.recovery.resend(self.snd.una)?;
        // Sequence space beyond the peer's window is left to the probes (RFC 9293 3.8.6 SHLD-16, MUST-35).
        let edge = self.snd.una + self.snd.wnd;
        if !from.before(edge) {
            return None;
        }
        let wanted = to.min(edge).since(from);
        let wanted = self.snd.marks.within_record(from, wanted);
        let (mss, segments) = self.payload_limits(max_segments);
        let wanted = self.snd.marks.within_write(from, wanted, mss);
        let len = wanted
            .min(self.resend_room(segments))
            .min(u32::from(segments) * mss);
        let len = if len < wanted { len - len % mss } else { len };
        if len == 0 {
            return None;
        }
        self.timed = None;
        self.recovery.resent(from + len);
        self.stats.retransmits += u64::from(len.div_ceil(mss));
        self.stats.bytes_retransmitted += u64::from(len);
        Some(self.text_segment(cx, from, len))
    }

    /// Fast recovery resends its one segment at once; after a time-out the congestion window paces.
    fn resend_room(&self, max_segments: u16) -> u32 {
        match self.recovery.phase() {
            RecoveryPhase::Loss => {
                let room = self.congestion.window().saturating_sub(self.in_flight());
                if self.in_flight() == 0 {
                    room.max(self.snd.mss)
                } else {
                    room
                }
            }
            RecoveryPhase::Open | RecoveryPhase::Recovery => u32::from(max_segments) * self.snd.mss,
        }
    }
}
