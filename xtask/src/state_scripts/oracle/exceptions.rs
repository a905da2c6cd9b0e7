//! Where the project leaves the letter of section 3.10.7.4 on purpose, and the choices that it offers. Each is a line of
//! `docs/deviations.md`, or cites the clause that allows it.

use super::{Answer, Outcome, Segment, State, Tcb, synchronize};

/// Those that come before the first step.
pub(super) fn before_all(tcb: &Tcb, segment: Segment) -> Option<Outcome> {
    simultaneous_syn_ack(tcb, segment)
        .or_else(|| syn_again(tcb, segment))
        .or_else(|| reset_in_time_wait(tcb, segment))
        .or_else(|| syn_in_time_wait(tcb, segment))
}

/// The letter: it lies before the window and is answered with an ACK.
fn simultaneous_syn_ack(tcb: &Tcb, segment: Segment) -> Option<Outcome> {
    let of_the_open = tcb.state == State::SynReceived
        && !tcb.passive
        && segment.syn
        && !segment.fin
        && !segment.rst
        && segment.seq == tcb.irs
        && segment.ack == Some(tcb.iss + 1);
    of_the_open.then(|| {
        let mut out = Outcome::begin(tcb).by(
            "RFC 9293 3.5, figure 8: the SYN-ACK of a simultaneous open is taken as the ACK it contains (docs/deviations.md; by the \
             letter of 3.10.7.4, first, it would be answered).",
        );
        out.tcb.snd_una = tcb.iss + 1;
        out.enter(State::Established)
    })
}

/// The letter: it lies before the window and is answered with an ACK, which would tell a peer in SYN-SENT nothing.
fn syn_again(tcb: &Tcb, segment: Segment) -> Option<Outcome> {
    let again = tcb.state == State::SynReceived
        && tcb.passive
        && segment.syn
        && !segment.fin
        && !segment.rst
        && segment.ack.is_none()
        && segment.seq == tcb.irs;
    again.then(|| {
        Outcome::begin(tcb)
            .by("The peer's SYN, which comes again, is answered with the SYN-ACK again (docs/deviations.md; by RFC 9293 3.10.7.4, first, it would get an ACK).")
            .send(Answer::SynAck {
                seq: tcb.iss,
                ack: tcb.rcv_nxt,
            })
    })
}

/// The letter: one at RCV.NXT ends TIME-WAIT, one elsewhere in the window gets a challenge ACK.
fn reset_in_time_wait(tcb: &Tcb, segment: Segment) -> Option<Outcome> {
    (tcb.state == State::TimeWait && segment.rst).then(|| {
        Outcome::begin(tcb).by("RFC 1337, tcp_rfc1337=1: a RST is ignored in TIME-WAIT (docs/deviations.md; by RFC 9293 3.10.7.4, second, one at RCV.NXT would end it).")
    })
}

/// RFC 9293 3.6.1 MAY-2 lets a SYN open the connection again. It does so when its number is larger than the last one that was seen
/// (RFC 6191), and when it carries nothing else.
fn syn_in_time_wait(tcb: &Tcb, segment: Segment) -> Option<Outcome> {
    let takes_over = tcb.state == State::TimeWait
        && segment.syn
        && !segment.rst
        && !segment.fin
        && segment.ack.is_none()
        && segment.seq >= tcb.rcv_nxt;
    takes_over.then(|| {
        let mut out = Outcome::begin(tcb).by(
            "RFC 9293 3.6.1 MAY-2: a SYN after all that was received opens the connection again.",
        );
        out.tcb.iss = 0;
        out.tcb.fin = None;
        out.tcb.passive = true;
        synchronize(out, segment)
    })
}

/// The letter: a passive open returns to LISTEN.
pub(super) fn syn_in_a_passive_syn_received(out: Outcome) -> Outcome {
    out.by("RFC 5961: a SYN in the window gets a challenge ACK in SYN-RECEIVED too (docs/deviations.md; by RFC 9293 3.10.7.4, fourth, it would return a passive open to LISTEN).")
        .send_ack()
}

/// The letter, 3.10.7.4, eighth: RCV.NXT advances over it, and it is acknowledged. But nothing can follow the FIN that was received.
pub(super) fn fin_beyond_the_known_one(out: Outcome) -> Outcome {
    out.by("Nothing can follow the FIN that was received: one beyond it is dropped (docs/deviations.md; by RFC 9293 3.10.7.4, eighth, it would be acknowledged).")
}
