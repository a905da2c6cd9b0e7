use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::{End, Filter, Rule};
use core::time::Duration;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "retransmission",
    title: "a segment is lost, and lost again",
    about: "With nothing behind it no duplicate ACK can tell: the retransmission timer does, and doubles each time it \
            fires for the same data (RFC 6298). After a round trip of 20 ms the first time-out is the smallest allowed, 200 ms, and a little.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.lab.add_rule(Rule::drop_first(End::A, Filter::data()).times(4));
    stage.send(a, b"hello")?;
    let got = stage.receive(b, 5)?;
    stage.expect.equal("it arrives at last", got.as_slice(), b"hello");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let data = trace.data(End::A);
    expect.equal("it is sent five times", data.len(), 5);
    let gaps: Vec<_> = data.windows(2).map(|two| two[1].time.since(two[0].time)).collect();
    let doubled = gaps.windows(2).all(|two| two[1] == two[0] * 2);
    expect.that("each wait is twice the one before", doubled);
    let first = gaps.first().copied().unwrap_or_default();
    let bounds = Duration::from_millis(200)..Duration::from_millis(300);
    expect.that("the first is 200 ms and a little", bounds.contains(&first));
}
