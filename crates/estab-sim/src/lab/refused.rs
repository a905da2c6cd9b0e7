use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::ConnectionError;
use estab_tcp::event::DropReason;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "refused",
    title: "nobody listens",
    about: "A SYN to a port without a listener is answered by a RST, which acknowledges the SYN so that the sender \
            knows it is meant (RFC 9293 3.10.7.1): connect fails with ECONNREFUSED at once.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let a = stage.connect(End::A, 80)?;
    let error = stage.failure(a, Duration::from_secs(1))?;
    stage.expect.equal("connect is refused", error, ConnectionError::Refused);
    stage.close(a)?;
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.equal("SYN and RST, nothing else", trace.flags(), ["S", "R."]);
    if let [syn, rst] = trace.all_sent()[..] {
        let answered = rst.segment.header.ack;
        expect.equal("the RST acknowledges the SYN", answered, syn.segment.header.seq + 1);
        expect.equal("its sequence number is 0", rst.segment.header.seq.0, 0);
    }
    if trace.states(End::B).is_some() {
        expect.equal("b says why", trace.drops(End::B, DropReason::NoSocket), 1);
    }
}
