//! RFC 9293 section 3.10.7.4: the states with a window. One function a step, in its order.

use super::{Held, Outcome, Segment, Signal, State, Tcb, exceptions};

/// What a step says: go on with the next, or this was all.
enum Step {
    Next(Outcome),
    Return(Outcome),
}

use Step::{Next, Return};

pub(super) fn arrives(tcb: &Tcb, segment: Segment) -> Outcome {
    if let Some(out) = exceptions::before_all(tcb, segment) {
        return out;
    }
    // Third (security) is not used; sixth (URG) is not in these scripts.
    let steps: [fn(Outcome, Segment) -> Step; 6] = [
        first_sequence_number,
        second_rst,
        fourth_syn,
        fifth_ack,
        seventh_text,
        eighth_fin,
    ];
    let mut out = Outcome::begin(tcb);
    for step in steps {
        match step(out, segment) {
            Next(next) => out = next,
            Return(last) => return last,
        }
    }
    out
}

/// First, check sequence number: table 6.
fn first_sequence_number(out: Outcome, segment: Segment) -> Step {
    let window = out.tcb.rcv_nxt..out.tcb.edge;
    let acceptable = match (segment.len(), window.is_empty()) {
        (0, true) => segment.seq == out.tcb.rcv_nxt,
        (0, false) => window.contains(&segment.seq),
        (_, true) => false,
        (len, false) => window.contains(&segment.seq) || window.contains(&(segment.seq + len - 1)),
    };
    if acceptable {
        return Next(out);
    }
    if segment.rst {
        return Return(
            out.by("RFC 9293 3.10.7.4, first: a RST outside the window is dropped in silence."),
        );
    }
    Return(
        out.by("RFC 9293 3.10.7.4, first: a segment outside the window gets <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> and is dropped.")
            .send_ack(),
    )
}

/// Second, check the RST bit, with RFC 5961's three checks; the first of them is done.
fn second_rst(out: Outcome, segment: Segment) -> Step {
    if !segment.rst {
        return Next(out);
    }
    if segment.seq != out.tcb.rcv_nxt {
        return Return(
            out.by("RFC 9293 3.10.7.4, second (RFC 5961): a RST in the window but not at RCV.NXT gets a challenge ACK and is dropped.")
                .send_ack(),
        );
    }
    let passive = out.tcb.passive;
    Return(match out.tcb.state {
        State::SynReceived if passive => out
            .by("RFC 9293 3.10.7.4, second: a RST at RCV.NXT returns a passive open to LISTEN; the user is not told.")
            .enter(State::Listen),
        State::SynReceived => out
            .by("RFC 9293 3.10.7.4, second: a RST at RCV.NXT refuses an active open.")
            .signal(Signal::Refused)
            .enter(State::Closed),
        State::Closing | State::LastAck | State::TimeWait => out
            .by("RFC 9293 3.10.7.4, second: a RST at RCV.NXT ends the connection, of which the user awaits no more.")
            .enter(State::Closed),
        _ => out
            .by("RFC 9293 3.10.7.4, second: a RST at RCV.NXT resets the connection.")
            .signal(Signal::Reset)
            .enter(State::Closed),
    })
}

/// Fourth, check the SYN bit.
fn fourth_syn(out: Outcome, segment: Segment) -> Step {
    if !segment.syn {
        return Next(out);
    }
    if out.tcb.state == State::SynReceived && out.tcb.passive {
        return Return(exceptions::syn_in_a_passive_syn_received(out));
    }
    Return(
        out.by("RFC 9293 3.10.7.4, fourth (RFC 5961): a SYN gets a challenge ACK wherever it lies, and is dropped.")
            .send_ack(),
    )
}

