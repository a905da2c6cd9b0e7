//! What RFC 9293 asks of opening: passive OPENs leave others alone, the local address of multihomed hosts, and who is no peer.

mod support;
use estab_stack::*;
use estab_tcp::event::DropReason;
use estab_tcp::{Flags, FourTuple, Header, State};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use support::*;

/// A's address on its second network.
const SECOND: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 1);

/// Host A has a second interface with an address of its own.
fn multihomed() -> (Pair, InterfaceId) {
    let mut net = pair();
    let second = net.hosts[A].add_interface(InterfaceConfig {
        name: "second".into(),
        medium: Medium::Ip,
        hardware_address: [0; 6],
        mtu: 1500,
        checksum_offload: false,
        segmentation_offload: 0,
    });
    let address = Cidr {
        address: SECOND.into(),
        prefix_len: 24,
    };
    net.hosts[A].add_address(second, address).unwrap();
    (net, second)
}

/// A segment, the interface that it goes over, and its ends as the receiver sees them.
type Sent = (InterfaceId, FourTuple, Header);

fn bound(net: &mut Pair, address: SocketAddr) -> SocketId {
    let socket = net.tcp(A);
    net.set(A, socket, SocketOption::ReuseAddress(true));
    net.hosts[A].bind(socket, address).unwrap();
    socket
}

/// The segments that A has to send, with the interfaces; they are not delivered.
fn transmitted(net: &mut Pair) -> Vec<Sent> {
    std::iter::from_fn(|| net.hosts[A].poll_transmit(net.now))
        .map(|(interface, packet)| {
            let (tuple, header, _) = parse(&packet.to_bytes()).expect("TCP");
            (interface, tuple, header)
        })
        .collect()
}

/// A begins to connect; the SYN, if there is one.
fn open(net: &mut Pair, socket: SocketId, to: SocketAddr) -> (Result<(), Error>, Vec<Sent>) {
    let result = net.hosts[A].connect(net.now, socket, to, None);
    (result, transmitted(net))
}

// RFC 9293 3.9.1.1 MUST-41: a passive OPEN makes a listener or fails; connections and listeners on the port stay as they are.
#[test]
fn passive_open_leaves_others_alone() {
    let mut net = pair();
    let (listener, client, server) = net.connected();
    let waiting = net.connect(A, at(B, 80));
    net.settle();
    let second = net.tcp(B);
    assert_eq!(net.hosts[B].bind(second, any(80)), Err(Error::AddressInUse));
    for connected in [(A, client), (B, server)] {
        let (host, socket) = connected;
        assert_eq!(
            net.hosts[host].listen(net.now, socket, 1),
            Err(Error::Invalid)
        );
        assert_eq!(net.state(host, socket), State::Established);
    }
    // The listener goes; one that comes after it does not get what was its connections'.
    let unaccepted = net.accept(B, listener);
    net.close(B, listener).unwrap();
    net.set(B, second, SocketOption::ReuseAddress(true));
    for socket in [server, unaccepted] {
        net.set(B, socket, SocketOption::ReuseAddress(true));
    }
    net.hosts[B].bind(second, any(80)).unwrap();
    net.hosts[B].listen(net.now, second, 8).unwrap();
    for (from, to) in [(client, server), (waiting, unaccepted)] {
        net.send(A, from, b"still here").unwrap();
        net.settle();
        assert_eq!(net.receive(B, to).unwrap(), b"still here");
    }
    assert_eq!(
        net.hosts[B].accept(net.now, second).unwrap_err(),
        Error::WouldBlock(Wait::Readable)
    );
    net.connect(A, at(B, 80));
    net.settle();
    net.accept(B, second);
}

