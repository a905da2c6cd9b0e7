//! Limits: memory of the whole stack, and counters that return to zero.

mod support;
use estab_stack::*;
use estab_tcp::{Flags, State};
use std::time::Duration;
use support::*;

#[test]
fn memory_of_the_stack_is_capped_and_everything_still_gets_through() {
    let cap = 60_000;
    let mut net = pair_both(|s| s.tcp_mem = cap);
    net.hosts[B].settings_mut().tcp_mem = 1 << 30;
    let listener = net.listen(B, 80, 20);
    let clients: Vec<_> = (0..10).map(|_| net.connect(A, at(B, 80))).collect();
    net.settle();
    let servers: Vec<_> = (0..10).map(|_| net.accept(B, listener)).collect();
    let data = vec![5; 100_000];
    let mut left: Vec<&[u8]> = vec![&data; 10];
    let mut got = [0; 10];
    let mut refused = 0;
    let share = 4096;
    for turn in 0..20_000 {
        for (client, left) in clients.iter().zip(&mut left) {
            match net.send(A, *client, left) {
                Ok(n) => *left = &left[n..],
                Err(error) => {
                    assert_eq!(error, Error::WouldBlock(Wait::Writable));
                    refused += 1;
                }
            }
            assert!(net.counters(A).buffered <= cap + 10 * share);
        }
        if turn % 2 == 0 {
            continue;
        }
        net.run(Duration::from_millis(5));
        for (server, got) in servers.iter().zip(&mut got) {
            *got += net.receive(B, *server).map_or(0, |data| data.len());
        }
        if got == [data.len(); 10] {
            break;
        }
    }
    assert_eq!(got, [data.len(); 10]);
    assert!(refused > 0);
    assert!(net.counters(A).memory_pressure > 0);
    net.run_secs(1);
    assert_eq!(net.counters(A).buffered, 0);
}

#[test]
fn who_was_refused_memory_is_woken() {
    let mut net = pair_both(|s| s.tcp_mem = 10_000);
    let (_, client, server) = net.connected();
    net.filter(|from, _| from == B);
    let mut refused = false;
    for _ in 0..5 {
        refused |= net.send(A, client, &[1; 8000]).is_err();
    }
    assert!(refused);
    assert!(!net.ready(A, client, Readiness::WRITABLE));
    net.events[A].clear();
    net.no_filter();
    for _ in 0..20 {
        net.run_secs(1);
        let _ = net.receive(B, server);
    }
    assert!(net.ready(A, client, Readiness::WRITABLE));
    let woken = |e: &StackEvent| matches!(e, StackEvent::Ready(id, r) if *id == client && r.contains(Readiness::WRITABLE));
    assert!(net.events[A].iter().any(woken));
}

#[test]
fn a_receiver_without_memory_drops_text_but_not_acknowledgements() {
    let mut net = pair();
    net.hosts[B].settings_mut().tcp_mem = 0;
    let (_, client, server) = net.connected();
    net.send(B, server, &[2; 3000]).unwrap();
    for _ in 0..10 {
        let _ = net.send(A, client, &[1; 1000]);
        net.run(Duration::from_millis(30));
    }
    let counters = net.counters(B);
    assert!(counters.buffered <= 4096 + 1460, "{}", counters.buffered);
    assert!(counters.memory_pressure > 0);
    // The application reads: all comes.
    let mut got = 0;
    for _ in 0..200 {
        got += net.receive(B, server).map_or(0, |data| data.len());
        net.run(Duration::from_millis(500));
    }
    assert_eq!(got, 10_000);
    assert_eq!(net.receive(A, client).unwrap().len(), 3000);
    assert_eq!(net.state(A, client), State::Established);
}

/// What a peer may fill when nobody reads, with `SO_RCVBUF` set before the connection or not at all. Where windows are scaled, what
/// the scale cannot express is rounded up for a quarter of the buffer.
#[test]
fn the_buffers_of_a_connection_are_their_limit() {
    for (limit, least, most) in [(Some(7000), 7000, 7000), (None, 128 << 10, 160 << 10)] {
        let mut net = pair();
        let listener = net.listen(B, 80, 8);
        if let Some(limit) = limit {
            net.set(B, listener, SocketOption::ReceiveBuffer(limit));
        }
        let client = net.connect(A, at(B, 80));
        net.settle();
        let server = net.accept(B, listener);
        net.set(A, client, SocketOption::SendBuffer(5000));
        let mut sent = 0;
        for _ in 0..300 {
            sent += net.send(A, client, &[1; 3000]).unwrap_or(0);
            net.run(Duration::from_millis(20));
        }
        net.run_secs(100);
        let (a, b) = (net.counters(A).buffered, net.counters(B).buffered);
        assert!(a <= 5000 && b <= most && b > least - 3000, "{a} {b} {most}");
        let mut got = 0;
        for _ in 0..100 {
            got += net.receive(B, server).map_or(0, |data| data.len());
            net.run_secs(1);
        }
        assert_eq!(got, sent, "what was queued comes when there is room");
    }
}

/// Many connections, opened and closed in every order: nothing stays.
#[test]
fn a_thousand_lives_leave_nothing() {
    let mut net = pair_both(|s| s.tcp_time_wait = Duration::from_secs(1));
    let listener = net.listen(B, 80, 64);
    for round in 0..1000u32 {
        let client = net.connect(A, at(B, 80));
        net.run(Duration::from_millis(5));
        let server = net.accept(B, listener);
        net.send(A, client, &round.to_be_bytes()).unwrap();
        net.run(Duration::from_millis(3));
        assert_eq!(net.receive(B, server).unwrap(), round.to_be_bytes());
        match round % 6 {
            0 => {
                net.close(A, client).unwrap();
                net.run(Duration::from_millis(3));
                net.close(B, server).unwrap();
            }
            1 => {
                net.close(B, server).unwrap();
                net.run(Duration::from_millis(3));
                net.close(A, client).unwrap();
            }
            2 => {
                // Both at once.
                let _ = net.hosts[A].close(net.now, client, false);
                let _ = net.hosts[B].close(net.now, server, false);
            }
            3 => {
                net.hosts[A]
                    .shutdown(net.now, client, estab_tcp::Shutdown::Write)
                    .unwrap();
                net.run(Duration::from_millis(3));
                net.send(B, server, b"half").unwrap();
                net.close(B, server).unwrap();
                net.run(Duration::from_millis(3));
                assert_eq!(net.receive(A, client).unwrap(), b"half");
                net.close(A, client).unwrap();
            }
            4 => {
                net.hosts[A].abort(net.now, client).unwrap();
                net.run(Duration::from_millis(3));
                net.close(B, server).unwrap();
            }
            _ => {
                net.close(B, server).unwrap();
                net.close(A, client).unwrap();
            }
        }
    }
    net.close(B, listener).unwrap();
    net.run_secs(70);
    net.assert_nothing_left();
    let aborted = net.counters(A).aborts;
    assert_eq!(aborted, 166);
    assert_eq!(net.sent_with(A, Flags::RST) as u64, aborted, "no other RST");
    assert_eq!(net.sent_with(B, Flags::RST), 0);
}
