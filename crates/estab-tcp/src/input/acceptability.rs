//! First: check the sequence number, and trim the segment to the window.

use super::{CONTINUE, Step, drop, timestamp};
use crate::event::DropReason;
use crate::handshake::strip_syn;
use crate::{Connection, Cx, SegmentIn};
use estab_wire::tcp::{Flags, SackBlock, SeqNum};

pub(super) fn check(connection: &mut Connection, cx: &mut Cx<'_>, segment: &mut SegmentIn) -> Step {
    if connection.is_crossed_syn_ack(&segment.header) {
        strip_syn(segment);
    }
    if connection.is_repeated_syn_ack(&segment.header) {
        connection.acks.owe_now();
        return drop(DropReason::Duplicate);
    }
    if segment.header.flags.syn() || segment.header.flags.rst() {
        // Their own steps judge their sequence numbers (RFC 5961).
        return CONTINUE;
    }
    if !is_acceptable(connection, segment) {
        return refuse(connection, cx, segment);
    }
    timestamp::take(connection, cx, segment);
    trim_left(connection, segment);
    trim_right(connection, segment);
    CONTINUE
}

/// The four cases of RFC 9293 3.10.7.4. With a window of zero, a segment at RCV.NXT is let through although it has text: its
/// ACK counts (RFC 9293 3.10.7.4, "special allowance"; MUST-66), its text is trimmed away.
fn is_acceptable(connection: &Connection, segment: &SegmentIn) -> bool {
    let (nxt, wnd) = (connection.rcv.nxt, connection.rcv.wnd());
    let seq = segment.header.seq;
    let len = segment.seq_len();
    match (len, wnd) {
        (_, 0) => seq == nxt,
        (0, _) => seq.within(nxt, wnd),
        _ => seq.within(nxt, wnd) || (seq + (len - 1)).within(nxt, wnd),
    }
}

fn refuse(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) -> Step {
    let end = segment.header.seq + segment.seq_len();
    let duplicate = end.at_or_before(connection.rcv.nxt);
    if segment.seq_len() > 0 {
        // Text or FIN: the peer waits for this ACK, and a pure ACK that answers it ends the matter. No loop can come of it.
        if duplicate {
            note_duplicate(connection, segment.header.seq, end);
        }
        connection.acks.owe_now();
    } else {
        connection.challenge(cx, segment);
    }
    drop(if duplicate && segment.seq_len() > 0 {
        DropReason::Duplicate
    } else {
        DropReason::OutsideWindow
    })
}

/// Remembers a duplicate for D-SACK (RFC 2883).
fn note_duplicate(connection: &mut Connection, left: SeqNum, right: SeqNum) {
    connection.rcv.duplicate = Some(SackBlock { left, right });
}

/// What was received before is cut off; the FIN keeps its place behind the text.
fn trim_left(connection: &mut Connection, segment: &mut SegmentIn) {
    let seq = segment.header.seq;
    if !seq.before(connection.rcv.nxt) {
        return;
    }
    let old = connection
        .rcv
        .nxt
        .since(seq)
        .min(segment.payload.len() as u32);
    if old > 0 {
        note_duplicate(connection, seq, seq + old);
        connection.acks.owe_now();
        segment.payload = segment.payload.slice(old as usize..);
        segment.header.seq = seq + old;
    }
}

/// What lies beyond the window is cut off, and the FIN behind it, which has a place of its own.
fn trim_right(connection: &mut Connection, segment: &mut SegmentIn) {
    let edge = connection.rcv.nxt.max(connection.rcv.edge);
    let end = segment.header.seq + segment.payload.len() as u32;
    if end.after(edge) {
        let excess = end.since(edge) as usize;
        segment.payload.truncate(segment.payload.len() - excess);
    } else if end.before(edge) || !segment.header.flags.fin() {
        return;
    }
    segment.header.flags = segment.header.flags.without(Flags::FIN | Flags::PSH);
    // A probe of our closed window: the peer must hear that it is still closed. What lies behind a gap has an ACK of its own.
    if segment.header.seq == connection.rcv.nxt {
        connection.acks.owe_now();
    }
}
