//! UDP sockets.

mod support;
use estab_stack::*;
use estab_tcp::{ConnectionError, Shutdown};
use std::net::SocketAddr;
use std::time::Duration;
use support::*;

const BLOCKS: Error = Error::WouldBlock(Wait::Readable);

fn bound(net: &mut Pair, host: usize, port: u16) -> SocketId {
    let socket = net.udp(host);
    net.hosts[host].bind(socket, any(port)).unwrap();
    socket
}

fn send(
    net: &mut Pair,
    host: usize,
    socket: SocketId,
    data: &[u8],
    to: SocketAddr,
) -> Result<usize, Error> {
    let result = net.hosts[host].send_to(net.now, socket, data, Some(to));
    net.settle();
    result
}

fn receive(net: &mut Pair, host: usize, socket: SocketId) -> Result<(Vec<u8>, SocketAddr), Error> {
    let mut buffer = vec![0; 70_000];
    let flags = MessageFlags::default();
    let received = net.hosts[host].receive_from(net.now, socket, &mut buffer, flags)?;
    assert_eq!(received.len, received.datagram_len);
    buffer.truncate(received.len);
    Ok((buffer, received.from))
}

#[test]
fn there_and_back() {
    let mut net = pair();
    let server = bound(&mut net, B, 53);
    let client = net.udp(A);
    assert_eq!(send(&mut net, A, client, b"question", at(B, 53)), Ok(8));
    assert!(net.ready(B, server, Readiness::READABLE));
    let (data, from) = receive(&mut net, B, server).unwrap();
    assert_eq!(data, b"question");
    assert_eq!(from.ip(), ADDRESS[A]);
    assert_eq!(receive(&mut net, B, server), Err(BLOCKS));
    assert!(!net.ready(B, server, Readiness::READABLE));
    send(&mut net, B, server, b"answer", from).unwrap();
    assert_eq!(
        receive(&mut net, A, client).unwrap(),
        (b"answer".to_vec(), at(B, 53))
    );
    send(&mut net, A, client, b"", at(B, 53)).unwrap();
    assert_eq!(receive(&mut net, B, server).unwrap().0, b"");
    for (host, socket) in [(A, client), (B, server)] {
        net.close(host, socket).unwrap();
    }
    net.assert_nothing_left();
}

#[test]
fn large_ones_are_fragmented_and_too_large_ones_refused() {
    let mut net = pair();
    let server = bound(&mut net, B, 53);
    let client = net.udp(A);
    let data: Vec<u8> = (0..20_000u32).map(|i| i as u8).collect();
    send(&mut net, A, client, &data, at(B, 53)).unwrap();
    assert!(net.seen.len() > 10);
    assert_eq!(receive(&mut net, B, server).unwrap().0, data);
    let most = vec![1; 65_507];
    assert_eq!(send(&mut net, A, client, &most, at(B, 53)), Ok(65_507));
    assert_eq!(receive(&mut net, B, server).unwrap().0, most);
    let more = vec![1; 65_508];
    assert_eq!(
        send(&mut net, A, client, &more, at(B, 53)),
        Err(Error::MessageTooLong)
    );
}

#[test]
fn peek_and_truncation() {
    let mut net = pair();
    let server = bound(&mut net, B, 53);
    let client = net.udp(A);
    send(&mut net, A, client, b"abcdef", at(B, 53)).unwrap();
    let mut buffer = [0; 3];
    let peek = MessageFlags {
        peek: true,
        ..MessageFlags::default()
    };
    for _ in 0..2 {
        let got = net.hosts[B]
            .receive_from(net.now, server, &mut buffer, peek)
            .unwrap();
        assert_eq!((got.len, got.datagram_len, &buffer), (3, 6, b"abc"));
    }
    let truncate = MessageFlags {
        truncate: true,
        ..MessageFlags::default()
    };
    let len = net.hosts[B].receive(net.now, server, &mut buffer, truncate);
    assert_eq!(len, Ok(6));
    assert_eq!(
        receive(&mut net, B, server),
        Err(BLOCKS),
        "the rest is lost"
    );
}

