use super::Scenario;
use crate::End;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use core::time::Duration;
use estab_tcp::ConnectionError;
use estab_trace::HostRecord;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "udp-unreachable",
    title: "a datagram to a port where nobody is",
    about: "UDP has no RST: the host answers with ICMP port unreachable (RFC 1122 4.1.3.1), and the next call on a \
            connected socket tells it as ECONNREFUSED.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let a = stage.lab.udp_socket(End::A)?;
    let to = stage.at(End::B, 9);
    stage.lab.connect(a, to, None)?;
    stage.lab.send_to(a, b"is anybody there?", to)?;
    let error = stage.failure(a, Duration::from_secs(1))?;
    stage.expect.equal("the socket is told", error, ConnectionError::Refused);
    stage.close(a)?;
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let told = trace.records().iter().any(|record| {
        let icmp = matches!(record.event, HostRecord::Icmp { sent: false, kind: 3, code: 3, .. });
        icmp && &*record.host == End::A.name()
    });
    expect.that("ICMP port unreachable arrives", told);
}
