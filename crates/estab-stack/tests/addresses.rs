//! Hosts with several addresses, IPv6, link-local addresses.

mod support;
use estab_stack::*;
use estab_tcp::State;
use std::net::{IpAddr, SocketAddr};
use support::*;

fn add(net: &mut Pair, host: usize, address: &str, prefix_len: u8) -> IpAddr {
    let address: IpAddr = address.parse().unwrap();
    let cidr = Cidr {
        address,
        prefix_len,
    };
    let interface = net.interfaces[host];
    net.hosts[host].add_address(interface, cidr).unwrap();
    net.settle();
    address
}

fn v6_listener(net: &mut Pair, port: u16) -> SocketId {
    let listener = net.hosts[B].tcp_socket(true).unwrap();
    let any = SocketAddr::new("::".parse().unwrap(), port);
    net.hosts[B].bind(listener, any).unwrap();
    net.hosts[B].listen(net.now, listener, 8).unwrap();
    listener
}

/// Connects, exchanges a word each way, and closes: the addresses that each end saw.
fn talk(net: &mut Pair, client: SocketId, listener: SocketId, to: SocketAddr) -> [SocketAddr; 4] {
    let result = net.hosts[A].connect(net.now, client, to, None);
    assert_eq!(result, Err(Error::InProgress));
    net.settle();
    assert_eq!(net.state(A, client), State::Established);
    let server = net.accept(B, listener);
    net.send(A, client, b"ping").unwrap();
    net.settle();
    assert_eq!(net.receive(B, server).unwrap(), b"ping");
    net.send(B, server, b"pong").unwrap();
    net.settle();
    assert_eq!(net.receive(A, client).unwrap(), b"pong");
    let ends = [
        net.hosts[A].local_address(client).unwrap(),
        net.hosts[A].remote_address(client).unwrap(),
        net.hosts[B].local_address(server).unwrap(),
        net.hosts[B].remote_address(server).unwrap(),
    ];
    net.close(A, client).unwrap();
    net.close(B, server).unwrap();
    net.settle();
    ends
}

// RFC 9293 3.9.1.1 MUST-43, MUST-44, MUST-45.
#[test]
fn the_local_address_is_the_bound_one_or_the_routes_and_stays() {
    let mut net = pair();
    add(&mut net, A, "192.168.5.1", 24);
    add(&mut net, B, "192.168.5.2", 24);
    let listener = net.listen(B, 80, 8);
    let by_route = [
        (at(B, 80), "10.0.0.1"),
        ("192.168.5.2:80".parse().unwrap(), "192.168.5.1"),
    ];
    for (to, from) in by_route {
        let client = net.tcp(A);
        let [local, remote, server_local, _] = talk(&mut net, client, listener, to);
        assert_eq!(local.ip(), from.parse::<IpAddr>().unwrap());
        assert_eq!((remote, server_local), (to, to));
    }
    let client = net.tcp(A);
    let chosen: SocketAddr = "192.168.5.1:0".parse().unwrap();
    net.hosts[A].bind(client, chosen).unwrap();
    let [local, .., peer] = talk(&mut net, client, listener, at(B, 80));
    assert_eq!((local.ip(), peer), (chosen.ip(), local));
}

#[test]
fn ipv6_global_and_link_local() {
    let mut net = pair();
    add(&mut net, A, "2001:db8::1", 64);
    let global = add(&mut net, B, "2001:db8::2", 64);
    add(&mut net, A, "fe80::1", 64);
    let link_local = add(&mut net, B, "fe80::2", 64);
    let listener = v6_listener(&mut net, 80);
    let client = net.hosts[A].tcp_socket(true).unwrap();
    let to = SocketAddr::new(global, 80);
    let [local, _, server_local, peer] = talk(&mut net, client, listener, to);
    assert_eq!(
        (local.ip(), server_local),
        ("2001:db8::1".parse().unwrap(), to)
    );
    assert_eq!(peer, local);

    let scope = net.interfaces[A].scope_id();
    let to = match link_local {
        IpAddr::V6(v6) => std::net::SocketAddrV6::new(v6, 80, 0, scope),
        IpAddr::V4(_) => unreachable!("an IPv6 address"),
    };
    let client = net.hosts[A].tcp_socket(true).unwrap();
    let [local, ..] = talk(&mut net, client, listener, to.into());
    assert_eq!(local.ip(), "fe80::1".parse::<IpAddr>().unwrap());
    // IPv4 peers reach the same listener.
    let client = net.tcp(A);
    let [.., peer] = talk(&mut net, client, listener, at(B, 80));
    assert!(peer.is_ipv4());
    net.close(B, listener).unwrap();
    net.run_secs(61);
    for host in [A, B] {
        let counters = net.counters(host);
        assert_eq!(
            (counters.connections, counters.ports, counters.timers),
            (0, 0, 0)
        );
    }
}

#[test]
fn what_a_listener_is_bound_to_decides() {
    let mut net = pair();
    let second = add(&mut net, B, "10.0.0.3", 8);
    let exact = net.tcp(B);
    net.set(B, exact, SocketOption::ReuseAddress(true));
    net.hosts[B]
        .bind(exact, SocketAddr::new(second, 80))
        .unwrap();
    net.hosts[B].listen(net.now, exact, 8).unwrap();
    let client = net.connect(A, at(B, 80));
    net.settle();
    assert_eq!(
        net.error(A, client),
        Some(estab_tcp::ConnectionError::Refused)
    );
    let client = net.connect(A, SocketAddr::new(second, 80));
    net.settle();
    assert_eq!(net.state(A, client), State::Established);
    net.accept(B, exact);
}

#[test]
fn a_path_mtu_that_one_connection_learned_serves_the_others() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    let clients = [net.connect(A, at(B, 80)), net.connect(A, at(B, 80))];
    net.settle();
    let servers = [net.accept(B, listener), net.accept(B, listener)];
    // The link's other half takes less.
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let into = seen.clone();
    net.filter(move |_, packet| {
        let fits = packet.len() <= 1000;
        if !fits {
            into.borrow_mut().push(packet.clone());
        }
        fits
    });
    net.send(A, clients[0], &[1; 4000]).unwrap();
    let big = seen.borrow()[0].clone();
    net.inject(A, too_big(&big, 1000));
    net.run_secs(1);
    seen.borrow_mut().clear();
    net.send(A, clients[1], &[2; 4000]).unwrap();
    net.run_secs(1);
    assert_eq!(
        seen.borrow().len(),
        0,
        "no packet that is too long leaves the host"
    );
    for (server, byte) in servers.into_iter().zip([1, 2]) {
        let mut got = Vec::new();
        while let Ok(piece) = net.receive(B, server) {
            got.extend(piece);
        }
        assert_eq!(got, [byte; 4000]);
    }
}
