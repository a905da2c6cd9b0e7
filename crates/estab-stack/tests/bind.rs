//! `bind` and `listen`: addresses, ports, `SO_REUSEADDR`, `SO_REUSEPORT`, both families.

mod support;
use estab_stack::*;
use estab_tcp::State;
use std::collections::BTreeSet;
use std::net::{Ipv6Addr, SocketAddr};
use support::*;

fn socket(net: &mut Pair, v6: bool, reuse_address: bool, reuse_port: bool) -> SocketId {
    let socket = net.hosts[A].tcp_socket(v6).unwrap();
    net.set(A, socket, SocketOption::ReuseAddress(reuse_address));
    net.set(A, socket, SocketOption::ReusePort(reuse_port));
    socket
}

fn bind(net: &mut Pair, socket: SocketId, address: SocketAddr) -> Result<(), Error> {
    net.hosts[A].bind(socket, address)
}

#[test]
fn the_matrix_of_reuse() {
    let flags = [(false, false), (true, false), (false, true), (true, true)];
    for listening in [false, true] {
        for held in flags {
            for new in flags {
                let mut net = pair();
                let first = socket(&mut net, false, held.0, held.1);
                bind(&mut net, first, any(80)).unwrap();
                if listening {
                    net.hosts[A].listen(net.now, first, 1).unwrap();
                }
                let second = socket(&mut net, false, new.0, new.1);
                let allowed = (held.0 && new.0 && !listening) || (held.1 && new.1);
                let expected = if allowed {
                    Ok(())
                } else {
                    Err(Error::AddressInUse)
                };
                let result = bind(&mut net, second, at(A, 80));
                assert_eq!(result, expected, "{held:?} {new:?} {listening}");
                net.close(A, first).unwrap();
                if !allowed {
                    assert_eq!(bind(&mut net, second, at(A, 80)), Ok(()), "after close");
                }
                net.close(A, second).unwrap();
                net.assert_nothing_left();
            }
        }
    }
}

// RFC 9293 3.9.1.1 MUST-41: a passive OPEN makes a record of its own, or fails and leaves the others alone.
#[test]
fn two_may_bind_with_reuse_address_but_one_listens() {
    let mut net = pair();
    let first = socket(&mut net, false, true, false);
    let second = socket(&mut net, false, true, false);
    bind(&mut net, first, any(80)).unwrap();
    bind(&mut net, second, any(80)).unwrap();
    net.hosts[A].listen(net.now, first, 1).unwrap();
    let result = net.hosts[A].listen(net.now, second, 1);
    assert_eq!(result, Err(Error::AddressInUse));
    let client = net.connect(B, at(A, 80));
    net.settle();
    net.accept(A, first);
    assert_eq!(net.state(B, client), State::Established);
    net.close(A, first).unwrap();
    assert_eq!(net.hosts[A].listen(net.now, second, 1), Ok(()));
}

// RFC 9293 3.9.1.1 MUST-42: LISTEN on a port while a connection with it is in SYN-SENT, or in SYN-RECEIVED.
#[test]
fn one_may_listen_where_a_connection_is_being_opened() {
    let mut net = pair();
    net.filter(|_, _| false);
    let client = socket(&mut net, false, true, false);
    bind(&mut net, client, any(80)).unwrap();
    let _ = net.hosts[A].connect(net.now, client, at(B, 99), None);
    for state in [State::SynSent, State::SynReceived] {
        if state == State::SynReceived {
            let syn = header(estab_tcp::Flags::SYN, 5, 0);
            net.inject(A, packet(at(B, 99), at(A, 80), &syn, b""));
        }
        assert_eq!(net.state(A, client), state);
        let listener = socket(&mut net, false, true, false);
        bind(&mut net, listener, any(80)).unwrap();
        assert_eq!(net.hosts[A].listen(net.now, listener, 1), Ok(()));
        net.close(A, listener).unwrap();
    }
}

#[test]
fn an_option_changed_after_bind_counts() {
    let mut net = pair();
    let first = socket(&mut net, false, true, false);
    bind(&mut net, first, any(80)).unwrap();
    net.set(A, first, SocketOption::ReuseAddress(false));
    let second = socket(&mut net, false, true, false);
    assert_eq!(bind(&mut net, second, any(80)), Err(Error::AddressInUse));
    net.set(A, first, SocketOption::ReuseAddress(true));
    assert_eq!(bind(&mut net, second, any(80)), Ok(()));
}

#[test]
fn families_share_a_port_only_when_told() {
    let v6_any = |port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let mut net = pair();
    let dual = socket(&mut net, true, false, false);
    bind(&mut net, dual, v6_any(80)).unwrap();
    let v4 = socket(&mut net, false, false, false);
    assert_eq!(bind(&mut net, v4, at(A, 80)), Err(Error::AddressInUse));
    net.close(A, dual).unwrap();

    let v6_only = socket(&mut net, true, false, false);
    net.set(A, v6_only, SocketOption::V6Only(true));
    bind(&mut net, v6_only, v6_any(80)).unwrap();
    assert_eq!(bind(&mut net, v4, any(80)), Ok(()));
    let change = net.hosts[A].set_option(net.now, v6_only, SocketOption::V6Only(false));
    assert_eq!(change, Err(Error::Invalid), "too late");
}

