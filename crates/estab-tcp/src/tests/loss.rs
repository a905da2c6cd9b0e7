//! Loss: time-outs, back-off, fast retransmit, NewReno, Karn, giving up.

use super::support::*;
use crate::event::RecoveryPhase;
use crate::{ConnectionError, SocketOptions, State};
use core::time::Duration;
use std::vec::Vec;

fn sending(segments: usize) -> Tester {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 65535");
    t.write(segments * 1000);
    assert_eq!(t.out().len(), segments.min(10));
    t
}

// RFC 6298; RFC 9293 3.8.1 MUST-19.
#[test]
fn the_time_out_doubles() {
    let mut t = Tester::established();
    t.write(100);
    t.out();
    let times: Vec<u64> = t.run_ms(31_000).into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [1000, 3000, 7000, 15_000, 31_000]);
}

// RFC 9293 3.8.1 MUST-18: the ACK of what was sent twice measures nothing, so the doubled time-out stays until something does.
#[test]
fn the_doubled_time_out_stays_until_a_round_trip_is_measured() {
    let mut t = Tester::established();
    t.write(100);
    t.out();
    assert_eq!(t.run_ms(1000).len(), 1);
    t.inject(". 1:1(0) ack 101");
    t.write(100);
    assert_eq!(t.out(), ["P. 101:201(100) ack 1"]);
    assert!(t.run_ms(1999).is_empty());
    assert_eq!(t.run_ms(1).len(), 1);
    t.inject(". 1:1(0) ack 201");
    t.write(100);
    t.out();
    assert!(t.run_ms(100).is_empty());
    // Sent once: the second sample is 100 ms after one of nothing, and the minimum a second here.
    t.inject(". 1:1(0) ack 301");
    t.write(100);
    t.out();
    assert_eq!(t.run_ms(1100), [(1012, "P. 301:401(100) ack 1".into())]);
}

// Retransmission runs on a timer and never gives up silently (RFC 9293 3.8.3: R2).
// RFC 9293 3.8.3 MUST-20, SHLD-11.
#[test]
fn pitfall_giving_up_is_said() {
    let mut t = Tester::established();
    t.write(100);
    t.out();
    let sent = t.run_ms(3_600_000);
    assert_eq!(sent.len(), 16, "fifteen retransmissions and a RST");
    assert_eq!(sent.last().unwrap().1, "R. 101:101(0) ack 1");
    assert_eq!(
        (t.state(), t.connection.error()),
        (State::Closed, Some(ConnectionError::TimedOut))
    );
    assert!(
        sent.last().unwrap().0 > 100_000,
        "RFC 9293 3.8.3 SHLD-11: at least 100 s"
    );
}

