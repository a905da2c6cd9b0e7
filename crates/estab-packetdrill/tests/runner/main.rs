//! The runner: what a script says is what must be, and nothing else passes.

mod any;
mod blocking;
mod calls;
mod code;
mod commands;
mod fake;
mod mapping;
mod packets;
mod report;
mod script_errors;
mod several;
mod surplus;

use estab_packetdrill::report::{Failure, FailureKind, Verdict};
use estab_packetdrill::{IpVersion, Report, RunOptions, parse, run};

/// Plays a script.
pub(crate) fn play_with(text: &str, options: &RunOptions) -> Report {
    let script = parse("test.pkt", text).unwrap_or_else(|errors| panic!("{errors}"));
    run("test.pkt", text, &script, options, &mut |_| {})
}

/// Plays a script over IPv4.
pub(crate) fn play(text: &str) -> Report {
    play_with(text, &RunOptions::default())
}

/// Plays a script that must pass, in all three forms.
#[track_caller]
pub(crate) fn passes(text: &str) {
    for ip_version in IpVersion::ALL {
        let options = RunOptions {
            ip_version: Some(ip_version),
            ..RunOptions::default()
        };
        let report = play_with(text, &options);
        assert_eq!(
            report.verdict,
            Verdict::Passed,
            "{ip_version}: {}",
            shown(&report)
        );
    }
}

/// Plays a script that must fail in this way.
#[track_caller]
pub(crate) fn fails(text: &str, kind: FailureKind) -> Failure {
    let report = play(text);
    match &report.verdict {
        Verdict::Failed(failure) if failure.kind == kind => (**failure).clone(),
        other => panic!("{kind:?} was expected, not {other:?}"),
    }
}

/// Plays a script of which a packet must differ in just this field.
#[track_caller]
pub(crate) fn differs(text: &str, field: &str, expected: &str, actual: &str) {
    let failure = fails(text, FailureKind::Packet);
    let fields: Vec<_> = failure
        .differences
        .iter()
        .map(|d| (d.field, d.expected.as_str(), d.actual.as_str()))
        .collect();
    assert_eq!(fields, [(field, expected, actual)]);
}

pub(crate) fn shown(report: &Report) -> String {
    match &report.verdict {
        Verdict::Failed(failure) => {
            format!(
                "{}\n{}\n{}",
                failure.message, failure.excerpt, failure.ladder
            )
        }
        other => format!("{other:?}"),
    }
}

/// A connection that the peer opened, with the first descriptor of the script as listener and the second accepted.
pub(crate) const OPENED: &str = "
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 100 ecr 0,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 700 ecr 100,nop,wscale 8>
+.1 < . 1:1(0) ack 1 win 257 <nop,nop,TS val 200 ecr 700>
+0 accept(3, ..., ...) = 4
";
