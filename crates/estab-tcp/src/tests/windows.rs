//! The peer's window and ours: closing, probing, silly windows, updates, edges that never retract.

use super::support::*;
use crate::{ConnectionError, SocketOptions, State};
use std::vec::Vec;

fn small_buffer(bytes: u32) -> Tester {
    let options = SocketOptions {
        receive_buffer: Some(bytes),
        ..SocketOptions::default()
    };
    Tester::established_with(plain(), options)
}

// RFC 9293 3.8.6.1 MAY-8, MUST-37, MUST-36, SHLD-29, SHLD-30: the first probe after a time-out, then doubled; each carries a byte.
#[test]
fn pitfall_zero_window_probes_carry_a_byte_and_go_on_while_answered() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 0");
    t.write(100);
    assert!(t.out().is_empty());
    let mut times = Vec::new();
    for _ in 0..30 {
        let before = t.now;
        while t.connection.poll_timeout().is_some() {
            let sent = t.run_ms(200);
            if let Some((at, segment)) = sent.first() {
                assert_eq!(segment, "P. 1:2(1) ack 1".replace("P.", ".").as_str());
                times.push(t.now.since(before).as_millis() as u64 - 200 + at);
                break;
            }
        }
        t.inject(". 1:1(0) ack 1 win 0");
        assert_eq!(t.state(), State::Established);
    }
    assert_eq!(times[..5], [1000, 2000, 4000, 8000, 16_000]);
    assert_eq!(times[29], 120_000);
}

#[test]
fn a_window_that_opens_is_used_at_once() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 0");
    t.write(100);
    assert!(t.out().is_empty());
    assert_eq!(t.run_ms(1000), [(1000, ". 1:2(1) ack 1".into())]);
    t.inject(". 1:1(0) ack 1 win 10000");
    assert_eq!(t.out(), ["P. 1:101(100) ack 1"]);
}

#[test]
fn a_probe_that_was_taken_is_not_sent_again() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 0");
    t.write(100);
    t.out();
    t.run_ms(1000);
    t.inject(". 1:1(0) ack 2 win 10000");
    assert_eq!(t.out(), ["P. 2:101(99) ack 1"]);
}

#[test]
fn a_fin_is_probed_too() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 0");
    t.shutdown_write();
    assert!(t.out().is_empty());
    assert_eq!(t.run_ms(1000), [(1000, "F. 1:1(0) ack 1".into())]);
}

#[test]
fn probes_that_nobody_answers_end_the_connection() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 0");
    t.write(100);
    t.out();
    let sent = t.run_ms(3_600_000);
    assert_eq!(sent.len(), 15 + 1, "tcp_retries2 probes and a RST");
    assert_eq!(t.connection.error(), Some(ConnectionError::TimedOut));
}

#[test]
fn an_orphan_does_not_probe_for_ever() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 0");
    t.write(100);
    t.close();
    t.out();
    for _ in 0..100 {
        t.run_ms(60_000);
        if t.state() == State::Closed {
            return;
        }
        t.inject(". 1:1(0) ack 1 win 0");
    }
    panic!("still probing");
}

// RFC 9293 3.8.6 MUST-34, SHLD-15, SHLD-16: a window that shrinks stops new data, and what is inside is sent again.
#[test]
fn a_shrunken_window_is_survived() {
    let mut t = Tester::established();
    t.write(3000);
    assert_eq!(t.out().len(), 3);
    t.inject(". 1:1(0) ack 1 win 1000");
    t.write(1000);
    assert!(t.out().is_empty());
    assert_eq!(t.run_ms(1000), [(1000, ". 1:1001(1000) ack 1".into())]);
    t.inject(". 1:1(0) ack 1001 win 5000");
    assert_eq!(
        t.out(),
        [". 1001:2001(1000) ack 1", "P. 2001:3001(1000) ack 1"]
    );
}

// RFC 9293 3.8.6.2.1 MUST-38: no small segment because the window is small; but not for ever.
#[test]
fn silly_windows_are_not_filled() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 100");
    t.write(2000);
    assert!(t.out().is_empty());
    assert_eq!(t.run_ms(1000), [(1000, ". 1:101(100) ack 1".into())]);
}

