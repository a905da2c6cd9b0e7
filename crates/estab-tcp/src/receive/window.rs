//! Which window to announce (RFC 9293 section 3.8.6.2.2).

use super::ReceiveHalf;
use estab_wire::tcp::UnscaledWindow;

impl ReceiveHalf {
    /// Bytes that fit now, whether announced or not.
    pub(crate) fn room(&self) -> u32 {
        self.limit
            .saturating_sub(u32::try_from(self.queue.len()).unwrap_or(u32::MAX))
    }

    /// By how much the right edge would move if an ACK were sent now. RFC 9293 3.8.6.2.2 MUST-39: only by a full segment or half
    /// the buffer, whichever is less.
    pub(crate) fn window_growth(&self) -> u32 {
        let growth = self.quantised_room().saturating_sub(self.wnd());
        let worthwhile = u32::from(self.announced_mss).min(self.limit / 2).max(1);
        if growth >= worthwhile { growth } else { 0 }
    }

    /// Would the application's reading be worth a window update of its own? Twice the segment, or half the buffer.
    pub(crate) fn owes_window_update(&self) -> bool {
        let growth = self.window_growth();
        let wanted = (2 * u32::from(self.announced_mss))
            .min(self.limit / 2)
            .max(1);
        // A sender that stands before a closed or small window waits for this; one that has half the buffer does not.
        growth >= wanted && self.wnd() < self.limit / 2
    }

    /// Moves the right edge and gives the window field for a segment without SYN. What the shift cuts off is rounded up, so that
    /// the edge does not move to the left (RFC 7323). Each ACK may open the window a little so; for an application that reads
    /// nothing a quarter more than the buffer is given to that, then it is rounded down. What was offered once is still taken.
    pub(crate) fn announce(&mut self) -> UnscaledWindow {
        let shift = self.wscale.unwrap_or(0);
        let window = self.wnd() + self.window_growth();
        let up = window.div_ceil(1 << shift).min(0xffff);
        let most = self.limit.saturating_add(self.limit / 4);
        let held = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        let field = if up << shift <= most.saturating_sub(held) {
            up
        } else {
            (window >> shift).min(0xffff)
        };
        self.edge = self.edge.max(self.nxt + (field << shift));
        UnscaledWindow(field as u16)
    }

    /// The window field of a segment with SYN, which is never scaled.
    pub(crate) fn announce_in_syn(&mut self) -> UnscaledWindow {
        let window = self.room().min(0xffff);
        self.edge = self.edge.max(self.nxt + window);
        UnscaledWindow(self.wnd().min(0xffff) as u16)
    }

    fn quantised_room(&self) -> u32 {
        let shift = self.wscale.unwrap_or(0);
        let room = self.room().min(0xffff << shift);
        room >> shift << shift
    }
}
