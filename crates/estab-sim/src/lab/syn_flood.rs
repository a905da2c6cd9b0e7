use super::Scenario;
use crate::stage::{Expectations, Problem, Setup, Stage, Trace};
use crate::{End, craft};
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use estab_tcp::{Cause, Flags, Header, SeqNum};
use estab_trace::TcpRecord;
use estab_wire::tcp::{Options, SynOptions, UnscaledWindow};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "syn-flood",
    title: "more SYNs than there is room for",
    about: "Twelve SYNs from addresses that never answer fill a SYN queue of eight. From then on b answers with SYN cookies: its \
            sequence number is a keyed hash, and it remembers nothing (RFC 4987). The client that comes then is served like any other, because its \
            ACK brings the cookie back.",
    setup,
    play,
    check,
    real: false,
};

fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.settings[1].tcp_max_syn_backlog = 8;
    setup
}

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let listener = stage.listen_with(End::B, 80, 8, &[])?;
    let to = stage.lab.address(End::B);
    for n in 0..12 {
        let from = IpAddr::from(Ipv4Addr::new(10, 0, 0, 100 + n));
        let syn = Header {
            src_port: 5000 + u16::from(n),
            dst_port: 80,
            seq: SeqNum(1_000_000 * u32::from(n)),
            ack: SeqNum(0),
            flags: Flags::SYN,
            window: UnscaledWindow(65_535),
            urgent: 0,
            options: Options::Syn(SynOptions {
                mss: Some(1460),
                ..SynOptions::default()
            }),
        };
        let packet = craft::segment(from, to, &syn, &[]);
        stage.simulated()?.inject(End::B, packet);
    }
    stage.wait(Duration::from_millis(100));
    let host = stage.simulated()?.host(End::B);
    let records = stage.network()?.stack(host).counters().half_open;
    stage.expect.equal("eight records are kept, no more", records, 8);

    let a = stage.connect(End::A, 80)?;
    let b = stage.accept(listener)?;
    stage.send(a, b"hello?")?;
    let got = stage.receive(b, 6)?;
    stage.expect.equal("a client is served", got.as_slice(), b"hello?");
    stage.wait(Duration::from_millis(500));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let answers = trace.with_flags(End::B, Flags::SYN);
    expect.that("each SYN is answered", answers.len() >= 13);
    let cookies = trace.records().iter().filter(|record| {
        matches!(record.tcp(), Some((_, TcpRecord::State { cause: Cause::ReceiveCookie, .. })))
    });
    expect.equal("one connection is made from a cookie", cookies.count(), 1);
    expect.equal("no reset", trace.resets(), 0);
}
