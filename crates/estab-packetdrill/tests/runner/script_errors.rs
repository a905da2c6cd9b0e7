//! What is wrong with a script is told before anything runs, all at once.

use super::{fails, play_with};
use estab_packetdrill::report::{FailureKind, Verdict};
use estab_packetdrill::{IpVersion, RunOptions};

#[test]
fn several_at_once() {
    let failure = fails(
        "0 socket(..., SOCK_STREM, IPPROTO_TCP) = 3\n+0 bnd(3, ..., ...) = 0\n+0 listen(3) = 0\n\
         +0 close(3) = -1 EBADFD_ (no)\n+0 listen(\"3\", 1) = 0",
        FailureKind::Script,
    );
    for text in [
        "unknown name `SOCK_STREM`",
        "there is `SOCK_STREAM`",
        "unknown system call `bnd`",
        "there is `bind`",
        "`listen` does not take 1 arguments",
        "it is listen(fd, backlog)",
        "unknown error `EBADFD_`",
        "expected a descriptor",
        "test.pkt:2:4",
    ] {
        assert!(
            failure.excerpt.contains(text),
            "{text}: {}",
            failure.excerpt
        );
    }
    assert!(failure.ladder.is_empty());
}

#[test]
fn packets_that_cannot_be() {
    for (text, message) in [
        (
            "0 < . 1:65536(65535) ack 1 win 1",
            "longer than a packet can be",
        ),
        ("0 < icmp nonsense", "unknown type of ICMP"),
        ("0 < icmp unreachable nonsense", "unknown code of ICMP"),
        (
            "0 < icmp echo_request [1:1(0)]",
            "only errors quote a packet",
        ),
        ("0 < [flowlabel 0x1] udp (1)", "IPv4 has no flow label"),
    ] {
        let failure = fails(text, FailureKind::Script);
        assert!(
            failure.excerpt.contains(message),
            "{text}: {}",
            failure.excerpt
        );
    }
}

#[test]
fn encapsulation_is_not_supported() {
    let report = super::play("0 < gre: udp (10)");
    assert_eq!(
        report.verdict,
        Verdict::Skipped("encapsulated packets".to_owned())
    );
}

#[test]
fn options_that_are_wrong() {
    let failure = fails("--tolerance_usec=1\n0 close(3) = ...", FailureKind::Script);
    assert!(
        failure.message.contains("unknown option"),
        "{}",
        failure.message
    );
}

#[test]
fn a_script_for_another_version_is_skipped() {
    let options = RunOptions {
        ip_version: Some(IpVersion::V6),
        ..RunOptions::default()
    };
    let report = play_with("--ip_version=ipv4\n0 close(3) = ...", &options);
    let reason = "the script is for ipv4 only".to_owned();
    assert_eq!(report.verdict, Verdict::Skipped(reason));
    let report = play_with("--local_ip=10.0.0.1\n0 close(3) = ...", &options);
    assert!(matches!(report.verdict, Verdict::Skipped(_)));
}

#[test]
fn a_dry_run_runs_nothing() {
    let report = super::play("--dry_run\n0 close(3) = 0");
    assert_eq!(report.verdict, Verdict::Passed);
    fails("--dry_run\n0 clse(3) = 0", FailureKind::Script);
}

#[test]
fn a_script_without_end_is_refused() {
    fails("400000000 close(3) = ...", FailureKind::Limit);
}

#[test]
fn a_script_does_not_write_without_end() {
    let lines = "+0 write(3, ..., 60000000) = ...\n".repeat(20);
    fails(&format!("0 close(3) = ...\n{lines}"), FailureKind::Limit);
}