#[test]
fn a_closed_port_is_told_to_connected_sockets() {
    let mut net = pair();
    let connected = net.udp(A);
    net.hosts[A]
        .connect(net.now, connected, at(B, 53), None)
        .unwrap();
    assert_eq!(net.hosts[A].remote_address(connected), Ok(at(B, 53)));
    assert_eq!(
        net.hosts[A].local_address(connected).unwrap().ip(),
        ADDRESS[A]
    );
    assert_eq!(net.send(A, connected, b"anyone?"), Ok(7));
    net.settle();
    assert_eq!(net.counters(B).udp_no_port, 1);
    assert!(net.ready(A, connected, Readiness::ERROR.with(Readiness::READABLE)));
    let refused = Error::Connection(ConnectionError::Refused);
    assert_eq!(net.receive(A, connected), Err(refused));
    assert_eq!(net.receive(A, connected), Err(BLOCKS));
    let other = net.udp(A);
    send(&mut net, A, other, b"anyone?", at(B, 53)).unwrap();
    assert_eq!(receive(&mut net, A, other), Err(BLOCKS), "not to others");
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    let mut net = pair();
    let server = bound(&mut net, B, 53);
    let client = bound(&mut net, A, 1000);
    net.hosts[A]
        .connect(net.now, client, at(B, 53), None)
        .unwrap();
    let stranger = bound(&mut net, B, 54);
    send(&mut net, B, stranger, b"spam", at(A, 1000)).unwrap();
    send(&mut net, B, server, b"mail", at(A, 1000)).unwrap();
    assert_eq!(receive(&mut net, A, client).unwrap().0, b"mail");
    assert_eq!(receive(&mut net, A, client), Err(BLOCKS));
    // It goes before one that is bound to the same port.
    let both = net.udp(A);
    net.set(A, client, SocketOption::ReuseAddress(true));
    net.set(A, both, SocketOption::ReuseAddress(true));
    net.hosts[A].bind(both, any(1000)).unwrap();
    send(&mut net, B, server, b"more", at(A, 1000)).unwrap();
    send(&mut net, B, stranger, b"other", at(A, 1000)).unwrap();
    assert_eq!(receive(&mut net, A, client).unwrap().0, b"more");
    assert_eq!(receive(&mut net, A, both).unwrap().0, b"other");
    // Another peer.
    net.hosts[A]
        .connect(net.now, client, at(B, 54), None)
        .unwrap();
    send(&mut net, B, stranger, b"now", at(A, 1000)).unwrap();
    assert_eq!(receive(&mut net, A, client).unwrap().0, b"now");
    for (host, socket) in [(A, client), (A, both), (B, server), (B, stranger)] {
        net.close(host, socket).unwrap();
    }
    net.assert_nothing_left();
}

#[test]
fn the_receive_queue_is_bounded_also_for_empty_datagrams() {
    let mut net = pair();
    let server = bound(&mut net, B, 53);
    net.set(B, server, SocketOption::ReceiveBuffer(4096));
    let client = net.udp(A);
    for _ in 0..100 {
        net.hosts[A]
            .send_to(net.now, client, b"", Some(at(B, 53)))
            .unwrap();
        net.flush();
    }
    net.settle();
    assert_eq!(
        (net.counters(B).udp_in, net.counters(B).udp_overflows),
        (32, 68)
    );
    while receive(&mut net, B, server).is_ok() {}
    send(&mut net, A, client, b"again", at(B, 53)).unwrap();
    assert_eq!(net.counters(B).buffered, 5);
    assert_eq!(receive(&mut net, B, server).unwrap().0, b"again");
    assert_eq!(net.counters(B).buffered, 0);
}

#[test]
fn broadcast_needs_permission() {
    let mut net = pair();
    let server = bound(&mut net, B, 53);
    let client = net.udp(A);
    let all = "10.255.255.255:53".parse().unwrap();
    assert_eq!(send(&mut net, A, client, b"x", all), Err(Error::Denied));
    net.set(A, client, SocketOption::Broadcast(true));
    assert_eq!(send(&mut net, A, client, b"x", all), Ok(1));
    assert_eq!(receive(&mut net, B, server).unwrap().0, b"x");
    // And gets no port unreachable.
    let before = net.seen.len();
    send(
        &mut net,
        A,
        client,
        b"x",
        "10.255.255.255:54".parse().unwrap(),
    )
    .unwrap();
    assert_eq!(net.seen.len(), before + 1);
}

