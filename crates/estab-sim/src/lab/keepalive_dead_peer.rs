use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::SocketOption;
use estab_tcp::{ConnectionError, Flags};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "keepalive-dead-peer",
    title: "the peer is gone, and keep-alive finds out",
    about: "The cable is cut while nobody sends anything, so nobody notices. With SO_KEEPALIVE a sends, after two hours, a probe every 75 s; \
            when nine are not answered the connection is dead: ETIMEDOUT, and a RST in case the other side lives (RFC 9293 3.8.4).",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, _) = stage.open_with(80, &[SocketOption::Keepalive(true)], &[])?;
    stage.wait(Duration::from_secs(1));
    stage.lab.cut(true);
    let error = stage.failure(a, Duration::from_secs(9000))?;
    stage.expect.equal("a is told", error, ConnectionError::TimedOut);
    stage.close(a)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let sent = trace.sent(End::A);
    let Some(opened) = sent.iter().find(|sent| sent.flags().to_string() == ".") else {
        return expect.that("a opens the connection", false);
    };
    let after: Vec<_> = sent.iter().filter(|sent| sent.time > opened.time).collect();
    let probes: Vec<_> = after.iter().filter(|sent| !sent.flags().rst()).collect();
    expect.equal("nine probes", probes.len(), 9);
    let before = opened.segment.header.seq - 1;
    expect.that("each one byte before what comes next", probes.iter().all(|probe| probe.segment.header.seq == before));
    let first = probes.first().map(|probe| probe.time.since(opened.time));
    expect.equal("the first after two hours", first, Some(Duration::from_secs(7200)));
    let gaps = probes.windows(2).map(|two| two[1].time.since(two[0].time));
    let mut all = gaps;
    expect.that("75 s apart", all.all(|gap| gap == Duration::from_secs(75)));
    expect.equal("then a reset", trace.with_flags(End::A, Flags::RST).len(), 1);
    let end = trace.errors(End::A).first().map(|(time, _)| time.since(opened.time));
    expect.equal("after 2 h 11 min 15 s", end, Some(Duration::from_secs(7200 + 9 * 75)));
}
