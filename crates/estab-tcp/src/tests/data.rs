//! Sending and receiving: segment sizes, PSH, Nagle, cork, delayed acknowledgements, reassembly.

use super::support::*;
use crate::Settings;
use crate::SocketOptions;
use crate::event::DropReason;
use estab_wire::tcp::{SynOptions, Timestamps};

// RFC 9293 3.9.1.2 SHLD-28, MUST-61: full segments, and PSH on the last of what was written.
#[test]
fn writes_are_cut_at_the_mss() {
    let mut t = Tester::established();
    t.write(2500);
    assert_eq!(
        t.out(),
        [
            ". 1:1001(1000) ack 1",
            ". 1001:2001(1000) ack 1",
            "P. 2001:2501(500) ack 1"
        ]
    );
}

#[test]
fn super_segments_carry_many() {
    let mut t = Tester::established();
    t.max_segments = 40;
    t.write(5000);
    let segments = t.out_segments();
    assert_eq!(print(&segments[0]), "P. 1:5001(5000) ack 1");
    assert_eq!(segments[0].segment_size, 1000);
}

// RFC 9293 3.7.4 SHLD-7: a partial segment waits while another is unacknowledged.
#[test]
fn nagle_holds_the_second_small_segment() {
    let mut t = Tester::established();
    t.write(10);
    assert_eq!(t.out(), ["P. 1:11(10) ack 1"]);
    t.write(10);
    t.write(10);
    assert!(t.out().is_empty());
    t.inject(". 1:1(0) ack 11");
    assert_eq!(t.out(), ["P. 11:31(20) ack 1"]);
}

// RFC 9293 3.7.4 MUST-17.
#[test]
fn nodelay_lets_small_segments_go() {
    let options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.write(10);
    t.out();
    t.write(10);
    assert_eq!(t.out(), ["P. 11:21(10) ack 1"]);
}

// RFC 9293 3.9.1.2 MUST-60.
#[test]
fn cork_holds_partial_segments_for_200_ms() {
    let options = SocketOptions {
        cork: true,
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.write(1500);
    assert_eq!(t.out(), [". 1:1001(1000) ack 1"]);
    t.inject(". 1:1(0) ack 1001");
    assert!(t.out().is_empty());
    assert_eq!(t.run_ms(200), [(200, "P. 1001:1501(500) ack 1".into())]);
}

#[test]
fn uncorking_sends_at_once() {
    let options = SocketOptions {
        cork: true,
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.write(100);
    assert!(t.out().is_empty());
    t.cx(|connection, cx| connection.set_options(cx, |options| options.cork = false));
    assert_eq!(t.out(), ["P. 1:101(100) ack 1"]);
}

// RFC 9293 3.9.1.2 SHLD-27, MAY-16: two writes, one segment, one PSH.
#[test]
fn more_holds_until_the_next_write() {
    let mut t = Tester::established();
    t.cx(|connection, cx| connection.send(cx, &[0; 100], true))
        .unwrap();
    assert!(t.out().is_empty());
    t.write(100);
    assert_eq!(t.out(), ["P. 1:201(200) ack 1"]);
}

// RFC 9293 3.8.6.3 SHLD-18, MUST-40: less than half a second.
#[test]
fn acknowledgements_are_delayed() {
    let mut t = Tester::established().without_quick_acks();
    t.inject("P. 1:101(100) ack 1");
    assert!(t.out().is_empty());
    assert_eq!(t.run_ms(200), [(40, ". 1:1(0) ack 101".into())]);
}

// RFC 9293 3.8.6.3 SHLD-19.
#[test]
fn every_second_full_segment_is_acknowledged() {
    let mut t = Tester::established().without_quick_acks();
    for n in 0..3 {
        let first = 1 + n * 2000;
        t.inject(&std::format!(". {first}:{}(1000) ack 1", first + 1000));
        assert!(t.out().is_empty());
        t.inject(&std::format!(
            ". {}:{}(1000) ack 1",
            first + 1000,
            first + 2000
        ));
        assert_eq!(t.out(), [std::format!(". 1:1(0) ack {}", first + 2000)]);
    }
}

#[test]
fn less_than_two_full_segments_wait() {
    let mut t = Tester::established().without_quick_acks();
    t.inject(". 1:1001(1000) ack 1");
    t.inject("P. 1001:1999(998) ack 1");
    assert!(t.out().is_empty());
    assert_eq!(t.run_ms(200).len(), 1);
}

#[test]
fn the_first_segments_are_acknowledged_at_once() {
    let mut t = Tester::established();
    for n in 0..16 {
        t.inject(&std::format!("P. {}:{}(10) ack 1", 1 + n * 10, 11 + n * 10));
        assert_eq!(t.out().len(), 1, "{n}");
    }
    t.inject("P. 161:171(10) ack 1");
    assert!(t.out().is_empty());
}

#[test]
fn quickack_holds_from_each_time_it_is_set() {
    let mut t = Tester::established();
    t.connection.acknowledge_at_once(false);
    t.inject("P. 1:101(100) ack 1");
    assert!(t.out().is_empty());
    t.connection.acknowledge_at_once(true);
    assert_eq!(t.out(), [". 1:1(0) ack 101"], "what was owed");
    t.inject("P. 101:201(100) ack 1");
    assert_eq!(t.out().len(), 1);
    // An answer makes it a dialogue again.
    t.write(10);
    t.out();
    t.inject("P. 201:301(100) ack 11");
    assert!(t.out().is_empty());
    t.connection.acknowledge_at_once(true);
    assert_eq!(t.out().len(), 1);
}

// RFC 9293 3.10.7.4 MUST-58, MUST-59: all is processed, then one ACK.
#[test]
fn a_coalesced_segment_counts_as_what_it_was_made_of() {
    let mut t = Tester::established().without_quick_acks();
    t.inject_coalesced(". 1:3001(3000) ack 1", 3, 1000);
    assert_eq!(t.out(), [". 1:1(0) ack 3001"]);
    assert_eq!(t.connection.info(&t.settings).data_segments_in, 3);
}

#[test]
fn data_carries_the_acknowledgement() {
    let mut t = Tester::established().without_quick_acks();
    t.inject("P. 1:101(100) ack 1");
    t.write(50);
    assert_eq!(t.out(), ["P. 1:51(50) ack 101"]);
    assert_eq!(t.run_ms(190), [], "the delayed ACK is paid");
}

// RFC 9293 3.10.7.4 SHLD-31, MAY-13.
// RFC 5681: each out-of-order segment owes a duplicate ACK, and filling the hole an immediate one.
#[test]
fn out_of_order_segments_are_acknowledged_one_by_one() {
    let mut t = Tester::established().without_quick_acks();
    t.inject("P. 101:201(100) ack 1");
    t.inject("P. 201:301(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1", ". 1:1(0) ack 1"]);
    t.inject("P. 1:101(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 301"]);
    assert_eq!(t.read(), Ok(300));
}