// RFC 9293 3.9.1.1 MUST-42: LISTEN on a port while a connection from it is in SYN-SENT, and in SYN-RECEIVED.
#[test]
fn listen_on_a_port_from_which_a_connection_is_being_opened() {
    for received in [false, true] {
        let mut net = pair();
        // The peer of the opening is this test.
        net.filter(|_, p| parse(p).is_some_and(|(_, header, _)| header.dst_port != 6000));
        let opening = bound(&mut net, any(5000));
        let (result, syn) = open(&mut net, opening, at(B, 6000));
        assert_eq!(result, Err(Error::InProgress));
        let irs = 77;
        if received {
            // A simultaneous open.
            let syn = header(Flags::SYN, irs, 0);
            net.inject(A, packet(at(B, 6000), at(A, 5000), &syn, b""));
        }
        let state = [State::SynSent, State::SynReceived][usize::from(received)];
        assert_eq!(net.state(A, opening), state);

        let listener = bound(&mut net, any(5000));
        net.hosts[A].listen(net.now, listener, 8).unwrap();
        assert_eq!(net.state(A, opening), state, "untouched");

        // The listener serves others, and the opening goes on.
        let other = net.connect(B, at(A, 5000));
        net.settle();
        assert_eq!(net.state(B, other), State::Established);
        net.accept(A, listener);
        let iss = syn[0].2.seq.0;
        let syn_ack = header(Flags::SYN | Flags::ACK, irs, iss + 1);
        net.inject(A, packet(at(B, 6000), at(A, 5000), &syn_ack, b""));
        assert_eq!(net.state(A, opening), State::Established);
    }
}

// RFC 9293 3.9.1.1 MUST-43: an active OPEN comes from the address that was given, although the route would choose the other.
#[test]
fn active_open_from_a_given_address() {
    let (mut net, _) = multihomed();
    for address in [ADDRESS[A], SECOND] {
        let socket = bound(&mut net, SocketAddr::from((address, 0)));
        let (result, syn) = open(&mut net, socket, at(B, 80));
        assert_eq!(result, Err(Error::InProgress));
        assert_eq!(syn.len(), 1);
        assert_eq!(syn[0].1.remote.ip(), IpAddr::V4(address));
    }
}

// RFC 9293 3.9.1.1 MUST-43: a passive OPEN with an address awaits calls to that address; one without, to any, and each
// connection has the address that was called.
#[test]
fn passive_open_at_a_given_address() {
    let (mut net, _) = multihomed();
    let given = bound(&mut net, SocketAddr::from((SECOND, 80)));
    let unspecified = bound(&mut net, any(81));
    for socket in [given, unspecified] {
        net.hosts[A].listen(net.now, socket, 8).unwrap();
    }
    let answer = |net: &mut Pair, to: SocketAddr| {
        let syn = header(Flags::SYN, 5, 0);
        net.hosts[A].handle_packet(
            net.now,
            net.interfaces[A],
            packet(at(B, 4000), to, &syn, b"").into(),
        );
        let answers = transmitted(net);
        assert_eq!(answers.len(), 1);
        let (_, tuple, header) = &answers[0];
        assert_eq!(
            tuple.remote, to,
            "it comes from the address that was called"
        );
        header.flags
    };
    for (to, flags) in [
        ((ADDRESS[A], 80), Flags::RST | Flags::ACK),
        ((SECOND, 80), Flags::SYN | Flags::ACK),
        ((ADDRESS[A], 81), Flags::SYN | Flags::ACK),
        ((SECOND, 81), Flags::SYN | Flags::ACK),
    ] {
        assert_eq!(answer(&mut net, to.into()), flags, "{to:?}");
    }
}

// RFC 9293 3.9.1.1 MUST-44: without a local address the IP layer chooses that of the way to the peer, before the SYN.
#[test]
fn the_route_chooses_the_source_of_an_active_open() {
    let (mut net, second) = multihomed();
    let first = net.interfaces[A];
    for (to, interface, source) in [
        (at(B, 80), first, ADDRESS[A]),
        (SocketAddr::from(([192, 168, 7, 9], 80)), second, SECOND),
    ] {
        let socket = net.tcp(A);
        let (result, syn) = open(&mut net, socket, to);
        assert_eq!(result, Err(Error::InProgress));
        assert_eq!(syn.len(), 1);
        assert_eq!(syn[0].0, interface);
        assert_eq!(syn[0].1.remote.ip(), IpAddr::V4(source));
        let local = net.hosts[A].local_address(socket).unwrap();
        assert_eq!(local.ip(), IpAddr::V4(source));
    }
}

