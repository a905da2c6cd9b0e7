//! Sixth: check the URG bit (RFC 9293 3.8.5, RFC 6093).

use crate::event::ConnectionEvent;
use crate::{Connection, SegmentIn};

/// RCV.UP <- max(RCV.UP, SEG.UP), and the application is told when it is new (RFC 9293 MUST-32). The pointer names the first octet
/// after the urgent data (MUST-62).
pub(super) fn check(connection: &mut Connection, segment: &SegmentIn) {
    if !segment.header.flags.urg() || !connection.state.can_receive() || segment.header.urgent == 0
    {
        return;
    }
    let pointer = segment.header.seq + u32::from(segment.header.urgent);
    let urgent = &mut connection.rcv.urgent;
    let old = pointer.at_or_before(connection.rcv.nxt);
    let known = urgent
        .pointer
        .is_some_and(|known| pointer.at_or_before(known));
    if old || known {
        return;
    }
    urgent.pointer = Some(pointer);
    urgent.byte = None;
    urgent.mark = None;
    connection.due.events.set(ConnectionEvent::Urgent);
}

impl Connection {
    /// Text up to RCV.NXT was put into the queue. When the urgent byte is among it, its place is marked, and unless the
    /// application wants it in the stream, it is taken out.
    pub(crate) fn mark_urgent(&mut self) {
        let Some(pointer) = self.rcv.urgent.pointer else {
            return;
        };
        let reached = pointer.at_or_before(self.rcv.nxt);
        if !reached || self.rcv.urgent.mark.is_some() || self.rcv.urgent.byte.is_some() {
            return;
        }
        let behind = self.rcv.nxt.since(pointer - 1) as usize;
        let Some(offset) = self.rcv.queue.len().checked_sub(behind) else {
            return;
        };
        self.rcv.urgent.mark = Some(offset);
        if self.options.oob_inline {
            self.rcv.urgent.pointer = None;
        } else {
            self.rcv.urgent.byte = self.rcv.queue.remove_byte(offset);
            self.rcv.urgent.pointer = None;
        }
        self.due.events.set(ConnectionEvent::Urgent);
    }
}
