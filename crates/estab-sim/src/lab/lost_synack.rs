use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::{End, Filter, Rule};
use core::time::Duration;
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lost-synack",
    title: "the SYN-ACK is lost",
    about: "Both sides have something unacknowledged, so both try again after a second (RFC 6298): a its SYN, \
            b its SYN-ACK. Whichever comes first opens the connection; the repeated SYN does not make a second one.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    stage.lab.add_rule(Rule::drop_first(End::B, Filter::syn_ack()));
    let (a, _) = stage.open(80)?;
    stage.wait_state(a, State::Established)?;
    stage.wait(Duration::from_millis(1500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let mut syns = trace.with_flags(End::A, Flags::SYN);
    syns.retain(|sent| !sent.flags().ack());
    let gaps: Vec<_> = syns.windows(2).map(|two| two[1].time.since(two[0].time)).collect();
    // In real time a timer may come a little late.
    let seconds: Vec<_> = gaps.iter().map(|gap| (gap.as_millis() + 30) / 1000).collect();
    expect.equal("the SYN is sent again after one second", seconds, [1]);
    expect.passes(trace, End::A, &[State::SynSent, State::Established]);
    expect.passes(trace, End::B, &[State::SynReceived, State::Established]);
    expect.equal("no reset", trace.resets(), 0);
}
