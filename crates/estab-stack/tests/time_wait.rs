//! TIME-WAIT records: reservation of the port, takeover, the cap, unread data.

mod support;
use estab_stack::*;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, Flags, Shutdown, State};
use std::time::Duration;
use support::*;

/// B, the server, closes first and is in TIME-WAIT; A is through.
fn server_waits(net: &mut Pair, reuse: bool) -> u16 {
    let listener = net.tcp(B);
    net.set(B, listener, SocketOption::ReuseAddress(reuse));
    net.hosts[B].bind(listener, any(80)).unwrap();
    net.hosts[B].listen(net.now, listener, 8).unwrap();
    let client = net.connect(A, at(B, 80));
    net.settle();
    let server = net.accept(B, listener);
    let port = net.hosts[A].local_address(client).unwrap().port();
    net.close(B, server).unwrap();
    net.settle();
    net.close(A, client).unwrap();
    net.close(B, listener).unwrap();
    net.settle();
    assert_eq!(
        (net.counters(A).time_wait, net.counters(B).time_wait),
        (0, 1)
    );
    assert_eq!(net.counters(B).connections, 0, "a record, not a connection");
    port
}

#[test]
fn the_port_stays_reserved_and_reuse_address_takes_it() {
    for reuse_before in [false, true] {
        let mut net = pair();
        server_waits(&mut net, reuse_before);
        let again = net.tcp(B);
        assert_eq!(net.hosts[B].bind(again, any(80)), Err(Error::AddressInUse));
        net.set(B, again, SocketOption::ReuseAddress(true));
        assert_eq!(net.hosts[B].bind(again, any(80)), Ok(()));
        assert_eq!(net.hosts[B].listen(net.now, again, 1), Ok(()));
        net.close(B, again).unwrap();
        net.run_secs(61);
        net.assert_nothing_left();
        let after = net.tcp(B);
        assert_eq!(net.hosts[B].bind(after, any(80)), Ok(()), "2 MSL passed");
    }
}

#[test]
fn it_lasts_two_msl_and_a_resent_fin_restarts_it() {
    let mut net = pair_both(|s| s.tcp_time_wait = Duration::from_secs(10));
    let (listener, client, server) = net.connected();
    net.close(A, client).unwrap();
    net.settle();
    // The last ACK is lost: the FIN comes again, and is acknowledged again.
    let mut lost = false;
    net.filter(move |from, packet| {
        let (_, header, _) = parse(packet).unwrap();
        let last_ack = from == A && !header.flags.fin();
        let lose = last_ack && !lost;
        lost |= last_ack;
        !lose
    });
    net.close(B, server).unwrap();
    net.settle();
    net.run(Duration::from_millis(500));
    assert_eq!(net.state_of_records(), (1, 0));
    net.run(Duration::from_millis(9_600));
    assert_eq!(net.state_of_records(), (1, 0), "restarted");
    net.run_secs(1);
    net.close(B, listener).unwrap();
    net.assert_nothing_left();
}

impl Pair {
    fn state_of_records(&self) -> (u64, u64) {
        (self.counters(A).time_wait, self.counters(B).connections)
    }
}

// RFC 9293 3.6.1 MAY-2, RFC 6191.
#[test]
fn a_new_syn_takes_it_over() {
    let mut net = pair();
    let port = server_waits(&mut net, true);
    let listener = net.tcp(B);
    net.set(B, listener, SocketOption::ReuseAddress(true));
    net.hosts[B].bind(listener, any(80)).unwrap();
    net.hosts[B].listen(net.now, listener, 8).unwrap();
    net.run_secs(2);
    let client = net.tcp(A);
    net.hosts[A].bind(client, any(port)).unwrap();
    let result = net.hosts[A].connect(net.now, client, at(B, 80), None);
    assert_eq!(result, Err(Error::InProgress));
    net.settle();
    assert_eq!(net.state(A, client), State::Established);
    assert_eq!(
        (net.counters(B).time_wait, net.counters(B).time_wait_reuses),
        (0, 1)
    );
    let server = net.accept(B, listener);
    net.send(A, client, b"anew").unwrap();
    net.settle();
    assert_eq!(net.receive(B, server).unwrap(), b"anew");
}

