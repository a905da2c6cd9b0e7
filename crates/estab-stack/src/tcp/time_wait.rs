//! TIME-WAIT: small records in the place of connections.

use super::input::Arrival;
use super::{ConnectionId, KeptTimeWait, TimeWaitId};
use crate::Stack;
use crate::ports::{Claim, Hold};
use crate::stack::TimerKey;
use estab_tcp::{Cause, Instant, TimeWaitDisposition};

impl Stack {
    /// Puts a record in the place of a connection. What was not read stays with the connection.
    // RFC 9293 3.6.1 MUST-13: the four-tuple lingers for 2 MSL after an active close.
    pub(super) fn enter_time_wait(&mut self, now: Instant, id: ConnectionId, hold: Option<Hold>) {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return;
        };
        let tuple = *kept.connection.tuple();
        let mut cx = self.reporter.cx(now, &self.settings);
        let record = kept.connection.time_wait(&mut cx);
        if self.tcp.time_wait.len() >= self.settings.tcp_max_tw_buckets as usize {
            record.over(&mut cx, &tuple, Cause::Evicted);
            self.reporter.counters.time_wait_overflows += 1;
            if let Some(hold) = hold {
                self.tcp.ports.release(hold);
            }
            return;
        }
        let hold = hold.map(|mut hold| {
            // Whoever binds with SO_REUSEADDR may have the port, even if this connection did not say so.
            let claim = Claim {
                reuse_address: true,
                ..hold.claim
            };
            self.tcp.ports.change(&mut hold, claim);
            hold
        });
        let interface = kept.interface;
        let deadline = record.deadline();
        let timers = &mut self.timers;
        let time_wait = self.tcp.time_wait.insert_with_key(tuple, |id| {
            let timer = timers.add(TimerKey::TimeWait(id));
            timers.arm(timer, Some(deadline));
            KeptTimeWait {
                record,
                timer,
                hold,
                interface,
            }
        });
        kept.time_wait = Some(time_wait);
    }

    /// A segment for a record. Gives it back when it may open the connection anew (RFC 6191).
    // RFC 9293 3.6.1 MAY-2.
    pub(super) fn time_wait_arrives(
        &mut self,
        now: Instant,
        id: TimeWaitId,
        mut arrival: Arrival,
    ) -> Option<Arrival> {
        let kept = self.tcp.time_wait.get_mut(id)?;
        let mut cx = self.reporter.cx(now, &self.settings);
        let disposition = kept
            .record
            .handle_segment(&mut cx, &arrival.tuple, &arrival.segment);
        let (deadline, interface) = (kept.record.deadline(), kept.interface);
        self.timers.arm(kept.timer, Some(deadline));
        match disposition {
            TimeWaitDisposition::Drop(_) => {}
            TimeWaitDisposition::Reply(reply, _) => {
                self.send_reported(now, &arrival.tuple, interface, reply);
            }
            TimeWaitDisposition::Closed => self.forget_time_wait(now, id, None),
            TimeWaitDisposition::NewIncarnation { snd_nxt } => {
                // When nobody listens any more the SYN is refused, and the wait goes on.
                if self.is_served(arrival.tuple.local) {
                    self.reporter.counters.time_wait_reuses += 1;
                    self.forget_time_wait(now, id, Some(Cause::NewIncarnation));
                }
                arrival.after = Some(snd_nxt);
                return Some(arrival);
            }
        }
        None
    }

    pub(crate) fn time_wait_timeout(&mut self, now: Instant, id: TimeWaitId) {
        self.forget_time_wait(now, id, Some(Cause::TimeWaitOver));
    }

    /// The record is over; with a cause the end is still to be reported.
    pub(super) fn forget_time_wait(&mut self, now: Instant, id: TimeWaitId, cause: Option<Cause>) {
        let Some((tuple, kept)) = self.tcp.time_wait.remove(id) else {
            return;
        };
        self.timers.remove(kept.timer);
        if let Some(hold) = kept.hold {
            self.tcp.ports.release(hold);
        }
        if let Some(cause) = cause {
            let mut cx = self.reporter.cx(now, &self.settings);
            kept.record.over(&mut cx, &tuple, cause);
        }
    }
}