fn with_sack() -> Tester {
    let settings = Settings {
        tcp_sack: true,
        ..plain()
    };
    let mut t = Tester::connecting(settings, SocketOptions::default());
    t.out();
    t.inject_syn(
        "S. 0:0(0) ack 1",
        SynOptions {
            mss: Some(1000),
            sack_permitted: true,
            ..SynOptions::default()
        },
    );
    t.out();
    t
}

// RFC 2018 section 4: the block with the segment that came last stands first.
#[test]
fn sack_blocks_tell_what_is_held() {
    let mut t = with_sack();
    t.inject("P. 101:201(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1 sack 101:201"]);
    t.inject("P. 301:401(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1 sack 301:401 101:201"]);
    t.inject("P. 201:301(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1 sack 101:401"]);
    t.inject("P. 1:101(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 401"]);
}

// RFC 2883 section 4: a duplicate is reported once, first.
#[test]
fn duplicates_are_reported_by_d_sack() {
    let mut t = with_sack();
    t.inject("P. 1:101(100) ack 1");
    t.out();
    t.inject("P. 1:101(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 101 sack 1:101"]);
    t.inject("P. 301:401(100) ack 1");
    t.out();
    t.inject("P. 301:401(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 101 sack 301:401 301:401"]);
    t.inject("P. 51:151(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 151 sack 51:101 301:401"]);
}

