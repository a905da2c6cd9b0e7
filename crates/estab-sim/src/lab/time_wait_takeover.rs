use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Socket, Stage, Trace};
use core::time::Duration;
use estab_stack::SocketOption;
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "time-wait-takeover",
    title: "a new connection between the same ports",
    about: "Host b closed first and is in TIME-WAIT. A SYN from the same port whose timestamp is newer cannot belong to the \
            old connection, so it may take the record's place at once (RFC 6191).",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn dial(stage: &mut Stage<'_>, listener: Socket) -> Result<(Socket, Socket), Problem> {
    let a = stage.lab.tcp_socket(End::A)?;
    stage.lab.set_option(a, SocketOption::ReuseAddress(true))?;
    stage.lab.bind(a, 4000)?;
    let to = stage.at(End::B, 80);
    stage.lab.connect(a, to, None)?;
    let b = stage.accept(listener)?;
    Ok((a, b))
}

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let listener = stage.listen(End::B, 80)?;
    let (a, b) = dial(stage, listener)?;
    stage.close(b)?;
    stage.receive_to_end(a)?;
    stage.close(a)?;
    stage.wait(Duration::from_secs(2));
    let (a, b) = dial(stage, listener)?;
    stage.send(a, b"again")?;
    let got = stage.receive(b, 5)?;
    stage.expect.equal("the new connection works", got.as_slice(), b"again");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let states = [State::TimeWait, State::Closed, State::SynReceived, State::Established];
    expect.passes(trace, End::B, &states);
    let answers = trace.with_flags(End::B, Flags::SYN);
    if let [first, second] = answers[..] {
        let (old, new) = (first.segment.header.seq, second.segment.header.seq);
        expect.that("the new sequence numbers are beyond the old", new.after(old));
    } else {
        expect.equal("two SYN-ACKs", answers.len(), 2);
    }
    expect.equal("no reset", trace.resets(), 0);
}
