use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::SocketOption;
use estab_tcp::{ConnectionError, Flags};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "keepalive-half-open",
    title: "the peer forgot the connection, and keep-alive finds out",
    about: "Host b crashed and came back: the connection is half open. A keep-alive probe meets no connection, b answers \
            with RST, and a is told with ECONNRESET (RFC 9293 3.5.1). Idle time is 3 s here instead of two hours.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let idle = SocketOption::KeepaliveIdle(Duration::from_secs(3));
    let (a, _) = stage.open_with(80, &[SocketOption::Keepalive(true), idle], &[])?;
    stage.wait(Duration::from_secs(1));
    stage.lab.reboot(End::B);
    let error = stage.failure(a, Duration::from_secs(10))?;
    stage.expect.equal("a is told", error, ConnectionError::Reset);
    stage.close(a)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let resets = trace.with_flags(End::B, Flags::RST);
    expect.equal("b answers the probe with a reset", resets.len(), 1);
    let sent = trace.sent(End::A);
    if let [.., opened, probe] = sent[..] {
        let before = opened.segment.header.seq - 1;
        expect.equal("the probe is one byte before what comes next", probe.segment.header.seq, before);
        let idle = probe.time.since(opened.time);
        // Counted from what a heard last, which in real time is a moment before what it sent last.
        let from_three = idle.abs_diff(Duration::from_secs(3));
        expect.that("after three seconds", from_three < Duration::from_millis(500));
    }
}
