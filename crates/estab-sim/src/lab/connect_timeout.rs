use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::{ConnectionError, Instant};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "connect-timeout",
    title: "nobody answers",
    about: "The SYN is sent again after 1, 2, 4, 8 and 16 seconds (RFC 6298). The caller gave its connect 32 s: \
            then it fails with ETIMEDOUT. Without that it would go on until 63 s.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

const PATIENCE: Duration = Duration::from_secs(32);

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    stage.lab.cut(true);
    let a = stage.lab.tcp_socket(End::A)?;
    let to = stage.at(End::B, 80);
    let begun = stage.lab.now();
    stage.lab.connect(a, to, Some(PATIENCE))?;
    let error = stage.failure(a, Duration::from_secs(64))?;
    stage.expect.equal("connect times out", error, ConnectionError::TimedOut);
    let took = stage.lab.now().since(begun);
    let late = took.saturating_sub(PATIENCE);
    stage.expect.that("after 32 s", took >= PATIENCE && late < Duration::from_millis(50));
    stage.close(a)?;
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let syns = trace.sent(End::A);
    let times: Vec<Instant> = syns.iter().map(|sent| sent.time).collect();
    let gaps: Vec<_> = times.windows(2).map(|two| two[1].since(two[0]).as_millis()).collect();
    // In real time a timer may come a little late.
    let whole: Vec<_> = gaps.iter().map(|gap| (gap + 30) / 1000).collect();
    expect.equal("six SYNs, 1, 2, 4, 8 and 16 s apart", whole, [1, 2, 4, 8, 16]);
    expect.that("and nothing else", syns.iter().all(|sent| sent.flags().syn()));
}
