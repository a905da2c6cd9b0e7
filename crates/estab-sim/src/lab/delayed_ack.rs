use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "delayed-ack",
    title: "an ACK waits for company",
    about: "Between requests and answers an ACK waits a little for data to ride on (RFC 9293 3.8.6.3: less than half \
            a second). An answer that comes in time takes it along; otherwise a timer sends it alone.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    // The first segments of a connection are acknowledged at once, until an answer tells that this is a conversation.
    for _ in 0..4 {
        stage.send(a, b"question")?;
        stage.receive(b, 8)?;
        stage.wait(Duration::from_millis(5));
        stage.send(b, b"answer")?;
        stage.receive(a, 6)?;
        stage.wait(Duration::from_millis(300));
    }
    stage.send(a, b"question")?;
    stage.receive(b, 8)?;
    stage.wait(Duration::from_secs(1));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let data: Vec<_> = trace.data(End::A);
    let Some(last) = data.last() else {
        return expect.that("a sends data", false);
    };
    let sent = trace.sent(End::B);
    let end = last.segment.header.seq + last.len() as u32;
    let ack = sent.iter().find(|sent| sent.segment.header.ack == end);
    let waited = ack.map(|ack| ack.time.since(last.time).as_millis());
    let bounds = 10 + 40..=10 + 200;
    expect.that("the last ACK, alone, waits 40 to 200 ms", waited.is_some_and(|waited| bounds.contains(&waited)));
    let before: Vec<_> = sent.iter().rev().skip(1).take(3).map(|sent| sent.len()).collect();
    let riding = before.iter().filter(|len| **len > 0).count();
    expect.that("ACKs ride on answers", riding == 3);
}
