//! Fifth: check the ACK field.

use super::{CONTINUE, DONE, Step, drop};
use crate::event::{ConnectionEvent, DropReason, Event, RecoveryPhase, RetransmitReason, Timer};
use crate::{Cause, Connection, Cx, SegmentIn, State};
use estab_wire::tcp::{Header, SeqNum, Timestamps};

pub(super) fn check(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) -> Step {
    if !segment.header.flags.ack() {
        return drop(DropReason::NoAck);
    }
    if connection.state == State::SynReceived {
        establish(connection, cx, segment)?;
    }
    validate(connection, cx, segment)?;
    connection.heard_at = cx.now;
    connection.probes = 0;
    // The peer is reached: what stood in the way does not any more.
    connection.life.soft_error = None;
    connection.acks.end_limit();
    process(connection, cx, segment);
    close_as_acknowledged(connection, cx)
}

/// SYN-RECEIVED: only an ACK of our SYN goes on, any other is answered by a RST where it points.
fn establish(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) -> Step {
    let ack = segment.header.ack;
    if !(ack.after(connection.snd.una) && ack.at_or_before(connection.snd.max)) {
        connection.due.reset = Some((ack, None));
        return drop(DropReason::UnacceptableAck);
    }
    connection.our_syn_is_acknowledged(cx, ack, segment.header.options.timestamps());
    let window = connection.snd.scaled(segment.header.window);
    connection.snd.set_window(window, segment.header.seq, ack);
    connection.timers.stop(Timer::User);
    connection.enter(cx, Cause::ReceiveAckOfSyn);
    if connection.snd.fin {
        // Closed while opening.
        connection.enter(cx, Cause::Close);
    }
    CONTINUE
}

// RFC 9293 3.10.7.4 MAY-12.
/// RFC 5961: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT.
pub(super) fn is_plausible(connection: &Connection, ack: SeqNum) -> bool {
    let oldest = connection.snd.una - connection.snd.wnd_max;
    !ack.after(connection.snd.max) && !ack.before(oldest)
}

fn validate(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) -> Step {
    if !is_plausible(connection, segment.header.ack) {
        connection.challenge(cx, segment);
        return drop(DropReason::InvalidAck);
    }
    CONTINUE
}

fn process(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) {
    let ack = segment.header.ack;
    let window = connection.snd.scaled(segment.header.window);
    if ack.after(connection.snd.una) {
        connection.acknowledged(cx, ack, segment.header.options.timestamps());
    } else if is_duplicate(connection, segment, window) {
        connection.duplicate_ack(cx);
    }
    update_window(connection, cx, &segment.header, window);
}

/// RFC 5681 section 2: data is outstanding, the segment carries nothing, and neither ACK nor window move. Behind a closed window
/// only probes are answered, which tells of no loss.
fn is_duplicate(connection: &Connection, segment: &SegmentIn, window: u32) -> bool {
    connection.snd.una != connection.snd.nxt
        && segment.seq_len() == 0
        && segment.header.ack == connection.snd.una
        && window == connection.snd.wnd
        && window > 0
        && !segment.header.flags.fin()
}

/// SND.WL1 and SND.WL2 keep old segments from setting the window.
fn update_window(connection: &mut Connection, cx: &mut Cx<'_>, header: &Header, window: u32) {
    let snd = &mut connection.snd;
    let newer =
        snd.wl1.before(header.seq) || (snd.wl1 == header.seq && snd.wl2.at_or_before(header.ack));
    if header.ack.before(snd.una) || !newer {
        return;
    }
    let was_closed = snd.wnd == 0;
    snd.set_window(window, header.seq, header.ack);
    if was_closed && window > 0 {
        connection.window_opened();
    }
    connection.arm_retransmission(cx);
}

/// An ACK of our FIN moves the closing states on.
fn close_as_acknowledged(connection: &mut Connection, cx: &mut Cx<'_>) -> Step {
    if !connection.snd.is_fin_acknowledged() {
        return CONTINUE;
    }
    match connection.state {
        State::FinWait1 => {
            connection.flushed();
            connection.enter(cx, Cause::ReceiveAckOfFin);
            // With no time for FIN-WAIT-2 it is over.
            if connection.state == State::Closed {
                DONE
            } else {
                CONTINUE
            }
        }
        State::Closing => {
            connection.flushed();
            connection.enter(cx, Cause::ReceiveAckOfFin);
            DONE
        }
        State::LastAck => {
            connection.flushed();
            connection.enter(cx, Cause::ReceiveAckOfFin);
            DONE
        }
        _ => CONTINUE,
    }
}

impl Connection {
    fn flushed(&mut self) {
        self.life.flushed = true;
        // A lingering close has got what it waited for.
        self.timers.stop(Timer::User);
        self.due.events.set(ConnectionEvent::Flushed);
    }

