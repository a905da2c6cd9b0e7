//! Packets that nobody expects.

use super::{OPENED, fails, passes, play_with};
use estab_packetdrill::RunOptions;
use estab_packetdrill::report::{FailureKind, Verdict};

#[test]
fn in_the_middle_the_next_line_meets_it() {
    let failure = fails(
        &format!(
            "{OPENED}+0 write(4, ..., 100) = 100\n+0 close(4) = 0\n+0 > F. 101:101(0) ack 1 <...>"
        ),
        FailureKind::Packet,
    );
    let fields: Vec<_> = failure.differences.iter().map(|d| d.field).collect();
    assert_eq!(fields, ["flags", "seq", "length"]);
}

#[test]
fn after_the_last_line() {
    let text = format!("{OPENED}+0 write(4, ..., 100) = 100");
    let failure = fails(&text, FailureKind::SurplusPacket);
    assert!(
        failure
            .actual
            .as_deref()
            .is_some_and(|actual| actual.starts_with("> P. 1:101(100) ack 1")),
        "{:?}",
        failure.actual
    );
    let options = RunOptions {
        ignore_surplus: true,
        ..RunOptions::default()
    };
    assert_eq!(play_with(&text, &options).verdict, Verdict::Passed);
}

#[test]
fn what_would_come_later_is_no_matter() {
    // It would be retransmitted, but not while the script runs.
    passes(&format!(
        "{OPENED}+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <...>"
    ));
    fails(
        &format!(
            "{OPENED}+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <...>\n+5 close(3) = 0"
        ),
        FailureKind::SurplusPacket,
    );
}

#[test]
fn of_another_connection_of_the_script() {
    fails(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 2) = 0\n\
         +0 < 1001 > 8080 S 0:0(0) win 1000\n\
         +0 < 1002 > 8080 S 0:0(0) win 1000\n+0 > 8080 > 1002 S. 0:0(0) ack 1 <mss 1460>",
        FailureKind::SurplusPacket,
    );
}

#[test]
fn a_message_of_icmp() {
    fails("0 < udp (100)", FailureKind::SurplusPacket);
    fails(
        "0 < icmp echo_request id 7 seq 3",
        FailureKind::SurplusPacket,
    );
}
