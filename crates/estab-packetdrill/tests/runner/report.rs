//! What a run tells of itself.

use super::{OPENED, fails, play, play_with};
use estab_packetdrill::report::{FailureKind, LogKind};
use estab_packetdrill::{RunOptions, parse, run};

#[test]
fn every_event_is_told_as_it_happens() {
    let script = parse("test.pkt", OPENED).expect("a script");
    let mut told = Vec::new();
    let report = run(
        "test.pkt",
        OPENED,
        &script,
        &RunOptions::default(),
        &mut |entry| {
            told.push(entry.clone());
        },
    );
    assert!(report.passed());
    assert_eq!(told, report.log);
    let texts: Vec<_> = told
        .iter()
        .filter(|entry| entry.kind != LogKind::Note)
        .map(|entry| format!("{:.1} {}", entry.time.as_secs_f64(), entry.text))
        .collect();
    assert_eq!(
        texts[..4],
        [
            "0.0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
            "0.0 bind(3, ..., ...) = 0",
            "0.0 listen(3, 1) = 0",
            "0.0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 100 ecr 0,nop,wscale 7>",
        ]
    );
    assert_eq!(texts[6], "0.1 accept(3, ..., ...) = 4");
}

#[test]
fn packets_are_kept_with_what_they_caused() {
    let report = play(OPENED);
    let passed: Vec<_> = report
        .packets
        .iter()
        .map(|packet| (packet.outbound, packet.comments.join("; ")))
        .collect();
    assert_eq!(
        passed,
        [
            (
                false,
                "CLOSED -> LISTEN (passive OPEN); LISTEN -> SYN-RECEIVED (rcv SYN)".to_owned()
            ),
            (true, String::new()),
            (
                false,
                "SYN-RECEIVED -> ESTABLISHED (rcv ACK of SYN)".to_owned()
            ),
        ]
    );
}

#[test]
fn a_failure_is_shown_where_it_is() {
    let text = format!("{OPENED}+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 2 <...>");
    let failure = fails(&text, FailureKind::Packet);
    assert_eq!(failure.message, "the packet differs in ack");
    assert_eq!(
        failure.expected.as_deref(),
        Some("> P. 1:101(100) ack 2 <...>")
    );
    assert_eq!(
        failure.actual.as_deref(),
        Some("> P. 1:101(100) ack 1 win 251 <nop,nop,TS val 800 ecr 200>")
    );
    let lines: Vec<_> = failure.excerpt.lines().collect();
    assert_eq!(lines[0], "test.pkt:10:1");
    assert!(
        lines.contains(&"     9 | +0 write(4, ..., 100) = 100"),
        "{lines:#?}"
    );
    let marked = lines
        .iter()
        .position(|line| line.starts_with('>'))
        .expect("a mark");
    assert_eq!(lines[marked], ">   10 | +0 > P. 1:101(100) ack 2 <...>");
    assert_eq!(
        lines[marked + 1],
        "       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the packet differs in ack"
    );
    let ladder: Vec<_> = failure.ladder.lines().collect();
    assert!(
        ladder[0].contains("estab") && ladder[0].ends_with("script"),
        "{ladder:#?}"
    );
    let last = ladder.last().expect("the packet");
    assert!(
        last.starts_with("  0.100000  |-- P. 1:101(100) ack 1 win 251"),
        "{last}"
    );
    assert!(last.ends_with("->|"), "{last}");
}

#[test]
fn what_a_call_gave_is_told() {
    let failure = fails(
        &format!("{OPENED}+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0"),
        FailureKind::Output,
    );
    assert_eq!(
        failure.actual.as_deref(),
        Some("getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0, value [0]")
    );
}

#[test]
fn a_run_is_the_same_each_time() {
    let text = format!("{OPENED}+0 write(4, ..., 5000) = 5000");
    let options = RunOptions {
        ignore_surplus: true,
        ..RunOptions::default()
    };
    let (first, second) = (play_with(&text, &options), play_with(&text, &options));
    assert_eq!(first.packets, second.packets);
    assert_eq!(first.log, second.log);
    assert!(first.passed() && !first.packets.is_empty());
}
