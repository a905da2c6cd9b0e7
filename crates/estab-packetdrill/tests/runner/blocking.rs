//! Calls that wait, and their ends.

use super::{OPENED, fails, passes};
use estab_packetdrill::report::FailureKind;

const LISTENING: &str = "
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
";

#[test]
fn accept_waits_for_the_handshake() {
    passes(&format!(
        "{LISTENING}+0...0.2 accept(3, ..., ...) = 4\n+.1 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1 <mss 1460>\n\
         +.1 < . 1:1(0) ack 1 win 1000\n+0 close(4) = 0\n+0 > F. 1:1(0) ack 1"
    ));
}

#[test]
fn connect_waits_for_the_answer() {
    passes(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0...0.1 connect(3, ..., ...) = 0\n\
         +0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>\n\
         +.1 < S. 0:0(0) ack 1 win 5792 <mss 1460>\n+0 > . 1:1(0) ack 1",
    );
}

#[test]
fn the_end_of_a_call_has_its_time() {
    let text = |end: &str| {
        format!(
            "{OPENED}+0...{end} read(4, ..., 1000) = 100\n\
             +.1 < P. 1:101(100) ack 1 win 257 <nop,nop,TS val 300 ecr 700>\n+0 > . 1:1(0) ack 101 <...>"
        )
    };
    passes(&text("0.1"));
    let failure = fails(&text("0.2"), FailureKind::Time);
    assert!(
        failure
            .message
            .contains("returned at 0.200000, it should at 0.300000"),
        "{}",
        failure.message
    );
    fails(&text("0.05"), FailureKind::Time);
}

#[test]
fn a_call_that_never_returns() {
    fails(
        &format!("{OPENED}+0...0.1 read(4, ..., 1000) = 100"),
        FailureKind::Pending,
    );
    fails(
        &format!("{OPENED}+0...0.1 read(4, ..., 1000) = 100\n+60 close(3) = 0"),
        FailureKind::Pending,
    );
}

#[test]
fn a_call_that_waits_though_it_should_not() {
    fails(
        &format!("{OPENED}+0 read(4, ..., 1000) = 100"),
        FailureKind::Blocking,
    );
}

#[test]
fn a_call_that_returns_though_it_should_wait() {
    let failure = fails(
        &format!("{OPENED}+0...0.5 write(4, ..., 100) = 100"),
        FailureKind::Time,
    );
    assert!(
        failure.message.contains("returned at"),
        "{}",
        failure.message
    );
}

#[test]
fn poll_waits_until_its_time_out() {
    passes(&format!(
        "{OPENED}+0...0.25 poll([{{fd=4, events=POLLIN, revents=0}}], 1, 250) = 0"
    ));
    passes(&format!(
        "{OPENED}+0...0.1 poll([{{fd=4, events=POLLIN, revents=POLLIN}}], 1, -1) = 1\n\
         +.1 < P. 1:101(100) ack 1 win 257 <nop,nop,TS val 300 ecr 700>\n+0 > . 1:1(0) ack 101 <...>"
    ));
}

#[test]
fn a_call_that_waits_is_compared_like_any_other() {
    let failure = fails(
        &format!(
            "{OPENED}+0...0.1 read(4, ..., 1000) = 99\n\
             +.1 < P. 1:101(100) ack 1 win 257 <nop,nop,TS val 300 ecr 700>\n+0 > . 1:1(0) ack 101 <...>"
        ),
        FailureKind::Result,
    );
    // It is told where the call stands, not where the script was when it returned.
    assert!(
        failure.excerpt.contains(">    9 | +0...0.1 read"),
        "{}",
        failure.excerpt
    );
}

#[test]
fn one_call_after_the_other_waits() {
    passes(&format!(
        "{OPENED}+0...0.1 read(4, ..., 1000) = 100\n\
         +.1 < P. 1:101(100) ack 1 win 257 <nop,nop,TS val 300 ecr 700>\n+0 > . 1:1(0) ack 101 <...>\n\
         +0...0.1 read(4, ..., 1000) = 50\n\
         +.1 < P. 101:151(50) ack 1 win 257 <nop,nop,TS val 400 ecr 700>\n+0 > . 1:1(0) ack 151 <...>"
    ));
}
