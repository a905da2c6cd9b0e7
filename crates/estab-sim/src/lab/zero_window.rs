use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::SocketOption;
use estab_trace::TcpRecord;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "zero-window",
    title: "b does not read",
    about: "The window closes and a stops. Its persist timer probes, at growing distances, for as long as b answers (RFC 9293 3.8.6.1), because the \
            segment that opens the window again might be lost. When b reads, the window opens and the rest flows.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

const BYTES: usize = 40_000;

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open_with(80, &[], &[SocketOption::ReceiveBuffer(8192)])?;
    let data = vec![b'x'; BYTES];
    stage.send(a, &data)?;
    stage.wait(Duration::from_secs(6));
    let got = stage.receive(b, BYTES)?;
    stage.expect.that("all arrives", got == data);
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let closed = trace.sent(End::B).into_iter().filter(|sent| sent.segment.header.window.0 == 0);
    let closed: Vec<_> = closed.collect();
    let (Some(first), Some(last)) = (closed.first(), closed.last()) else {
        return expect.that("the window closes", false);
    };
    let stopped = first.time + Duration::from_millis(50);
    let sent = trace.sent(End::A);
    let probes = sent.iter().filter(|sent| sent.time > stopped && sent.time < last.time);
    let probes: Vec<_> = probes.collect();
    expect.that("a probes at least three times", probes.len() >= 3);
    let gaps: Vec<_> = probes.windows(2).map(|two| two[1].time.since(two[0].time)).collect();
    expect.that("at growing distances", gaps.is_sorted());
    expect.that("each probe is answered", closed.len() >= probes.len());
    let lossless = trace.records().iter().all(|record| {
        !matches!(record.tcp(), Some((_, TcpRecord::Recovery { .. })))
    });
    expect.that("nobody takes answers to probes for a loss", lossless);
    expect.equal("no reset", trace.resets(), 0);
}
