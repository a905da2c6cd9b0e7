//! Active opening: addresses, ports, errors, connecting twice and to oneself, ICMP.

mod support;
use estab_stack::*;
use estab_tcp::{ConnectionError, Flags, State};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use support::*;

#[test]
fn refused_reset_and_timed_out() {
    let mut net = pair();
    let refused = net.connect(A, at(B, 99));
    net.settle();
    assert!(net.ready(A, refused, Readiness::WRITABLE.with(Readiness::ERROR)));
    assert_eq!(net.error(A, refused), Some(ConnectionError::Refused));
    assert_eq!(net.error(A, refused), None, "once");
    net.filter(|_, _| false);
    let start = net.now;
    let silent = net.connect(A, at(B, 80));
    net.run_secs(62);
    assert_eq!(net.state(A, silent), State::SynSent);
    net.run(start + Duration::from_millis(63_100) - net.now);
    assert_eq!(net.error(A, silent), Some(ConnectionError::TimedOut));
    let limited = net.tcp(A);
    let timeout = Some(Duration::from_secs(31));
    let result = net.hosts[A].connect(net.now, limited, at(B, 80), timeout);
    assert_eq!(result, Err(Error::InProgress));
    net.run(Duration::from_millis(31_100));
    assert_eq!(net.error(A, limited), Some(ConnectionError::TimedOut));
    for socket in [refused, silent, limited] {
        net.close(A, socket).unwrap();
    }
    net.assert_nothing_left();
}

#[test]
fn connecting_twice() {
    let mut net = pair();
    net.listen(B, 80, 8);
    let client = net.connect(A, at(B, 80));
    let again = |net: &mut Pair| net.hosts[A].connect(net.now, client, at(B, 80), None);
    assert_eq!(again(&mut net), Err(Error::AlreadyInProgress));
    net.settle();
    assert_eq!(again(&mut net), Err(Error::AlreadyConnected));
    let listener = net.listen(A, 81, 1);
    let connect = net.hosts[A].connect(net.now, listener, at(B, 80), None);
    assert_eq!(connect, Err(Error::AlreadyConnected));
    assert_eq!(net.hosts[A].listen(net.now, client, 1), Err(Error::Invalid));
    let result = net.hosts[A].bind(client, any(99));
    assert_eq!(result, Err(Error::Invalid));
}

#[test]
fn a_failed_socket_tells_and_may_try_again_from_the_same_port() {
    let mut net = pair();
    let client = net.tcp(A);
    net.hosts[A].bind(client, any(7777)).unwrap();
    let connect = |net: &mut Pair| {
        let result = net.hosts[A].connect(net.now, client, at(B, 80), None);
        net.settle();
        result
    };
    assert_eq!(connect(&mut net), Err(Error::InProgress));
    net.listen(B, 80, 8);
    let refused = Error::Connection(ConnectionError::Refused);
    assert_eq!(connect(&mut net), Err(refused));
    assert_eq!(connect(&mut net), Err(Error::InProgress));
    assert_eq!(net.state(A, client), State::Established);
    assert_eq!(net.hosts[A].local_address(client), Ok(at(A, 7777)));
}

// RFC 9293 3.9.1.1 MUST-46.
#[test]
fn addresses_that_cannot_be() {
    let mut net = pair();
    let cases = [
        ("224.0.0.1:80", Error::NetworkUnreachable),
        ("255.255.255.255:80", Error::NetworkUnreachable),
        ("10.255.255.255:80", Error::NetworkUnreachable),
        ("192.0.2.1:80", Error::NetworkUnreachable),
        ("10.0.0.2:0", Error::AddressNotAvailable),
        ("[2001:db8::1]:80", Error::FamilyNotSupported),
    ];
    for (to, error) in cases {
        let socket = net.tcp(A);
        let result = net.hosts[A].connect(net.now, socket, to.parse().unwrap(), None);
        assert_eq!(result, Err(error), "{to}");
        net.close(A, socket).unwrap();
    }
    let v6_only = net.hosts[A].tcp_socket(true).unwrap();
    net.set(A, v6_only, SocketOption::V6Only(true));
    let mapped = SocketAddr::from((ADDRESS[B].to_ipv6_mapped(), 80));
    let result = net.hosts[A].connect(net.now, v6_only, mapped, None);
    assert_eq!(result, Err(Error::NetworkUnreachable));
    net.close(A, v6_only).unwrap();
    net.assert_nothing_left();
}

#[test]
fn an_ipv6_socket_speaks_ipv4() {
    let mut net = pair();
    net.listen(B, 80, 8);
    for to in [
        SocketAddr::from((ADDRESS[B].to_ipv6_mapped(), 80)),
        at(B, 80),
    ] {
        let client = net.hosts[A].tcp_socket(true).unwrap();
        let _ = net.hosts[A].connect(net.now, client, to, None);
        net.settle();
        assert_eq!(net.state(A, client), State::Established);
        assert_eq!(net.hosts[A].remote_address(client), Ok(at(B, 80)), "plain");
    }
}

