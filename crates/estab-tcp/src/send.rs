//! The sending half: RFC 9293 section 3.3.1's SND variables, the window, and the queue of what the application sent.

mod marks;
mod queue;

use estab_wire::tcp::{SeqNum, UnscaledWindow};
use marks::Marks;
pub(crate) use queue::SendQueue;

/// What a record's end costs in the queue, so that records of a byte cannot take memory without end.
const RECORD_COST: usize = 64;

/// Send sequence space and queue.
#[derive(Debug)]
pub(crate) struct SendHalf {
    /// ISS.
    pub(crate) iss: SeqNum,
    /// SND.UNA: oldest unacknowledged.
    pub(crate) una: SeqNum,
    /// SND.NXT: next to send for the first time. Retransmission does not move it back.
    pub(crate) nxt: SeqNum,
    /// Highest SND.NXT ever: a window probe is taken back when the window opens, but its ACK may still come.
    pub(crate) max: SeqNum,
    // RFC 9293 3.1 MUST-1, REC-1: unsigned, in 32 bits.
    /// SND.WND in bytes.
    pub(crate) wnd: u32,
    /// Largest window the peer ever offered.
    pub(crate) wnd_max: u32,
    /// SND.WL1: SEG.SEQ of the last window update.
    pub(crate) wl1: SeqNum,
    /// SND.WL2: SEG.ACK of the last window update.
    pub(crate) wl2: SeqNum,
    /// Shift of the windows that the peer sends, when scaling was agreed.
    pub(crate) wscale: Option<u8>,
    /// SND.UP: sequence number after the last urgent byte, while it is unacknowledged.
    pub(crate) up: Option<SeqNum>,
    /// Payload of a full segment, its options considered (RFC 9293 3.7.1: Eff.snd.MSS).
    pub(crate) mss: u32,
    /// The MSS that the peer announced, or its default.
    pub(crate) peer_mss: u16,
    /// End of the last segment that was not full (Minshall's variant of Nagle's algorithm).
    pub(crate) small: SeqNum,
    /// The last write said that more follows (`MSG_MORE`).
    pub(crate) more: bool,
    /// Where writes and records end.
    pub(crate) marks: Marks,
    /// Bytes that the queue may hold.
    pub(crate) limit: u32,
    /// The application has closed its sending side: a FIN follows the queue.
    pub(crate) fin: bool,
    /// The FIN was acknowledged.
    fin_acknowledged: bool,
    /// Text from `una` on (from ISS+1 while the SYN is unacknowledged).
    pub(crate) queue: SendQueue,
}

impl SendHalf {
    pub(crate) fn new(iss: SeqNum, mss: u32, peer_mss: u16) -> Self {
        Self {
            iss,
            una: iss,
            nxt: iss,
            max: iss,
            wnd: 0,
            wnd_max: 0,
            wl1: SeqNum(0),
            wl2: iss,
            wscale: None,
            up: None,
            mss,
            peer_mss,
            small: iss,
            more: false,
            marks: Marks::default(),
            limit: 0,
            fin: false,
            fin_acknowledged: false,
            queue: SendQueue::new(),
        }
    }

    /// Sequence number of the first byte of the queue.
    pub(crate) fn queue_start(&self) -> SeqNum {
        if self.una == self.iss {
            self.iss + 1
        } else {
            self.una
        }
    }

    /// Sequence number after the last byte of the queue: where the FIN stands.
    pub(crate) fn queue_end(&self) -> SeqNum {
        // A FIN that was acknowledged lies below SND.UNA, and the queue is empty then.
        self.queue_start() + self.queue.len() as u32
    }

    /// Sequence number after everything that is to be sent, the FIN included.
    pub(crate) fn end(&self) -> SeqNum {
        self.queue_end() + u32::from(self.fin && !self.is_fin_acknowledged())
    }

    /// Has the FIN been sent?
    pub(crate) fn is_fin_sent(&self) -> bool {
        self.fin && (self.is_fin_acknowledged() || self.nxt.after(self.queue_end()))
    }

    /// Has an ACK covered the FIN? No other acceptable ACK is the ACK of our FIN.
    pub(crate) fn is_fin_acknowledged(&self) -> bool {
        self.fin_acknowledged
    }

    /// Bytes queued that were never sent.
    pub(crate) fn unsent(&self) -> u32 {
        let end = self.queue_end();
        if self.nxt.before(end) {
            end.since(self.nxt.max(self.queue_start()))
        } else {
            0
        }
    }

    /// What is queued ends a write, and with `record` a record.
    pub(crate) fn end_write(&mut self, record: bool) {
        if !self.queue.is_empty() {
            self.marks.set(self.queue_end(), record, self.nxt);
        }
    }

    /// Room in the queue, bytes.
    pub(crate) fn room(&self) -> usize {
        let used = self.queue.len() + self.marks.records() * RECORD_COST;
        (self.limit as usize).saturating_sub(used)
    }

    // RFC 9293 3.8.6 SHLD-15.
    /// SND.UNA + SND.WND - SND.NXT: the usable window. Zero when the peer has shrunk it below what is outstanding
    /// (RFC 9293 3.8.6 MUST-34).
    pub(crate) fn usable(&self) -> u32 {
        let edge = self.una + self.wnd;
        if self.nxt.before(edge) {
            edge.since(self.nxt)
        } else {
            0
        }
    }

    /// Scales a window of a segment without SYN.
    pub(crate) fn scaled(&self, window: UnscaledWindow) -> u32 {
        u32::from(window.0) << self.wscale.unwrap_or(0)
    }

    /// Takes over the peer's window.
    pub(crate) fn set_window(&mut self, window: u32, seq: SeqNum, ack: SeqNum) {
        self.wnd = window;
        self.wnd_max = self.wnd_max.max(window);
        self.wl1 = seq;
        self.wl2 = ack;
    }

    /// SND.UNA moves to `ack`, which is not beyond `max`: releases what is acknowledged.
    pub(crate) fn acknowledge(&mut self, ack: SeqNum) {
        let end = self.queue_end();
        let from = self.queue_start();
        let text = if ack.after(from) {
            ack.min(end).since(from)
        } else {
            0
        };
        self.queue.advance(text as usize);
        self.fin_acknowledged |= self.fin && ack.after(end);
        self.una = ack;
        self.nxt = self.nxt.max(ack);
        if self.up.is_some_and(|up| up.at_or_before(ack)) {
            self.up = None;
        }
        if self.small.before(ack) {
            self.small = ack;
        }
        self.marks.forget(ack);
    }
}
