//! The end of a script: how it shows in which state the segment has left the connection, and what of it was taken.

use super::cases::Place;
use super::oracle::{Outcome, Segment, Signal, State};
use super::script::Script;
use super::setup::accept;

/// Writes what shows the state that `out`, which has just happened, has led to.
pub(super) fn of(script: &mut Script, place: Place, segment: Segment, out: &Outcome) {
    match out.tcb.state {
        State::Closed => closed(script, place, out),
        State::Listen => listening(script, place),
        State::SynSent => syn_sent(script),
        State::SynReceived => {
            // What lay behind a SYN that was taken comes again.
            let fin = segment.syn && segment.fin && segment.seq == out.tcb.irs;
            syn_received(script, place, fin);
        }
        State::Established | State::CloseWait => open(script, place, out),
        State::FinWait1 => fin_wait_1(script, out.delivered),
        State::FinWait2 => fin_wait_2(script, place, out.delivered),
        State::Closing => closing(script, out.delivered),
        State::LastAck => last_ack(script),
        State::TimeWait => time_wait(script, place, out.delivered),
    }
}

/// The application learns what there is to learn; whatever the peer sends now gets a RST.
fn closed(script: &mut Script, place: Place, out: &Outcome) {
    match out.signal {
        Some(Signal::Refused) => script.has_error("ECONNREFUSED"),
        // After the peer's FIN reading gives the end of the stream in any case.
        Some(Signal::Reset) if place == Place::CloseWait => script.has_error("ECONNRESET"),
        Some(Signal::Reset) => {
            let fd = script.fd;
            script.event(&format!(
                "read({fd}, ..., 2000) = -1 ECONNRESET (Connection reset by peer)"
            ));
        }
        None => {}
    }
    script.peer_acknowledges();
}

fn listening(script: &mut Script, place: Place) {
    script.event("accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)");
    if place == Place::SynReceived {
        script.peer_acknowledges();
        return;
    }
    let syn = Segment {
        syn: true,
        seq: 1000,
        ack: None,
        ..script.peer_segment(0, false)
    };
    script.arrives(syn);
    script.peer_acknowledges();
    accept(script, 4);
}

/// No SYN has come before its time, and the connection can still be opened.
fn syn_sent(script: &mut Script) {
    script.wait("+0.05");
    let syn_ack = Segment {
        syn: true,
        seq: 1000,
        ..script.peer_segment(0, false)
    };
    script.arrives(syn_ack);
    script.has_error("0");
    script.write_and_send();
}

/// The third segment opens the connection; the FIN of a SYN with FIN comes with it.
fn syn_received(script: &mut Script, place: Place, fin: bool) {
    let segment = script.peer_segment(0, fin);
    let opened = script.arrives(segment);
    match place {
        Place::SynSent | Place::SynReceivedActive => script.has_error("0"),
        Place::TimeWait => {
            // The old connection's descriptor has nothing more to say.
            script.event("close(4) = 0");
            accept(script, 5);
        }
        _ => accept(script, 4),
    }
    if opened.tcb.state == State::CloseWait {
        script.reads_end();
    }
    script.write_and_send();
}

/// ESTABLISHED and CLOSE-WAIT: both can send; whether what was in flight is acknowledged shows in whether more may follow it.
fn open(script: &mut Script, place: Place, out: &Outcome) {
    match place {
        Place::SynReceived => accept(script, 4),
        Place::SynSent | Place::SynReceivedActive => script.has_error("0"),
        _ => {}
    }
    take_what_can_be_read(script, out.delivered);
    fill_the_gap(script);
    script.write();
    if script.tcb.snd_una < script.tcb.snd_nxt {
        script.wait("+0.05");
        script.peer_acknowledges();
        script.wait("+0");
    }
    script.sends_text();
}

fn take_what_can_be_read(script: &mut Script, delivered: u32) {
    let ended = matches!(
        script.tcb.state,
        State::CloseWait | State::Closing | State::LastAck | State::TimeWait
    );
    if delivered > 0 || !ended {
        script.reads(delivered);
    }
    if ended {
        script.reads_end();
    }
}

/// What was held behind a gap is taken when the gap is filled. (Where the gap is as wide as the window it is left open.)
fn fill_the_gap(script: &mut Script) {
    let Some(held) = script.tcb.held else { return };
    let gap = held.seq - script.tcb.rcv_nxt;
    if gap > 500 {
        return;
    }
    let segment = Segment {
        ack: Some(script.tcb.snd_una),
        ..script.peer_segment(gap, false)
    };
    let out = script.arrives(segment);
    take_what_can_be_read(script, out.delivered);
}

/// Our FIN is not acknowledged: it comes again.
fn fin_wait_1(script: &mut Script, delivered: u32) {
    take_what_can_be_read(script, delivered);
    script.resends_fin();
    fill_the_gap(script);
    if script.tcb.state == State::FinWait1 {
        script.peer_acknowledges();
        receive(script);
    } else {
        script.peer_acknowledges();
        resend_fin_of_peer(script);
    }
}

/// The peer can still send.
fn receive(script: &mut Script) {
    let segment = script.peer_segment(500, false);
    let out = script.arrives(segment);
    script.reads(out.delivered);
}

fn fin_wait_2(script: &mut Script, place: Place, delivered: u32) {
    take_what_can_be_read(script, delivered);
    wait_for_no_fin(script, place);
    fill_the_gap(script);
    if script.tcb.state == State::FinWait2 {
        receive(script);
    } else {
        resend_fin_of_peer(script);
    }
}

/// Our FIN is acknowledged: it does not come again.
fn wait_for_no_fin(script: &mut Script, place: Place) {
    if matches!(place, Place::FinWait1 | Place::Closing) {
        script.wait("+0.3");
    }
}

fn closing(script: &mut Script, delivered: u32) {
    take_what_can_be_read(script, delivered);
    script.resends_fin();
    script.peer_acknowledges();
    resend_fin_of_peer(script);
}

/// In TIME-WAIT the peer's FIN is acknowledged whenever it comes.
fn resend_fin_of_peer(script: &mut Script) {
    let segment = Segment {
        seq: script.tcb.rcv_nxt - 1,
        ..script.peer_segment(0, true)
    };
    script.arrives(segment);
}

fn last_ack(script: &mut Script) {
    script.reads_end();
    script.resends_fin();
    script.peer_acknowledges();
    script.peer_acknowledges();
}

fn time_wait(script: &mut Script, place: Place, delivered: u32) {
    take_what_can_be_read(script, delivered);
    wait_for_no_fin(script, place);
    resend_fin_of_peer(script);
}
