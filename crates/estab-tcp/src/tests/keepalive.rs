//! Keep-alive (RFC 9293 3.8.4).

use super::support::*;
use crate::{ConnectionError, SocketOptions, State};
use core::time::Duration;

fn keepalive() -> SocketOptions {
    SocketOptions {
        keepalive: true,
        ..SocketOptions::default()
    }
}

// MUST-25: off unless asked for.
#[test]
fn off_by_default() {
    let mut t = Tester::established();
    assert_eq!(t.connection.poll_timeout(), None);
    assert_eq!(t.run_ms(100_000_000), []);
}

// MAY-5, MUST-26, MUST-28, SHLD-12: two hours, no text, and the answer begins them anew.
#[test]
fn a_probe_after_two_hours() {
    let mut t = Tester::established_with(plain(), keepalive());
    assert_eq!(t.run_ms(7_200_000), [(7_200_000, ". 0:0(0) ack 1".into())]);
    t.inject(". 1:1(0) ack 1");
    assert_eq!(t.run_ms(7_200_000), [(7_200_000, ". 0:0(0) ack 1".into())]);
}

// MUST-29: no single probe decides.
#[test]
fn nine_unanswered_probes_and_the_connection_is_dead() {
    let mut t = Tester::established_with(plain(), keepalive());
    t.run_ms(7_200_000);
    let sent = t.run_ms(74_999 + 7 * 75_000);
    assert_eq!(sent.len(), 7);
    assert_eq!(t.state(), State::Established);
    let sent = t.run_ms(1 + 75_000);
    assert_eq!(sent.len(), 2);
    assert_eq!(
        sent[1].1, "R. 1:1(0) ack 1",
        "the peer is told, in case it hears"
    );
    assert_eq!(t.connection.error(), Some(ConnectionError::TimedOut));
}

// MUST-24, MUST-27: per connection, and each of the three can be set.
#[test]
fn the_times_can_be_set() {
    let options = SocketOptions {
        keepalive_idle: Some(Duration::from_secs(10)),
        keepalive_interval: Some(Duration::from_secs(2)),
        keepalive_count: Some(2),
        ..keepalive()
    };
    let mut t = Tester::established_with(plain(), options);
    let times: std::vec::Vec<u64> = t.run_ms(20_000).into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [10_000, 12_000, 14_000]);
    assert_eq!(t.state(), State::Closed);
}

#[test]
fn a_half_open_peer_answers_with_a_reset() {
    let mut t = Tester::established_with(plain(), keepalive());
    t.run_ms(7_200_000);
    t.inject("R 1:1(0)");
    assert_eq!(t.connection.error(), Some(ConnectionError::Reset));
}

#[test]
fn traffic_puts_the_probe_off() {
    let mut t = Tester::established_with(plain(), keepalive());
    t.run_ms(7_000_000);
    t.inject("P. 1:11(10) ack 1");
    t.out();
    assert_eq!(t.run_ms(7_199_999), []);
    assert_eq!(t.run_ms(1).len(), 1);
}

#[test]
fn it_can_be_switched_on_later() {
    let mut t = Tester::established();
    t.run_ms(1000);
    t.cx(|connection, cx| connection.set_options(cx, |options| options.keepalive = true));
    assert_eq!(t.run_ms(7_199_000).len(), 1);
    t.cx(|connection, cx| connection.set_options(cx, |options| options.keepalive = false));
    assert_eq!(t.run_ms(100_000_000), []);
}

#[test]
fn a_probe_is_answered() {
    let mut t = Tester::established();
    t.inject(". 0:0(0) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
}

// One probe a moment, not all of them at the same moment for ever.
#[test]
fn no_time_at_all_does_not_hang() {
    let options = SocketOptions {
        keepalive_idle: Some(Duration::ZERO),
        keepalive_interval: Some(Duration::ZERO),
        user_timeout: Some(Duration::from_secs(1)),
        ..keepalive()
    };
    let mut t = Tester::established_with(plain(), options);
    t.write(10);
    t.out();
    t.run_ms(100);
    t.inject(". 1:1(0) ack 11");
    t.run_ms(2000);
    assert_eq!(t.connection.error(), Some(ConnectionError::TimedOut));
}

#[test]
fn switched_on_in_time_wait_it_has_no_timer() {
    let mut t = Tester::established();
    t.cx(|connection, cx| connection.close(cx, None));
    t.out();
    t.inject("F. 1:1(0) ack 2");
    assert_eq!(t.state(), State::TimeWait);
    t.cx(|connection, cx| connection.set_options(cx, |options| options.keepalive = true));
    assert_eq!(t.connection.poll_timeout(), None);
}

#[test]
fn a_segment_for_a_closed_connection_is_not_used() {
    let mut t = Tester::established();
    t.inject("R. 1:1(0) ack 1");
    for late in ["R. 1:1(0) ack 1", "F. 1:1(0) ack 1", "P. 1:11(10) ack 1"] {
        t.inject(late);
        assert_eq!(t.state(), State::Closed);
    }
    assert_eq!(t.out(), [""; 0]);
}
