//! Listeners: the SYN queue, the accept queue, deferred accepts, strange SYNs.

mod support;
use estab_stack::*;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, Flags, State};
use std::time::Duration;
use support::*;

#[test]
fn the_accept_queue_holds_the_backlog_and_one_more() {
    let mut net = pair_both(|s| s.tcp_syncookies = 0);
    let listener = net.listen(B, 80, 3);
    let clients: Vec<_> = (0..8).map(|_| net.connect(A, at(B, 80))).collect();
    net.run_secs(2);
    assert_eq!(net.counters(B).connections, 4);
    assert!(net.dropped(B, DropReason::AcceptQueueFull) > 0);
    // Room comes: those who knock again get in.
    let mut accepted = 0;
    for _ in 0..12 {
        while net.hosts[B].accept(net.now, listener).is_ok() {
            accepted += 1;
        }
        net.run_secs(5);
    }
    assert_eq!(accepted, 8);
    for client in clients {
        assert_eq!(net.state(A, client), State::Established);
    }
}

/// Two connections wait to be accepted, two more open at once: there is room for one of them.
fn one_too_many(net: &mut Pair) -> (SocketId, [SocketId; 2]) {
    let listener = net.listen(B, 80, 2);
    for _ in 0..2 {
        net.connect(A, at(B, 80));
        net.settle();
    }
    let both = [net.connect(A, at(B, 80)), net.connect(A, at(B, 80))];
    net.settle();
    (listener, both)
}

#[test]
fn a_third_ack_without_room_is_dropped_and_the_connection_comes_later() {
    let mut net = pair();
    let (listener, [_, late]) = one_too_many(&mut net);
    assert_eq!(net.state(A, late), State::Established, "as far as it knows");
    net.send(A, late, b"patience").unwrap();
    net.settle();
    assert_eq!(net.counters(B).half_open, 1);
    assert!(net.dropped(B, DropReason::AcceptQueueFull) >= 1);
    for _ in 0..3 {
        net.accept(B, listener);
    }
    net.run_secs(5);
    let server = net.accept(B, listener);
    assert_eq!(net.receive(B, server).unwrap(), b"patience");
}

#[test]
fn abort_on_overflow_resets() {
    let mut net = pair_both(|s| s.tcp_abort_on_overflow = true);
    let (_, [_, refused]) = one_too_many(&mut net);
    assert_eq!(net.error(A, refused), Some(ConnectionError::Reset));
    let counters = net.counters(B);
    assert_eq!((counters.overflow_resets, counters.resets_out), (1, 1));
    assert_eq!(net.counters(B).half_open, 0);
}

#[test]
fn a_full_syn_queue_without_cookies_drops() {
    let mut net = pair_both(|s| s.tcp_syncookies = 0);
    net.listen(B, 80, 4);
    for port in 0..10 {
        let from = format!("10.0.0.77:{}", 1000 + port).parse().unwrap();
        net.inject(B, packet(from, at(B, 80), &header(Flags::SYN, 1, 0), b""));
    }
    assert_eq!(net.counters(B).half_open, 5, "one more than the backlog");
    assert_eq!(net.dropped(B, DropReason::SynQueueFull), 5);
    // The setting bounds it as well.
    net.hosts[B]
        .set_setting("tcp_max_syn_backlog", "2")
        .unwrap();
    net.run_secs(200);
    assert_eq!(net.counters(B).half_open, 0);
    assert_eq!(net.counters(B).half_open_timeouts, 5);
    for port in 0..10 {
        let from = format!("10.0.0.77:{}", 2000 + port).parse().unwrap();
        net.inject(B, packet(from, at(B, 80), &header(Flags::SYN, 1, 0), b""));
    }
    assert_eq!(net.counters(B).half_open, 2);
}

#[test]
fn a_syn_ack_is_resent_and_given_up() {
    let mut net = pair();
    net.listen(B, 80, 4);
    let from = "10.0.0.77:1000".parse().unwrap();
    net.inject(B, packet(from, at(B, 80), &header(Flags::SYN, 1, 0), b""));
    net.run_secs(64);
    assert_eq!(net.sent_with(B, Flags::SYN), 6);
    assert_eq!((net.counters(B).half_open, net.counters(B).timers), (0, 0));
}

#[test]
fn the_end_of_a_listener_resets_what_it_holds() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    let unaccepted = net.connect(A, at(B, 80));
    net.settle();
    net.filter(|from, _| from == B);
    let half_open = net.connect(A, at(B, 80));
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(B, packet(from, at(B, 80), &header(Flags::SYN, 7, 0), b""));
    assert_eq!(net.counters(B).half_open, 1);
    net.no_filter();
    net.close(B, listener).unwrap();
    net.settle();
    assert_eq!(net.error(A, unaccepted), Some(ConnectionError::Reset));
    assert_eq!(net.counters(B).unaccepted_resets, 2);
    let counters = net.counters(B);
    assert_eq!(
        (counters.connections, counters.half_open, counters.ports),
        (0, 0, 0)
    );
    let reset = net
        .sent(B)
        .into_iter()
        .rev()
        .find(|(h, _)| h.dst_port == 999);
    let (reset, _) = reset.expect("a RST for the half-open one");
    assert!(reset.flags.rst() && reset.ack.0 == 8);
    net.close(A, half_open).unwrap();
    // The port refuses now.
    let refused = net.connect(A, at(B, 80));
    net.settle();
    assert_eq!(net.error(A, refused), Some(ConnectionError::Refused));
}

