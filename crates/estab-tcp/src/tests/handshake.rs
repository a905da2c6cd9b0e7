//! Opening: active, simultaneous, what is negotiated, what fails.

use super::support::*;
use crate::event::DropReason;
use crate::{ConnectionError, SendError, Settings, SocketOptions, State};
use core::time::Duration;
use estab_wire::tcp::{Flags, Options, SynOptions, Timestamps};
use std::vec::Vec;

fn mss(value: u16) -> SynOptions {
    SynOptions {
        mss: Some(value),
        ..SynOptions::default()
    }
}

#[test]
fn three_segments_open() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    assert_eq!(t.out(), ["S 0:0(0)"]);
    t.inject_syn("S. 0:0(0) ack 1", mss(1460));
    assert_eq!(t.out(), [". 1:1(0) ack 1"]);
    assert_eq!(t.states(), [State::SynSent, State::Established]);
}

// RFC 9293 3.7.1 MUST-14, SHLD-5, MAY-3, MUST-67: the SYN carries the MSS of the path; the window in it is not scaled.
#[test]
fn syn_offers_all_options() {
    let mut t = Tester::connecting(Settings::default(), SocketOptions::default());
    let segments = t.out_segments();
    let Options::Syn(options) = &segments[0].header.options else {
        panic!()
    };
    assert_eq!(options.mss, Some(1460));
    assert_eq!(options.window_scale, Some(11), "64 MiB");
    assert!(options.sack_permitted);
    assert_eq!(
        options.timestamps,
        Some(Timestamps {
            value: 1007,
            echo: 0
        })
    );
    assert_eq!(segments[0].header.window.0, 65535);
}

#[test]
fn settings_and_options_take_offers_away() {
    let settings = Settings {
        tcp_timestamps: false,
        tcp_sack: false,
        tcp_window_scaling: false,
        ..Settings::default()
    };
    let options = SocketOptions {
        max_segment: Some(600),
        ..SocketOptions::default()
    };
    let mut t = Tester::connecting(settings, options);
    let segments = t.out_segments();
    assert_eq!(segments[0].header.options, Options::Syn(mss(600)));
}

// RFC 9293 3.7.1 MUST-15: without an MSS option segments carry at most 536 bytes.
#[test]
fn default_mss_is_536() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject_syn("S. 0:0(0) ack 1", SynOptions::default());
    t.out();
    t.write(1000);
    assert_eq!(t.out()[0], ". 1:537(536) ack 1");
}

#[test]
fn a_reset_has_the_agreed_timestamps() {
    let mut t = Tester::connecting(Settings::default(), SocketOptions::default());
    t.out();
    let timestamps = Some(Timestamps {
        value: 5,
        echo: 1007,
    });
    t.inject_syn(
        "S. 0:0(0) ack 1",
        SynOptions {
            timestamps,
            ..SynOptions::default()
        },
    );
    t.out();
    t.cx(|connection, cx| connection.abort(cx));
    let reset = t.out_segments().remove(0).header;
    assert_eq!(reset.flags, Flags::RST | Flags::ACK);
    assert_eq!(reset.options.timestamps().map(|ts| ts.echo), Some(5));
}

