use super::Tracker;
use estab_tcp::State::{self, *};
use estab_tcp::{Flags, Header, SeqNum};
use estab_wire::tcp::{Options, SynOptions, UnscaledWindow};

const A: Flags = Flags::ACK;
const S: Flags = Flags::SYN;
const F: Flags = Flags::FIN;
const R: Flags = Flags::RST;

fn segment(flags: Flags, seq: u32, ack: u32) -> Header {
    let options = if flags.syn() {
        Options::Syn(SynOptions {
            window_scale: Some(7),
            ..SynOptions::default()
        })
    } else {
        Options::NONE
    };
    Header {
        src_port: 1,
        dst_port: 2,
        seq: SeqNum(seq),
        ack: SeqNum(ack),
        flags,
        window: UnscaledWindow(100),
        urgent: 0,
        options,
    }
}

/// `>` the kernel sends, `<` it receives: flags, sequence number, acknowledgement, bytes of text.
type Step = (char, Flags, u32, u32, usize);

fn play(start: State, steps: &[Step]) -> (Tracker, Vec<State>) {
    let mut tracker = Tracker::new(start);
    for &(way, flags, seq, ack, len) in steps {
        match way {
            '>' => tracker.sends(&segment(flags, seq, ack), len),
            _ => tracker.receives(&segment(flags, seq, ack), len),
        }
    }
    let states = tracker
        .take_changes()
        .iter()
        .map(|change| change.to)
        .collect();
    (tracker, states)
}

fn accepted() -> [Step; 3] {
    [
        ('<', S, 10, 0, 0),
        ('>', S | A, 90, 11, 0),
        ('<', A, 11, 91, 0),
    ]
}

fn accepted_then(steps: &[Step]) -> Vec<State> {
    let (_, states) = play(Listen, &[&accepted()[..], steps].concat());
    assert_eq!(states[..2], [SynReceived, Established]);
    states[2..].to_vec()
}

#[test]
fn a_passive_open_and_both_ways_of_closing() {
    let active = [
        ('>', F | A, 91, 11, 0),
        ('<', A, 11, 92, 0),
        ('<', F | A, 11, 92, 0),
    ];
    assert_eq!(accepted_then(&active), [FinWait1, FinWait2, TimeWait]);
    let passive = [
        ('<', F | A, 11, 91, 0),
        ('>', F | A, 91, 12, 0),
        ('<', A, 12, 92, 0),
    ];
    assert_eq!(accepted_then(&passive), [CloseWait, LastAck, Closed]);
    let both = [
        ('>', F | A, 91, 11, 0),
        ('<', F | A, 11, 91, 0),
        ('<', A, 12, 92, 0),
    ];
    assert_eq!(accepted_then(&both), [FinWait1, Closing, TimeWait]);
    let fin_and_ack = [('>', F | A, 91, 11, 0), ('<', F | A, 11, 92, 0)];
    assert_eq!(accepted_then(&fin_and_ack), [FinWait1, FinWait2, TimeWait]);
}

#[test]
fn an_active_open_and_a_refused_one() {
    let (tracker, states) = play(Closed, &[('>', S, 90, 0, 0), ('<', S | A, 10, 91, 0)]);
    assert_eq!(states, [SynSent, Established]);
    let variables = tracker.variables();
    assert_eq!(
        (variables.snd_una, variables.rcv_nxt),
        (SeqNum(91), SeqNum(11))
    );
    let (_, states) = play(Closed, &[('>', S, 90, 0, 0), ('<', R | A, 0, 91, 0)]);
    assert_eq!(states, [SynSent, Closed]);
    let (_, states) = play(Closed, &[('>', S, 90, 0, 0), ('<', R | A, 0, 7, 0)]);
    assert_eq!(states, [SynSent]);
}

#[test]
fn a_simultaneous_open() {
    let steps = [
        ('>', S, 90, 0, 0),
        ('<', S, 10, 0, 0),
        ('>', S | A, 90, 11, 0),
        ('<', S | A, 10, 91, 0),
    ];
    assert_eq!(play(Closed, &steps).1, [SynSent, SynReceived, Established]);
}

#[test]
fn a_fin_counts_when_everything_before_it_is_there() {
    let steps = [('<', F | A, 21, 91, 5), ('>', A, 91, 11, 0)];
    assert_eq!(accepted_then(&steps), []);
    let steps = [
        ('<', F | A, 21, 91, 5),
        ('<', A, 16, 91, 5),
        ('<', A, 11, 91, 5),
    ];
    assert_eq!(accepted_then(&steps), [CloseWait]);
}

#[test]
fn text_after_our_fin_is_no_ack_of_it() {
    let steps = [
        ('>', F | A, 91, 11, 3),
        ('<', A, 11, 94, 4),
        ('<', A, 15, 95, 0),
    ];
    assert_eq!(accepted_then(&steps), [FinWait1, FinWait2]);
}

#[test]
fn resets_count_at_the_exact_place_only() {
    assert_eq!(accepted_then(&[('<', R, 12, 0, 0)]), []);
    assert_eq!(accepted_then(&[('<', R, 11, 0, 0)]), [Closed]);
    assert_eq!(accepted_then(&[('>', R | A, 91, 11, 0)]), [Closed]);
}

#[test]
fn segments_to_nobody_change_nothing() {
    let (_, states) = play(
        Closed,
        &[
            ('<', S, 10, 0, 0),
            ('>', R | A, 0, 11, 0),
            ('<', A, 11, 91, 3),
        ],
    );
    assert_eq!(states, []);
}

#[test]
fn a_new_incarnation_takes_the_place_of_time_wait() {
    let steps = [
        ('>', F | A, 91, 11, 0),
        ('<', F | A, 11, 92, 0),
        ('>', A, 92, 12, 0),
        ('<', S, 5000, 0, 0),
        ('>', S | A, 900, 5001, 0),
        ('<', A, 5001, 901, 0),
    ];
    let states = accepted_then(&steps);
    assert_eq!(
        states,
        [
            FinWait1,
            FinWait2,
            TimeWait,
            Closed,
            Listen,
            SynReceived,
            Established
        ]
    );
}

#[test]
fn windows_are_scaled_after_the_handshake() {
    let (tracker, _) = play(Listen, &accepted()[..2]);
    assert_eq!(tracker.variables().rcv_wnd, 100);
    let (mut tracker, _) = play(Listen, &accepted());
    assert_eq!(tracker.variables().snd_wnd, 100 << 7);
    tracker.sends(&segment(A, 91, 11), 0);
    assert_eq!(tracker.variables().rcv_wnd, 100 << 7);
}
