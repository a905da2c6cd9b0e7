//! Interception: any address, any port, decided before the SYN is answered.

mod support;
use estab_stack::*;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, Flags, IcmpErrorKind, State};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use support::*;

/// B intercepts what A sends anywhere.
fn intercepting(undecided_max: u32) -> (Pair, SocketId) {
    let mut net = pair();
    let interface = net.interfaces[B];
    net.hosts[B].set_any_address(interface, true);
    let interceptor = net.hosts[B].intercept(net.now, undecided_max).unwrap();
    (net, interceptor)
}

fn target(i: u16) -> SocketAddr {
    SocketAddr::from(([10, 9, (i >> 8) as u8, i as u8], 1000 + i))
}

#[test]
fn a_thousand_targets() {
    let (mut net, interceptor) = intercepting(2000);
    let clients: BTreeMap<SocketAddr, SocketId> = (0..1000)
        .map(|i| (target(i), net.connect(A, target(i))))
        .collect();
    net.run(Duration::from_millis(500));
    assert_eq!(
        net.sent(B).len(),
        0,
        "no SYN is answered before the decision"
    );
    assert!(
        net.events[B]
            .iter()
            .any(|e| matches!(e, StackEvent::Ready(id, r)
        if *id == interceptor && r.contains(Readiness::READABLE)))
    );
    net.run_secs(4);
    assert_eq!(net.sent(B).len(), 0, "nor are their repeats");
    assert!(net.counters(B).request_repeats >= 2000);

    let mut servers = Vec::new();
    let mut decided = 0;
    while let Ok(request) = net.hosts[B].next_request(interceptor) {
        let client = clients[&request.local];
        assert_eq!(Ok(request.remote), net.hosts[A].local_address(client));
        let decision = match decided % 4 {
            0 => Decision::Accept,
            1 => Decision::Refuse,
            2 => Decision::Drop,
            _ => Decision::Unreachable(IcmpErrorKind::Prohibited),
        };
        let socket = net.hosts[B].decide(net.now, request.id, decision).unwrap();
        servers.push((request, decision, socket));
        decided += 1;
        if decided % 100 == 0 {
            // ICMP errors are limited.
            net.run(Duration::from_millis(80));
        }
    }
    assert_eq!(decided, 1000);
    for (request, decision, socket) in servers {
        let client = clients[&request.local];
        match decision {
            Decision::Accept => {
                let socket = socket.expect("a socket");
                assert_eq!(net.state(A, client), State::Established);
                assert_eq!(net.state(B, socket), State::Established);
                assert!(net.ready(B, socket, Readiness::WRITABLE));
                assert_eq!(net.hosts[B].local_address(socket), Ok(request.local));
                assert_eq!(net.hosts[B].remote_address(socket), Ok(request.remote));
                let name = request.local.to_string();
                net.send(B, socket, name.as_bytes()).unwrap();
                net.run(Duration::from_millis(3));
                assert_eq!(net.receive(A, client).unwrap(), name.as_bytes());
            }
            Decision::Refuse => {
                assert_eq!(net.error(A, client), Some(ConnectionError::Refused));
            }
            Decision::Drop => assert_eq!(net.state(A, client), State::SynSent),
            Decision::Unreachable(_) => {
                assert_eq!(net.error(A, client), Some(ConnectionError::HostUnreachable));
            }
        }
    }
    assert_eq!(net.counters(B).connections, 250);
    let sent = net.sent_with(B, Flags::SYN);
    assert_eq!(
        sent, 250,
        "silence for those that were dropped, also when they repeat"
    );
    net.run_secs(130);
    assert_eq!(net.counters(B).requests, 0, "silence has an end");
}

#[test]
fn undecided_ones_are_bounded() {
    let (mut net, interceptor) = intercepting(10);
    for i in 0..30 {
        net.connect(A, target(i));
    }
    net.settle();
    let counters = net.counters(B);
    assert_eq!((counters.requests, counters.request_overflows), (10, 20));
    let request = net.hosts[B].next_request(interceptor).unwrap();
    assert_eq!(request.local, target(0), "the oldest first");
    net.connect(A, target(50));
    net.settle();
    assert_eq!(
        net.counters(B).request_overflows,
        21,
        "handed out is not decided"
    );
    net.hosts[B]
        .decide(net.now, request.id, Decision::Refuse)
        .unwrap();
    net.connect(A, target(51));
    net.settle();
    assert_eq!(net.counters(B).request_overflows, 21);
    // Nobody decides: with the clients gone they are forgotten.
    net.filter(|_, _| false);
    net.run_secs(71);
    let counters = net.counters(B);
    assert_eq!((counters.requests, counters.request_timeouts), (0, 10));
    assert_eq!(counters.timers, 0);
}

