use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::{ConnectionError, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "abort",
    title: "a aborts",
    about: "ABORT drops what is queued and sends a RST (RFC 9293 3.10.5): no FIN, no TIME-WAIT. Host b is told with \
            ECONNRESET.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.lab.abort(a)?;
    let error = stage.failure(b, Duration::from_secs(1))?;
    stage.expect.equal("b is told", error, ConnectionError::Reset);
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.equal("one reset", trace.resets(), 1);
    let last = trace.all_sent().last().map(|sent| sent.flags().rst());
    expect.equal("and nothing after it", last, Some(true));
    for host in End::BOTH {
        expect.passes(trace, host, &[State::Established, State::Closed]);
        expect.never(trace, host, State::TimeWait);
    }
}