#[test]
fn destinations_shutdown_and_options() {
    let mut net = pair();
    let client = net.udp(A);
    assert_eq!(net.send(A, client, b"x"), Err(Error::DestinationRequired));
    let far = "192.0.2.1:5".parse().unwrap();
    assert_eq!(
        send(&mut net, A, client, b"x", far),
        Err(Error::NetworkUnreachable)
    );
    let shutdown = net.hosts[A].shutdown(net.now, client, Shutdown::Both);
    assert_eq!(shutdown, Err(Error::NotConnected));
    net.set(A, client, SocketOption::Tos(0x20));
    net.set(A, client, SocketOption::HopLimit(3));
    net.hosts[A]
        .connect(net.now, client, at(B, 53), None)
        .unwrap();
    net.send(A, client, b"x").unwrap();
    let (_, packet) = &net.seen[0];
    assert_eq!((packet[1], packet[8]), (0x20, 3));
    net.settle();
    net.error(A, client);
    net.hosts[A]
        .shutdown(net.now, client, Shutdown::Both)
        .unwrap();
    assert_eq!(net.send(A, client, b"x"), Err(Error::BrokenPipe));
    assert_eq!(net.receive(A, client).unwrap(), b"");
    assert!(net.ready(A, client, Readiness::HANG_UP));
    assert_eq!(
        net.hosts[A].listen(net.now, client, 1),
        Err(Error::NotSupported)
    );
    assert_eq!(net.hosts[A].state(client), Err(Error::NotSupported));
}

#[test]
fn a_full_way_out_blocks_and_frees() {
    let mut net = pair();
    let client = net.udp(A);
    let mut sent = 0;
    let blocked = loop {
        match net.hosts[A].send_to(net.now, client, &[0; 1000], Some(at(B, 53))) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 1_000_000, "the queue has no limit");
    };
    assert_eq!(blocked, Error::WouldBlock(Wait::Writable));
    assert!(!net.ready(A, client, Readiness::WRITABLE));
    net.flush();
    assert!(net.ready(A, client, Readiness::WRITABLE));
    let woken = StackEvent::Ready(client, Readiness::WRITABLE);
    assert!(net.events[A].contains(&woken));
}

#[test]
fn reuse_port_spreads_and_reuse_address_gives_the_last() {
    let mut net = pair();
    let group: Vec<_> = (0..4)
        .map(|_| {
            let socket = net.udp(B);
            net.set(B, socket, SocketOption::ReusePort(true));
            net.hosts[B].bind(socket, any(53)).unwrap();
            socket
        })
        .collect();
    for _ in 0..100 {
        let client = net.udp(A);
        net.hosts[A]
            .send_to(net.now, client, b"x", Some(at(B, 53)))
            .unwrap();
    }
    net.settle();
    let mut total = 0;
    for socket in group {
        let got = std::iter::from_fn(|| receive(&mut net, B, socket).ok()).count();
        assert!(got > 5, "{got}");
        total += got;
    }
    assert_eq!(total, 100);

    let shared: Vec<_> = (0..2)
        .map(|_| {
            let socket = net.udp(B);
            net.set(B, socket, SocketOption::ReuseAddress(true));
            net.hosts[B].bind(socket, any(54)).unwrap();
            socket
        })
        .collect();
    let client = net.udp(A);
    send(&mut net, A, client, b"x", at(B, 54)).unwrap();
    assert_eq!(receive(&mut net, B, shared[0]), Err(BLOCKS));
    assert!(receive(&mut net, B, shared[1]).is_ok());
}

#[test]
fn inside_a_host_and_over_both_families() {
    let mut net = pair();
    let server = net.hosts[A].udp_socket(true).unwrap();
    net.hosts[A]
        .bind(server, "[::]:53".parse().unwrap())
        .unwrap();
    for to in [
        "127.0.0.1:53",
        "[::1]:53",
        "10.0.0.1:53",
        "[::ffff:127.0.0.1]:53",
    ] {
        let client = net.hosts[A].udp_socket(true).unwrap();
        let to: SocketAddr = to.parse().unwrap();
        send(&mut net, A, client, b"x", to).unwrap();
        let (_, from) = receive(&mut net, A, server).unwrap();
        assert_eq!(from.is_ipv4(), to.ip().to_canonical().is_ipv4(), "{from}");
    }
}

#[test]
fn any_address_mode_answers_nothing() {
    let mut net = pair();
    let interface = net.interfaces[B];
    net.hosts[B].set_any_address(interface, true);
    let client = net.udp(A);
    send(&mut net, A, client, b"x", "10.7.7.7:53".parse().unwrap()).unwrap();
    net.run(Duration::from_secs(1));
    assert_eq!(net.seen.len(), 1);
    assert_eq!(net.counters(B).udp_intercepted, 1);
}
