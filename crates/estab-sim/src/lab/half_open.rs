use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::SocketOption;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "half-open",
    title: "a crashed and connects again from the same port",
    about: "Host b still has the old connection. It answers the SYN with a challenge ACK (RFC 5961), whose number means \
            nothing to a; a answers with a RST that has just that number, b forgets the old connection, and the repeated SYN opens a new \
            one (RFC 9293 3.5.1, figure 9).",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let listener = stage.listen(End::B, 80)?;
    let to = stage.at(End::B, 80);
    let a = stage.lab.tcp_socket(End::A)?;
    stage.lab.bind(a, 4000)?;
    stage.lab.connect(a, to, None)?;
    let old = stage.accept(listener)?;
    stage.send(a, b"before")?;
    stage.receive(old, 6)?;
    stage.wait(Duration::from_secs(1));
    stage.lab.reboot(End::A);
    let a = stage.lab.tcp_socket(End::A)?;
    stage.lab.set_option(a, SocketOption::ReuseAddress(true))?;
    stage.lab.bind(a, 4000)?;
    stage.lab.connect(a, to, None)?;
    let new = stage.accept(listener)?;
    let error = stage.failure(old, Duration::from_secs(1))?;
    stage.expect.equal("the old connection was reset", error, ConnectionError::Reset);
    stage.send(a, b"after")?;
    let got = stage.receive(new, 5)?;
    stage.expect.equal("the new one works", got.as_slice(), b"after");
    stage.close(old)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let challenged = trace.drops(End::B, DropReason::ChallengedSyn);
    expect.that("b challenges the SYN", challenged >= 1);
    expect.equal("a resets", trace.with_flags(End::A, Flags::RST).len(), 1);
    expect.passes(trace, End::B, &[State::Established, State::Closed, State::SynReceived, State::Established]);
}
