use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::{End, craft};
use core::time::Duration;
use estab_tcp::event::DropReason;
use estab_tcp::{Flags, Header, State};
use estab_wire::tcp::{Options, UnscaledWindow};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "challenge-ack",
    title: "somebody guesses a sequence number",
    about: "A forged RST whose number is in the window, but not just the next one, must not end the connection: b answers with an ACK that says \
            what the next number is (RFC 5961). Had the peer really sent it, its next RST would be exact. Answers are limited, so the \
            second forgery gets none.",
    setup: Setup::default,
    play,
    check,
    real: false,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.wait(Duration::from_secs(1));
    let from = stage.lab.local_address(a)?;
    let to = stage.at(End::B, 80);
    let simulated = stage.simulated()?;
    let records = simulated.records();
    let last = records.iter().rev().find_map(|record| {
        record.sent().filter(|_| &*record.host == End::A.name())
    });
    let Some(last) = last else {
        return Err(Problem("a sent nothing".into()));
    };
    for beyond in [1000, 2000] {
        let forged = Header {
            src_port: from.port(),
            dst_port: to.port(),
            seq: last.header.seq + beyond,
            ack: last.header.ack,
            flags: Flags::RST,
            window: UnscaledWindow(0),
            urgent: 0,
            options: Options::NONE,
        };
        simulated.inject(End::B, craft::segment(from.ip(), to.ip(), &forged, &[]));
    }
    stage.wait(Duration::from_secs(1));
    stage.send(a, b"still here")?;
    let got = stage.receive(b, 10)?;
    stage.expect.equal("the connection lives", got.as_slice(), b"still here");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let challenged = trace.drops(End::B, DropReason::ChallengedRst);
    let limited = trace.drops(End::B, DropReason::RateLimited);
    expect.that("the first is challenged", challenged >= 1);
    expect.equal("both are dropped", challenged.max(1) + limited >= 2, true);
    let acks = trace.sent(End::B);
    let acks = acks.iter().filter(|sent| sent.is_empty() && sent.flags() == Flags::ACK);
    let between = acks.filter(|sent| (1_000_000_000..1_900_000_000).contains(&sent.time.as_nanos()));
    expect.equal("one answer to two forgeries", between.count(), 1);
    for host in End::BOTH {
        expect.never(trace, host, State::Closed);
    }
}