#[test]
fn a_client_that_goes_away_takes_its_request_along() {
    let (mut net, interceptor) = intercepting(10);
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(B, packet(from, target(1), &header(Flags::SYN, 7, 0), b""));
    let request = net.hosts[B].next_request(interceptor).unwrap();
    net.inject(B, packet(from, target(1), &header(Flags::RST, 99, 0), b""));
    assert_eq!(net.counters(B).requests, 1, "not its number");
    net.inject(B, packet(from, target(1), &header(Flags::RST, 8, 0), b""));
    assert_eq!((net.counters(B).requests, net.counters(B).timers), (0, 0));
    let gone = Err(Error::Connection(ConnectionError::Aborted));
    let result = net.hosts[B].decide(net.now, request.id, Decision::Accept);
    assert_eq!(result, gone);
}

#[test]
fn an_accepted_request_whose_client_is_gone_fails() {
    let (mut net, interceptor) = intercepting(10);
    let from = "10.0.0.1:999".parse().unwrap();
    for (port, timeout) in [(1, false), (2, true)] {
        net.filter(|_, _| false);
        net.inject(
            B,
            packet(from, target(port), &header(Flags::SYN, 7, 0), b""),
        );
        let request = net.hosts[B].next_request(interceptor).unwrap();
        let accept = Decision::Accept;
        let socket = net.hosts[B]
            .decide(net.now, request.id, accept)
            .unwrap()
            .unwrap();
        net.flush();
        assert_eq!(net.state(B, socket), State::SynReceived);
        assert_eq!(net.hosts[B].readiness(socket), Readiness::NONE);
        assert_eq!(
            net.send(B, socket, b"x"),
            Err(Error::WouldBlock(Wait::Writable))
        );
        let error = if timeout {
            net.run_secs(64);
            ConnectionError::TimedOut
        } else {
            net.inject(
                B,
                packet(from, target(port), &header(Flags::RST, 8, 0), b""),
            );
            ConnectionError::Reset
        };
        assert!(net.ready(B, socket, Readiness::ERROR.with(Readiness::WRITABLE)));
        assert_eq!(net.send(B, socket, b"x"), Err(Error::Connection(error)));
        assert_eq!(net.send(B, socket, b"x"), Err(Error::BrokenPipe));
        assert_eq!(net.receive(B, socket).unwrap(), b"");
        net.close(B, socket).unwrap();
    }
    net.close(B, interceptor).unwrap();
    net.assert_nothing_left();
}

#[test]
fn a_closed_interceptor_forgets_and_an_accepted_half_open_is_reset() {
    let (mut net, interceptor) = intercepting(10);
    let from = "10.0.0.1:999".parse().unwrap();
    for i in 0..5 {
        net.inject(B, packet(from, target(i), &header(Flags::SYN, 7, 0), b""));
    }
    let first = net.hosts[B].next_request(interceptor).unwrap();
    let second = net.hosts[B].next_request(interceptor).unwrap();
    let accepted = net.hosts[B]
        .decide(net.now, first.id, Decision::Accept)
        .unwrap();
    net.hosts[B]
        .decide(net.now, second.id, Decision::Drop)
        .unwrap();
    net.close(B, interceptor).unwrap();
    assert_eq!(net.counters(B).requests, 0);
    assert_eq!(net.counters(B).half_open, 1, "what was accepted goes on");
    net.close(B, accepted.unwrap()).unwrap();
    assert_eq!(net.sent_with(B, Flags::RST), 1);
    net.assert_nothing_left();
}

#[test]
fn listeners_come_first_and_other_segments_are_refused() {
    let (mut net, _) = intercepting(10);
    let listener = net.listen(B, 80, 8);
    let client = net.connect(A, at(B, 80));
    net.settle();
    net.accept(B, listener);
    assert_eq!(net.state(A, client), State::Established);
    assert_eq!(net.counters(B).intercepted, 0);
    let own = net.connect(A, at(B, 81));
    net.settle();
    assert_eq!(
        net.counters(B).intercepted,
        1,
        "closed ports of its own too"
    );
    net.close(A, own).unwrap();
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(
        B,
        packet(from, target(1), &header(Flags::ACK, 5, 4711), b""),
    );
    let (answer, _) = net.sent(B).pop().unwrap();
    assert_eq!((answer.flags, answer.seq.0), (Flags::RST, 4711));
    assert_eq!(net.dropped(B, DropReason::NoSocket), 1);
}

#[test]
fn a_new_attempt_from_the_same_port_is_a_new_request() {
    let (mut net, interceptor) = intercepting(10);
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(B, packet(from, target(1), &header(Flags::SYN, 7, 0), b""));
    let old = net.hosts[B].next_request(interceptor).unwrap();
    net.inject(
        B,
        packet(from, target(1), &header(Flags::SYN, 70_000, 0), b""),
    );
    let new = net.hosts[B].next_request(interceptor).unwrap();
    assert_ne!(old.id, new.id);
    assert!(
        net.hosts[B]
            .decide(net.now, old.id, Decision::Accept)
            .is_err()
    );
    net.hosts[B]
        .decide(net.now, new.id, Decision::Accept)
        .unwrap();
    net.flush();
    let (answer, _) = net.sent(B).pop().unwrap();
    assert_eq!(answer.ack.0, 70_001);
    assert_eq!(net.counters(B).requests, 0);
}