#[test]
fn no_blocks_without_permission() {
    let mut t = Tester::established();
    t.inject("P. 101:201(100) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
}

fn with_timestamps() -> Tester {
    let settings = Settings {
        tcp_timestamps: true,
        ..plain()
    };
    let mut t = Tester::connecting(settings, SocketOptions::default());
    t.out();
    let timestamps = Some(Timestamps {
        value: 500,
        echo: 1007,
    });
    t.inject_syn(
        "S. 0:0(0) ack 1",
        SynOptions {
            mss: Some(1000),
            timestamps,
            ..SynOptions::default()
        },
    );
    t
}

// RFC 7323: on every segment once agreed; the echo is TS.Recent.
#[test]
fn timestamps_stand_on_every_segment() {
    let mut t = with_timestamps();
    t.write(10);
    for segment in t.out_segments() {
        assert_eq!(
            segment.header.options.timestamps(),
            Some(Timestamps {
                value: 1007,
                echo: 500
            })
        );
    }
    t.inject_ts("P. 1:11(10) ack 11", 600, 1007);
    assert_eq!(
        t.out_segments()[0]
            .header
            .options
            .timestamps()
            .unwrap()
            .echo,
        600
    );
}

// RFC 7323: an old timestamp is an old duplicate, even inside the window.
#[test]
fn paws_drops_old_duplicates() {
    let mut t = with_timestamps();
    t.out();
    t.inject_ts("P. 1:11(10) ack 1", 499, 1007);
    assert_eq!(t.seen.drops, [DropReason::Paws]);
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
    t.inject_ts("P. 1:11(10) ack 1", 500, 1007);
    assert_eq!(t.read(), Ok(10));
}

// Off the path a sequence number in the window may be guessed; an ACK that fits too is another matter (RFC 5961).
#[test]
fn a_forged_segment_does_not_set_ts_recent() {
    let mut t = with_timestamps();
    t.out();
    for forged in ["P. 1:11(10) ack 3000000000", "P 1:11(10)"] {
        t.inject_ts(forged, 500 + (1 << 30), 1007);
    }
    t.inject_ts("P. 1:11(10) ack 1", 501, 1007);
    assert_eq!(t.read(), Ok(10), "{:?}", t.seen.drops);
}

#[test]
fn paws_lets_resets_pass() {
    let mut t = with_timestamps();
    t.inject("R. 1:1(0) ack 1");
    assert_eq!(t.state(), crate::State::Closed);
}

// RFC 7323.
#[test]
fn a_segment_without_the_agreed_timestamp_is_dropped() {
    let mut t = with_timestamps();
    t.out();
    t.inject("P. 1:11(10) ack 1");
    assert_eq!(t.seen.drops, [DropReason::NoTimestamp]);
}

#[test]
fn old_text_is_trimmed_and_new_text_kept() {
    let mut t = Tester::established();
    t.inject("P. 1:101(100) ack 1");
    t.inject("P. 51:151(100) ack 1");
    assert_eq!(t.read(), Ok(150));
}

#[test]
fn text_beyond_the_window_is_trimmed() {
    let options = SocketOptions {
        receive_buffer: Some(1000),
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.inject("FP. 1:1501(1500) ack 1");
    assert_eq!(t.read(), Ok(1000));
    assert_eq!(
        t.state(),
        crate::State::Established,
        "the FIN lay beyond the window"
    );
}

#[test]
fn a_fin_at_the_right_edge_is_trimmed() {
    let options = SocketOptions {
        receive_buffer: Some(1000),
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.inject("FP. 1:1001(1000) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1001"]);
    assert_eq!(t.state(), crate::State::Established);
    t.inject("F. 1001:1001(0) ack 1");
    assert_eq!(t.out(), [". 1:1(0) ack 1001"], "the window is closed");
    assert_eq!(t.state(), crate::State::Established);
    assert_eq!(t.read(), Ok(1000));
    t.out();
    t.inject("F. 1001:1001(0) ack 1");
    assert_eq!(t.state(), crate::State::CloseWait);
}

// RFC 9293 3.10.7.4 MUST-58: one segment, one ACK.
#[test]
fn text_behind_a_gap_that_ends_beyond_the_window_is_acknowledged_once() {
    let options = SocketOptions {
        receive_buffer: Some(1000),
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.out();
    t.inject("P. 901:1401(500) ack 1");
    assert_eq!(t.out().len(), 1);
}

#[test]
fn reading_stops_at_low_water_only_for_readiness() {
    let options = SocketOptions {
        receive_low_water: 100,
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.inject("P. 1:51(50) ack 1");
    assert!(!t.connection.is_readable());
    t.inject("P. 51:101(50) ack 1");
    assert!(t.connection.is_readable());
}

#[test]
fn the_send_buffer_bounds_what_is_queued() {
    let options = SocketOptions {
        send_buffer: Some(3000),
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    assert_eq!(t.write(10_000), 3000);
    assert!(!t.connection.is_writable());
    let refused = t.cx(|connection, cx| connection.send(cx, b"x", false));
    assert_eq!(refused, Err(crate::SendError::WouldBlock));
    t.out();
    t.events();
    t.inject(". 1:1(0) ack 1001");
    assert!(t.events().contains(&crate::ConnectionEvent::Writable));
    assert_eq!(t.write(10_000), 1000);
}

#[test]
fn nothing_is_sent_beyond_the_congestion_window() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 65535");
    t.write(60_000);
    assert_eq!(t.out().len(), 10, "ten segments at first (RFC 6928)");
    t.inject(". 1:1(0) ack 1001 win 65535");
    assert_eq!(t.out().len(), 2, "slow start");
}

#[test]
fn idleness_closes_the_congestion_window_to_its_beginning() {
    let mut t = Tester::established();
    t.inject(". 1:1(0) ack 1 win 65535");
    t.write(60_000);
    let mut acked = 1;
    while acked < 60_001 {
        t.out();
        acked = (acked + 10_000).min(60_001);
        t.inject(&std::format!(". 1:1(0) ack {acked} win 65535"));
    }
    assert!(t.connection.info(&t.settings).snd_cwnd > 20_000);
    t.run_ms(10_000);
    t.write(60_000);
    assert_eq!(t.out().len(), 10);
}

// RFC 9293 3.1 MUST-1, REC-1: a scaled window is a number of 32 bits without a sign.
#[test]
fn large_windows_are_large() {
    let settings = Settings {
        tcp_window_scaling: true,
        ..plain()
    };
    let mut t = Tester::connecting(settings, SocketOptions::default());
    t.out();
    let options = SynOptions {
        mss: Some(1000),
        window_scale: Some(14),
        ..SynOptions::default()
    };
    t.inject_syn("S. 0:0(0) ack 1", options);
    t.out();
    t.inject(". 1:1(0) ack 1 win 65535");
    assert_eq!(t.connection.info(&t.settings).snd_wnd, 65535 << 14);
}

// RFC 9293 3.9.2 MUST-48, SHLD-21, SHLD-22, MUST-49: TOS and TTL as the application says, also when it says so later.
#[test]
fn tos_and_ttl_are_the_applications() {
    let options = SocketOptions {
        tos: 0x10,
        hop_limit: Some(9),
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.write(10);
    let ip = t.out_segments()[0].ip;
    assert_eq!((ip.tos, ip.hop_limit), (0x10, 9));
    t.cx(|connection, cx| connection.set_options(cx, |options| options.tos = 0xb8));
    t.shutdown_write();
    assert_eq!(t.out_segments()[0].ip.tos, 0xb8);
}

// RFC 7323: the segment that spans Last.ACK.sent sets TS.Recent, also when its beginning was received before.
#[test]
fn ts_recent_follows_a_segment_that_overlaps() {
    let mut t = with_timestamps().without_quick_acks();
    t.out();
    t.inject_ts("P. 1:11(10) ack 1", 600, 1007);
    t.inject_ts("P. 1:21(20) ack 1", 700, 1007);
    assert_eq!(
        t.out_segments()[0]
            .header
            .options
            .timestamps()
            .unwrap()
            .echo,
        700
    );
}

#[test]
fn no_buffer_is_empty_or_beyond_sequence_space() {
    for asked in [0, u32::MAX] {
        let options = SocketOptions {
            receive_buffer: Some(asked),
            send_buffer: Some(asked),
            ..SocketOptions::default()
        };
        let t = Tester::established_with(plain(), options);
        assert!((1..=1 << 30).contains(&t.connection.rcv.limit), "{asked}");
    }
}

// No segment carries the end of one record and the beginning of the next, whatever Nagle's algorithm would gather.
#[test]
fn records_end_segments() {
    let mut t = Tester::established();
    for len in [10, 20, 1500] {
        t.write(len);
        t.cx(|connection, _| connection.end_record());
    }
    t.write(5);
    assert_eq!(
        t.out(),
        [
            "P. 1:11(10) ack 1",
            "P. 11:31(20) ack 1",
            ". 31:1031(1000) ack 1",
            "P. 1031:1531(500) ack 1",
        ]
    );
    // What ends no record waits as ever.
    t.inject(". 1:1(0) ack 1531");
    assert_eq!(t.out(), ["P. 1531:1536(5) ack 1"]);
}

#[test]
fn records_end_segments_that_are_sent_again() {
    let options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.max_segments = 40;
    for _ in 0..2 {
        t.write(10);
        t.cx(|connection, _| connection.end_record());
    }
    assert_eq!(t.out(), ["P. 1:11(10) ack 1", "P. 11:21(10) ack 1"]);
    let resent = t.run_ms(1000).into_iter().map(|(_, segment)| segment);
    let resent: std::vec::Vec<_> = resent.collect();
    assert_eq!(resent, ["P. 1:11(10) ack 1", "P. 11:21(10) ack 1"]);
}

// Records of a byte fill the buffer with what they cost.
#[test]
fn many_records_do_not_take_memory_without_end() {
    let options = SocketOptions {
        send_buffer: Some(6500),
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    let mut sent = 0;
    loop {
        let result = t.cx(|connection, cx| connection.send(cx, b"x", false));
        if result.is_err() {
            break;
        }
        t.cx(|connection, _| connection.end_record());
        sent += 1;
    }
    assert_eq!(sent, 100);
}
