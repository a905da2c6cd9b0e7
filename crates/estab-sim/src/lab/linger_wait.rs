use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::{Linger, SocketOption};
use estab_tcp::State;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "linger-wait",
    title: "close waits until all is acknowledged",
    about: "SO_LINGER with a time: close returns when the peer has acknowledged the data and the FIN, so the caller knows.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

const BYTES: usize = 40_000;

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.send(a, &[b'x'; BYTES])?;
    let linger = Linger::Wait(Duration::from_secs(5));
    stage.lab.set_option(a, SocketOption::Linger(linger))?;
    let before = stage.lab.now();
    stage.close(a)?;
    let took = stage.lab.now().since(before);
    let bounds = Duration::from_millis(20)..Duration::from_secs(1);
    stage.expect.that("close takes some round trips", bounds.contains(&took));
    let got = stage.receive_to_end(b)?;
    stage.expect.equal("b has all and the end of file", got.len(), BYTES);
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.passes(trace, End::A, &[State::FinWait1, State::FinWait2, State::TimeWait]);
    expect.equal("no reset", trace.resets(), 0);
}
