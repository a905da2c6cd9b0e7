use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::{Error, Readiness};
use estab_tcp::Flags;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "urgent",
    title: "a byte out of band",
    about: "The urgent pointer says where urgent data ends (RFC 9293 3.8.5, RFC 6093). Sockets take its last byte out of \
            the stream: b is told, and reads it beside the others.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    stage.send(a, b"plain")?;
    let sent = stage.lab.send(a, b"!", true)?;
    stage.expect.equal("one urgent byte is sent", sent, 1);
    stage.wait_until("urgent data", Duration::from_secs(1), |lab| {
        lab.readiness(b).contains(Readiness::PRIORITY)
    })?;
    let mut byte = [0];
    let got = stage.lab.receive(b, &mut byte, true);
    stage.expect.equal("b reads it out of band", (got, byte), (Ok::<_, Error>(1), *b"!"));
    let plain = stage.receive(b, 5)?;
    stage.expect.equal("and the others in the stream", plain.as_slice(), b"plain");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let urgent = trace.with_flags(End::A, Flags::URG);
    expect.that("a segment has URG", !urgent.is_empty());
}
