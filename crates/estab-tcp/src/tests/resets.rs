//! RST and SYN on an open connection, and ACKs that make no sense (RFC 5961).

use super::support::*;
use crate::event::DropReason;
use crate::{ConnectionError, ReceiveError, SendError, State};

// RFC 9293 3.6 MUST-12, 3.10.7.4 MAY-12.
// RFC 5961: exactly RCV.NXT.
#[test]
fn reset_at_rcv_nxt_counts() {
    let mut t = Tester::established();
    t.inject("R 1:1(0)");
    assert_eq!(
        (t.state(), t.connection.error()),
        (State::Closed, Some(ConnectionError::Reset))
    );
    assert!(t.out().is_empty(), "a RST is never answered");
}

// A RST in ESTABLISHED is an error, not the end of the stream (RFC 9293 3.10.7.4, second).
#[test]
fn pitfall_reset_is_not_end_of_file() {
    let mut t = Tester::established();
    t.inject("P. 1:11(10) ack 1");
    t.inject("R 11:11(0)");
    assert_eq!(t.read(), Ok(10), "what came in order before stays readable");
    assert_eq!(t.read(), Err(ReceiveError::Failed(ConnectionError::Reset)));
    assert_eq!(t.read(), Ok(0));
    let refused = t.cx(|connection, cx| connection.send(cx, b"x", false));
    assert_eq!(refused, Err(SendError::Closed));
}

#[test]
fn pitfall_reset_elsewhere_in_the_window_is_challenged() {
    let mut t = Tester::established();
    t.inject("R 2:2(0)");
    assert_eq!(t.state(), State::Established);
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
    assert_eq!(t.seen.drops, [DropReason::ChallengedRst]);
}

#[test]
fn reset_outside_the_window_is_ignored() {
    for segment in ["R 0:0(0)", "R 1000000:1000000(0)", "R. 0:0(0) ack 1"] {
        let mut t = Tester::established();
        t.inject(segment);
        assert_eq!(t.seen.drops, [DropReason::InvalidRst], "{segment}");
        assert!(t.out().is_empty(), "{segment}");
    }
}

// RCV.NXT+RCV.WND is outside of the window.
#[test]
fn reset_at_the_right_edge() {
    let mut t = Tester::established();
    let edge = 1 + t.connection.rcv.wnd();
    t.inject(&std::format!("R {}:{}(0)", edge - 1, edge - 1));
    t.inject(&std::format!("R {edge}:{edge}(0)"));
    assert_eq!(
        t.seen.drops,
        [DropReason::ChallengedRst, DropReason::InvalidRst]
    );
}

// RFC 5961.
#[test]
fn syn_is_challenged_wherever_it_stands() {
    for segment in [
        "S 1:1(0)",
        "S 0:0(0)",
        "S 500:500(0)",
        "S. 1000000:1000000(0) ack 1",
    ] {
        let mut t = Tester::established();
        t.inject_syn(segment, Default::default());
        assert_eq!(t.state(), State::Established, "{segment}");
        assert_eq!(t.out(), [". 1:1(0) ack 1"], "{segment}");
        assert_eq!(t.seen.drops, [DropReason::ChallengedSyn], "{segment}");
    }
}

// RFC 5961, CVE-2016-5696: one answer in the interval, for this connection alone.
#[test]
fn challenges_are_limited() {
    let mut t = Tester::established();
    for _ in 0..100 {
        t.inject("R 2:2(0)");
    }
    assert_eq!(t.out().len(), 1);
    assert!(t.seen.drops.contains(&DropReason::RateLimited));
    t.run_ms(500);
    t.inject("R 2:2(0)");
    assert_eq!(t.out().len(), 1);
}

// RFC 5961: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT.
#[test]
fn ack_of_what_was_never_sent_is_challenged() {
    let mut t = Tester::established();
    t.inject("P. 1:11(10) ack 2");
    assert_eq!(t.seen.drops, [DropReason::InvalidAck]);
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
    assert_eq!(
        t.read(),
        Err(ReceiveError::WouldBlock),
        "its text is not taken"
    );
}

#[test]
fn ack_that_is_far_too_old_is_challenged() {
    let mut t = Tester::established();
    t.inject("P. 1:11(10) ack -9999");
    assert_eq!(t.read(), Ok(10), "at the edge of the range");
    t.out();
    t.inject("P. 11:21(10) ack -10000");
    assert_eq!(t.seen.drops, [DropReason::InvalidAck]);
}

// RFC 9293 3.10.7.4, fifth.
#[test]
fn no_ack_no_use() {
    let mut t = Tester::established();
    t.inject("P 1:11(10)");
    t.inject("F 1:1(0)");
    t.inject("- 1:1(0)");
    assert_eq!(t.seen.drops, [DropReason::NoAck; 3]);
    assert!(t.out().is_empty());
}

// RFC 9293 3.10.7.4, first: an unacceptable segment is answered with an ACK; pure ones within the limit, so that two ends
// cannot answer each other for ever.
#[test]
fn unacceptable_segments_are_answered() {
    let mut t = Tester::established();
    t.inject(". 0:0(0) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
    t.inject(". 0:0(0) ack 1");
    assert!(t.out().is_empty());
    t.inject("P. -10:1(11) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1"], "text deserves its ACK always");
}

#[test]
fn reset_in_close_wait_is_a_reset() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.out();
    t.inject("R 2:2(0)");
    assert_eq!(t.connection.error(), Some(ConnectionError::Reset));
}

#[test]
fn reset_in_last_ack_loses_nothing() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.close();
    t.out();
    t.inject("R 2:2(0)");
    assert_eq!((t.state(), t.connection.error()), (State::Closed, None));
}

#[test]
fn reset_in_last_ack_with_data_outstanding_is_told() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.write(100);
    t.close();
    t.out();
    t.inject("R 2:2(0)");
    assert_eq!(t.connection.error(), Some(ConnectionError::Reset));
}

// RFC 9293 3.5.2 SHLD-2.
#[test]
fn a_reset_may_carry_text() {
    let mut t = Tester::established();
    t.inject("R. 1:11(10) ack 1");
    assert_eq!(t.connection.error(), Some(ConnectionError::Reset));
    assert_eq!(t.read(), Err(ReceiveError::Failed(ConnectionError::Reset)));
}
