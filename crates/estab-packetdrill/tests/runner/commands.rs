//! Settings and other commands.

use super::{fails, passes, play, play_with, shown};
use estab_packetdrill::RunOptions;
use estab_packetdrill::report::{FailureKind, Verdict};

const SYN: &str = "
0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
";

#[test]
fn a_setting_counts() {
    passes(&format!(
        "`sysctl -q net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0`\n{SYN}+0 > S 0:0(0) <mss 1460,nop,wscale 8>"
    ));
    passes(&format!(
        "`sysctl -q net.ipv4.tcp_rmem=\"4096 131072 6291456\"`\n{SYN}\
         +0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>"
    ));
}

#[test]
fn a_setting_counts_from_its_moment() {
    passes(&format!(
        "{SYN}+0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>\n\
         +0 `sysctl -q net.ipv4.tcp_window_scaling=0`\n\
         +0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 4\n\
         +0 connect(4, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0>"
    ));
}

#[test]
fn what_no_script_could_see_is_taken() {
    passes(
        "`sysctl -q net.ipv4.tcp_min_tso_segs=4 net.ipv4.tcp_ecn=0`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
    );
}

#[test]
fn an_unknown_setting_skips_the_script() {
    let report = play("`sysctl -q net.ipv4.tcp_of_tomorrow=1`\n0 close(3) = ...");
    let reason = "estab has no setting net.ipv4.tcp_of_tomorrow".to_owned();
    assert_eq!(report.verdict, Verdict::Skipped(reason));
    let report = play("`sysctl -q net.ipv4.tcp_congestion_control=bbr`\n0 close(3) = ...");
    let reason = "net.ipv4.tcp_congestion_control is always reno".to_owned();
    assert_eq!(report.verdict, Verdict::Skipped(reason));
}

#[test]
fn a_value_that_is_none_fails() {
    let failure = fails(
        "`sysctl -q net.ipv4.tcp_sack=2`\n0 close(3) = ...",
        FailureKind::Command,
    );
    assert_eq!(
        failure.message,
        "`2` is no value of net.ipv4.tcp_sack: expected 0 or 1"
    );
}

#[test]
fn other_commands_are_noted_and_not_run() {
    let report = play("`touch /nowhere/at/all`\n0 close(3) = ...\n`ip link`");
    assert_eq!(report.verdict, Verdict::Passed);
    assert_eq!(
        report.notes,
        ["not run: touch /nowhere/at/all", "not run: ip link"]
    );
}

#[test]
fn commands_run_when_that_is_asked_for() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = RunOptions {
        run_commands: true,
        folder: Some(folder.path().to_owned()),
        ..RunOptions::default()
    };
    let report = play_with("`echo 1 > made`\n0 close(3) = ...", &options);
    assert_eq!(report.verdict, Verdict::Passed, "{}", shown(&report));
    assert!(folder.path().join("made").exists());
    let report = play_with("0 `false`", &options);
    assert_eq!(report.failure().map(|f| f.kind), Some(FailureKind::Command));
    Ok(())
}

#[test]
fn settings_of_the_caller_come_first() {
    let options = RunOptions {
        settings: vec![("net.ipv4.tcp_sack".to_owned(), "0".to_owned())],
        ..RunOptions::default()
    };
    let text = format!("{SYN}+0 > S 0:0(0) <mss 1460,nop,nop,TS val 1 ecr 0,nop,wscale 8>");
    let report = play_with(&text, &options);
    assert_eq!(report.verdict, Verdict::Passed, "{}", shown(&report));
}
