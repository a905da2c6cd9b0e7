use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::{Linger, SocketOption};
use estab_tcp::{ConnectionError, Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "linger-zero",
    title: "close resets",
    about: "SO_LINGER with a time of zero makes close an abort: the queue is dropped, a RST is sent, and there is no TIME-WAIT.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.lab.set_option(a, SocketOption::Linger(Linger::Abort))?;
    stage.close(a)?;
    let error = stage.failure(b, Duration::from_secs(1))?;
    stage.expect.equal("b is told", error, ConnectionError::Reset);
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.equal("one reset", trace.resets(), 1);
    expect.equal("by a", trace.with_flags(End::A, Flags::RST).len(), 1);
    for host in End::BOTH {
        expect.equal("no FIN", trace.with_flags(host, Flags::FIN).len(), 0);
        expect.never(trace, host, State::TimeWait);
    }
}
