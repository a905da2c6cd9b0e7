//! The receiving half: RFC 9293 section 3.3.1's RCV variables, the window that is offered, and the queues behind it.

mod queue;
mod reassembly;
mod window;

use crate::Instant;
use core::time::Duration;
use estab_wire::tcp::{SackBlock, SeqNum};
pub(crate) use queue::ReceiveQueue;
pub(crate) use reassembly::Reassembly;

/// Receive sequence space and queues.
#[derive(Debug)]
pub(crate) struct ReceiveHalf {
    /// IRS.
    pub(crate) irs: SeqNum,
    /// RCV.NXT.
    pub(crate) nxt: SeqNum,
    /// Right edge of the window as announced: RCV.NXT + RCV.WND. Never moves left (RFC 9293 3.8.6 SHLD-14).
    pub(crate) edge: SeqNum,
    /// Shift of the windows that we send, when scaling was agreed.
    pub(crate) wscale: Option<u8>,
    /// Payload of the largest recent segment: what counts as full-sized for delayed acknowledgements.
    pub(crate) mss: u32,
    /// MSS that we announced.
    pub(crate) announced_mss: u16,
    /// Sequence number of the peer's FIN when it came out of order; its turn comes when RCV.NXT reaches it.
    pub(crate) early_fin: Option<SeqNum>,
    /// TS.Recent and when it was taken (RFC 7323).
    pub(crate) ts_recent: u32,
    pub(crate) ts_recent_at: Instant,
    /// Last.ACK.sent (RFC 7323).
    pub(crate) last_ack: SeqNum,
    /// A duplicate to report in the next ACK (RFC 2883).
    pub(crate) duplicate: Option<SackBlock>,
    /// Urgent data (RFC 9293 3.8.5).
    pub(crate) urgent: Urgent,
    /// Data that may be held now; grows with the path up to the limit.
    pub(crate) limit: u32,
    /// Bytes the application took since `drained_at`, which makes the limit grow.
    drained: u32,
    drained_at: Instant,
    /// Text in order, for the application.
    pub(crate) queue: ReceiveQueue,
    /// Text out of order.
    pub(crate) reassembly: Reassembly,
}

/// The urgent pointer of the peer, and the byte before it (RFC 6093).
#[derive(Debug, Default)]
pub(crate) struct Urgent {
    /// RCV.UP: sequence number after the last urgent byte, until the application has passed it.
    pub(crate) pointer: Option<SeqNum>,
    /// The urgent byte, taken out of the stream.
    pub(crate) byte: Option<u8>,
    /// The mark: so many bytes of the queue lie before the urgent one's place.
    pub(crate) mark: Option<usize>,
}

impl ReceiveHalf {
    pub(crate) fn new(announced_mss: u16, limit: u32) -> Self {
        Self {
            irs: SeqNum(0),
            nxt: SeqNum(0),
            edge: SeqNum(0),
            wscale: None,
            mss: 536,
            announced_mss,
            early_fin: None,
            ts_recent: 0,
            ts_recent_at: Instant::ZERO,
            last_ack: SeqNum(0),
            duplicate: None,
            urgent: Urgent::default(),
            limit,
            drained: 0,
            drained_at: Instant::ZERO,
            queue: ReceiveQueue::new(),
            reassembly: Reassembly::new(),
        }
    }

    /// The peer's SYN is known.
    pub(crate) fn synchronize(&mut self, irs: SeqNum) {
        self.irs = irs;
        self.nxt = irs + 1;
        self.last_ack = irs + 1;
    }

    /// RCV.WND: what is left of the window that was announced.
    pub(crate) fn wnd(&self) -> u32 {
        if self.nxt.before(self.edge) {
            self.edge.since(self.nxt)
        } else {
            0
        }
    }

    /// Bytes held for the application or out of order.
    pub(crate) fn held(&self) -> usize {
        self.queue.len() + self.reassembly.len()
    }

    /// Reading must stop here: at the urgent mark, unless it stands at the beginning.
    pub(crate) fn readable_until_mark(&self) -> usize {
        match self.urgent.mark {
            Some(mark) if mark > 0 => mark.min(self.queue.len()),
            _ => self.queue.len(),
        }
    }

    /// The application took `bytes` from the queue.
    pub(crate) fn taken(
        &mut self,
        bytes: usize,
        now: Instant,
        round_trip: Duration,
        limit_max: u32,
    ) {
        self.urgent.mark = match self.urgent.mark {
            Some(mark) if mark >= bytes && mark > 0 => Some(mark - bytes),
            _ => None,
        };
        self.grow(bytes, now, round_trip, limit_max);
    }

    /// The buffer grows with the path: when the application takes in one round trip more than half of what may be held,
    /// twice that amount is allowed from now on.
    fn grow(&mut self, bytes: usize, now: Instant, round_trip: Duration, limit_max: u32) {
        self.drained = self
            .drained
            .saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if now.since(self.drained_at) < round_trip {
            return;
        }
        if self.drained > self.limit / 2 && self.limit < limit_max {
            self.limit = self
                .drained
                .saturating_mul(2)
                .max(self.limit)
                .min(limit_max);
        }
        self.drained = 0;
        self.drained_at = now;
    }
}