// RFC 9293 3.7.1 MUST-16: the least of peer's MSS and path, less the options of each segment.
#[test]
fn effective_mss_counts_timestamps() {
    let mut t = Tester::connecting(Settings::default(), SocketOptions::default());
    t.out();
    let timestamps = Some(Timestamps {
        value: 5,
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
    t.out();
    t.write(3000);
    assert_eq!(t.out()[0], ". 1:989(988) ack 1");
}

#[test]
fn tiny_mss_is_obeyed_down_to_a_floor() {
    // None at all is as if the option were not there.
    for (offered, used) in [(100, 100), (48, 48), (1, 48), (0, 536)] {
        let mut t = Tester::connecting(plain(), SocketOptions::default());
        t.out();
        t.inject_syn("S. 0:0(0) ack 1", mss(offered));
        t.out();
        t.write(1000);
        assert_eq!(t.out_segments()[0].payload.len(), used, "MSS {offered}");
    }
}

// RFC 9293 3.7.1 MUST-65: no MSS, and no other option of SYNs, once the SYN is over.
#[test]
fn syn_options_stand_in_syns_only() {
    let mut t = Tester::established();
    t.write(10);
    for segment in t.out_segments() {
        assert!(matches!(segment.header.options, Options::Segment(_)));
    }
}

#[test]
fn window_scale_above_14_counts_as_14() {
    let mut t = Tester::connecting(Settings::default(), SocketOptions::default());
    t.out();
    t.inject_syn(
        "S. 0:0(0) ack 1",
        SynOptions {
            window_scale: Some(200),
            ..mss(1460)
        },
    );
    assert_eq!(t.connection.info(&t.settings).snd_wscale, Some(14));
}

// RFC 9293 3.8.3 MUST-22, MUST-23.
// RFC 6298: SYNs 1, 2, 4, 8, 16 s apart, and the error 32 s after the last.
#[test]
fn syn_is_resent_with_doubled_gaps_then_times_out() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    assert_eq!(t.out(), ["S 0:0(0)"]);
    let sent = t.run_ms(62_999);
    let times: Vec<u64> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [1000, 3000, 7000, 15_000, 31_000]);
    assert!(sent.iter().all(|(_, segment)| segment == "S 0:0(0)"));
    assert_eq!(t.state(), State::SynSent);
    assert!(t.run_ms(1).is_empty());
    assert_eq!(
        (t.state(), t.connection.error()),
        (State::Closed, Some(ConnectionError::TimedOut))
    );
}

#[test]
fn connect_gives_up_when_the_caller_says() {
    let mut t = Tester::connecting_within(
        plain(),
        SocketOptions::default(),
        Some(Duration::from_secs(31)),
    );
    t.out();
    assert_eq!(t.run_ms(30_999).len(), 4);
    // The sixth SYN falls due at 31 s too: it goes out before the time is over.
    let last = t.run_ms(1);
    assert_eq!(last, [(1, "S 0:0(0)".into())]);
    assert_eq!(t.state(), State::SynSent);
    assert!(t.run_ms(1).is_empty());
    assert_eq!(t.connection.error(), Some(ConnectionError::TimedOut));
}

#[test]
fn connection_is_writable_from_the_moment_it_is_open_and_not_before() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    assert!(!t.connection.is_writable());
    let mut t = Tester::established();
    assert!(t.connection.is_writable());
    assert!(t.out().is_empty());
}

#[test]
fn syn_retries_can_be_set() {
    let options = SocketOptions {
        syn_retries: Some(1),
        ..SocketOptions::default()
    };
    let mut t = Tester::connecting(plain(), options);
    t.out();
    assert_eq!(t.run_ms(3000).len(), 1);
    assert_eq!(t.state(), State::Closed);
}

// RFC 6298 5.7 and RFC 5681: after a lost SYN, one segment and a time-out of 3 s.
#[test]
fn lost_syn_makes_the_beginning_careful() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.run_ms(1000);
    t.inject_syn("S. 0:0(0) ack 1", mss(1000));
    t.out();
    t.write(5000);
    assert_eq!(t.out(), [". 1:1001(1000) ack 1"]);
    assert_eq!(t.run_ms(2999), []);
    assert_eq!(t.run_ms(1).len(), 1);
}

// RFC 9293 3.10.7.3, second: RST with an acceptable ACK refuses.
#[test]
fn reset_refuses() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject("R. 0:0(0) ack 1");
    assert_eq!(
        (t.state(), t.connection.error()),
        (State::Closed, Some(ConnectionError::Refused))
    );
    assert!(t.out().is_empty());
}

#[test]
fn reset_that_does_not_answer_our_syn_is_ignored() {
    for (segment, reason) in [
        ("R 0:0(0)", DropReason::InvalidRst),
        ("R. 0:0(0) ack 0", DropReason::UnacceptableAck),
        ("R. 0:0(0) ack 2", DropReason::UnacceptableAck),
    ] {
        let mut t = Tester::connecting(plain(), SocketOptions::default());
        t.out();
        t.inject(segment);
        assert_eq!(t.state(), State::SynSent, "{segment}");
        assert_eq!(t.seen.drops, [reason], "{segment}");
    }
}