    /// SND.UNA < SEG.ACK =< highest SND.NXT: something new is acknowledged.
    fn acknowledged(&mut self, cx: &mut Cx<'_>, ack: SeqNum, timestamps: Option<Timestamps>) {
        let bytes = ack.since(self.snd.una);
        self.measure(cx, ack, timestamps);
        let was = self.recovery.phase();
        let queued = self.snd.queue.len();
        self.snd.acknowledge(ack);
        self.stats.bytes_acked += (queued - self.snd.queue.len()) as u64;
        self.retries = 0;
        self.orphan_probes = 0;
        self.progress_at = cx.now;
        let over = self.recovery.advanced(ack);
        self.grow_or_recover(cx, was, over, bytes);
        self.offer_room();
        self.timers.stop(Timer::Retransmit);
        self.arm_retransmission(cx);
    }

    fn grow_or_recover(&mut self, cx: &mut Cx<'_>, was: RecoveryPhase, over: bool, bytes: u32) {
        match was {
            RecoveryPhase::Recovery if over => {
                self.congestion.recovered(self.in_flight());
                self.report_recovery(cx);
            }
            // RFC 6582: the next hole.
            RecoveryPhase::Recovery => {
                self.congestion.deflate(bytes);
                self.recovery
                    .resend_one(self.snd.una, self.snd.nxt, self.snd.mss);
                self.report_retransmit(cx, RetransmitReason::PartialAck);
            }
            RecoveryPhase::Loss => {
                self.congestion.acknowledged(bytes);
                if over {
                    self.report_recovery(cx);
                }
            }
            // A window that the sender did not use tells nothing about the path (RFC 7661).
            RecoveryPhase::Open => {
                if self.due.window_limited {
                    self.congestion.acknowledged(bytes);
                }
            }
        }
    }

    /// RFC 5681 and RFC 6582.
    fn duplicate_ack(&mut self, cx: &mut Cx<'_>) {
        let threshold = u32::from(cx.settings.tcp_reordering.max(1));
        if self.recovery.duplicate(self.snd.una, threshold) {
            let in_flight = self.in_flight();
            self.congestion.lost(in_flight);
            self.congestion.inflate(threshold * self.snd.mss);
            self.recovery
                .enter_fast(self.snd.una, self.snd.nxt, self.snd.mss);
            self.report_retransmit(cx, RetransmitReason::FastRetransmit);
            self.report_recovery(cx);
        } else if self.recovery.phase() == RecoveryPhase::Recovery {
            self.congestion.inflate(self.snd.mss);
        }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.recovery.in_flight(self.snd.una, self.snd.nxt)
    }

    pub(crate) fn report_recovery(&self, cx: &mut Cx<'_>) {
        self.report(
            cx,
            Event::Recovery {
                phase: self.recovery.phase(),
            },
        );
        self.report(
            cx,
            Event::Congestion {
                cwnd: self.congestion.window(),
                ssthresh: self.congestion.threshold(),
            },
        );
    }

    fn report_retransmit(&self, cx: &mut Cx<'_>, reason: RetransmitReason) {
        if let Some((from, to)) = self.recovery.resend(self.snd.una) {
            self.report(
                cx,
                Event::Retransmit {
                    seq: from,
                    len: to.since(from),
                    reason,
                },
            );
        }
    }

    /// A round trip is known. RFC 9293 3.8.1 MUST-18 (Karn): what was sent twice is measured only by timestamps, which tell the
    /// two apart.
    pub(crate) fn measure(&mut self, cx: &mut Cx<'_>, ack: SeqNum, timestamps: Option<Timestamps>) {
        let timed = self.timed.filter(|(end, _)| ack.at_or_after(*end));
        if let Some((_, sent_at)) = timed {
            self.timed = None;
            self.rtt.measured(cx.now.since(sent_at));
        } else if self.timed.is_none() && self.agreed.timestamps {
            let round_trip =
                timestamps.and_then(|timestamps| self.round_trip_by_echo(cx.now, timestamps));
            if let Some(round_trip) = round_trip {
                self.rtt.measured(round_trip);
            }
        }
    }

    /// The peer's window opens again: a probe that it did not take is taken back, and sent anew as ordinary data.
    fn window_opened(&mut self) {
        self.timers.stop(Timer::Persist);
        self.rtt.end_back_off();
        self.retries = 0;
        if self.snd.nxt == self.snd.una + 1 && self.recovery.resend(self.snd.una).is_none() {
            self.snd.nxt = self.snd.una;
            self.snd.small = self.snd.una;
            self.timed = None;
        } else if self.snd.una != self.snd.nxt {
            self.recovery.resend_all(self.snd.una, self.snd.nxt);
        }
    }
}
