use super::{Answer, Segment, Signal, State, Tcb, WINDOW, segment_arrives};

fn established() -> Tcb {
    Tcb {
        state: State::Established,
        passive: true,
        iss: 0,
        irs: 1000,
        snd_una: 1001,
        snd_nxt: 1501,
        max_snd_wnd: 500,
        rcv_nxt: 1001,
        edge: 1001 + WINDOW,
        fin: None,
        held: None,
    }
}

fn ack(seq: u32, ack: u32) -> Segment {
    Segment {
        syn: false,
        fin: false,
        rst: false,
        seq,
        ack: Some(ack),
        text: 0,
    }
}

#[test]
fn the_right_edge_is_outside() {
    let tcb = established();
    let rst = |seq| {
        segment_arrives(
            &tcb,
            Segment {
                rst: true,
                ack: None,
                ..ack(seq, 0)
            },
        )
    };
    let challenge = vec![Answer::Ack {
        seq: 1501,
        ack: 1001,
    }];
    assert_eq!(rst(tcb.edge - 1).answers, challenge);
    assert_eq!(rst(tcb.edge).answers, []);
    assert_eq!(rst(tcb.rcv_nxt).signal, Some(Signal::Reset));
}

#[test]
fn held_text_and_fin_are_taken_when_the_gap_is_filled() {
    let later = Segment {
        text: 500,
        fin: true,
        ..ack(1501, 1501)
    };
    let held = segment_arrives(&established(), later);
    assert_eq!(held.delivered, 0);
    let filled = segment_arrives(
        &held.tcb,
        Segment {
            text: 500,
            ..ack(1001, 1501)
        },
    );
    assert_eq!(filled.delivered, 1000);
    assert_eq!(filled.tcb.state, State::CloseWait);
    assert_eq!(
        filled.answers,
        [Answer::Ack {
            seq: 1501,
            ack: 2002
        }]
    );
}

#[test]
fn acks_that_nobody_can_send_are_answered() {
    for (number, answered) in [(500, true), (501, false), (1501, false), (1502, true)] {
        let out = segment_arrives(&established(), ack(1001, number));
        assert_eq!(!out.answers.is_empty(), answered, "ack {number}");
    }
}
