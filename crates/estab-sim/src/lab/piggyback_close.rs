use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "piggyback-close",
    title: "a FIN rides on the last data, and on the ACK of the other's FIN",
    about: "A FIN needs no segment of its own: a's goes with its last bytes, and b, which closes at once, sends its \
            ACK and its FIN in one. The close takes three segments.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    // The data waits for the ACK of what is under way (Nagle), and the FIN goes with it.
    stage.send(a, b"one")?;
    stage.send(a, b"two")?;
    stage.shutdown_write(a)?;
    let got = stage.receive_to_end(b)?;
    stage.expect.equal("b gets all", got.as_slice(), b"onetwo");
    stage.close(b)?;
    let rest = stage.receive_to_end(a)?;
    stage.expect.that("a gets the end of file", rest.is_empty());
    stage.close(a)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let fins = trace.with_flags(End::A, Flags::FIN);
    let carried: Vec<_> = fins.iter().map(|sent| sent.len()).collect();
    expect.equal("a's FIN carries its last three bytes", carried, [3]);
    let all = trace.all_sent();
    let tail: Vec<_> = all.iter().rev().take(3).rev().map(|sent| sent.flags().to_string()).collect();
    expect.equal("the close is FIN, FIN-ACK, ACK", tail, ["FP.", "F.", "."]);
    expect.passes(trace, End::A, &[State::FinWait1, State::FinWait2, State::TimeWait]);
    expect.passes(trace, End::B, &[State::CloseWait, State::LastAck, State::Closed]);
}