#[test]
fn addresses_of_the_wrong_family_or_of_nobody() {
    let mut net = pair();
    let v4 = socket(&mut net, false, false, false);
    let v6_loopback = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
    assert_eq!(
        bind(&mut net, v4, v6_loopback),
        Err(Error::FamilyNotSupported)
    );
    assert_eq!(
        bind(&mut net, v4, at(B, 80)),
        Err(Error::AddressNotAvailable)
    );
    let multicast = "224.0.0.1:80".parse().unwrap();
    assert_eq!(
        bind(&mut net, v4, multicast),
        Err(Error::AddressNotAvailable)
    );
    assert_eq!(bind(&mut net, v4, "127.0.0.1:80".parse().unwrap()), Ok(()));
    assert_eq!(
        bind(&mut net, v4, any(81)),
        Err(Error::Invalid),
        "bound already"
    );

    let v6 = socket(&mut net, true, false, false);
    let mapped = SocketAddr::from((ADDRESS[A].to_ipv6_mapped(), 81));
    assert_eq!(bind(&mut net, v6, mapped), Ok(()));
    assert_eq!(net.hosts[A].local_address(v6), Ok(at(A, 81)), "shown plain");
    let v6_only = socket(&mut net, true, false, false);
    net.set(A, v6_only, SocketOption::V6Only(true));
    assert_eq!(bind(&mut net, v6_only, mapped), Err(Error::Invalid));
}

#[test]
fn port_zero_gives_a_free_one_until_there_is_none() {
    let mut net = pair_both(|s| s.ip_local_port_range = (5000, 5019));
    let mut ports = BTreeSet::new();
    for _ in 0..20 {
        let socket = socket(&mut net, false, true, true);
        bind(&mut net, socket, any(0)).unwrap();
        ports.insert(net.hosts[A].local_address(socket).unwrap().port());
    }
    assert_eq!(ports, (5000..=5019).collect());
    let last = socket(&mut net, false, true, true);
    assert_eq!(bind(&mut net, last, any(0)), Err(Error::AddressInUse));
}

#[test]
fn listen_without_bind_takes_a_port_and_both_families() {
    let mut net = pair();
    let listener = net.hosts[B].tcp_socket(true).unwrap();
    net.hosts[B].listen(net.now, listener, 1).unwrap();
    let port = net.hosts[B].local_address(listener).unwrap().port();
    let client = net.connect(A, at(B, port));
    net.settle();
    let (server, peer) = net.hosts[B].accept(net.now, listener).unwrap();
    let local = net.hosts[A].local_address(client).unwrap();
    assert_eq!(peer, local, "a plain IPv4 address");
    assert_eq!(net.hosts[B].remote_address(server), Ok(local));
    assert_eq!(net.hosts[B].local_address(server), Ok(at(B, port)));
}

#[test]
fn reuse_port_spreads_peers_over_a_group_and_each_stays_with_its_own() {
    let mut net = pair();
    let group: Vec<_> = (0..4)
        .map(|_| {
            let socket = net.tcp(B);
            net.set(B, socket, SocketOption::ReusePort(true));
            net.hosts[B].bind(socket, any(80)).unwrap();
            net.hosts[B].listen(net.now, socket, 200).unwrap();
            socket
        })
        .collect();
    for _ in 0..100 {
        net.connect(A, at(B, 80));
    }
    net.settle();
    let counts = group.map_counts(&mut net);
    assert_eq!(counts.iter().sum::<usize>(), 100);
    assert!(counts.iter().all(|n| *n > 5), "{counts:?}");
}

trait Counts {
    fn map_counts(&self, net: &mut Pair) -> Vec<usize>;
}

impl Counts for Vec<SocketId> {
    fn map_counts(&self, net: &mut Pair) -> Vec<usize> {
        self.iter()
            .map(|listener| {
                std::iter::from_fn(|| net.hosts[B].accept(net.now, *listener).ok()).count()
            })
            .collect()
    }
}

#[test]
fn stale_ids_and_wrong_kinds() {
    let mut net = pair();
    let gone = net.tcp(A);
    net.close(A, gone).unwrap();
    let host = &mut net.hosts[A];
    let now = net.now;
    let mut buffer = [0; 8];
    let flags = MessageFlags::default();
    assert_eq!(host.bind(gone, any(1)), Err(Error::BadSocket));
    assert_eq!(host.listen(now, gone, 1), Err(Error::BadSocket));
    assert_eq!(
        host.connect(now, gone, at(B, 1), None),
        Err(Error::BadSocket)
    );
    assert_eq!(host.accept(now, gone), Err(Error::BadSocket));
    assert_eq!(host.send(now, gone, b"x", flags), Err(Error::BadSocket));
    assert_eq!(
        host.receive(now, gone, &mut buffer, flags),
        Err(Error::BadSocket)
    );
    assert_eq!(host.close(now, gone, true), Err(Error::BadSocket));
    assert_eq!(host.abort(now, gone), Err(Error::BadSocket));
    assert_eq!(host.take_error(gone), Err(Error::BadSocket));
    assert_eq!(host.state(gone), Err(Error::BadSocket));
    assert_eq!(host.readiness(gone), Readiness::NONE);
    let again = host.tcp_socket(false).unwrap();
    assert_ne!(again, gone, "the generation tells them apart");

    assert_eq!(host.accept(now, again), Err(Error::Invalid));
    assert_eq!(host.send(now, again, b"x", flags), Err(Error::BrokenPipe));
    assert_eq!(
        host.receive(now, again, &mut buffer, flags),
        Err(Error::NotConnected)
    );
    let shutdown = host.shutdown(now, again, estab_tcp::Shutdown::Both);
    assert_eq!(shutdown, Err(Error::NotConnected));
    assert_eq!(host.remote_address(again), Err(Error::NotConnected));
    assert_eq!(host.next_request(again), Err(Error::NotSupported));
    assert_eq!(
        host.send_to(now, again, b"x", None),
        Err(Error::NotSupported)
    );
}
