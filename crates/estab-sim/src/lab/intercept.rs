use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Socket, Stage, Trace};
use core::net::SocketAddr;
use core::time::Duration;
use estab_stack::{Decision, Request, Route, SocketId};
use estab_tcp::{ConnectionError, Flags, IcmpErrorKind};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "intercept",
    title: "a listener for any address and any port",
    about: "What VPNs and gateways do: b takes connections to addresses that are not its own. Before it answers a SYN it is told who wants to reach whom, and \
            decides: accept, refuse with RST, say with ICMP that the host cannot be reached, or keep silent.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

/// Whom a wants to reach, none of them is there.
const WANTED: [&str; 4] = ["198.51.100.1:80", "198.51.100.2:81", "203.0.113.3:82", "203.0.113.4:83"];

fn dial(stage: &mut Stage<'_>, to: &str) -> Result<Socket, Problem> {
    let to: SocketAddr = to.parse().map_err(|_| Problem("an address".into()))?;
    let socket = stage.lab.tcp_socket(End::A)?;
    stage.lab.connect(socket, to, Some(Duration::from_secs(5)))?;
    Ok(socket)
}

fn next(stage: &mut Stage<'_>, interceptor: SocketId) -> Result<Request, Problem> {
    let host = stage.simulated()?.host(End::B);
    let mut found = None;
    stage.network()?.run_until(Duration::from_secs(1), |net| {
        found = net.call(host, |stack, _| stack.next_request(interceptor)).ok();
        found.is_some()
    });
    found.ok_or_else(|| Problem("no request".into()))
}

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let [a, b] = End::BOTH.map(|end| stage.simulated().map(|simulated| simulated.host(end)));
    let (a, b) = (a?, b?);
    let gateway = stage.lab.address(End::B);
    let network = stage.network()?;
    let link = network.interface(a, 0);
    network.call(a, |stack, _| {
        stack.add_route(Route {
            destination: crate::cidr("0.0.0.0/0"),
            gateway: Some(gateway),
            interface: link,
            mss: None,
        })
    })?;
    let link = network.interface(b, 0);
    let interceptor = network.call(b, |stack, now| {
        stack.set_any_address(link, true);
        stack.intercept(now, 16)
    })?;

    let mut sockets = Vec::new();
    for wanted in WANTED {
        sockets.push(dial(stage, wanted)?);
        stage.wait(Duration::from_millis(20));
    }
    let answered = stage.simulated()?.records().iter().filter(|record| record.sent().is_some_and(|sent| sent.header.flags.ack())).count();
    stage.expect.equal("no SYN is answered before it is decided", answered, 0);

    let unreachable = Decision::Unreachable(IcmpErrorKind::HostUnreachable);
    let decisions = [Decision::Accept, Decision::Refuse, unreachable, Decision::Drop];
    for (wanted, decision) in WANTED.into_iter().zip(decisions) {
        let request = next(stage, interceptor)?;
        stage.expect.equal("b is told whom a wants to reach", request.local.to_string(), wanted);
        let taken = stage.network()?.call(b, |stack, now| stack.decide(now, request.id, decision))?;
        stage.expect.equal("only accepting gives a socket", taken.is_some(), decision == Decision::Accept);
        stage.wait(Duration::from_millis(20));
    }
    stage.send(sockets[0], b"hello")?;
    let refused = stage.failure(sockets[1], Duration::from_secs(1))?;
    stage.expect.equal("the second is refused", refused, ConnectionError::Refused);
    let ignored = stage.failure(sockets[3], Duration::from_secs(6))?;
    stage.expect.equal("the fourth times out", ignored, ConnectionError::TimedOut);
    stage.wait(Duration::from_secs(1));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let answers = trace.with_flags(End::B, Flags::SYN);
    let from: Vec<_> = answers.iter().map(|sent| sent.tuple.local.to_string()).collect();
    expect.equal("one SYN-ACK, from the address that a wanted", from, [WANTED[0]]);
    let resets = trace.with_flags(End::B, Flags::RST);
    let from: Vec<_> = resets.iter().map(|sent| sent.tuple.local.to_string()).collect();
    expect.equal("one RST, from the address that a wanted", from, [WANTED[1]]);
}
