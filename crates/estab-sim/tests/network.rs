//! The network itself: time, rules, cuts, reboots.

use core::time::Duration;
use estab_device::impair::Verdict;
use estab_sim::{
    End, Filter, HostId, LinkConfig, LinkId, Listener, Network, Pattern, Peer, PeerConfig, Rule,
    checkers,
};
use estab_stack::{Error, Medium, MessageFlags, SocketId, Wait};
use estab_tcp::{Instant, Settings, State};

struct Pair {
    net: Network,
    a: HostId,
    b: HostId,
    link: LinkId,
    listener: SocketId,
}

fn pair(link: LinkConfig) -> Pair {
    let mut net = Network::new(1);
    let a = net.add_host("a", Settings::default());
    let b = net.add_host("b", Settings::default());
    let link = net.join(a, "10.0.0.1/24", b, "10.0.0.2/24", link);
    let listener = net
        .call(b, |stack, now| {
            let socket = stack.tcp_socket(false)?;
            stack.bind(socket, "10.0.0.2:7".parse().expect("an address"))?;
            stack.listen(now, socket, 8)?;
            Ok::<_, Error>(socket)
        })
        .expect("a listener");
    Pair {
        net,
        a,
        b,
        link,
        listener,
    }
}

impl Pair {
    fn connect(&mut self) -> SocketId {
        self.net.call(self.a, |stack, now| {
            let socket = stack.tcp_socket(false).expect("a socket");
            let to = "10.0.0.2:7".parse().expect("an address");
            let begun = stack.connect(now, socket, to, None);
            assert!(
                matches!(begun, Ok(()) | Err(Error::InProgress)),
                "{begun:?}"
            );
            socket
        })
    }

    fn accept(&mut self) -> (SocketId, Instant) {
        let (b, listener) = (self.b, self.listener);
        let mut accepted = None;
        self.net.run_until(Duration::from_secs(100), |net| {
            accepted = net.call(b, |stack, now| stack.accept(now, listener)).ok();
            accepted.is_some()
        });
        (accepted.expect("a connection").0, self.net.now())
    }
}

#[test]
fn time_jumps_from_deadline_to_deadline() {
    let mut pair = pair(LinkConfig::default().delay(Duration::from_millis(25)));
    pair.connect();
    let (_, at) = pair.accept();
    assert_eq!(at.as_nanos(), 75_000_000);
    pair.net.run_for(Duration::from_secs(1000));
    assert_eq!(pair.net.now().as_nanos(), 1_000_075_000_000);
}

#[test]
fn a_rule_drops_the_nth_packet_of_a_kind() {
    let mut pair = pair(LinkConfig::default());
    pair.net
        .add_rule(pair.link, Rule::drop_first(End::A, Filter::syn()).times(2));
    pair.connect();
    let (_, at) = pair.accept();
    // SYNs at 0 and 1 s are lost, the one at 3 s is not.
    assert_eq!(at.as_nanos(), 3_030_000_000);
    assert_eq!(pair.net.link_counters(pair.link).ways[0].ruled_out, 2);
}

#[test]
fn a_rule_skips_delays_and_ends() {
    let mut pair = pair(LinkConfig::default());
    let delay = Verdict::Delay(Duration::from_millis(500));
    pair.net
        .add_rule(pair.link, Rule::new(End::A, Filter::pure_ack(), delay));
    pair.connect();
    let (_, at) = pair.accept();
    assert_eq!(at.as_nanos(), 530_000_000);
    pair.connect();
    let begun = pair.net.now();
    let (_, at) = pair.accept();
    assert_eq!(at.since(begun), Duration::from_millis(30));
    pair.net.add_rule(
        pair.link,
        Rule::drop_first(End::A, Filter::syn()).nth(1).always(),
    );
    pair.connect();
    pair.accept();
    let third = pair.connect();
    pair.net.run_for(Duration::from_secs(300));
    let state = pair.net.stack(pair.a).state(third);
    assert_eq!(state, Ok(State::Closed));
}

#[test]
fn a_cut_cable_loses_what_is_under_way_and_a_mended_one_does_not() {
    let mut pair = pair(LinkConfig::default());
    pair.connect();
    pair.net.run_for(Duration::from_millis(5));
    pair.net.cut(pair.link, true);
    assert!(pair.net.links_idle());
    pair.net.run_for(Duration::from_millis(500));
    pair.net.cut(pair.link, false);
    let (_, at) = pair.accept();
    // The SYN that is sent again after a second gets through.
    assert_eq!(at.as_nanos(), 1_030_000_000);
    assert_eq!(pair.net.link_counters(pair.link).cut, 1);
}

#[test]
fn a_reboot_forgets_connections_and_keeps_addresses() {
    let mut pair = pair(LinkConfig::default());
    let client = pair.connect();
    pair.accept();
    pair.net.reboot(pair.b);
    assert_eq!(pair.net.stack(pair.b).counters().connections, 0);
    pair.net
        .call(pair.a, |stack, now| {
            stack.send(now, client, b"?", MessageFlags::default())
        })
        .expect("room");
    pair.net.run_for(Duration::from_millis(100));
    // The reboot is found out: the host is there and knows nothing of the connection.
    assert_eq!(pair.net.stack(pair.a).state(client), Ok(State::Closed));
}

#[test]
fn a_call_that_would_wait_says_for_what() {
    let mut pair = pair(LinkConfig::default());
    let listener = pair.listener;
    let accepted = pair
        .net
        .call(pair.b, |stack, now| stack.accept(now, listener));
    assert_eq!(accepted.map(|_| ()), Err(Error::WouldBlock(Wait::Readable)));
}

#[test]
fn nothing_happens_when_nobody_has_anything_to_do() {
    let mut pair = pair(LinkConfig::default());
    assert_eq!(pair.net.next_deadline(), None);
    assert!(pair.net.run_to_rest(Duration::from_secs(1)));
    assert_eq!(pair.net.now(), Instant::ZERO);
}

/// One server in the middle, a client on each of its links: one of IP packets, one of Ethernet frames over IPv6.
#[test]
fn a_host_may_have_several_links_of_several_kinds() {
    let mut net = Network::new(3);
    let [a, server, c] = ["a", "server", "c"].map(|name| net.add_host(name, Settings::default()));
    let ethernet = LinkConfig {
        medium: Medium::Ethernet,
        ..LinkConfig::default()
    };
    net.join(
        a,
        "10.0.1.1/24",
        server,
        "10.0.1.2/24",
        LinkConfig::default(),
    );
    net.join(c, "fd00::1/64", server, "fd00::2/64", ethernet);
    let data = Pattern::new(9);
    let mut ends = Vec::new();
    for (client, at) in [(a, "10.0.1.2:80"), (c, "[fd00::2]:80")] {
        let at = at.parse().expect("an address");
        let gets = PeerConfig {
            gets: data,
            ..PeerConfig::default()
        };
        let (listener, servers) = Listener::new(at, 1, 1, gets);
        net.add_app(server, listener);
        let sends = PeerConfig {
            send: 100_000,
            sends: data,
            ..PeerConfig::default()
        };
        let (peer, report) = Peer::connect(at, sends);
        net.add_app(client, peer);
        ends.push((report, servers));
    }
    assert!(net.run_until(Duration::from_secs(60), |net| net.apps_done()));
    for (client, servers) in ends {
        let server = servers.all()[0].now();
        assert_eq!(server.received, 100_000);
        assert_eq!(checkers::streams_are_equal(&client.now(), &server), Ok(()));
    }
    assert_eq!(
        checkers::nothing_is_left(&mut net, Duration::from_secs(3600)),
        Ok(())
    );
}
