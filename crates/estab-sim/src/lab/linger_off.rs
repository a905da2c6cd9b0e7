use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::State;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "linger-off",
    title: "close returns at once and the data is still sent",
    about: "Without SO_LINGER closing waits for nothing: what is queued, and the FIN behind it, is sent by a connection that \
            no socket holds any more.",
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
    let before = stage.lab.now();
    stage.close(a)?;
    stage.expect.equal("close takes no time", stage.lab.now(), before);
    let got = stage.receive_to_end(b)?;
    stage.expect.equal("b gets all and the end of file", got.len(), BYTES);
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.passes(trace, End::A, &[State::FinWait1, State::FinWait2, State::TimeWait]);
    expect.equal("no reset", trace.resets(), 0);
}
