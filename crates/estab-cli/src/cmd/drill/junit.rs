//! Results for build servers: JUnit XML, a suite for each folder.

use super::play::{Outcome, Played};
use super::show;
use anyhow::{Context, Result};
use estab_packetdrill::report::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Writes the results of all runs.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(path: &Path, all: &[Played]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut folders: BTreeMap<&Path, TestSuite> = BTreeMap::new();
    for played in all {
        let suite = folders
            .entry(&played.folder)
            .or_insert_with(|| TestSuite::new(played.folder.display().to_string()));
        suite.add_test_case(case(played)?);
    }
    let mut report = Report::new("estab drill");
    report.add_test_suites(folders.into_values());
    let file = File::create(path).with_context(context)?;
    report.serialize(BufWriter::new(file)).with_context(context)
}

fn case(played: &Played) -> Result<TestCase> {
    let mut status = match played.outcome {
        Outcome::Passed | Outcome::FailedAsExpected => TestCaseStatus::success(),
        Outcome::Skipped => TestCaseStatus::skipped(),
        Outcome::Failed | Outcome::PassedUnexpectedly => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
    };
    match (&played.report.verdict, played.outcome) {
        (Verdict::Skipped(reason), _) => {
            status.set_message(reason.as_str());
        }
        (Verdict::Failed(failure), Outcome::Failed) => {
            let mut text = Vec::new();
            show::script(&mut text, played, false)?;
            status.set_message(failure.message.as_str());
            status.set_type(failure.kind.name());
            status.set_description(String::from_utf8_lossy(&text));
        }
        (_, Outcome::PassedUnexpectedly) => {
            let line = played.expected.as_deref().unwrap_or_default();
            status.set_message(format!("it passed, but is expected to fail by {line}"));
            status.set_type("passed-unexpectedly");
        }
        _ => {}
    }
    let file = Path::new(&played.name).file_name().unwrap_or_default();
    let name = format!("{} ({})", file.to_string_lossy(), played.report.ip_version);
    let mut case = TestCase::new(name, status);
    case.set_classname(played.folder.display().to_string());
    case.set_time(played.report.duration);
    if !played.report.printed.is_empty() {
        case.set_system_out(played.report.printed.as_str());
    }
    Ok(case)
}
