use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::State;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "self-connect",
    title: "a socket connects to itself",
    about: "What RFC 9293 implies for a socket that connects to its own address and port: its SYN meets SYN-SENT, \
            as in a simultaneous open, and the connection has one end, which reads what it writes.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let a = stage.lab.tcp_socket(End::A)?;
    stage.lab.bind(a, 7777)?;
    let itself = stage.at(End::A, 7777);
    stage.lab.connect(a, itself, None)?;
    stage.wait_state(a, State::Established)?;
    stage.send(a, b"echo")?;
    let got = stage.receive(a, 4)?;
    stage.expect.equal("it reads what it wrote", got.as_slice(), b"echo");
    stage.shutdown_write(a)?;
    let rest = stage.receive_to_end(a)?;
    stage.expect.that("and its own end of file", rest.is_empty());
    stage.close(a)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.passes(trace, End::A, &[State::SynSent, State::SynReceived, State::Established]);
    expect.equal("nothing goes over the cable", trace.sent(End::B).len(), 0);
    expect.equal("no reset", trace.resets(), 0);
}
