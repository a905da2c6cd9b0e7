//! Each field of a packet is compared.

use super::{OPENED, differs, fails, passes};
use estab_packetdrill::report::FailureKind;

fn after(line: &str) -> String {
    format!("{OPENED}+0 write(4, ..., 100) = 100\n{line}\n")
}

#[test]
fn the_right_packet_passes() {
    passes(&after(
        "+0 > P. 1:101(100) ack 1 <nop,nop,TS val 800 ecr 200>",
    ));
    passes(&after("+0 > P. 1:101(100) ack 1 <...>"));
    passes(&after("+0 > [ttl 64, tos 0] P. 1:101(100) ack 1 <...>"));
}

#[test]
fn flags() {
    differs(&after("+0 > . 1:101(100) ack 1 <...>"), "flags", ".", "P.");
    differs(
        &after("+0 > PE. 1:101(100) ack 1 <...>"),
        "flags",
        "PE.",
        "P.",
    );
    differs(
        &after("+0 > P1. 1:101(100) ack 1 <...>"),
        "flags",
        "P1.",
        "P0.",
    );
}

#[test]
fn sequence_number() {
    differs(&after("+0 > P. 2:102(100) ack 1 <...>"), "seq", "2", "1");
}

#[test]
fn acknowledgement_number() {
    differs(&after("+0 > P. 1:101(100) ack 2 <...>"), "ack", "2", "1");
}

#[test]
fn length() {
    differs(
        &after("+0 > P. 1:102(101) ack 1 <...>"),
        "length",
        "101",
        "100",
    );
    differs(
        &after("+0 > P. 1:100(99) ack 1 <...>"),
        "length",
        "99",
        "100",
    );
}

#[test]
fn window() {
    let failure = fails(
        &after("+0 > P. 1:101(100) ack 1 win 1 <...>"),
        FailureKind::Packet,
    );
    let fields: Vec<_> = failure.differences.iter().map(|d| d.field).collect();
    assert_eq!(fields, ["win"]);
}

#[test]
fn options_and_their_order() {
    let shown = "<nop,nop,TS val 800 ecr 200>";
    differs(&after("+0 > P. 1:101(100) ack 1"), "options", "<>", shown);
    differs(
        &after("+0 > P. 1:101(100) ack 1 <TS val 800 ecr 200,nop,nop>"),
        "options",
        "<TS val 800 ecr 200,nop,nop>",
        shown,
    );
    differs(
        &after("+0 > P. 1:101(100) ack 1 <nop,nop,TS val 800 ecr 201>"),
        "options",
        "<nop,nop,TS val 800 ecr 201>",
        shown,
    );
    differs(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n\
         +0 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 1 <mss 1461>",
        "options",
        "<mss 1461>",
        "<mss 1460>",
    );
}

#[test]
fn sack_blocks() {
    let gap = format!("{OPENED}+0 < . 101:201(100) ack 1 win 257 <nop,nop,TS val 200 ecr 700>\n");
    passes(&format!(
        "{gap}+0 > . 1:1(0) ack 1 <nop,nop,TS val 800 ecr 200,nop,nop,sack 101:201>"
    ));
    differs(
        &format!("{gap}+0 > . 1:1(0) ack 1 <nop,nop,TS val 800 ecr 200,nop,nop,sack 101:301>"),
        "options",
        "<nop,nop,TS val 800 ecr 200,nop,nop,sack 101:301>",
        "<nop,nop,TS val 800 ecr 200,nop,nop,sack 101:201>",
    );
}

#[test]
fn tos_ecn_and_ttl() {
    differs(
        &after("+0 > [tos 0x10] P. 1:101(100) ack 1 <...>"),
        "tos",
        "0x10",
        "0x00",
    );
    differs(
        &after("+0 > [ect0] P. 1:101(100) ack 1 <...>"),
        "ecn",
        "ect0",
        "noecn",
    );
    differs(
        &after("+0 > [ttl 63] P. 1:101(100) ack 1 <...>"),
        "ttl",
        "63",
        "64",
    );
    let set = format!(
        "{OPENED}+0 setsockopt(4, SOL_IP, IP_TOS, [0x10], 4) = 0\n+0 write(4, ..., 100) = 100\n"
    );
    differs(
        &format!("{set}+0 > [tos 0x20] P. 1:101(100) ack 1 <...>"),
        "tos",
        "0x20",
        "0x10",
    );
}

#[test]
fn urgent_pointer() {
    let sent = format!("{OPENED}+0 send(4, ..., 10, MSG_OOB) = 10\n");
    passes(&format!("{sent}+0 > PU. 1:11(10) ack 1 urg 10 <...>"));
    differs(
        &format!("{sent}+0 > PU. 1:11(10) ack 1 urg 9 <...>"),
        "urg",
        "9",
        "10",
    );
}