// RFC 9293 3.10.7.3, first: an unacceptable ACK is answered by a RST where it points, and the opening goes on.
#[test]
fn unacceptable_ack_gets_a_reset() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject_syn("S. 0:0(0) ack 5", mss(1460));
    assert_eq!(t.out(), ["R 5:5(0)"]);
    t.inject(". 0:0(0) ack 0");
    assert_eq!(t.out(), ["R 0:0(0)"]);
    assert_eq!(t.state(), State::SynSent);
    t.inject_syn("S. 0:0(0) ack 1", mss(1460));
    assert_eq!(t.state(), State::Established);
}

// A peer that still has the old connection in TIME-WAIT, or open, answers our SYN with a challenge ACK: the RST clears it away,
// and the SYN is tried again.
#[test]
fn pitfall_a_challenge_ack_from_a_stale_connection_is_reset_and_the_syn_resent() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject(". 5000:5000(0) ack 77777");
    assert_eq!(t.out(), ["R 77777:77777(0)"]);
    assert_eq!(t.run_ms(1000), [(1000, "S 0:0(0)".into())]);
    t.inject_syn("S. 0:0(0) ack 1", mss(1460));
    assert_eq!(t.state(), State::Established);
}

// RFC 9293 3.5 MUST-10: one connection from four segments.
#[test]
fn pitfall_a_bare_syn_in_syn_sent_is_a_simultaneous_open_of_four_segments() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    assert_eq!(t.out(), ["S 0:0(0)"]);
    t.inject_syn("S 0:0(0)", mss(1460));
    assert_eq!(t.out(), ["S. 0:0(0) ack 1"]);
    t.inject_syn("S. 0:0(0) ack 1", mss(1460));
    assert!(
        t.out().is_empty(),
        "the SYN-ACK says all that the last ACK would"
    );
    assert_eq!(
        t.states(),
        [State::SynSent, State::SynReceived, State::Established]
    );
}

#[test]
fn simultaneous_open_also_ends_by_an_ack() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject_syn("S 0:0(0)", mss(1460));
    t.out();
    t.inject(". 1:1(0) ack 1");
    assert_eq!(t.state(), State::Established);
}

#[test]
fn simultaneous_open_resends_its_syn_ack() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject_syn("S 0:0(0)", mss(1460));
    t.out();
    assert_eq!(t.run_ms(1000), [(1000, "S. 0:0(0) ack 1".into())]);
}

// RFC 9293 3.5 MUST-11: it was an active open.
#[test]
fn simultaneous_open_that_is_refused() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject_syn("S 0:0(0)", mss(1460));
    t.out();
    t.inject("R 1:1(0)");
    assert_eq!(t.connection.error(), Some(ConnectionError::Refused));
}

// The peer's SYN-ACK again: our ACK was lost. It is answered each time, whatever rate limits say.
#[test]
fn repeated_syn_ack_is_always_answered() {
    let mut t = Tester::established();
    for _ in 0..5 {
        t.inject_syn("S. 0:0(0) ack 1", mss(1000));
        assert_eq!(t.out(), [". 1:1(0) ack 1"]);
    }
}

#[test]
fn data_in_the_syn_ack_is_delivered() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.inject_syn("S. 0:10(10) ack 1", mss(1000));
    assert_eq!(t.read(), Ok(10));
    assert_eq!(t.out(), [". 1:1(0) ack 11"]);
}

#[test]
fn nothing_is_sent_before_the_connection_is_open() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    let refused = t.cx(|connection, cx| connection.send(cx, b"early", false));
    assert_eq!(refused, Err(SendError::WouldBlock));
}

// RFC 9293 3.10.4 in SYN-SENT: the TCB is deleted, nothing is sent.
#[test]
fn close_while_connecting_is_silent() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    t.close();
    assert_eq!(t.state(), State::Closed);
    assert!(t.out().is_empty());
}