// RFC 9293 3.8.3 MUST-21.
#[test]
fn user_timeout_bounds_it() {
    let options = SocketOptions {
        user_timeout: Some(Duration::from_millis(5000)),
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.write(100);
    t.out();
    let sent = t.run_ms(60_000);
    assert_eq!(sent.last().unwrap().0, 5000);
    assert_eq!(t.connection.error(), Some(ConnectionError::TimedOut));
}

// RFC 5681: three duplicates, one retransmission, no more until recovery goes on.
#[test]
fn three_duplicates_retransmit() {
    let mut t = sending(10);
    t.inject(". 1:1(0) ack 1 win 65535");
    t.inject(". 1:1(0) ack 1 win 65535");
    assert!(t.out().is_empty());
    t.inject(". 1:1(0) ack 1 win 65535");
    assert_eq!(t.out(), [". 1:1001(1000) ack 1"]);
    // RFC 5681 3.2: the three segments that have left the network are added, then each one that leaves.
    let info = t.connection.info(&t.settings);
    assert_eq!((info.snd_cwnd, info.snd_ssthresh), (8000, 5000));
    t.inject(". 1:1(0) ack 1 win 65535");
    assert!(t.out().is_empty());
    let info = t.connection.info(&t.settings);
    assert_eq!((info.snd_cwnd, info.snd_ssthresh), (9000, 5000));
}

// RFC 3042: the first two duplicates let one new segment each go.
#[test]
fn limited_transmit() {
    let mut t = sending(12);
    t.inject(". 1:1(0) ack 1 win 65535");
    assert_eq!(t.out(), [". 10001:11001(1000) ack 1"]);
    t.inject(". 1:1(0) ack 1 win 65535");
    assert_eq!(t.out(), ["P. 11001:12001(1000) ack 1"]);
}

// RFC 6582: a partial acknowledgement brings the next hole, the full one ends recovery at ssthresh.
#[test]
fn newreno_fills_hole_by_hole() {
    let mut t = sending(10);
    for _ in 0..3 {
        t.inject(". 1:1(0) ack 1 win 65535");
    }
    assert_eq!(t.out(), [". 1:1001(1000) ack 1"]);
    t.inject(". 1:1(0) ack 3001 win 65535");
    assert_eq!(t.out(), [". 3001:4001(1000) ack 1"]);
    assert_eq!(t.connection.recovery.phase(), RecoveryPhase::Recovery);
    t.inject(". 1:1(0) ack 10001 win 65535");
    assert_eq!(t.connection.recovery.phase(), RecoveryPhase::Open);
    assert!(t.connection.info(&t.settings).snd_cwnd <= 5000);
}

// RFC 6582: duplicates of what recovery itself sent again do not begin another.
#[test]
fn no_second_fast_retransmit_for_the_same_window() {
    let mut t = sending(10);
    t.run_ms(1000);
    for _ in 0..5 {
        t.inject(". 1:1(0) ack 1 win 65535");
    }
    assert!(t.out().is_empty());
}

#[test]
fn after_a_time_out_slow_start_resends_everything() {
    let mut t = sending(4);
    assert_eq!(t.run_ms(1000), [(1000, ". 1:1001(1000) ack 1".into())]);
    t.inject(". 1:1(0) ack 1001 win 65535");
    assert_eq!(
        t.out(),
        [". 1001:2001(1000) ack 1", ". 2001:3001(1000) ack 1"]
    );
    t.inject(". 1:1(0) ack 4001 win 65535");
    assert!(t.out().is_empty());
    assert_eq!(t.connection.recovery.phase(), RecoveryPhase::Open);
}

// RFC 9293 3.8.1 MUST-18 (Karn).
#[test]
fn what_was_sent_twice_is_not_measured() {
    let mut t = Tester::established();
    let before = t.connection.info(&t.settings).srtt;
    t.write(100);
    t.out();
    t.run_ms(1500);
    t.inject(". 1:1(0) ack 101");
    assert_eq!(t.connection.info(&t.settings).srtt, before);
    t.write(100);
    t.out();
    t.run_ms(80);
    t.inject(". 1:1(0) ack 201");
    assert_ne!(t.connection.info(&t.settings).srtt, before);
}

#[test]
fn an_ack_with_data_or_a_new_window_is_no_duplicate() {
    let mut t = sending(10);
    t.inject("P. 1:11(10) ack 1 win 65535");
    t.inject(". 11:11(0) ack 1 win 65534");
    t.inject(". 11:11(0) ack 1 win 65533");
    t.inject(". 11:11(0) ack 1 win 65532");
    assert!(
        !t.out()
            .iter()
            .any(|segment| segment.starts_with(". 1:1001"))
    );
    assert_eq!(t.connection.recovery.duplicates(), 0);
}

// The computed congestion window must actually limit what is sent.
#[test]
fn pitfall_the_congestion_window_limits_sending() {
    let mut t = sending(60);
    assert_eq!(t.run_ms(1000).len(), 1, "one segment after a time-out");
    let info = t.connection.info(&t.settings);
    assert_eq!((info.snd_cwnd, info.snd_ssthresh), (1000, 5000));
    t.inject(". 1:1(0) ack 1001 win 65535");
    assert_eq!(t.out().len(), 2);
}

#[test]
fn the_fin_is_retransmitted() {
    let mut t = Tester::established();
    t.shutdown_write();
    assert_eq!(t.out(), ["F. 1:1(0) ack 1"]);
    assert_eq!(t.run_ms(1000), [(1000, "F. 1:1(0) ack 1".into())]);
}

// RFC 9293 3.8.3 MUST-20, SHLD-10: after three retransmissions the network layer is asked to look for another way.
#[test]
fn the_network_layer_is_warned() {
    let mut t = Tester::established();
    t.write(100);
    t.out();
    t.events();
    t.run_ms(3000);
    assert!(!t.events().contains(&crate::ConnectionEvent::Suspect));
    t.run_ms(4000);
    assert!(t.events().contains(&crate::ConnectionEvent::Suspect));
}
