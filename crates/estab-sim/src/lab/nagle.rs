use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_stack::SocketOption;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "nagle",
    title: "small writes, gathered and not",
    about: "While a small segment is under way, small writes wait and go together when it is acknowledged (RFC 9293 3.7.4). \
            With TCP_NODELAY each write is a segment of its own.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    for letter in [b"a", b"b", b"c", b"d"] {
        stage.send(a, letter)?;
    }
    let gathered = stage.receive(b, 4)?;
    stage.expect.equal("the bytes are in order", gathered.as_slice(), b"abcd");
    stage.wait(Duration::from_secs(1));
    stage.lab.set_option(a, SocketOption::NoDelay(true))?;
    for letter in [b"e", b"f", b"g", b"h"] {
        stage.send(a, letter)?;
    }
    let single = stage.receive(b, 4)?;
    stage.expect.equal("and stay so", single.as_slice(), b"efgh");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let lens: Vec<_> = trace.data(End::A).iter().map(|sent| sent.len()).collect();
    expect.equal("one byte, then three together, then one by one", lens, [1, 3, 1, 1, 1, 1]);
}
