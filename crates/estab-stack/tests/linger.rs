//! `close` and `SO_LINGER`: three forms, waiting or not; unread data; orphans.

mod support;
use estab_stack::*;
use estab_tcp::{ConnectionError, Flags, State};
use std::time::Duration;
use support::*;

const WAIT: Linger = Linger::Wait(Duration::from_secs(5));
const BLOCKS: Error = Error::WouldBlock(Wait::Closed);

/// A connection whose client has unacknowledged data and this `SO_LINGER`; the link is cut when `dead`.
fn with_data(linger: Linger, dead: bool) -> (Pair, SocketId, SocketId) {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.set(A, client, SocketOption::Linger(linger));
    if dead {
        net.filter(|_, _| false);
    }
    assert_eq!(net.send(A, client, b"the rest"), Ok(8));
    (net, client, server)
}

#[test]
fn off_returns_at_once_and_delivers() {
    for may_wait in [false, true] {
        let (mut net, client, server) = with_data(Linger::Off, false);
        assert_eq!(net.hosts[A].close(net.now, client, may_wait), Ok(()));
        assert_eq!(net.hosts[A].state(client), Err(Error::BadSocket));
        assert_eq!(net.counters(A).orphans, 1);
        net.settle();
        assert_eq!(net.receive(B, server).unwrap(), b"the rest");
        assert_eq!(net.receive(B, server).unwrap(), b"");
        net.close(B, server).unwrap();
        net.settle();
        let counters = net.counters(A);
        assert_eq!(
            (counters.orphans, counters.connections, counters.time_wait),
            (0, 0, 1)
        );
    }
}

#[test]
fn abort_drops_and_resets_without_time_wait() {
    for may_wait in [false, true] {
        let (mut net, client, server) = with_data(Linger::Abort, true);
        net.no_filter();
        assert_eq!(net.hosts[A].close(net.now, client, may_wait), Ok(()));
        net.settle();
        assert_eq!(
            net.receive(B, server),
            Err(Error::Connection(ConnectionError::Reset))
        );
        let counters = net.counters(A);
        assert_eq!(
            (
                counters.connections,
                counters.time_wait,
                counters.linger_resets
            ),
            (0, 0, 1)
        );
        assert_eq!(net.sent_with(A, Flags::FIN), 0);
        assert!(net.sent_with(A, Flags::RST) >= 1);
    }
}

#[test]
fn a_linger_time_of_zero_is_abort() {
    let (net, client, _) = with_data(Linger::Wait(Duration::ZERO), false);
    let option = net.hosts[A].option(client, OptionName::Linger);
    assert_eq!(option, Ok(SocketOption::Linger(Linger::Abort)));
}

#[test]
fn wait_waits_until_all_is_acknowledged() {
    let (mut net, client, server) = with_data(WAIT, false);
    net.events[A].clear();
    assert_eq!(net.close_waiting(A, client), Err(BLOCKS));
    assert_eq!(net.close_waiting(A, client), Err(BLOCKS), "not yet");
    assert_eq!(net.counters(A).orphans, 0, "somebody waits");
    net.settle();
    assert!(net.events[A].contains(&StackEvent::Closed(client)));
    assert_eq!(net.close_waiting(A, client), Ok(()));
    assert_eq!(net.close_waiting(A, client), Err(Error::BadSocket));
    assert_eq!(net.receive(B, server).unwrap(), b"the rest");
    net.close(B, server).unwrap();
    net.settle();
    assert_eq!(net.counters(A).time_wait, 1, "in order");
    assert_eq!(net.counters(A).linger_timeouts, 0);
}

#[test]
fn wait_gives_up_when_the_time_is_over() {
    let (mut net, client, server) = with_data(WAIT, true);
    assert_eq!(net.close_waiting(A, client), Err(BLOCKS));
    net.run(Duration::from_millis(4_900));
    assert_eq!(net.close_waiting(A, client), Err(BLOCKS));
    net.no_filter();
    net.filter(|_, packet| parse(packet).is_none_or(|(_, _, text)| text.is_empty()));
    net.run(Duration::from_millis(200));
    assert!(net.events[A].contains(&StackEvent::Closed(client)));
    assert_eq!(net.close_waiting(A, client), Err(Error::LingerTimedOut));
    assert_eq!(
        net.close_waiting(A, client),
        Err(Error::BadSocket),
        "it is gone"
    );
    let counters = net.counters(A);
    assert_eq!(
        (counters.connections, counters.time_wait, counters.buffered),
        (0, 0, 0)
    );
    assert_eq!(counters.linger_timeouts, 1);
    net.settle();
    assert_eq!(
        net.receive(B, server),
        Err(Error::Connection(ConnectionError::Reset))
    );
}

#[test]
fn a_close_that_may_not_wait_never_does_and_its_data_is_still_sent() {
    let (mut net, client, server) = with_data(WAIT, true);
    assert_eq!(net.close(A, client), Ok(()));
    net.run_secs(10);
    net.no_filter();
    net.run_secs(20);
    assert_eq!(net.receive(B, server).unwrap(), b"the rest");
    assert_eq!(net.receive(B, server).unwrap(), b"");
    assert_eq!(net.sent_with(A, Flags::RST), 0);
}

