use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::{ConnectionError, Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fin-wait-2",
    title: "b never closes",
    about: "Host a closed for good, so nobody would read what b sends. Its connection waits a minute in FIN-WAIT-2 for b's FIN and is \
            forgotten; what b sends after that meets no connection and gets a RST.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.close(a)?;
    stage.receive_to_end(b)?;
    stage.wait(Duration::from_secs(90));
    stage.send(b, b"are you still there?")?;
    let error = stage.failure(b, Duration::from_secs(1))?;
    stage.expect.that(
        "b is told",
        matches!(error, ConnectionError::Reset),
    );
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.passes(trace, End::A, &[State::FinWait1, State::FinWait2, State::Closed]);
    expect.never(trace, End::A, State::TimeWait);
    let waited = trace.first_in(End::A, State::FinWait2).and_then(|since| {
        let over = trace.entered(End::A).into_iter().find(|(_, state)| *state == State::Closed)?;
        Some(over.0.since(since))
    });
    expect.equal("it waits 60 s", waited, Some(Duration::from_secs(60)));
    expect.equal("then a answers with a reset", trace.with_flags(End::A, Flags::RST).len(), 1);
}