#[test]
fn shutdown_ends_listening_but_not_the_socket() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    net.hosts[B]
        .shutdown(net.now, listener, estab_tcp::Shutdown::Read)
        .unwrap();
    assert_eq!(net.state(B, listener), State::Closed);
    net.hosts[B].bind(listener, any(81)).unwrap();
    net.hosts[B].listen(net.now, listener, 1).unwrap();
    assert_eq!(net.state(B, listener), State::Listen);
}

#[test]
fn data_and_fin_right_behind_the_third_ack_are_delivered() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    // The third ACK is lost, the data is not.
    let mut acks = 0;
    net.filter(move |from, packet| {
        let (_, header, text) = parse(packet).unwrap();
        let bare_ack = from == A && !header.flags.syn() && text.is_empty();
        acks += usize::from(bare_ack);
        !(bare_ack && acks == 1)
    });
    let client = net.connect(A, at(B, 80));
    net.run(Duration::from_millis(2));
    net.send(A, client, b"early").unwrap();
    net.close(A, client).unwrap();
    net.settle();
    let server = net.accept(B, listener);
    assert_eq!(net.receive(B, server).unwrap(), b"early");
    assert_eq!(net.receive(B, server).unwrap(), b"");
}

// A SYN with ECE and CWR set is a plain SYN to a stack without ECN (RFC 3360); so is one with reserved bits.
#[test]
fn pitfall_a_syn_with_ecn_or_reserved_bits_is_a_plain_syn() {
    let mut net = pair();
    net.listen(B, 80, 8);
    let strange = [
        Flags::ECE | Flags::CWR,
        Flags::AE | Flags::ECE | Flags::CWR,
        Flags::from_bits(0xe00),
        Flags::PSH | Flags::URG,
        Flags::FIN,
    ];
    for (port, flags) in (1000..).zip(strange) {
        let from = format!("10.0.0.1:{port}").parse().unwrap();
        let syn = header(Flags::SYN | flags, 5, 0);
        net.inject(B, packet(from, at(B, 80), &syn, b""));
        let (answer, _) = net.sent(B).pop().unwrap();
        assert_eq!(answer.flags, Flags::SYN | Flags::ACK, "{flags}");
        assert_eq!(answer.ack.0, 6, "the SYN alone is acknowledged");
    }
}

// RFC 9293 3.10.7.2: first RST, then ACK, then SYN, then the rest.
#[test]
fn what_is_no_syn_meets_a_listener() {
    let mut net = pair();
    net.listen(B, 80, 8);
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(B, packet(from, at(B, 80), &header(Flags::RST, 5, 0), b""));
    net.inject(B, packet(from, at(B, 80), &header(Flags::PSH, 5, 0), b"x"));
    assert_eq!(net.sent(B).len(), 0);
    for flags in [Flags::ACK, Flags::ACK | Flags::FIN, Flags::SYN | Flags::ACK] {
        net.inject(B, packet(from, at(B, 80), &header(flags, 5, 4711), b""));
        let (answer, _) = net.sent(B).pop().unwrap();
        assert_eq!((answer.flags, answer.seq.0), (Flags::RST, 4711));
    }
    assert_eq!(net.dropped(B, DropReason::NotSyn), 5);
}

#[test]
fn defer_accept_waits_for_data() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    net.set(
        B,
        listener,
        SocketOption::DeferAccept(Duration::from_secs(10)),
    );
    let talker = net.connect(A, at(B, 80));
    let silent = net.connect(A, at(B, 80));
    net.settle();
    assert_eq!(net.state(A, talker), State::Established);
    assert_eq!(
        net.hosts[B].accept(net.now, listener).map(|_| ()),
        Err(Error::WouldBlock(Wait::Readable))
    );
    net.send(A, talker, b"now").unwrap();
    net.settle();
    let server = net.accept(B, listener);
    assert_eq!(net.receive(B, server).unwrap(), b"now");
    net.run_secs(9);
    assert_eq!(
        net.sent_with(B, Flags::SYN),
        2,
        "it answered: it is not asked again"
    );
    // After the time it is asked again, and then accepted without data.
    net.run_secs(20);
    let (_, peer) = net.hosts[B].accept(net.now, listener).unwrap();
    assert_eq!(net.hosts[A].local_address(silent), Ok(peer));
}

#[test]
fn an_accepted_socket_inherits_the_listeners_options() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    net.set(B, listener, SocketOption::NoDelay(true));
    net.set(B, listener, SocketOption::Linger(Linger::Abort));
    net.set(B, listener, SocketOption::Keepalive(true));
    net.connect(A, at(B, 80));
    net.settle();
    let server = net.accept(B, listener);
    for (name, value) in [
        (OptionName::NoDelay, SocketOption::NoDelay(true)),
        (OptionName::Linger, SocketOption::Linger(Linger::Abort)),
        (OptionName::Keepalive, SocketOption::Keepalive(true)),
    ] {
        assert_eq!(net.hosts[B].option(server, name), Ok(value));
    }
}

#[test]
fn a_connection_that_died_in_the_queue_is_still_accepted() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    let client = net.connect(A, at(B, 80));
    net.settle();
    net.hosts[A].abort(net.now, client).unwrap();
    net.settle();
    let server = net.accept(B, listener);
    assert_eq!(net.error(B, server), Some(ConnectionError::Reset));
    net.close(B, server).unwrap();
    net.close(B, listener).unwrap();
    net.assert_nothing_left();
}
