//! Eighth: check the FIN bit.

use crate::event::ConnectionEvent;
use crate::{Cause, Connection, Cx, State};
use estab_wire::tcp::SeqNum;

/// A FIN stands at `seq`, right of all text of its segment. One that comes before its turn is remembered.
pub(super) fn arrived(connection: &mut Connection, cx: &mut Cx<'_>, seq: SeqNum) {
    let may_come = connection.state.can_receive() || connection.state == State::SynReceived;
    if !may_come || seq.before(connection.rcv.nxt) {
        return;
    }
    if seq != connection.rcv.nxt {
        connection.acks.owe_now();
    }
    connection.rcv.early_fin = Some(seq);
    process_early(connection, cx);
}

/// RCV.NXT has reached the FIN.
pub(super) fn process_early(connection: &mut Connection, cx: &mut Cx<'_>) {
    if connection.rcv.early_fin != Some(connection.rcv.nxt) {
        return;
    }
    connection.rcv.early_fin = None;
    connection.rcv.nxt += 1;
    connection.due.events.set(ConnectionEvent::Readable);
    let closing = connection.state != State::Established;
    connection.acks.data_arrived(cx.now, 1, closing);
    connection.arm_delayed_ack(cx);
    connection.enter(cx, Cause::ReceiveFin);
    if connection.state == State::TimeWait {
        // The record that replaces the connection counts 2 MSL; the peer's FIN is acknowledged first.
        connection.acks.owe_now();
    }
}
