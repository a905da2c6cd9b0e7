use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::Flags;
use estab_wire::tcp::Options;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ipv6",
    title: "the same over IPv6",
    about: "Nothing of TCP changes but the room: the header of IPv6 is 20 bytes longer, so 1440 bytes are announced (RFC 9293 3.7.1).",
    setup,
    play,
    check,
    real: false,
};

fn setup() -> Setup {
    Setup {
        v6: true,
        ..Setup::default()
    }
}

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.send(a, b"hello")?;
    let got = stage.receive(b, 5)?;
    stage.expect.equal("the bytes arrive", got.as_slice(), b"hello");
    stage.close(a)?;
    stage.receive_to_end(b)?;
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let announced = |host| {
        let syns = trace.with_flags(host, Flags::SYN);
        let options = syns.first().map(|sent| sent.segment.header.options.clone());
        match options {
            Some(Options::Syn(options)) => options.mss,
            _ => None,
        }
    };
    expect.equal("both announce 1440", End::BOTH.map(announced), [Some(1440); 2]);
    expect.equal("no reset", trace.resets(), 0);
}
