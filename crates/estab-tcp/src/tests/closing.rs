//! Closing: four-way, piggybacked, half-close, simultaneous, with unread data, lingering, orphans.

use super::support::*;
use crate::event::{ConnectionEvent, DropReason};
use crate::{ConnectionError, ReceiveError, SendError, Shutdown, SocketOptions, State};
use core::time::Duration;

#[test]
fn active_close_goes_by_both_fin_waits() {
    let mut t = Tester::established();
    t.close();
    assert_eq!(t.out(), ["F. 1:1(0) ack 1"]);
    t.inject(". 1:1(0) ack 2");
    assert_eq!(t.state(), State::FinWait2);
    t.inject("F. 1:1(0) ack 2");
    assert_eq!(t.out(), [". 2:2(0) ack 2"]);
    assert_eq!(
        t.states()[2..],
        [State::FinWait1, State::FinWait2, State::TimeWait]
    );
    assert!(t.events().contains(&ConnectionEvent::Finished));
}

#[test]
fn passive_close_never_sees_time_wait() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 2"]);
    assert_eq!(t.read(), Ok(0));
    t.close();
    assert_eq!(t.out(), ["F. 1:1(0) ack 2"]);
    t.inject(". 2:2(0) ack 2");
    assert_eq!(
        t.states()[2..],
        [State::CloseWait, State::LastAck, State::Closed]
    );
    assert_eq!(t.connection.error(), None);
}

// RFC 9293 3.10.7.4 MUST-58: the ACK of the peer's FIN rides on ours when the application closes before the ACK left.
#[test]
fn ack_and_fin_share_a_segment() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.close();
    assert_eq!(t.out(), ["F. 1:1(0) ack 2"]);
}

#[test]
fn fin_rides_on_the_last_data() {
    let mut t = Tester::established();
    t.write(1500);
    t.close();
    assert_eq!(
        t.out(),
        [". 1:1001(1000) ack 1", "FP. 1001:1501(500) ack 1"]
    );
}

#[test]
fn fin_waits_behind_data_that_the_window_holds_back() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 1500");
    t.write(2000);
    t.close();
    assert_eq!(t.out(), [". 1:1001(1000) ack 1"]);
    t.inject(". 1:1(0) ack 1001 win 2000");
    assert_eq!(t.out(), ["FP. 1001:2001(1000) ack 1"]);
}

// Treating any acceptable ACK as the ACK of our FIN is a known bug: only one that covers it is.
#[test]
fn pitfall_an_ack_of_data_is_not_the_ack_of_the_fin() {
    let mut t = Tester::established();
    t.write(500);
    t.close();
    assert_eq!(t.out(), ["FP. 1:501(500) ack 1"]);
    t.inject(". 1:1(0) ack 501");
    assert_eq!(t.state(), State::FinWait1);
    t.inject(". 1:1(0) ack 502");
    assert_eq!(t.state(), State::FinWait2);
}

// The FIN must be sent in order behind data that is not acknowledged yet, and again with it.
#[test]
fn pitfall_fin_behind_unacknowledged_data_waits_in_order() {
    let mut t = Tester::established();
    t.write(1000);
    assert_eq!(t.out(), ["P. 1:1001(1000) ack 1"]);
    t.close();
    assert_eq!(t.out(), ["F. 1001:1001(0) ack 1"]);
    assert_eq!(t.run_ms(1000), [(1000, "P. 1:1001(1000) ack 1".into())]);
    t.inject(". 1:1(0) ack 1001");
    assert_eq!(t.out(), ["F. 1001:1001(0) ack 1"]);
    t.inject(". 1:1(0) ack 1002");
    assert_eq!(t.state(), State::FinWait2);
}

// An out-of-order FIN must be remembered.
#[test]
fn pitfall_out_of_order_fin_is_remembered() {
    let mut t = Tester::established();
    t.inject("F. 11:21(10) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
    assert_eq!(t.state(), State::Established);
    t.inject("P. 1:11(10) ack 1");
    assert_eq!(t.state(), State::CloseWait);
    assert_eq!(t.out(), [". 1:1(0) ack 22"]);
    assert_eq!(t.read(), Ok(20));
    assert_eq!(t.read(), Ok(0));
}

// CLOSE-WAIT with unsent data still needs the retransmission timer.
#[test]
fn pitfall_close_wait_retransmits() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.out();
    t.write(100);
    assert_eq!(t.out(), ["P. 1:101(100) ack 2"]);
    assert_eq!(t.run_ms(1000), [(1000, "P. 1:101(100) ack 2".into())]);
}

