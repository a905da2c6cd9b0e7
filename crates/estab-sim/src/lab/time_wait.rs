use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::{End, Filter, Rule};
use core::time::Duration;
use estab_stack::{Error, SocketOption};
use estab_tcp::{Flags, State};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "time-wait",
    title: "what TIME-WAIT is for",
    about: "The last ACK is lost, so b sends its FIN again. Host a, in TIME-WAIT, acknowledges it once more and begins its wait of 2 MSL anew \
            (RFC 9293 3.10.7.4). Meanwhile the port stays taken: bind gives EADDRINUSE, unless SO_REUSEADDR says that the caller knows.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let listener = stage.listen(End::B, 80)?;
    let a = stage.lab.tcp_socket(End::A)?;
    stage.lab.bind(a, 4000)?;
    let to = stage.at(End::B, 80);
    stage.lab.connect(a, to, None)?;
    let b = stage.accept(listener)?;
    stage.wait(Duration::from_secs(1));
    stage.close(a)?;
    stage.receive_to_end(b)?;
    stage.wait(Duration::from_millis(200));
    stage.lab.add_rule(Rule::drop_first(End::A, Filter::pure_ack()));
    stage.close(b)?;
    stage.wait(Duration::from_secs(1));

    let other = stage.lab.tcp_socket(End::A)?;
    let bound = stage.lab.bind(other, 4000);
    stage.expect.equal("bind to the port fails", bound, Err(Error::AddressInUse));
    stage.lab.set_option(other, SocketOption::ReuseAddress(true))?;
    let bound = stage.lab.bind(other, 4000);
    stage.expect.equal("with SO_REUSEADDR it works", bound, Ok(()));
    stage.close(other)?;
    stage.wait(Duration::from_secs(61));
    let other = stage.lab.tcp_socket(End::A)?;
    let bound = stage.lab.bind(other, 4000);
    stage.expect.equal("after 2 MSL the port is free", bound, Ok(()));
    stage.close(other)?;
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    expect.passes(trace, End::A, &[State::FinWait1, State::FinWait2, State::TimeWait]);
    expect.passes(trace, End::B, &[State::CloseWait, State::LastAck, State::Closed]);
    let fins = trace.with_flags(End::B, Flags::FIN);
    expect.equal("b sends its FIN twice", fins.len(), 2);
    let (Some(wait), Some(again)) = (trace.first_in(End::A, State::TimeWait), fins.last()) else {
        return;
    };
    let over = trace.entered(End::A).into_iter().find(|(time, state)| *time > wait && *state == State::Closed);
    let waited = over.map(|(over, _)| over.since(again.time + Duration::from_millis(10)));
    // In real time a timer may come a little late.
    let seconds = waited.map(|waited| (waited.as_millis() + 30) / 1000);
    expect.equal("TIME-WAIT ends 60 s after the second FIN", seconds, Some(60));
}
