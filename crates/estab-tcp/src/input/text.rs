//! Seventh: process the segment text; with the sixth before it and the eighth after it.

use super::{fin, urgent};
use crate::event::{ConnectionEvent, DropReason, Event, Timer};
use crate::{Cause, Connection, Cx, SegmentIn};
use estab_wire::tcp::SeqNum;

/// URG, text and FIN of a segment whose sequence number and ACK are in order.
pub(crate) fn process(connection: &mut Connection, cx: &mut Cx<'_>, segment: SegmentIn) {
    urgent::check(connection, &segment);
    let fin = segment.header.flags.fin();
    let fin_seq = segment.header.seq + segment.payload.len() as u32;
    if !segment.payload.is_empty() {
        if !connection.state.can_receive() {
            return connection.report_drop(cx, DropReason::AfterFin, &segment);
        }
        if connection.life.closed || connection.life.read_shut && connection.snd.fin {
            return reset_late_data(connection, cx, &segment);
        }
        store(connection, cx, segment);
    }
    if fin {
        fin::arrived(connection, cx, fin_seq);
    }
    fin::process_early(connection, cx);
}

/// Data to a connection of which the application has closed both directions: it is lost, and the peer must know (RFC 2525 section 2.17). The
/// RST has the number that the segment acknowledges, as one to a connection that does not exist.
fn reset_late_data(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) {
    connection.report_drop(cx, DropReason::Closed, segment);
    connection.due.reset = Some((segment.header.ack, None));
    if !connection.life.closed || !connection.snd.is_fin_acknowledged() {
        connection.life.error = Some(crate::ConnectionError::Reset);
    }
    connection.enter(cx, Cause::Abort);
}

fn store(connection: &mut Connection, cx: &mut Cx<'_>, segment: SegmentIn) {
    let seq = segment.header.seq;
    connection.note_segment_size(&segment);
    if seq == connection.rcv.nxt && connection.rcv.reassembly.is_empty() {
        deliver(connection, segment.payload);
        acknowledge_in_order(connection, cx, segment.segments);
    } else {
        store_out_of_order(connection, cx, seq, segment);
    }
}

/// In-order text goes to the application's queue, or nowhere when reading was shut down: it is acknowledged all the same, so that
/// the peer does not hang.
fn deliver(connection: &mut Connection, text: bytes::Bytes) {
    connection.rcv.nxt += text.len() as u32;
    connection.stats.bytes_received += text.len() as u64;
    if !connection.life.read_shut {
        connection.rcv.queue.push(text);
        connection.mark_urgent();
        connection.announce_readable();
    }
}

fn acknowledge_in_order(connection: &mut Connection, cx: &mut Cx<'_>, segments: u16) {
    let unacked = connection.rcv.nxt.since(connection.rcv.last_ack);
    let two_full = unacked >= 2 * connection.rcv.mss;
    connection.acks.data_arrived(cx.now, segments, two_full);
    connection.arm_delayed_ack(cx);
}

// RFC 9293 3.10.7.4 SHLD-31, MAY-13.
/// Kept until the hole before it is filled. Each one is acknowledged at once (RFC 5681).
fn store_out_of_order(
    connection: &mut Connection,
    cx: &mut Cx<'_>,
    seq: SeqNum,
    segment: SegmentIn,
) {
    let gap = seq.after(connection.rcv.nxt);
    // What fills the first hole leaves at once, and is never refused: else nothing would ever make room again.
    let limit = if gap {
        connection.reassembly_limit()
    } else {
        usize::MAX
    };
    let segments = segment.segments.max(1);
    let header = segment.header;
    let inserted =
        connection
            .rcv
            .reassembly
            .insert(seq, segment.payload, connection.rcv.nxt, limit);
    if inserted.refused {
        connection.report(
            cx,
            Event::Drop {
                reason: DropReason::NoRoom,
                header: &header,
                len: 0,
            },
        );
    }
    if let Some(block) = inserted.duplicate {
        connection.rcv.duplicate = Some(block);
    }
    while let Some(text) = connection.rcv.reassembly.pop(connection.rcv.nxt) {
        deliver(connection, text);
    }
    if gap {
        connection.stats.out_of_order += u64::from(segments);
        for _ in 0..segments.min(64) {
            connection.acks.owe_duplicate();
        }
    } else {
        connection.acks.owe_now();
    }
}

impl Connection {
    /// Memory for text out of order: as much as the window lets in, with what small pieces cost.
    fn reassembly_limit(&self) -> usize {
        (self.rcv.limit as usize).saturating_mul(2)
    }

    /// What counts as a full-sized segment of the peer.
    fn note_segment_size(&mut self, segment: &SegmentIn) {
        let size = match segment.segment_size {
            0 => segment.payload.len() as u32,
            size => u32::from(size),
        };
        let size = size.min(u32::from(self.rcv.announced_mss));
        if size > self.rcv.mss {
            self.rcv.mss = size;
        }
    }

    pub(crate) fn announce_readable(&mut self) {
        let enough = self.rcv.queue.len() >= self.options.receive_low_water.max(1) as usize;
        // A full buffer is readable whatever the low-water mark says, else nobody would ever empty it.
        if enough || self.rcv.room() == 0 {
            self.due.events.set(ConnectionEvent::Readable);
        }
    }

    pub(crate) fn arm_delayed_ack(&mut self, cx: &mut Cx<'_>) {
        if self.acks.is_delayed()
            && self.acks.owed() == 0
            && !self.timers.is_armed(Timer::DelayedAck)
        {
            let at = cx.now + self.acks.delay(cx.settings);
            self.arm(cx, Timer::DelayedAck, at);
        }
    }
}
