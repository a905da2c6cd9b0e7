use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::State;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "simultaneous-open",
    title: "both connect at once, to each other's port",
    about: "The SYNs cross. Each side answers the SYN it did not expect with a SYN-ACK, goes through SYN-RECEIVED, \
            and there is one connection, not two (RFC 9293 3.5, figure 7): four segments.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let a = stage.lab.tcp_socket(End::A)?;
    let b = stage.lab.tcp_socket(End::B)?;
    stage.lab.bind(a, 7777)?;
    stage.lab.bind(b, 8888)?;
    let (at_a, at_b) = (stage.at(End::A, 7777), stage.at(End::B, 8888));
    stage.lab.connect(a, at_b, None)?;
    stage.lab.connect(b, at_a, None)?;
    stage.wait_state(a, State::Established)?;
    stage.wait_state(b, State::Established)?;
    stage.wait(Duration::from_secs(1));
    stage.send(a, b"to b")?;
    stage.send(b, b"to a")?;
    let at_b = stage.receive(b, 4)?;
    let at_a = stage.receive(a, 4)?;
    stage.expect.equal("b hears a", at_b.as_slice(), b"to b");
    stage.expect.equal("a hears b", at_a.as_slice(), b"to a");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let opening: Vec<_> = trace.flags().into_iter().take_while(|flags| !flags.contains('P')).collect();
    // Another TCP may acknowledge the SYN-ACK that it did not need.
    let opening: Vec<_> = opening.iter().filter(|flags| *flags != ".").collect();
    expect.equal("four segments open it", opening, ["S", "S", "S.", "S."]);
    for host in End::BOTH {
        let states = [State::SynSent, State::SynReceived, State::Established];
        expect.passes(trace, host, &states);
    }
    expect.equal("no reset", trace.resets(), 0);
}