#[test]
fn simultaneous_close_passes_closing() {
    let mut t = Tester::established();
    t.close();
    assert_eq!(t.out(), ["F. 1:1(0) ack 1"]);
    t.inject("F. 1:1(0) ack 1");
    assert_eq!(t.state(), State::Closing);
    assert_eq!(t.out(), [". 2:2(0) ack 2"]);
    t.inject(". 2:2(0) ack 2");
    assert_eq!(t.state(), State::TimeWait);
}

#[test]
fn fin_with_the_ack_of_ours_goes_straight_to_time_wait() {
    let mut t = Tester::established();
    t.close();
    t.out();
    t.inject("F. 1:1(0) ack 2");
    assert_eq!(t.states()[3..], [State::FinWait2, State::TimeWait]);
    assert_eq!(t.out(), [". 2:2(0) ack 2"]);
}

// RFC 9293 3.6: after shutdown(Write) reading goes on for as long as the peer sends; FIN-WAIT-2 has no limit then.
#[test]
fn half_close_reads_on() {
    let mut t = Tester::established();
    t.shutdown_write();
    assert_eq!(t.out(), ["F. 1:1(0) ack 1"]);
    t.inject(". 1:1(0) ack 2");
    assert_eq!(t.run_ms(7_200_000), []);
    assert_eq!(t.state(), State::FinWait2);
    t.inject("P. 1:101(100) ack 2");
    assert_eq!(t.read(), Ok(100));
    let refused = t.cx(|connection, cx| connection.send(cx, b"x", false));
    assert_eq!(refused, Err(SendError::Closed));
}

// The other side of a half-close has no limit either: CLOSE-WAIT lasts until the application closes.
#[test]
fn close_wait_is_never_cut() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.out();
    assert_eq!(t.run_ms(7_200_000), []);
    assert_eq!(t.state(), State::CloseWait);
    t.write(100);
    assert_eq!(t.out(), ["P. 1:101(100) ack 2"]);
    t.inject(". 2:2(0) ack 101");
    t.close();
    assert_eq!(t.out(), ["F. 101:101(0) ack 2"]);
}

#[test]
fn an_orphan_in_fin_wait_2_waits_its_time_only() {
    let mut t = Tester::established();
    t.close();
    t.out();
    t.inject(". 1:1(0) ack 2");
    t.run_ms(59_999);
    assert_eq!(t.state(), State::FinWait2);
    t.run_ms(1);
    assert_eq!(t.state(), State::Closed);
    assert!(t.out().is_empty());
}

#[test]
fn linger2_sets_that_time() {
    let mut t = Tester::established();
    t.cx(|connection, cx| {
        connection.set_options(cx, |options| options.linger2 = Some(Duration::from_secs(3)))
    });
    t.close();
    t.out();
    t.inject(". 1:1(0) ack 2");
    t.run_ms(3000);
    assert_eq!(t.state(), State::Closed);
}

#[test]
fn linger2_of_nothing_resets() {
    for order in [["close", "ack"], ["ack", "close"]] {
        let mut t = Tester::established();
        t.cx(|connection, cx| {
            connection.set_options(cx, |options| options.linger2 = Some(Duration::ZERO));
            connection.shutdown(cx, Shutdown::Write);
        });
        t.out();
        for step in order {
            match step {
                "close" => t.close(),
                _ => t.inject(". 1:1(0) ack 2"),
            }
        }
        assert_eq!(t.out(), ["R. 2:2(0) ack 1"]);
        assert_eq!(t.state(), State::Closed);
    }
}

// RFC 9293 3.6.1 MAY-1, RFC 2525 2.17, RFC 9293 3.6.1 SHLD-3, MAY-1: the peer must not believe that its data was read.
#[test]
fn close_with_unread_data_resets() {
    let mut t = Tester::established();
    t.inject("P. 1:101(100) ack 1");
    t.out();
    t.close();
    assert_eq!(t.out(), ["R. 1:1(0) ack 101"]);
    assert_eq!(t.state(), State::Closed);
}

#[test]
fn data_after_a_full_close_is_reset() {
    let mut t = Tester::established();
    t.close();
    t.out();
    t.inject("P. 1:101(100) ack 2");
    assert_eq!(t.out(), ["R 2:2(0)"]);
    assert_eq!(t.state(), State::Closed);
    assert!(t.seen.drops.contains(&DropReason::Closed));
    assert_eq!(t.connection.error(), None, "all of ours was delivered");
}

