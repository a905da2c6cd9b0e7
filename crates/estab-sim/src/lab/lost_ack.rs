use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::{End, Filter, Rule};
use core::time::Duration;
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lost-ack",
    title: "the third segment is lost",
    about: "Host a is ESTABLISHED, host b still SYN-RECEIVED: it repeats its SYN-ACK, and a, whatever its limits on \
            answers say, acknowledges it again (RFC 9293 3.10.7.4). An ACK is never acknowledged, so only b can notice the loss.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    stage.lab.add_rule(Rule::drop_first(End::A, Filter::pure_ack()));
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.send(b, b"welcome")?;
    let got = stage.receive(a, 7)?;
    stage.expect.equal("then it carries data", got.as_slice(), b"welcome");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let answers = trace.with_flags(End::B, Flags::SYN);
    expect.equal("b sends its SYN-ACK twice", answers.len(), 2);
    if let [first, second] = answers[..] {
        let gap = second.time.since(first.time);
        let second = Duration::from_secs(1);
        expect.that("a second apart", gap.abs_diff(second) < Duration::from_millis(300));
    }
    if let (Some(a), Some(b)) = (
        trace.first_in(End::A, State::Established),
        trace.first_in(End::B, State::Established),
    ) {
        let gap = b.since(a);
        expect.that("b is established a second after a", gap > Duration::from_millis(900));
    }
    expect.equal("no reset", trace.resets(), 0);
}
