use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::event::DropReason;
use estab_tcp::State;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "backlog-full",
    title: "nobody accepts",
    about: "A listener with room for one connection gets three. What does not fit waits: SYNs, or the ACKs that would complete a \
            handshake, are dropped, and sent again until the program accepts. Nobody is refused.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let listener = stage.listen_with(End::B, 80, 1, &[])?;
    for _ in 0..3 {
        stage.connect(End::A, 80)?;
        stage.wait(Duration::from_millis(50));
    }
    stage.wait(Duration::from_millis(300));
    for _ in 0..3 {
        let socket = stage.accept(listener)?;
        stage.wait_state(socket, State::Established)?;
    }
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let full = trace.drops(End::B, DropReason::AcceptQueueFull);
    expect.that("b drops what does not fit", full >= 1);
    let states = trace.states(End::B).unwrap_or_default();
    let established = states.iter().filter(|state| **state == State::Established).count();
    expect.equal("in the end all three are established", established, 3);
    expect.equal("no reset", trace.resets(), 0);
}
