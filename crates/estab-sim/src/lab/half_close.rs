use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::State;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "half-close",
    title: "a closes its direction and still reads",
    about: "After shutdown(WRITE) the other direction goes on for as long as b likes: b may send in CLOSE-WAIT and a \
            receives in FIN-WAIT-2, here for longer than the minute after which an orphan would be given up (RFC 9293 3.6, 3.10.4).",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.send(a, b"how much?")?;
    stage.shutdown_write(a)?;
    let question = stage.receive_to_end(b)?;
    stage.expect.equal("b gets the question and the end of file", question.as_slice(), b"how much?");
    for answer in [b"a little", b"and then", b"so much."] {
        // Two minutes cost nothing on the simulator.
        let pause = if stage.lab.simulated().is_some() { 40 } else { 1 };
        stage.wait(Duration::from_secs(pause));
        stage.send(b, answer)?;
        let got = stage.receive(a, answer.len())?;
        stage.expect.equal("a gets an answer", got.as_slice(), answer);
    }
    stage.close(b)?;
    let rest = stage.receive_to_end(a)?;
    stage.expect.that("a gets the end of file", rest.is_empty());
    stage.close(a)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let active = [State::FinWait1, State::FinWait2, State::TimeWait];
    expect.passes(trace, End::A, &active);
    expect.passes(trace, End::B, &[State::CloseWait, State::LastAck, State::Closed]);
    if let Some(half) = trace.first_in(End::A, State::FinWait2) {
        let after = trace.data(End::B).iter().filter(|sent| sent.time >= half).count();
        expect.equal("b sends three segments after it", after, 3);
    }
    expect.equal("no reset", trace.resets(), 0);
}
