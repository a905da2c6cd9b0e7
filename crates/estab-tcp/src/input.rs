//! SEGMENT ARRIVES in SYN-RECEIVED and the synchronised states: the steps of RFC 9293 section 3.10.7.4 in their order, one file
//! a step.

mod acceptability;
mod ack;
mod fin;
mod icmp;
mod reset;
mod syn;
pub(crate) mod text;
pub(crate) mod timestamp;
mod urgent;

use crate::event::{DropReason, Event};
use crate::{Connection, Cx, SegmentIn};
use core::ops::ControlFlow;

/// Go on with the next step, or end here; with the reason when the segment, or the rest of it, is not used.
pub(crate) type Step = ControlFlow<Option<DropReason>>;

/// What later steps must know of a segment that earlier steps trimmed.
pub(crate) const CONTINUE: Step = ControlFlow::Continue(());

pub(crate) fn drop(reason: DropReason) -> Step {
    ControlFlow::Break(Some(reason))
}

/// Processed to its end before the last step.
pub(crate) const DONE: Step = ControlFlow::Break(None);

impl Connection {
    pub(crate) fn arrives(&mut self, cx: &mut Cx<'_>, mut segment: SegmentIn) {
        if let ControlFlow::Break(reason) = self.steps(cx, &mut segment) {
            if let Some(reason) = reason {
                self.report_drop(cx, reason, &segment);
            }
            return;
        }
        text::process(self, cx, segment);
    }

    /// First to fifth; urgent data, text and FIN follow in `text::process`, which SYN-SENT enters too.
    fn steps(&mut self, cx: &mut Cx<'_>, segment: &mut SegmentIn) -> Step {
        timestamp::check(self, cx, segment)?;
        acceptability::check(self, cx, segment)?;
        reset::check(self, cx, segment)?;
        syn::check(self, cx, segment)?;
        ack::check(self, cx, segment)
    }

    pub(crate) fn report_drop(&self, cx: &mut Cx<'_>, reason: DropReason, segment: &SegmentIn) {
        self.report(
            cx,
            Event::Drop {
                reason,
                header: &segment.header,
                len: segment.payload.len(),
            },
        );
    }

    /// Answers an invalid segment with an ACK, within the connection's own limit (RFC 5961).
    pub(crate) fn challenge(&mut self, cx: &mut Cx<'_>, segment: &SegmentIn) {
        if !self.acks.owe_limited(cx.now, cx.settings) {
            self.report_drop(cx, DropReason::RateLimited, segment);
        }
    }
}