#[test]
fn another_packet_is_not_the_expected_one_at_another_time() {
    let text = format!("{OPENED}+0 write(4, ..., 100) = 100\n+0.1 > . 101:101(0) ack 1 <...>");
    let failure = fails(&text, FailureKind::Packet);
    assert_eq!(failure.message, "the packet differs in seq, time");
}

#[test]
fn too_early_and_too_late() {
    let late = fails(
        &format!("{OPENED}+0 write(4, ..., 100) = 100\n+0.1 > P. 1:101(100) ack 1 <...>"),
        FailureKind::Time,
    );
    assert!(
        late.message.contains("0.100000 s too early"),
        "{}",
        late.message
    );
    // A SYN is sent again after a second.
    let again = "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
                 +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
                 +0 > S 0:0(0) <...>\n";
    passes(&format!("{again}+1 > S 0:0(0) <...>"));
    let failure = fails(&format!("{again}+.5 > S 0:0(0) <...>"), FailureKind::Time);
    assert!(
        failure.message.contains("0.500000 s too late"),
        "{}",
        failure.message
    );
    passes(&format!("{again}+.9~+1.1 > S 0:0(0) <...>"));
    passes(&format!("{again}.9~1.1 > S 0:0(0) <...>"));
    passes(&format!("{again}* > S 0:0(0) <...>\n+2 > S 0:0(0) <...>"));
    fails(
        &format!("{again}+1.4~+1.5 > S 0:0(0) <...>"),
        FailureKind::Time,
    );
    fails(
        &format!("{again}+.5~+.8 > S 0:0(0) <...>"),
        FailureKind::Time,
    );
}

#[test]
fn a_tolerance_is_what_the_options_say() {
    let text = format!("{OPENED}+0 write(4, ..., 100) = 100\n+0.003 > P. 1:101(100) ack 1 <...>");
    passes(&text);
    fails(
        &format!("--tolerance_usecs=2000\n{text}"),
        FailureKind::Time,
    );
    let exact = estab_packetdrill::RunOptions {
        exact: true,
        ..Default::default()
    };
    let report = super::play_with(&text, &exact);
    assert_eq!(report.failure().map(|f| f.kind), Some(FailureKind::Time));
    // Of a gap of 320 ms 12.5 percent; it is due after 300.
    let text = format!("{OPENED}+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <...>\n");
    passes(&format!("{text}+.32 > P. 1:101(100) ack 1 <...>\n"));
    fails(
        &format!("{text}+.36 > P. 1:101(100) ack 1 <...>\n"),
        FailureKind::Time,
    );
}

#[test]
fn a_missing_packet() {
    let failure = fails(
        &format!("{OPENED}+0 > P. 1:101(100) ack 1 <...>"),
        FailureKind::MissingPacket,
    );
    assert_eq!(
        failure.expected.as_deref(),
        Some("> P. 1:101(100) ack 1 <...>")
    );
    assert!(
        failure.excerpt.contains(">    9 | +0 > P."),
        "{}",
        failure.excerpt
    );
}

#[test]
fn one_line_stands_for_several_segments() {
    let written = format!("{OPENED}+0 write(4, ..., 3000) = 3000\n");
    passes(&format!(
        "{written}+0 > P. 1:3001(3000) ack 1 <nop,nop,TS val 800 ecr 200>"
    ));
    // Unless the script will have it so.
    let strict = "+0 > P. 1:3001(3000) ack 1 <nop,nop,TS val 800 ecr 200>";
    let failure = fails(
        &format!("--strict_segments\n{written}{strict}"),
        FailureKind::Packet,
    );
    let fields: Vec<_> = failure.differences.iter().map(|d| d.field).collect();
    assert_eq!(fields, ["flags", "length"]);
    // Fewer than the line has, or more.
    fails(
        &format!("{written}+0 > P. 1:3002(3001) ack 1 <nop,nop,TS val 800 ecr 200>"),
        FailureKind::Packet,
    );
    fails(
        &format!("{written}+0 > P. 1:2999(2998) ack 1 <nop,nop,TS val 800 ecr 200>"),
        FailureKind::Packet,
    );
}

#[test]
fn timestamps_are_compared_when_their_tick_is_known() {
    let text = |value: u32| {
        format!(
            "--tcp_ts_tick_usecs=1000\n{OPENED}+1 write(4, ..., 100) = 100\n\
             +0 > P. 1:101(100) ack 1 <nop,nop,TS val {value} ecr 200>"
        )
    };
    passes(&text(1800));
    differs(
        &text(2800),
        "TS val",
        "2100 ms after the first",
        "1100 ms after the first",
    );
}

#[test]
fn what_is_not_fatal_is_noted() {
    let report = super::play(&format!(
        "--non_fatal=packet,syscall\n{}",
        after("+0 > . 1:101(100) ack 1 <...>\n+0 close(9) = 0")
    ));
    assert_eq!(report.failure(), None);
    assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
}