// RFC 9293 3.9.1.1 MUST-45: a connection keeps its local address when the way to the peer changes; a new one has another.
#[test]
fn the_local_address_stays_when_the_route_changes() {
    let (mut net, second) = multihomed();
    let (_, client, _) = net.connected();
    let opening = net.tcp(A);
    let (_, syn) = open(&mut net, opening, at(B, 81));
    assert_eq!(syn[0].1.remote.ip(), IpAddr::V4(ADDRESS[A]));
    net.hosts[A]
        .add_route(Route {
            destination: Cidr {
                address: ADDRESS[B].into(),
                prefix_len: 32,
            },
            gateway: None,
            interface: second,
            mss: None,
        })
        .unwrap();
    let data = MessageFlags::default();
    net.hosts[A].send(net.now, client, b"data", data).unwrap();
    net.now += std::time::Duration::from_secs(2);
    net.hosts[A].handle_timeout(net.now);
    let segments = transmitted(&mut net);
    let ports = [client, opening].map(|s| net.hosts[A].local_address(s).unwrap().port());
    for (interface, tuple, _) in &segments {
        assert_eq!(*interface, second, "they go the new way");
        assert_eq!(tuple.remote.ip(), IpAddr::V4(ADDRESS[A]));
    }
    for port in ports {
        assert!(segments.iter().any(|(_, t, _)| t.remote.port() == port));
    }
    let later = net.tcp(A);
    let (_, syn) = open(&mut net, later, at(B, 82));
    assert_eq!(syn[0].1.remote.ip(), IpAddr::V4(SECOND));
}

// RFC 9293 3.9.1.1 MUST-46: OPEN to a broadcast or multicast address is an error, of IPv4 or of IPv6, and sends nothing.
#[test]
fn open_to_a_group_or_to_everybody_is_refused() {
    let (mut net, _) = multihomed();
    for to in [
        "224.0.0.1:80",
        "239.255.255.250:80",
        "255.255.255.255:80",
        "192.168.7.255:80",
        "[ff02::1]:80",
        "[ff0e::1]:80",
        "[::ffff:224.0.0.1]:80",
        "[::ffff:255.255.255.255]:80",
    ] {
        let to: SocketAddr = to.parse().unwrap();
        let socket = net.hosts[A].tcp_socket(to.is_ipv6()).unwrap();
        let (result, sent) = open(&mut net, socket, to);
        assert_eq!(result, Err(Error::NetworkUnreachable), "{to}");
        assert_eq!(sent.len(), 0);
        assert_eq!(net.state(A, socket), State::Closed);
        assert_eq!(net.counters(A).connections, 0);
        // The socket is still good.
        let (result, sent) = open(&mut net, socket, at(B, 80));
        assert_eq!((result, sent.len()), (Err(Error::InProgress), 1));
        net.close(A, socket).unwrap();
    }
}

// RFC 9293 3.9.2.3 MUST-57, MUST-63: the broadcast address of one of our networks is nobody's, on whatever interface it
// appears.
#[test]
fn a_syn_of_the_broadcast_address_of_another_network_is_discarded() {
    let (mut net, _) = multihomed();
    let listener = bound(&mut net, any(80));
    net.hosts[A].listen(net.now, listener, 8).unwrap();
    net.hosts[A].set_any_address(net.interfaces[A], true);
    let everybody = SocketAddr::from(([192, 168, 7, 255], 80));
    let neighbour = SocketAddr::from(([192, 168, 7, 254], 80));
    let syn = header(Flags::SYN, 5, 0);
    for (from, to, answered) in [
        (everybody, at(A, 80), false),
        (at(B, 4000), everybody, false),
        (neighbour, at(A, 80), true),
        (at(B, 4000), neighbour, true),
    ] {
        let packet = packet(from, to, &syn, b"");
        net.hosts[A].handle_packet(net.now, net.interfaces[A], packet.into());
        assert_eq!(
            transmitted(&mut net).len(),
            usize::from(answered),
            "{from} {to}"
        );
    }
    assert_eq!(net.dropped(A, DropReason::Address), 2);
}
