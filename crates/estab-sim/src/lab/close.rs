use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "close",
    title: "a connection is closed, first by a, then by b",
    about: "Each direction is closed by a FIN of its own, which takes a sequence number and is acknowledged (RFC 9293 \
            3.6). The side that closes first waits in TIME-WAIT for 2 MSL, so that late segments die and the last ACK can be repeated; the \
            other one never does.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.send(a, b"hello")?;
    let got = stage.receive(b, 5)?;
    stage.expect.equal("the bytes arrive", got.as_slice(), b"hello");
    stage.wait(Duration::from_secs(1));
    stage.close(a)?;
    let rest = stage.receive_to_end(b)?;
    stage.expect.that("then the end of file", rest.is_empty());
    stage.wait(Duration::from_millis(100));
    stage.close(b)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    for host in End::BOTH {
        let fins = trace.with_flags(host, Flags::FIN).len();
        expect.equal(&format!("{} sends one FIN", host.name()), fins, 1);
    }
    let active = [State::FinWait1, State::FinWait2, State::TimeWait];
    expect.passes(trace, End::A, &active);
    expect.passes(trace, End::B, &[State::CloseWait, State::LastAck, State::Closed]);
    expect.never(trace, End::B, State::TimeWait);
    expect.equal("no reset", trace.resets(), 0);
}