#[test]
fn ephemeral_ports_are_in_the_range_distinct_and_hard_to_guess() {
    let mut net = pair();
    let mut ports = Vec::new();
    for _ in 0..50 {
        let client = net.connect(A, at(B, 99));
        ports.push(net.hosts[A].local_address(client).unwrap().port());
    }
    assert!(ports.iter().all(|p| (32_768..=60_999).contains(p)));
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 50);
    let other = net.connect(A, "10.0.0.3:99".parse().unwrap());
    let other = net.hosts[A].local_address(other).unwrap().port();
    assert!(
        other.abs_diff(ports[49]) > 1,
        "another destination begins elsewhere"
    );
}

#[test]
fn ports_run_out_for_one_destination_but_not_for_the_next() {
    let mut net = pair_both(|s| s.ip_local_port_range = (5000, 5009));
    net.filter(|_, _| false);
    let bound = net.tcp(A);
    net.hosts[A].bind(bound, any(5003)).unwrap();
    for _ in 0..9 {
        net.connect(A, at(B, 80));
    }
    let more = net.tcp(A);
    let result = net.hosts[A].connect(net.now, more, at(B, 80), None);
    assert_eq!(result, Err(Error::AddressNotAvailable));
    let result = net.hosts[A].connect(net.now, more, at(B, 81), None);
    assert_eq!(
        result,
        Err(Error::InProgress),
        "a port serves several destinations"
    );
}

#[test]
fn a_port_of_a_connection_cannot_be_bound_without_reuse() {
    let mut net = pair();
    let (_, client, _) = net.connected();
    let port = net.hosts[A].local_address(client).unwrap().port();
    let other = net.tcp(A);
    assert_eq!(
        net.hosts[A].bind(other, any(port)),
        Err(Error::AddressInUse)
    );
    assert_eq!(net.hosts[A].bind(other, any(port + 1)), Ok(()));
}

#[test]
fn the_same_four_tuple_twice_is_not_available() {
    let mut net = pair();
    net.listen(B, 80, 8);
    for expected in [Error::InProgress, Error::AddressNotAvailable] {
        let client = net.tcp(A);
        net.set(A, client, SocketOption::ReuseAddress(true));
        net.hosts[A].bind(client, any(7777)).unwrap();
        let result = net.hosts[A].connect(net.now, client, at(B, 80), None);
        assert_eq!(result, Err(expected));
        net.settle();
    }
}

// RFC 9293 3.5, figure 7 played by one: connecting to oneself is a simultaneous open.
#[test]
fn connecting_to_oneself() {
    for address in [at(A, 7777), "127.0.0.1:7777".parse().unwrap()] {
        let mut net = pair();
        let socket = net.tcp(A);
        net.hosts[A].bind(socket, address).unwrap();
        let result = net.hosts[A].connect(net.now, socket, address, None);
        assert_eq!(result, Err(Error::InProgress));
        net.settle();
        assert_eq!(net.state(A, socket), State::Established);
        net.send(A, socket, b"echo").unwrap();
        net.settle();
        assert_eq!(net.receive(A, socket).unwrap(), b"echo");
        net.close(A, socket).unwrap();
        net.run_secs(61);
        net.assert_nothing_left();
        assert_eq!(net.seen.len(), 0, "nothing of it leaves the host");
    }
}

#[test]
fn connections_inside_a_host() {
    let mut net = pair();
    let listener = net.listen(A, 80, 8);
    for to in ["127.0.0.1:80", "0.0.0.0:80", "10.0.0.1:80"] {
        let client = net.connect(A, to.parse().unwrap());
        net.settle();
        let server = net.accept(A, listener);
        net.send(A, client, b"inside").unwrap();
        net.settle();
        assert_eq!(net.receive(A, server).unwrap(), b"inside");
        net.close(A, client).unwrap();
        net.close(A, server).unwrap();
    }
    let v6 = net.hosts[A].tcp_socket(true).unwrap();
    net.hosts[A].listen(net.now, v6, 1).unwrap();
    let port = net.hosts[A].local_address(v6).unwrap().port();
    let client = net.hosts[A].tcp_socket(true).unwrap();
    let to = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let _ = net.hosts[A].connect(net.now, client, to, None);
    net.settle();
    let (server, peer) = net.hosts[A].accept(net.now, v6).unwrap();
    assert_eq!(peer.ip(), Ipv6Addr::LOCALHOST);
    for socket in [listener, v6, client, server] {
        net.close(A, socket).unwrap();
    }
    net.run_secs(61);
    net.assert_nothing_left();
}

