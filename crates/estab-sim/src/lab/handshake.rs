use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::State;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "handshake",
    title: "a connection is opened",
    about: "Three segments: each side's SYN says where its sequence numbers begin, and is acknowledged by the other's \
            (RFC 9293 3.5). Host b has a small record and no connection until the third arrives.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    stage.open(80)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.equal("the segments are SYN, SYN-ACK, ACK", trace.flags(), ["S", "S.", "."]);
    expect.passes(trace, End::A, &[State::SynSent, State::Established]);
    expect.passes(trace, End::B, &[State::Listen, State::SynReceived, State::Established]);
    if let [syn, syn_ack, ack, ..] = trace.all_sent()[..] {
        let numbers = |sent: &crate::stage::Sent<'_>| (sent.segment.header.seq, sent.segment.header.ack);
        let (iss, (irs, answered)) = (numbers(&syn).0, numbers(&syn_ack));
        expect.equal("the SYN-ACK acknowledges the SYN", answered, iss + 1);
        expect.equal("the ACK acknowledges the SYN-ACK", numbers(&ack), (iss + 1, irs + 1));
        // In real time it may be a little more.
        let (way, round_trip) = (syn_ack.time.since(syn.time), ack.time.since(syn.time));
        let delay = Setup::default().delay;
        let held = way >= delay && round_trip >= delay * 2;
        expect.that("after one round trip", held);
    }
}
