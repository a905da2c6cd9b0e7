use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::{End, Filter, Rule};
use core::time::Duration;
use estab_wire::tcp::Options;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fast-retransmit",
    title: "three duplicate ACKs tell of a loss",
    about: "The third of ten segments is lost. Each segment behind it makes b repeat its ACK at once, with a SACK block \
            for what it has; the third repetition makes a send the lost one again without waiting for the timer (RFC 5681).",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.lab.add_rule(Rule::drop_first(End::A, Filter::data()).nth(2));
    stage.send(a, &[b'x'; 14_480])?;
    let got = stage.receive(b, 14_480)?;
    stage.expect.equal("all arrives", got.len(), 14_480);
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let data = trace.data(End::A);
    expect.equal("ten segments and one again", data.len(), 11);
    let (Some(lost), Some(again)) = (data.get(2), data.last()) else {
        return;
    };
    expect.equal("that one is the third", again.segment.header.seq, lost.segment.header.seq);
    let took = again.time.since(lost.time);
    expect.that("one round trip later", took < Duration::from_millis(25));
    let repeated = trace.sent(End::B);
    let repeated = repeated.iter().filter(|sent| {
        let sacks = matches!(&sent.segment.header.options, Options::Segment(options) if !options.sack.is_empty());
        sacks && sent.segment.header.ack == lost.segment.header.seq
    });
    expect.equal("b repeats its ACK seven times, with SACK blocks", repeated.count(), 7);
}
