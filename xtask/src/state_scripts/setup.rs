//! The beginning of a script: how the connection comes to where the segment meets it.

use super::cases::Place;
use super::oracle::{Segment, State, Tcb, WINDOW};
use super::script::{PEER, Script};

/// A script that has come to this place.
pub(super) fn at(place: Place) -> Script {
    let mut script = Script::new(Tcb {
        state: State::Closed,
        passive: true,
        iss: 0,
        irs: 1000,
        // Where there is no connection: as in one that has sent two segments.
        snd_una: 1001,
        snd_nxt: 1001,
        max_snd_wnd: PEER,
        rcv_nxt: 1001,
        edge: 1001 + WINDOW,
        fin: None,
        held: None,
    });
    match place {
        Place::Closed => open(&mut script, &["bind(3, ..., ...) = 0"]),
        Place::Listen => listen(&mut script),
        Place::SynSent => connect(&mut script),
        Place::SynReceived => {
            listen(&mut script);
            script.arrives(syn());
        }
        Place::SynReceivedActive => {
            connect(&mut script);
            script.arrives(syn());
        }
        _ => {
            establish(&mut script);
            leave_established(&mut script, place);
        }
    }
    script
}

/// Settings that the scripts of a place need.
pub(super) fn settings(place: Place) -> Option<&'static str> {
    match place {
        // A FIN that comes again is answered each time.
        Place::FinWait1 | Place::FinWait2 | Place::Closing => {
            Some("sysctl -q net.ipv4.tcp_invalid_ratelimit=0")
        }
        Place::TimeWait => {
            Some("sysctl -q net.ipv4.tcp_invalid_ratelimit=0 net.ipv4.tcp_rfc1337=1")
        }
        _ => None,
    }
}

/// The line above the events that lead to the state.
pub(super) fn title(tcb: &Tcb) -> String {
    match tcb.state {
        State::Closed => "// Nobody listens.\n".into(),
        State::Listen => "// To LISTEN.\n".into(),
        State::SynSent => format!(
            "// To SYN-SENT: ISS = SND.UNA = {}, SND.NXT = {}.\n",
            tcb.iss, tcb.snd_nxt
        ),
        _ => format!(
            "// To the state: RCV.NXT = {}, RCV.NXT+RCV.WND = {}; SND.UNA = {}, SND.NXT = {}, MAX.SND.WND = {}.\n",
            tcb.rcv_nxt, tcb.edge, tcb.snd_una, tcb.snd_nxt, tcb.max_snd_wnd
        ),
    }
}

/// The peer's SYN, which offers nothing but its largest segment: no scaling, no timestamps, no SACK.
fn syn() -> Segment {
    Segment {
        syn: true,
        fin: false,
        rst: false,
        seq: 1000,
        ack: None,
        text: 0,
    }
}

/// A socket with a window of known size.
fn open(script: &mut Script, calls: &[&str]) {
    script.event_at("0", "socket(..., SOCK_STREAM, IPPROTO_TCP) = 3");
    script.event("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0");
    script.event(&format!(
        "setsockopt(3, SOL_TCP, TCP_WINDOW_CLAMP, [{WINDOW}], 4) = 0"
    ));
    script.event("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0");
    for call in calls {
        script.event(call);
    }
}

fn listen(script: &mut Script) {
    open(script, &["bind(3, ..., ...) = 0", "listen(3, 5) = 0"]);
    script.tcb.state = State::Listen;
}

fn connect(script: &mut Script) {
    open(
        script,
        &[
            "connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)",
            &format!("> S 0:0(0) win {WINDOW} <...>"),
        ],
    );
    script.tcb.state = State::SynSent;
    script.tcb.passive = false;
    script.tcb.snd_una = script.tcb.iss;
    script.tcb.snd_nxt = script.tcb.iss + 1;
}

/// A passive open, and two segments of ours that the peer has acknowledged.
fn establish(script: &mut Script) {
    listen(script);
    script.arrives(syn());
    script.peer_acknowledges();
    accept(script, 4);
    for _ in 0..2 {
        script.write_and_send();
        script.peer_acknowledges();
        script.wait("+0");
    }
}

/// What the listener has made is accepted; its calls do not wait.
pub(super) fn accept(script: &mut Script, fd: u8) {
    script.wait("+0");
    script.event(&format!("accept(3, ..., ...) = {fd}"));
    script.event(&format!("fcntl({fd}, F_SETFL, O_RDWR|O_NONBLOCK) = 0"));
    script.fd = fd;
}

fn leave_established(script: &mut Script, place: Place) {
    let acknowledged = script.tcb.snd_nxt;
    match place {
        // A segment is in flight, so that it is seen whether an ACK was taken.
        Place::Established => script.write_and_send(),
        Place::CloseWait => {
            script.write_and_send();
            peer_closes(script, acknowledged);
        }
        Place::LastAck => {
            peer_closes(script, acknowledged);
            script.shut_down();
        }
        Place::Closing => {
            script.shut_down();
            peer_closes(script, acknowledged);
        }
        Place::FinWait1 => script.shut_down(),
        Place::FinWait2 | Place::TimeWait => {
            script.shut_down();
            script.peer_acknowledges();
            script.wait("+0");
            if place == Place::TimeWait {
                let acknowledged = script.tcb.snd_nxt;
                peer_closes(script, acknowledged);
            }
        }
        _ => {}
    }
}

/// The peer's FIN, which acknowledges so much.
fn peer_closes(script: &mut Script, acknowledged: u32) {
    let segment = Segment {
        ack: Some(acknowledged),
        ..script.peer_segment(0, true)
    };
    script.arrives(segment);
}
