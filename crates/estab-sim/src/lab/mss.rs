use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::Flags;
use estab_wire::tcp::Options;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "mss",
    title: "b's link is small",
    about: "Each SYN announces the largest segment that its sender takes: the MTU less 40 bytes (RFC 9293 3.7.1). Host b, on a link of \
            576 bytes, announces 536 and a obeys; options count as part of it, so with timestamps 524 bytes of text fit.",
    setup,
    play,
    check,
    real: true,
};

fn setup() -> Setup {
    Setup {
        mtu: [1500, 576],
        ..Setup::default()
    }
}

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.send(a, &[b'x'; 2000])?;
    let got = stage.receive(b, 2000)?;
    stage.expect.equal("all arrives", got.len(), 2000);
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    for (host, wanted) in [(End::A, 1460), (End::B, 536)] {
        let announced: Vec<_> = trace
            .with_flags(host, Flags::SYN)
            .iter()
            .filter_map(|sent| match &sent.segment.header.options {
                Options::Syn(options) => options.mss,
                Options::Segment(_) => None,
            })
            .collect();
        expect.equal(&format!("{} announces {wanted}", host.name()), announced, [wanted]);
    }
    let longest = trace.data(End::A).iter().map(|sent| sent.len()).max();
    expect.equal("a's longest segment has 524 bytes", longest, Some(524));
}
