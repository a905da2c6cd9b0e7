//! Results for programs: JSON, one object a line.

use super::play::{Outcome, Played};
use super::show::Counts;
use estab_packetdrill::report::{Failure, Verdict};
use serde_json::{Value, json};

/// A script's result.
pub(super) fn line(played: &Played) -> Value {
    let report = &played.report;
    let mut line = json!({
        "script": played.name,
        "ip_version": report.ip_version.name(),
        "outcome": name(played.outcome),
        "duration": report.duration.as_secs_f64(),
    });
    let mut add = |key: &str, value: Value| {
        line[key] = value;
    };
    match &report.verdict {
        Verdict::Passed => {}
        Verdict::Skipped(reason) => add("reason", json!(reason)),
        Verdict::Failed(failure) => add("failure", failure_object(failure, played.place)),
    }
    if let Some(expected) = &played.expected {
        add("expected_to_fail", json!(expected));
    }
    if !report.notes.is_empty() {
        add("notes", json!(report.notes));
    }
    if !report.printed.is_empty() {
        add("printed", json!(report.printed));
    }
    line
}

/// The result of all.
pub(super) fn summary(counts: &Counts) -> Value {
    json!({
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "failed_as_expected": counts.as_expected,
    })
}

/// The name of an outcome, for programs.
pub(super) fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::FailedAsExpected => "failed-as-expected",
        Outcome::PassedUnexpectedly => "passed-unexpectedly",
    }
}

fn failure_object(failure: &Failure, place: Option<(usize, usize)>) -> Value {
    let differences: Vec<Value> = failure
        .differences
        .iter()
        .map(|difference| {
            json!({
                "field": difference.field,
                "expected": difference.expected,
                "actual": difference.actual,
            })
        })
        .collect();
    json!({
        "kind": failure.kind.name(),
        "message": failure.message,
        "line": place.map(|(line, _)| line),
        "column": place.map(|(_, column)| column),
        "expected": failure.expected,
        "actual": failure.actual,
        "differences": differences,
    })
}