#[test]
fn a_syn_for_it_is_refused_when_nobody_listens() {
    let mut net = pair();
    let port = server_waits(&mut net, true);
    net.run_secs(2);
    let client = net.tcp(A);
    net.hosts[A].bind(client, any(port)).unwrap();
    let _ = net.hosts[A].connect(net.now, client, at(B, 80), None);
    net.settle();
    assert_eq!(net.error(A, client), Some(ConnectionError::Refused));
    assert_eq!(net.counters(B).time_wait, 1);
}

#[test]
fn connect_takes_its_own_over_after_a_second() {
    let mut net = pair();
    let (listener, client, server) = net.connected();
    let local = net.hosts[A].local_address(client).unwrap();
    net.close(A, client).unwrap();
    net.settle();
    net.close(B, server).unwrap();
    net.settle();
    assert_eq!(net.counters(A).time_wait, 1);
    let again = net.tcp(A);
    net.set(A, again, SocketOption::ReuseAddress(true));
    net.hosts[A].bind(again, any(local.port())).unwrap();
    let at_once = net.hosts[A].connect(net.now, again, at(B, 80), None);
    assert_eq!(at_once, Err(Error::AddressNotAvailable));
    net.run_secs(2);
    let later = net.hosts[A].connect(net.now, again, at(B, 80), None);
    assert_eq!(later, Err(Error::InProgress));
    net.settle();
    assert_eq!(net.state(A, again), State::Established);
    assert_eq!(
        (net.counters(A).time_wait, net.counters(A).time_wait_reuses),
        (0, 1)
    );
    net.accept(B, listener);
}

#[test]
fn unread_data_stays_readable() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.hosts[A]
        .shutdown(net.now, client, Shutdown::Write)
        .unwrap();
    net.settle();
    net.send(B, server, b"last words").unwrap();
    net.close(B, server).unwrap();
    net.settle();
    assert_eq!(net.state(A, client), State::TimeWait);
    net.run_secs(61);
    assert_eq!(net.state(A, client), State::Closed);
    assert_eq!(net.receive(A, client).unwrap(), b"last words");
    assert_eq!(net.receive(A, client).unwrap(), b"");
    assert_eq!(net.send(A, client, b"x"), Err(Error::BrokenPipe));
    assert!(net.ready(A, client, Readiness::HANG_UP));
    net.close(A, client).unwrap();
    assert_eq!(net.counters(A).buffered, 0);
    assert_eq!(net.sent_with(A, Flags::RST), 0);
}

#[test]
fn their_number_is_capped() {
    let mut net = pair_both(|s| s.tcp_max_tw_buckets = 3);
    let listener = net.listen(B, 80, 8);
    for _ in 0..5 {
        let client = net.connect(A, at(B, 80));
        net.settle();
        let server = net.accept(B, listener);
        net.close(A, client).unwrap();
        net.settle();
        net.close(B, server).unwrap();
        net.settle();
    }
    let counters = net.counters(A);
    assert_eq!((counters.time_wait, counters.time_wait_overflows), (3, 2));
    assert_eq!((counters.connections, counters.ports), (0, 3));
}

#[test]
fn a_reset_does_not_cut_it_short() {
    for rfc1337 in [true, false] {
        let mut net = pair_both(|s| s.tcp_rfc1337 = rfc1337);
        let port = server_waits(&mut net, false);
        let (fin, _) = net
            .sent(A)
            .into_iter()
            .rev()
            .find(|(h, _)| h.flags.fin())
            .unwrap();
        let rst = header(Flags::RST, fin.seq.0.wrapping_add(1), 0);
        net.inject(B, packet(at(A, port), at(B, 80), &rst, b""));
        assert_eq!(net.counters(B).time_wait, u64::from(rfc1337));
        assert_eq!(net.dropped(B, DropReason::TimeWaitRst), u64::from(rfc1337));
        if !rfc1337 {
            assert_eq!((net.counters(B).ports, net.counters(B).timers), (0, 0));
        }
    }
}