#[test]
fn data_before_our_fin_is_acknowledged_is_an_error() {
    let mut t = Tester::established();
    t.close();
    t.out();
    t.inject("P. 1:101(100) ack 1");
    assert_eq!(t.out(), ["R 1:1(0)"]);
    assert_eq!(t.connection.error(), Some(ConnectionError::Reset));
}

#[test]
fn data_after_both_directions_were_shut_down_is_reset() {
    let mut t = Tester::established();
    t.cx(|connection, cx| connection.shutdown(cx, Shutdown::Both));
    assert_eq!(t.out(), ["F. 1:1(0) ack 1"]);
    t.inject("P. 1:101(100) ack 2");
    assert_eq!(t.out(), ["R 2:2(0)"]);
    assert_eq!(t.state(), State::Closed);
    assert_eq!(t.read(), Err(ReceiveError::Failed(ConnectionError::Reset)));
}

#[test]
fn shutdown_read_gives_end_of_stream_and_acknowledges_on() {
    let mut t = Tester::established();
    t.inject("P. 1:101(100) ack 1");
    t.out();
    t.cx(|connection, cx| connection.shutdown(cx, Shutdown::Read));
    assert_eq!(t.read(), Ok(100), "what is there can be read");
    assert_eq!(t.read(), Ok(0));
    t.inject("P. 101:201(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 201"]);
    assert_eq!(t.read(), Ok(0));
}

// RFC 9293 3.10.5: ABORT drops what is queued and resets.
#[test]
fn abort_resets_and_forgets() {
    let mut t = Tester::established();
    t.write(5000);
    t.cx(|connection, cx| connection.abort(cx));
    assert_eq!(t.out(), ["R. 1:1(0) ack 1"]);
    assert_eq!((t.state(), t.connection.buffered()), (State::Closed, 0));
    assert_eq!(t.connection.poll_timeout(), None);
}

#[test]
fn lingering_close_says_when_all_is_acknowledged() {
    let mut t = Tester::established();
    t.write(500);
    t.cx(|connection, cx| connection.close(cx, Some(Duration::from_secs(10))));
    assert_eq!(t.out(), ["FP. 1:501(500) ack 1"]);
    t.events();
    t.inject(". 1:1(0) ack 502");
    assert!(t.events().contains(&ConnectionEvent::Flushed));
    assert!(t.connection.is_flushed());
}

#[test]
fn lingering_close_whose_time_is_over_resets() {
    let mut t = Tester::established();
    t.write(500);
    t.cx(|connection, cx| connection.close(cx, Some(Duration::from_secs(10))));
    t.out();
    let sent = t.run_ms(10_000);
    assert_eq!(
        sent.last().unwrap(),
        &(10_000, "R. 502:502(0) ack 1".into())
    );
    assert_eq!(t.state(), State::Closed);
    assert!(!t.connection.is_flushed());
}

#[test]
fn an_orphan_gives_up_sooner() {
    let mut t = Tester::established();
    t.write(500);
    t.close();
    t.out();
    let sent = t.run_ms(3_600_000);
    // Eight retransmissions, then the reset.
    assert_eq!(sent.len(), 9);
    assert_eq!(sent.last().unwrap().1, "R. 502:502(0) ack 1");
    assert_eq!(t.connection.error(), Some(ConnectionError::TimedOut));
}

#[test]
fn unread_data_outlives_the_fin() {
    let mut t = Tester::established();
    t.shutdown_write();
    t.out();
    t.inject("FP. 1:101(100) ack 2");
    assert_eq!(t.state(), State::TimeWait);
    assert_eq!(t.read(), Ok(100));
    assert_eq!(t.read(), Ok(0));
}

#[test]
fn resent_fin_is_acknowledged_again() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.out();
    t.inject("F. 1:1(0) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 2"]);
}

#[test]
fn text_after_the_fin_is_not_delivered() {
    let mut t = Tester::established();
    t.inject("F. 1:1(0) ack 1");
    t.out();
    t.inject("P. 2:12(10) ack 1");
    assert_eq!(t.seen.drops, [DropReason::AfterFin]);
    assert_eq!(t.read(), Ok(0));
}

#[test]
fn reading_before_anything_came_would_block() {
    let mut t = Tester::established_with(plain(), SocketOptions::default());
    assert_eq!(t.read(), Err(ReceiveError::WouldBlock));
}
