//! Back to a socket without a connection, and how long queues are.

mod support;
use estab_stack::*;
use estab_tcp::{ConnectionError, Shutdown, State};
use support::*;

#[test]
fn a_connection_is_reset_and_the_socket_is_used_anew() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.set(A, client, SocketOption::NoDelay(true));
    net.send(A, client, b"lost").unwrap();
    net.hosts[A].disconnect(net.now, client).unwrap();
    assert_eq!(net.state(A, client), State::Closed);
    assert!(net.ready(A, client, Readiness::ERROR));
    assert_eq!(net.error(A, client), Some(ConnectionError::Reset));
    assert_eq!(net.error(A, client), None, "once");
    net.settle();
    assert_eq!(net.error(B, server), Some(ConnectionError::Reset));
    let again = net.hosts[A].connect(net.now, client, at(B, 80), None);
    assert_eq!(again, Err(Error::InProgress));
    net.settle();
    assert_eq!(net.state(A, client), State::Established);
    let kept = net.hosts[A].option(client, OptionName::NoDelay);
    assert_eq!(kept, Ok(SocketOption::NoDelay(true)));
}

#[test]
fn the_error_is_told_by_whatever_comes_first() {
    let mut net = pair();
    let (_, client, _) = net.connected();
    net.hosts[A].disconnect(net.now, client).unwrap();
    let reset = Err(Error::Connection(ConnectionError::Reset));
    assert_eq!(net.receive(A, client), reset);
    assert_eq!(net.receive(A, client), Err(Error::NotConnected));
    let (a, _) = reconnect(&mut net, client, 81);
    net.hosts[A].disconnect(net.now, a).unwrap();
    let sent = net.hosts[A].send(net.now, a, b"x", MessageFlags::default());
    assert_eq!(sent, Err(Error::Connection(ConnectionError::Reset)));
    let sent = net.hosts[A].send(net.now, a, b"x", MessageFlags::default());
    assert_eq!(sent, Err(Error::BrokenPipe));
}

fn reconnect(net: &mut Pair, client: SocketId, port: u16) -> (SocketId, SocketId) {
    let listener = net.listen(B, port, 1);
    let begun = net.hosts[A].connect(net.now, client, at(B, port), None);
    assert_eq!(begun, Err(Error::InProgress));
    net.settle();
    let server = net.accept(B, listener);
    (client, server)
}

#[test]
fn a_bound_port_stays_an_ephemeral_one_goes() {
    let mut net = pair();
    let bound = net.tcp(A);
    net.hosts[A].bind(bound, any(7777)).unwrap();
    let (bound, _) = reconnect(&mut net, bound, 80);
    net.hosts[A].disconnect(net.now, bound).unwrap();
    let port = net.hosts[A].local_address(bound).map(|a| a.port());
    assert_eq!(port, Ok(7777));
    let free = net.tcp(A);
    let (free, _) = reconnect(&mut net, free, 81);
    net.hosts[A].disconnect(net.now, free).unwrap();
    let port = net.hosts[A].local_address(free).map(|a| a.port());
    assert_eq!(port, Ok(0));
    assert_eq!(net.counters(A).ports, 1);
}

#[test]
fn while_it_opens_and_when_it_is_over() {
    let mut net = pair();
    let opening = net.connect(A, at(B, 80));
    net.hosts[A].disconnect(net.now, opening).unwrap();
    assert_eq!(net.error(A, opening), Some(ConnectionError::Reset));
    let refused = net.connect(A, at(B, 99));
    net.settle();
    net.hosts[A].disconnect(net.now, refused).unwrap();
    let kept = net.error(A, refused);
    assert_eq!(kept, Some(ConnectionError::Refused), "it was not told yet");
    let (listener, client, _) = net.connected();
    net.hosts[B].disconnect(net.now, listener).unwrap();
    assert_eq!(net.state(B, listener), State::Closed);
    let fresh = net.hosts[A].disconnect(net.now, client);
    assert_eq!(fresh, Ok(()));
    assert_eq!(net.hosts[A].disconnect(net.now, client), Ok(()), "again");
}

#[test]
fn a_datagram_socket_forgets_its_peer() {
    let mut net = pair();
    let socket = net.udp(A);
    net.hosts[A]
        .connect(net.now, socket, at(B, 53), None)
        .unwrap();
    net.hosts[A].disconnect(net.now, socket).unwrap();
    assert_eq!(
        net.hosts[A].remote_address(socket),
        Err(Error::NotConnected)
    );
    let port = net.hosts[A].local_address(socket).map(|a| a.port());
    assert_eq!(port, Ok(0));
    let sent = net.hosts[A].send(net.now, socket, b"x", MessageFlags::default());
    assert_eq!(sent, Err(Error::DestinationRequired));
    net.close(A, socket).unwrap();
    assert_eq!(net.counters(A).ports, 0);
}

#[test]
fn queues_have_lengths() {
    let mut net = pair();
    let (listener, client, server) = net.connected();
    let queues = |net: &Pair, host: usize, socket| net.hosts[host].queues(socket).unwrap();
    net.filter(|_, _| false);
    net.send(A, client, b"12345").unwrap();
    net.settle();
    let sent = queues(&net, A, client);
    assert_eq!((sent.unacknowledged, sent.unsent), (5, 0));
    net.no_filter();
    net.run_secs(2);
    assert_eq!(queues(&net, B, server).readable, 5);
    assert_eq!(queues(&net, A, client).unacknowledged, 0);
    net.filter(|_, _| false);
    net.hosts[A]
        .shutdown(net.now, client, Shutdown::Write)
        .unwrap();
    assert_eq!(queues(&net, A, client).unsent, 1, "the FIN");
    net.settle();
    let fin = queues(&net, A, client);
    assert_eq!((fin.unacknowledged, fin.unsent), (1, 0));
    net.no_filter();
    net.connect(A, at(B, 80));
    net.settle();
    assert_eq!(queues(&net, B, listener).acceptable, 1);
    assert!(queues(&net, B, listener).backlog > 0);
}