// RFC 9293 3.5, figure 7: one connection from both ends' SYNs.
#[test]
fn simultaneous_open_is_one_connection() {
    let mut net = pair();
    let sockets = [A, B].map(|host| {
        let socket = net.tcp(host);
        net.hosts[host].bind(socket, any(700)).unwrap();
        let _ = net.hosts[host].connect(net.now, socket, at(1 - host, 700), None);
        socket
    });
    net.settle();
    for host in [A, B] {
        assert_eq!(net.state(host, sockets[host]), State::Established);
        assert_eq!(net.counters(host).connections, 1);
    }
    assert_eq!(net.seen.len(), 4, "four segments");
}

const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);

// RFC 9293 3.9.2.2 MUST-54, MUST-56, SHLD-25, SHLD-26.
#[test]
fn hard_icmp_errors_end_an_opening_and_soft_ones_do_not() {
    for (kind, code, error) in [
        (3, 3, Some(ConnectionError::Refused)),
        (3, 2, Some(ConnectionError::ProtocolUnreachable)),
        (3, 13, Some(ConnectionError::HostUnreachable)),
        (3, 0, None),
        (3, 1, None),
        (11, 0, None),
    ] {
        let mut net = pair();
        let client = net.connect(A, at(B, 80));
        let syn = net.seen[0].1.clone();
        net.inject(A, icmp(ROUTER, &syn, kind, code, 0));
        let expected = match error {
            Some(_) => State::Closed,
            None => State::SynSent,
        };
        assert_eq!(net.state(A, client), expected, "type {kind} code {code}");
        assert_eq!(net.error(A, client), error);
    }
}

#[test]
fn a_soft_error_is_told_when_the_time_is_over() {
    let mut net = pair();
    net.filter(|_, _| false);
    let client = net.connect(A, at(B, 80));
    let mut probe = pair();
    probe.connect(A, at(B, 80));
    assert_eq!(net.hosts[A].local_address(client).unwrap().ip(), ADDRESS[A]);
    let syn = probe.seen[0].1.clone();
    net.inject(A, icmp(ROUTER, &syn, 3, 1, 0));
    net.run_secs(64);
    assert_eq!(net.error(A, client), Some(ConnectionError::HostUnreachable));
}

#[test]
fn icmp_does_not_end_an_open_connection() {
    let mut net = pair();
    let (_, client, _) = net.connected();
    net.filter(|_, packet| parse(packet).is_none_or(|(_, _, text)| text.is_empty()));
    net.send(A, client, b"lost").unwrap();
    net.no_filter();
    let (_, template) = net.seen.last().cloned().unwrap();
    for (kind, code) in [(3, 3), (3, 2), (3, 13)] {
        net.inject(A, icmp(ROUTER, &template, kind, code, 0));
    }
    assert_eq!(net.state(A, client), State::Established);
}

#[test]
fn a_smaller_path_mtu_is_believed_about_what_was_sent_only() {
    let mut net = pair();
    let (listener, client, server) = net.connected();
    let captured = std::rc::Rc::new(std::cell::RefCell::new(None));
    let into = captured.clone();
    net.filter(move |from, packet| {
        if from == A && packet.len() > 1000 {
            into.borrow_mut().get_or_insert_with(|| packet.clone());
            return false;
        }
        true
    });
    net.send(A, client, &[1; 5000]).unwrap();
    let big = captured.borrow_mut().take().expect("a full segment");
    let mut forged = big.to_vec();
    forged[24] ^= 0x40;
    net.inject(A, icmp(ROUTER, &forged.into(), 3, 4, 800));
    assert!(
        net.hosts[A].info(client).unwrap().path_mtu >= 1500,
        "not ours"
    );
    net.inject(A, icmp(ROUTER, &big, 3, 4, 800));
    assert_eq!(net.hosts[A].info(client).unwrap().path_mtu, 800);
    net.run_secs(1);
    let mut got = Vec::new();
    while let Ok(piece) = net.receive(B, server) {
        got.extend(piece);
    }
    assert_eq!(got, [1; 5000]);
    assert!(net.sent(A).iter().all(|(_, len)| *len <= 760));
    // Others to the same host begin with it.
    let next = net.connect(A, at(B, 80));
    net.settle();
    net.accept(B, listener);
    assert_eq!(net.hosts[A].info(next).unwrap().path_mtu, 800);
}

#[test]
fn a_lost_route_is_a_soft_error() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    let network = Cidr {
        address: ADDRESS[A].into(),
        prefix_len: 8,
    };
    let interface = net.interfaces[A];
    net.hosts[A]
        .remove_address(interface, network.address)
        .unwrap();
    net.send(A, client, b"where to?").unwrap();
    net.run_secs(3);
    assert_eq!(net.state(A, client), State::Established);
    net.hosts[A].add_address(interface, network).unwrap();
    net.run_secs(10);
    assert_eq!(net.receive(B, server).unwrap(), b"where to?");
    assert_eq!(net.sent_with(A, Flags::RST), 0);
}
