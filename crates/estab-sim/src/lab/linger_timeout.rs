use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::{Error, Linger, SocketOption};
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "linger-timeout",
    title: "close waits, but not for ever",
    about: "The cable is cut, so nothing is acknowledged. After the two seconds of SO_LINGER close gives EWOULDBLOCK, and the \
            rest is dropped with a RST.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

const PATIENCE: Duration = Duration::from_secs(2);

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, _) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.lab.set_option(a, SocketOption::Linger(Linger::Wait(PATIENCE)))?;
    stage.lab.cut(true);
    stage.send(a, b"will it arrive?")?;
    let before = stage.lab.now();
    let first = stage.lab.close(a);
    stage.expect.that("close would wait", matches!(first, Err(Error::WouldBlock(_))));
    stage.wait(PATIENCE);
    stage.expect.equal("the wait is over after two seconds", stage.lab.now().since(before), PATIENCE);
    let second = stage.lab.close(a);
    stage.expect.equal("close says that it did not get through", second, Err(Error::LingerTimedOut));
    let gone = stage.lab.close(a);
    stage.expect.equal("and the socket is gone", gone, Err(Error::BadSocket));
    stage.wait(Duration::from_secs(1));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let resets = trace.with_flags(End::A, Flags::RST);
    expect.equal("a sends one reset", resets.len(), 1);
    expect.passes(trace, End::A, &[State::FinWait1, State::Closed]);
    expect.never(trace, End::A, State::TimeWait);
}
