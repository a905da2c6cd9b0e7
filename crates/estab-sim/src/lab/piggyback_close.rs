use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::SocketOption;
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
    stage.wait(Duration::from_millis(100));
    // Requests and answers: from now on b lets its ACKs wait for something to ride on.
    stage.send(a, b"hello")?;
    stage.receive(b, 5)?;
    stage.send(b, b"hello")?;
    stage.receive(a, 5)?;
    stage.wait(Duration::from_millis(300));
    // TCP_CORK holds the bytes back until the FIN is there too.
    stage.lab.set_option(a, SocketOption::Cork(true))?;
    stage.send(a, b"bye")?;
    stage.shutdown_write(a)?;
    let got = stage.receive_to_end(b)?;
    stage.expect.equal("b gets all", got.as_slice(), b"bye");
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