#[test]
fn a_waiting_close_can_be_given_up_and_the_data_is_still_sent() {
    let (mut net, client, server) = with_data(WAIT, true);
    assert_eq!(net.close_waiting(A, client), Err(BLOCKS));
    assert_eq!(net.close(A, client), Ok(()));
    assert_eq!(net.counters(A).orphans, 1);
    net.run_secs(10);
    net.no_filter();
    net.run_secs(20);
    assert_eq!(net.receive(B, server).unwrap(), b"the rest");
    assert_eq!(net.sent_with(A, Flags::RST), 0);
}

#[test]
fn a_wait_that_is_over_leaves_an_orphan_that_closes_in_order() {
    let (mut net, client, server) = with_data(WAIT, false);
    assert_eq!(net.close_waiting(A, client), Err(BLOCKS));
    net.run_secs(6);
    assert_eq!(
        net.sent_with(A, Flags::RST),
        0,
        "all was acknowledged in time"
    );
    assert_eq!(net.close_waiting(A, client), Ok(()));
    assert_eq!(net.counters(A).orphans, 1);
    assert_eq!(net.receive(B, server).unwrap(), b"the rest");
    net.close(B, server).unwrap();
    net.settle();
    let counters = net.counters(A);
    assert_eq!((counters.orphans, counters.time_wait), (0, 1));
}

#[test]
fn nothing_to_wait_for_does_not_wait() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.set(A, client, SocketOption::Linger(WAIT));
    net.close(B, server).unwrap();
    net.settle();
    net.hosts[A]
        .shutdown(net.now, client, estab_tcp::Shutdown::Write)
        .unwrap();
    net.settle();
    assert_eq!(net.state(A, client), State::Closed);
    assert_eq!(net.close_waiting(A, client), Ok(()));
}

#[test]
fn a_reset_ends_the_wait_and_is_told() {
    let (mut net, client, server) = with_data(WAIT, true);
    assert_eq!(net.close_waiting(A, client), Err(BLOCKS));
    net.no_filter();
    net.hosts[B].abort(net.now, server).unwrap();
    net.settle();
    let reset = Error::Connection(ConnectionError::Reset);
    assert_eq!(net.close_waiting(A, client), Err(reset));
}

// RFC 2525 2.17, RFC 9293 3.6.1 SHLD-3.
#[test]
fn unread_data_makes_close_reset() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.send(A, client, b"nobody reads this").unwrap();
    net.settle();
    net.close(B, server).unwrap();
    net.settle();
    assert_eq!(net.error(A, client), Some(ConnectionError::Reset));
    let counters = net.counters(B);
    assert_eq!((counters.unread_resets, counters.connections), (1, 0));
}

#[test]
fn data_that_comes_after_a_full_close_is_reset() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.close(B, server).unwrap();
    net.settle();
    net.send(A, client, b"too late").unwrap();
    net.settle();
    assert_eq!(net.error(A, client), Some(ConnectionError::Reset));
    assert_eq!(net.counters(B).connections, 0);
}

#[test]
fn abort_resets() {
    let (mut net, client, server) = with_data(Linger::Off, false);
    net.hosts[A].abort(net.now, client).unwrap();
    net.settle();
    assert_eq!(net.error(B, server), Some(ConnectionError::Reset));
    let counters = net.counters(A);
    assert_eq!(
        (counters.connections, counters.aborts, counters.time_wait),
        (0, 1, 0)
    );
}

#[test]
fn a_connecting_socket_is_just_gone() {
    for linger in [Linger::Off, Linger::Abort, WAIT] {
        let mut net = pair();
        net.filter(|_, _| false);
        let client = net.connect(A, at(B, 80));
        net.set(A, client, SocketOption::Linger(linger));
        assert_eq!(net.close_waiting(A, client), Ok(()));
        net.assert_nothing_left();
    }
}

#[test]
fn orphans_in_fin_wait_2_end_after_their_time() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.close(A, client).unwrap();
    net.run_secs(59);
    assert_eq!(net.counters(A).orphans, 1);
    net.run_secs(2);
    assert_eq!(net.counters(A).orphans, 0);
    assert_eq!(net.state(B, server), State::CloseWait);

    // While the socket is open there is no limit.
    let mut net = pair();
    let (_, client, _) = net.connected();
    net.hosts[A]
        .shutdown(net.now, client, estab_tcp::Shutdown::Write)
        .unwrap();
    net.run_secs(10_000);
    assert_eq!(net.state(A, client), State::FinWait2);
}

#[test]
fn too_many_orphans_are_reset() {
    let mut net = pair_both(|s| s.tcp_max_orphans = 2);
    let listener = net.listen(B, 80, 8);
    let mut servers = Vec::new();
    for _ in 0..4 {
        let client = net.connect(A, at(B, 80));
        net.settle();
        servers.push(net.accept(B, listener));
        net.close(A, client).unwrap();
        net.settle();
    }
    let counters = net.counters(A);
    assert_eq!((counters.orphans, counters.orphan_overflows), (2, 2));
    let errors: Vec<_> = servers.into_iter().map(|s| net.error(B, s)).collect();
    let reset = Some(ConnectionError::Reset);
    assert_eq!(errors, [None, None, reset, reset]);
}