/// Fifth, check the ACK field. That of a segment in the window but not at RCV.NXT is looked at when it comes ("one could" wait),
/// as Linux does.
fn fifth_ack(mut out: Outcome, segment: Segment) -> Step {
    let Some(ack) = segment.ack else {
        return Return(out.by("RFC 9293 3.10.7.4, fifth: what has no ACK is dropped."));
    };
    let tcb = out.tcb;
    if tcb.state == State::SynReceived {
        // 3.5.2 (2) makes this clear: in a state that is not synchronized what acknowledges too much is reset. RFC 5961's
        // answer, an ACK, is for those that are.
        if ack <= tcb.snd_una || ack > tcb.snd_nxt {
            return Return(
                out.by("RFC 9293 3.10.7.4, fifth (and 3.5.2): in SYN-RECEIVED an ACK that is not acceptable gets <SEQ=SEG.ACK><CTL=RST>.")
                    .send(super::Answer::Rst { seq: ack }),
            );
        }
        out.tcb.snd_una = ack;
        return Next(
            out.by("RFC 9293 3.10.7.4, fifth: the ACK of our SYN enters ESTABLISHED.")
                .enter(State::Established),
        );
    }
    // Where this goes below zero no ACK in the scripts does.
    if ack < tcb.snd_una.saturating_sub(tcb.max_snd_wnd) || ack > tcb.snd_nxt {
        return Return(
            out.by("RFC 9293 3.10.7.4, fifth (RFC 5961): an ACK that is not in SND.UNA-MAX.SND.WND =< SEG.ACK =< SND.NXT gets an ACK; the segment is discarded.")
                .send_ack(),
        );
    }
    out.tcb.snd_una = tcb.snd_una.max(ack);
    let fin_acknowledged = tcb.fin.is_some_and(|fin| out.tcb.snd_una > fin);
    match tcb.state {
        State::FinWait1 if fin_acknowledged => Next(
            out.by("RFC 9293 3.10.7.4, fifth: the ACK of our FIN enters FIN-WAIT-2.")
                .enter(State::FinWait2),
        ),
        State::Closing if fin_acknowledged => Next(
            out.by("RFC 9293 3.10.7.4, fifth: the ACK of our FIN enters TIME-WAIT.")
                .enter(State::TimeWait),
        ),
        State::Closing => Return(out.by(
            "RFC 9293 3.10.7.4, fifth: in CLOSING what does not acknowledge our FIN is ignored.",
        )),
        State::LastAck if fin_acknowledged => Return(
            out.by("RFC 9293 3.10.7.4, fifth: the ACK of our FIN ends the connection.")
                .enter(State::Closed),
        ),
        _ if ack > tcb.snd_una => {
            Next(out.by("RFC 9293 3.10.7.4, fifth: SND.UNA < SEG.ACK =< SND.NXT: SND.UNA moves."))
        }
        _ => Next(out.by("RFC 9293 3.10.7.4, fifth: a duplicate ACK is ignored.")),
    }
}

/// Seventh, process the segment text; what lies behind a gap is held with its FIN (SHLD-31).
fn seventh_text(mut out: Outcome, segment: Segment) -> Step {
    if !takes_text(out.tcb.state) {
        if segment.text > 0 {
            out = out.by("RFC 9293 3.10.7.4, seventh: the text is ignored after the peer's FIN.");
        }
        return Next(out);
    }
    if segment.text == 0 && !segment.fin {
        return Return(out);
    }
    if segment.seq > out.tcb.rcv_nxt {
        let text = segment.text.min(out.tcb.edge - segment.seq);
        // Trimmed at the window's edge, the FIN is cut off with what precedes it.
        let fin = segment.fin && segment.seq + text < out.tcb.edge;
        out.tcb.held = Some(Held {
            seq: segment.seq,
            text,
            fin,
        });
        return Return(
            out.by("RFC 9293 3.10.7.4, first SHLD-31 and seventh MAY-13: what lies behind a gap is held, and RCV.NXT acknowledged.")
                .send_ack(),
        );
    }
    if segment.text > 0 {
        out.tcb.rcv_nxt += segment.text;
        out.delivered = segment.text;
        out = out.by("RFC 9293 3.10.7.4, seventh: the text is delivered, and acknowledged.");
        if let Some(held) = out.tcb.held.take_if(|held| held.seq == out.tcb.rcv_nxt) {
            out.tcb.rcv_nxt += held.text;
            out.delivered += held.text;
            if held.fin {
                return Return(fin(out));
            }
        }
        if !segment.fin {
            return Return(out.send_ack());
        }
    }
    Next(out)
}

/// The states whose peer has not sent its FIN.
pub(super) fn takes_text(state: State) -> bool {
    matches!(
        state,
        State::Established | State::FinWait1 | State::FinWait2
    )
}

/// Eighth, check the FIN bit.
fn eighth_fin(out: Outcome, segment: Segment) -> Step {
    if !segment.fin {
        return Return(out);
    }
    if !takes_text(out.tcb.state) {
        return Return(exceptions::fin_beyond_the_known_one(out));
    }
    Return(fin(out))
}

/// Takes the peer's FIN, which is next in sequence.
fn fin(mut out: Outcome) -> Outcome {
    out.tcb.rcv_nxt += 1;
    let (state, clause) = match out.tcb.state {
        State::Established => (
            State::CloseWait,
            "RFC 9293 3.10.7.4, eighth: the FIN is acknowledged; CLOSE-WAIT.",
        ),
        // Had our FIN been acknowledged, perhaps by this segment, this were FIN-WAIT-2 by now.
        State::FinWait1 => (
            State::Closing,
            "RFC 9293 3.10.7.4, eighth: the FIN is acknowledged; ours is not yet: CLOSING.",
        ),
        _ => (
            State::TimeWait,
            "RFC 9293 3.10.7.4, eighth: the FIN is acknowledged; TIME-WAIT.",
        ),
    };
    out.by(clause).enter(state).send_ack()
}
