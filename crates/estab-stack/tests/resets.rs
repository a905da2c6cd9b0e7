//! Segments to no connection, and the RSTs that answer them.

mod support;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, Flags};
use std::net::SocketAddr;
use support::*;

fn stranger(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 77], port))
}

// RFC 9293 3.10.7.1, 3.5.2.
#[test]
fn a_reset_is_made_acceptable_to_who_gets_it() {
    let mut net = pair();
    let cases = [
        (
            Flags::SYN,
            100,
            0,
            &b""[..],
            (Flags::RST | Flags::ACK, 0, 101),
        ),
        (
            Flags::SYN | Flags::FIN,
            100,
            0,
            b"abc",
            (Flags::RST | Flags::ACK, 0, 105),
        ),
        (
            Flags::NONE,
            100,
            0,
            b"abc",
            (Flags::RST | Flags::ACK, 0, 103),
        ),
        (Flags::ACK, 100, 4711, b"abc", (Flags::RST, 4711, 0)),
        (
            Flags::SYN | Flags::ACK,
            100,
            4711,
            b"",
            (Flags::RST, 4711, 0),
        ),
    ];
    for (flags, seq, ack, text, (answer_flags, answer_seq, answer_ack)) in cases {
        net.inject(
            B,
            packet(stranger(9), at(B, 99), &header(flags, seq, ack), text),
        );
        let (answer, len) = net.sent(B).pop().expect("an answer");
        assert_eq!((answer.flags, len), (answer_flags, 0), "{flags}");
        assert_eq!(
            (answer.seq.0, answer.ack.0),
            (answer_seq, answer_ack),
            "{flags}"
        );
    }
    assert_eq!(net.counters(B).resets_out, 5);
    assert_eq!(net.dropped(B, DropReason::NoSocket), 5);
    for flags in [Flags::RST, Flags::RST | Flags::ACK, Flags::RST | Flags::SYN] {
        net.inject(B, packet(stranger(9), at(B, 99), &header(flags, 1, 1), b""));
    }
    assert_eq!((net.counters(B).resets_out, net.sent(B).len()), (5, 5));
}

// RFC 9293 3.9.2.3 MUST-57, MUST-63: silently discarded.
#[test]
fn groups_and_impostors_get_no_answer() {
    let mut net = pair();
    net.listen(B, 80, 8);
    let syn = header(Flags::SYN, 1, 0);
    let strange = [
        (stranger(9), "10.255.255.255:80"),
        (stranger(9), "255.255.255.255:80"),
        (stranger(9), "224.0.0.1:80"),
        ("224.0.0.1:9".parse().unwrap(), "10.0.0.2:80"),
        ("255.255.255.255:9".parse().unwrap(), "10.0.0.2:80"),
        ("0.0.0.0:9".parse().unwrap(), "10.0.0.2:80"),
        // From our own address and port: the LAND attack.
        (at(B, 80), "10.0.0.2:80"),
        (at(B, 99), "10.0.0.2:99"),
    ];
    for (from, to) in strange {
        net.inject(B, packet(from, to.parse().unwrap(), &syn, b""));
        assert_eq!(net.sent(B).len(), 0, "{from} {to}");
    }
    assert_eq!(net.counters(B).half_open, 0);
}

// RFC 9293 3.1 MUST-3.
#[test]
fn bad_checksums_and_nonsense_are_counted_and_dropped() {
    let mut net = pair();
    net.listen(B, 80, 8);
    let good = packet(stranger(9), at(B, 80), &header(Flags::SYN, 1, 0), b"");
    let mut bad = good.to_vec();
    bad[38] ^= 1;
    net.inject(B, bad.into());
    assert_eq!(net.dropped(B, DropReason::Checksum), 1);
    net.inject(B, good.slice(..30));
    assert_eq!((net.sent(B).len(), net.counters(B).half_open), (0, 0));
    net.inject(B, good);
    assert_eq!(net.counters(B).half_open, 1);
}

#[test]
fn resets_are_rate_limited() {
    // Some count double.
    let mut net = pair_both(|s| s.tcp_resets_per_sec = 100);
    for port in 0..1000 {
        let ack = header(Flags::ACK, 1, 1);
        net.inject(B, packet(stranger(port + 1), at(B, 99), &ack, b""));
    }
    let resets = net.counters(B).resets_out;
    assert!((50..=100).contains(&resets), "{resets}");
    assert_eq!(net.dropped(B, DropReason::RateLimited), 1000 - resets);
    net.run_secs(1);
    let refused = net.connect(A, at(B, 99));
    net.settle();
    assert_eq!(net.error(A, refused), Some(ConnectionError::Refused));
}

#[test]
fn what_comes_after_the_end_is_reset() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.hosts[B].abort(net.now, server).unwrap();
    net.filter(|from, _| from != B);
    net.flush();
    net.no_filter();
    assert_eq!(net.counters(B).connections, 0);
    net.send(A, client, b"anyone?").unwrap();
    net.settle();
    assert_eq!(net.error(A, client), Some(ConnectionError::Reset));
}
