use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::End;
use core::time::Duration;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "path-mtu",
    title: "a router in the middle has a small link",
    about: "Packets carry DF, so the router drops what does not fit and says what would (RFC 1191). Host a cuts its \
            segments smaller and sends again at once, without waiting for a timer.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.simulated()?.narrow(1000);
    stage.wait(Duration::from_secs(1));
    stage.send(a, &[b'x'; 5000])?;
    let got = stage.receive(b, 5000)?;
    stage.expect.equal("all arrives", got.len(), 5000);
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let data = trace.data(End::A);
    let first = data.first().map(|sent| sent.len());
    expect.equal("a begins with full segments", first, Some(1448));
    let last = data.iter().rev().map(|sent| sent.len()).take(5).max();
    expect.equal("and goes on with what fits 1000 bytes", last, Some(948));
    if let (Some(first), Some(last)) = (data.first(), data.last()) {
        let took = last.time.since(first.time);
        expect.that("without waiting for a timer", took < Duration::from_millis(150));
    }
}
