//! Python code on `TCP_INFO`.

use super::{OPENED, fails, passes, play};
use estab_packetdrill::report::FailureKind;

#[test]
fn variables_are_those_of_the_moment() {
    passes(&format!(
        "{OPENED}+0 %{{ assert tcpi_state == TCP_ESTABLISHED, tcpi_state }}%\n\
         +0 %{{ assert tcpi_options & TCPI_OPT_SACK and tcpi_unacked == 0; a = tcpi_unacked }}%\n\
         +0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <...>\n\
         +0 %{{\n  if tcpi_unacked:\n    assert tcpi_unacked == a + 1, tcpi_unacked\n  else:\n    assert False\n}}%"
    ));
}

#[test]
fn what_it_prints_is_kept() {
    let report = play(&format!("{OPENED}+0 %{{ print('cwnd', tcpi_snd_cwnd) }}%"));
    assert_eq!(report.printed, "cwnd 10\n");
}

#[test]
fn a_failed_assertion_is_told_with_its_line() {
    let failure = fails(
        &format!("{OPENED}+0 %{{ pass }}%\n+0 %{{\nassert tcpi_snd_cwnd == 11, tcpi_snd_cwnd\n}}%"),
        FailureKind::Code,
    );
    assert_eq!(failure.message, "line 11: AssertionError: 10");
    assert!(
        failure.excerpt.contains(">   10 | +0 %{"),
        "{}",
        failure.excerpt
    );
}

#[test]
fn code_that_is_no_python() {
    let failure = fails(&format!("{OPENED}+0 %{{ if }}%"), FailureKind::Code);
    assert!(
        failure.message.starts_with("line 9: SyntaxError"),
        "{}",
        failure.message
    );
}

#[test]
fn without_a_socket() {
    fails("0 %{ pass }%", FailureKind::Code);
}

#[test]
fn without_python() {
    let report = play(&format!(
        "--code_command=/nowhere/python\n{OPENED}+0 %{{ pass }}%"
    ));
    let reason = "`/nowhere/python` is not there, which its code needs".to_owned();
    assert_eq!(
        report.verdict,
        estab_packetdrill::report::Verdict::Skipped(reason)
    );
}

#[test]
fn code_of_another_script_leaves_nothing() {
    for text in [
        "%{ import sys; secret = 1; print(1); sys.exit(0) }%",
        "%{ print(2) }%",
    ] {
        assert_eq!(play(&format!("{OPENED}+0 {text}")).printed.len(), 2);
    }
    let failure = fails(
        &format!("{OPENED}+0 %{{ print(secret) }}%"),
        FailureKind::Code,
    );
    assert!(failure.message.contains("NameError"), "{}", failure.message);
}

#[test]
fn an_interpreter_that_dies_is_told() {
    let text = format!("{OPENED}+0 %{{ import os; os._exit(3) }}%");
    let failure = fails(&text, FailureKind::Code);
    assert_eq!(failure.message, "`python3` ended without an answer");
}

#[test]
fn code_without_an_end_is_ended() {
    let text = format!("{OPENED}+0 %{{ while True: pass }}%");
    let failure = fails(&text, FailureKind::Code);
    assert_eq!(failure.message, "it took more than 10 s");
}
