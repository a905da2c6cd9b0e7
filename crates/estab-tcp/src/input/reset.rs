//! Second: check the RST bit, as RFC 5961 has it and RFC 9293 3.5.3 takes it over.

use super::{CONTINUE, DONE, Step, drop};
use crate::event::DropReason;
use crate::{Cause, Connection, ConnectionError, Cx, SegmentIn, State};

pub(super) fn check(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) -> Step {
    if !segment.header.flags.rst() {
        return CONTINUE;
    }
    let (nxt, wnd) = (connection.rcv.nxt, connection.rcv.wnd());
    let seq = segment.header.seq;
    // Exactly RCV.NXT counts with a window of zero too (MUST-66).
    if seq == nxt {
        reset(connection, cx);
        return DONE;
    }
    if seq.within(nxt, wnd) {
        connection.challenge(cx, segment);
        return drop(DropReason::ChallengedRst);
    }
    drop(DropReason::InvalidRst)
}

// RFC 9293 3.6 MUST-12: the application is told. Text in a RST (3.5.2 SHLD-2) is not looked at.
fn reset(connection: &mut Connection, cx: &mut Cx<'_>) {
    match connection.state {
        // RFC 9293 3.5 MUST-11: a refused active open; the half-open records of listeners are not here.
        State::SynReceived => connection.fail(cx, Cause::ReceiveRst, ConnectionError::Refused),
        // Nothing of ours is lost when all of it was acknowledged but the FIN.
        State::Closing | State::LastAck if connection.snd.queue.is_empty() => {
            connection.life.flushed = true;
            connection.enter(cx, Cause::ReceiveRst);
        }
        State::TimeWait => {}
        _ => connection.fail(cx, Cause::ReceiveRst, ConnectionError::Reset),
    }
}
