//! Time-outs (RFC 9293 section 3.10.8): what each timer means when it fires.

use crate::event::{ConnectionEvent, Event, RetransmitReason, Timer};
use crate::{Cause, Connection, ConnectionError, Cx, State};
use core::time::Duration;

impl Connection {
    pub(crate) fn expired(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            // Kept lazily: it was armed before the peer was last heard.
            Timer::Keepalive => return self.keepalive_expired(cx),
            _ => self.report(cx, Event::TimerFired { timer }),
        }
        match timer {
            Timer::Retransmit if !self.state.is_synchronized() => self.syn_timed_out(cx),
            Timer::Retransmit => self.retransmission_expired(cx),
            Timer::Persist => self.persist_expired(cx),
            Timer::DelayedAck => self.acks.delay_over(),
            Timer::Cork => self.due.partial = true,
            Timer::FinWait2 => self.enter(cx, Cause::TimeWaitOver),
            Timer::User if self.life.closed => self.linger_expired(cx),
            Timer::User => self.connect_timed_out(cx),
            Timer::Keepalive | Timer::TimeWait => {}
        }
    }

    // RFC 9293 3.8.3 MUST-20, SHLD-11: R2 is `tcp_retries2`; fifteen doublings of 200 ms are some 15 minutes.
    /// RFC 6298 and RFC 5681.
    fn retransmission_expired(&mut self, cx: &mut Cx<'_>) {
        let limit = if self.life.orphan {
            cx.settings.tcp_orphan_retries
        } else {
            cx.settings.tcp_retries2
        };
        if self.retries >= limit || self.user_time_is_over(cx) {
            return self.give_up(cx);
        }
        self.retries += 1;
        self.rtt.back_off();
        self.timed = None;
        let in_flight = self.in_flight();
        let first = self.recovery.enter_loss(self.snd.una, self.snd.nxt);
        self.congestion.timed_out(in_flight, first);
        if self.retries == R1 {
            // RFC 9293 3.8.3 MUST-20: the route may be bad.
            self.due.events.set(ConnectionEvent::Suspect);
        }
        let len = self.snd.nxt.since(self.snd.una).min(self.snd.mss);
        self.report(
            cx,
            Event::Retransmit {
                seq: self.snd.una,
                len,
                reason: RetransmitReason::Timeout,
            },
        );
        self.report_recovery(cx);
        self.arm_retransmission(cx);
    }

    // RFC 9293 3.8.6 SHLD-17, 3.8.6.1 MUST-36, MAY-8, SHLD-29, SHLD-30: after one time-out, then ever later.
    /// A closed window is probed for as long as the peer answers and somebody holds the socket (RFC 9293 3.8.6.1 MUST-37).
    fn persist_expired(&mut self, cx: &mut Cx<'_>) {
        let unanswered = self.probes >= cx.settings.tcp_retries2;
        let orphaned = self.life.orphan && self.orphan_probes >= cx.settings.tcp_orphan_retries;
        let silent = self.probes > 0 && self.user_time_is_over(cx);
        if unanswered || orphaned || silent {
            return self.give_up(cx);
        }
        self.probes = self.probes.saturating_add(1);
        self.orphan_probes = self.orphan_probes.saturating_add(1);
        self.rtt.back_off();
        self.due.probe = true;
        self.arm_retransmission(cx);
    }

    /// `TCP_USER_TIMEOUT` (RFC 9293 3.8.3 MUST-21).
    fn user_time_is_over(&self, cx: &Cx<'_>) -> bool {
        self.options
            .user_timeout
            .is_some_and(|limit| cx.now.since(self.progress_at) >= limit)
    }

    /// The peer does not answer. It is told, in case it can still hear.
    fn give_up(&mut self, cx: &mut Cx<'_>) {
        self.reset_peer();
        let error = self.life.soft_error.unwrap_or(ConnectionError::TimedOut);
        self.fail(cx, Cause::Timeout, error);
    }

    fn linger_expired(&mut self, cx: &mut Cx<'_>) {
        self.reset_peer();
        self.fail(cx, Cause::Timeout, ConnectionError::TimedOut);
    }

    // RFC 9293 3.8.4 MAY-5, MUST-24, MUST-25: only where the socket asked for it.
    pub(crate) fn start_keepalive(&mut self, cx: &mut Cx<'_>) {
        let lives = self.state.is_synchronized() && self.state != State::TimeWait;
        if self.options.keepalive && lives {
            let at = self.heard_at + self.keepalive_idle(cx);
            self.arm(cx, Timer::Keepalive, at);
        } else {
            self.timers.stop(Timer::Keepalive);
        }
    }

    // RFC 9293 3.8.4 MUST-27, MUST-28.
    fn keepalive_idle(&self, cx: &Cx<'_>) -> Duration {
        self.options
            .keepalive_idle
            .unwrap_or(cx.settings.tcp_keepalive_time)
            .max(KEEPALIVE_MIN)
    }

    /// RFC 9293 3.8.4: probes only after silence (MUST-26), and no single unanswered one means that the peer is dead (MUST-29).
    fn keepalive_expired(&mut self, cx: &mut Cx<'_>) {
        let idle = self.keepalive_idle(cx);
        let quiet_since = self.heard_at + idle;
        // Outstanding data is its own probe.
        let outstanding = self.snd.una != self.snd.nxt || self.timers.is_armed(Timer::Persist);
        if quiet_since > cx.now {
            return self.timers.arm(Timer::Keepalive, quiet_since);
        }
        if outstanding {
            let later = cx.now + idle.min(Duration::from_secs(1));
            return self.timers.arm(Timer::Keepalive, later);
        }
        self.report(
            cx,
            Event::TimerFired {
                timer: Timer::Keepalive,
            },
        );
        let count = self
            .options
            .keepalive_count
            .unwrap_or(cx.settings.tcp_keepalive_probes);
        let by_user_timeout = self
            .options
            .user_timeout
            .map(|limit| cx.now.since(self.heard_at) >= limit && self.probes > 0);
        if by_user_timeout.unwrap_or(self.probes >= count) {
            return self.give_up(cx);
        }
        self.probes = self.probes.saturating_add(1);
        self.due.keepalive = true;
        let interval = self
            .options
            .keepalive_interval
            .unwrap_or(cx.settings.tcp_keepalive_intvl)
            .max(KEEPALIVE_MIN);
        self.arm(cx, Timer::Keepalive, cx.now + interval);
    }

    /// An orphan waits for the peer's FIN only so long; while the application holds the socket, without limit.
    pub(crate) fn start_fin_wait_2(&mut self, cx: &mut Cx<'_>) {
        if !self.life.closed || self.state != State::FinWait2 {
            return;
        }
        let limit = self.options.linger2.unwrap_or(cx.settings.tcp_fin_timeout);
        if limit.is_zero() {
            // Nobody will wait for the peer's end: it is told.
            self.reset_peer();
            return self.enter(cx, Cause::Abort);
        }
        self.arm(cx, Timer::FinWait2, cx.now + limit);
    }
}

// RFC 9293 3.8.3 MUST-20, SHLD-10.
/// Retransmissions after which the network layer is asked to look for another way (RFC 9293 3.8.3: R1, at least three).
const R1: u8 = 3;

/// Keep-alive's times are no shorter than this, whatever options and settings say: with none at all its timer would fire for ever
/// at one moment.
const KEEPALIVE_MIN: Duration = Duration::from_millis(1);
