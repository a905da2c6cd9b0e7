//! Timestamps (RFC 7323): protection against wrapped sequence numbers before the first step, TS.Recent after the checks.

use super::{CONTINUE, Step, drop};
use crate::event::DropReason;
use crate::{Connection, Cx, Instant, SegmentIn};
use core::time::Duration;
use estab_wire::tcp::Timestamps;

/// TS.Recent of a connection that was idle for longer is not believed (RFC 7323).
const OUTDATED: Duration = Duration::from_secs(24 * 24 * 3600);

/// Is `a` before `b` on the peer's wrapping clock?
pub(crate) const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// PAWS. A RST is exempt: its sequence number is checked exactly.
pub(super) fn check(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) -> Step {
    if !connection.agreed.timestamps || segment.header.flags.rst() {
        return CONTINUE;
    }
    let Some(timestamps) = segment.header.options.timestamps() else {
        return drop(DropReason::NoTimestamp);
    };
    let outdated = cx.now.since(connection.rcv.ts_recent_at) > OUTDATED;
    if before(timestamps.value, connection.rcv.ts_recent) && !outdated {
        // Data deserves its ACK always, for the peer may wait for it; the rest could be part of a loop of ACKs.
        if segment.payload.is_empty() {
            connection.challenge(cx, segment);
        } else {
            connection.acks.owe_now();
        }
        return drop(DropReason::Paws);
    }
    CONTINUE
}

/// RFC 7323: TS.Recent follows the segment that spans Last.ACK.sent. Only one whose ACK is in order too: else who guesses a
/// sequence number in the window, and no more, could set TS.Recent ahead, and PAWS would drop all that the peer sends.
pub(super) fn take(connection: &mut Connection, cx: &Cx<'_>, segment: &SegmentIn) {
    let Some(timestamps) = segment.header.options.timestamps() else {
        return;
    };
    let header = &segment.header;
    let spans = header.seq.at_or_before(connection.rcv.last_ack);
    let plausible = header.flags.ack() && super::ack::is_plausible(connection, header.ack);
    if connection.agreed.timestamps && spans && plausible {
        connection.rcv.ts_recent = timestamps.value;
        connection.rcv.ts_recent_at = cx.now;
    }
}

impl Connection {
    /// Timestamps of a segment to send: a millisecond clock with the connection's offset, and TS.Recent.
    pub(crate) fn timestamps(&self, now: Instant) -> Option<Timestamps> {
        self.agreed.timestamps.then(|| Timestamps {
            value: timestamp(now, self.agreed.timestamp_offset),
            echo: self.rcv.ts_recent,
        })
    }

    /// The round trip of a segment, from the echo of our own timestamp.
    pub(crate) fn round_trip_by_echo(
        &self,
        now: Instant,
        timestamps: Timestamps,
    ) -> Option<Duration> {
        let elapsed_ms = timestamp(now, self.agreed.timestamp_offset).wrapping_sub(timestamps.echo);
        // An echo that our clock did not give yet, or gave long ago, is the peer's mistake.
        (elapsed_ms < 600_000).then(|| Duration::from_millis(u64::from(elapsed_ms.max(1))))
    }
}

/// Our timestamp now: one tick a millisecond (RFC 7323), and the connection's offset.
pub(crate) const fn timestamp(now: Instant, offset: u32) -> u32 {
    ((now.as_nanos() / 1_000_000) as u32).wrapping_add(offset)
}
