use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "simultaneous-close",
    title: "both close at once",
    about: "The FINs cross. Each side gets the other's FIN before the ACK of its own, goes through CLOSING, and \
            both end in TIME-WAIT (RFC 9293 3.6, figure 13).",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.close(a)?;
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    for host in End::BOTH {
        expect.passes(trace, host, &[State::FinWait1, State::Closing, State::TimeWait]);
        let fins = trace.with_flags(host, Flags::FIN).len();
        expect.equal(&format!("{} sends one FIN", host.name()), fins, 1);
    }
    expect.equal("no reset", trace.resets(), 0);
}