#[test]
fn half_of_the_largest_window_is_not_silly() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject_syn("S. 0:0(0) ack 1 win 800", Default::default());
    t.out();
    t.write(2000);
    // Window 800 at most, MSS 536: 536 first, then the 264 that remain wait.
    assert_eq!(t.out(), [". 1:537(536) ack 1"]);
    t.inject(". 1:1(0) ack 537 win 500");
    assert_eq!(t.out(), [". 537:1037(500) ack 1"]);
}

// RFC 9293 3.8.6 SHLD-14: the right edge never moves left, whatever the application does.
#[test]
fn the_right_edge_never_retracts() {
    let mut t = small_buffer(5000);
    let mut edge = 0;
    let mut seq = 1;
    for n in 0..4 {
        t.inject(&std::format!("P. {seq}:{}(1000) ack 1", seq + 1000));
        seq += 1000;
        for window in t.out_windows() {
            let now = seq + u64::from(window);
            assert!(now >= edge, "{n}: {now} < {edge}");
            edge = now;
        }
    }
    assert_eq!(edge, 5001);
}

// RFC 9293 3.8.6.2.2 MUST-39: no window update for a few bytes.
#[test]
fn the_window_reopens_by_whole_segments() {
    let mut t = small_buffer(4000);
    t.inject("P. 1:4001(4000) ack 1");
    assert_eq!(t.out_windows(), [0]);
    let mut buffer = [0; 100];
    t.cx(|connection, cx| connection.receive(cx, &mut buffer))
        .unwrap();
    assert!(t.out().is_empty());
    assert_eq!(t.read(), Ok(3900));
    assert_eq!(t.out_windows(), [4000]);
}

#[test]
fn the_buffer_grows_with_what_the_application_takes() {
    let mut t = Tester::established();
    let first = t.connection.rcv.limit;
    let mut seq = 1u64;
    t.run_ms(10);
    for _ in 0..200 {
        t.inject(&std::format!(". {seq}:{}(10000) ack 1", seq + 10_000));
        seq += 10_000;
        t.out();
        t.read().unwrap();
    }
    t.run_ms(10);
    t.inject(&std::format!(". {seq}:{}(10000) ack 1", seq + 10_000));
    t.read().unwrap();
    assert!(
        t.connection.rcv.limit > 2 * first,
        "{} > {first}",
        t.connection.rcv.limit
    );
}

// With a window of zero a RST at RCV.NXT and the ACK of a segment with text still count (RFC 9293 3.10.7.4 MUST-66).
#[test]
fn a_closed_window_lets_acks_and_resets_in() {
    let mut t = small_buffer(1000);
    t.write(500);
    t.out();
    t.inject(". 1:1001(1000) ack 1");
    assert_eq!(t.out_windows(), [0]);
    t.inject("P. 1001:1002(1) ack 501");
    assert_eq!(t.connection.info(&t.settings).unacked, 0);
    assert_eq!(t.out(), [". 501:501(0) ack 1001"]);
    t.inject("R 1001:1001(0)");
    assert_eq!(t.state(), State::Closed);
}

// RFC 9293 3.8.6 MUST-35, SHLD-17: data beyond a window that shrank to zero is probed, and does not time out while the peer answers.
#[test]
fn a_window_that_shrinks_to_zero_is_probed() {
    let mut t = Tester::established();
    t.write(3000);
    t.out();
    t.inject(". 1:1(0) ack 1 win 0");
    for _ in 0..40 {
        let sent = t.run_ms(120_000);
        assert!(!sent.is_empty());
        assert!(
            sent.iter().all(|(_, segment)| segment == ". 1:2(1) ack 1"),
            "{sent:?}"
        );
        t.inject(". 1:1(0) ack 1 win 0");
    }
    assert_eq!(t.state(), State::Established);
}

// RFC 9293 3.10.7.4, fifth: SND.WL1 and SND.WL2.
#[test]
fn an_old_segment_does_not_set_the_window() {
    let mut t = Tester::established();
    let window = |t: &Tester| t.connection.info(&t.settings).snd_wnd;
    t.write(1000);
    t.out();
    // From behind a gap: the newest so far.
    t.inject("P. 101:201(100) ack 1 win 5000");
    assert_eq!(window(&t), 5000);
    t.inject("P. 1:101(100) ack 1 win 9000");
    assert_eq!(window(&t), 5000, "sent before");
    t.inject(". 201:201(0) ack 1001 win 6000");
    assert_eq!(window(&t), 6000);
    t.inject(". 301:301(0) ack 1 win 7000");
    assert_eq!(window(&t), 6000, "acknowledges less");
}
