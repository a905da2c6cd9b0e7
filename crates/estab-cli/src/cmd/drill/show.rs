//! Results for people.

use super::play::{Outcome, Played};
use crate::scenario::wrap;
use anyhow::Result;
use estab_packetdrill::report::{Failure, LogEntry, Verdict};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::Path;

/// How many runs ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    /// Of those that passed, these failed as they were expected to.
    pub(super) as_expected: usize,
}

impl Counts {
    pub(super) fn of<'a>(all: impl IntoIterator<Item = &'a Played>) -> Self {
        let mut counts = Self::default();
        for played in all {
            match played.outcome {
                Outcome::Passed => counts.passed += 1,
                Outcome::Failed | Outcome::PassedUnexpectedly => counts.failed += 1,
                Outcome::Skipped => counts.skipped += 1,
                Outcome::FailedAsExpected => {
                    counts.passed += 1;
                    counts.as_expected += 1;
                }
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
            as_expected,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")?;
        match as_expected {
            0 => Ok(()),
            _ => write!(f, " ({as_expected} passed by failing as expected)"),
        }
    }
}

/// An event as it happens.
pub(super) fn event(out: &mut impl Write, entry: &LogEntry) -> Result<()> {
    Ok(writeln!(
        out,
        "{:>13.6}  {}",
        entry.time.as_secs_f64(),
        entry.text
    )?)
}

/// What became of a script, if it is worth a word.
pub(super) fn script(out: &mut impl Write, played: &Played, verbose: bool) -> Result<()> {
    let run = format!("{} ({})", played.name, played.report.ip_version);
    match (&played.report.verdict, played.outcome) {
        (Verdict::Failed(failure), Outcome::Failed) => {
            let place = played
                .place
                .map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
            writeln!(
                out,
                "FAILED   {}{place} ({}): {}",
                played.name, played.report.ip_version, failure.message
            )?;
            show_failure(out, failure)?;
        }
        (_, Outcome::PassedUnexpectedly) => {
            let line = played.expected.as_deref().unwrap_or_default();
            writeln!(
                out,
                "FAILED   {run}: it passed, but is expected to fail by {line}\n"
            )?;
        }
        (Verdict::Failed(failure), _) if verbose => {
            writeln!(out, "expected {run}: {}\n", failure.message)?
        }
        (Verdict::Skipped(reason), _) if verbose => writeln!(out, "skipped  {run}: {reason}\n")?,
        (Verdict::Passed, _) if verbose => writeln!(out, "passed   {run}\n")?,
        _ => return Ok(()),
    }
    if !played.report.printed.is_empty() {
        writeln!(
            out,
            "Its Python code printed:\n{}",
            indented(&played.report.printed)
        )?;
    }
    Ok(out.flush()?)
}

fn show_failure(out: &mut impl Write, failure: &Failure) -> Result<()> {
    if !failure.excerpt.is_empty() {
        writeln!(out, "{}\n", indented(&failure.excerpt))?;
    }
    let sides = [("expected", &failure.expected), ("actual", &failure.actual)];
    for (name, side) in sides {
        if let Some(side) = side {
            writeln!(out, "  {name:<9} {side}")?;
        }
    }
    for difference in &failure.differences {
        let (expected, actual) = (&difference.expected, &difference.actual);
        writeln!(
            out,
            "  {}: expected {expected}, actual {actual}",
            difference.field
        )?;
    }
    if !failure.ladder.is_empty() {
        writeln!(out, "\n{}", indented(&failure.ladder))?;
    }
    Ok(writeln!(out)?)
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("  {line}")
            }
        })
        .collect();
    lines.join("\n")
}

/// The folders, the reasons of what was skipped, and all in all.
pub(super) fn summary(out: &mut impl Write, all: &[Played]) -> Result<()> {
    let mut folders: BTreeMap<&Path, Vec<&Played>> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, Vec<&Played>> = BTreeMap::new();
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    for played in all {
        folders.entry(&played.folder).or_default().push(played);
        if let Verdict::Skipped(reason) = &played.report.verdict {
            reasons.entry(reason).or_default().push(played);
        }
        for note in &played.report.notes {
            *notes.entry(note).or_default() += 1;
        }
    }
    for (folder, inside) in &folders {
        writeln!(
            out,
            "{}: {}",
            folder.display(),
            Counts::of(inside.iter().copied())
        )?;
    }
    for (reason, skipped) in &reasons {
        let names: Vec<&str> = skipped.iter().map(|played| played.name.as_str()).collect();
        writeln!(out, "\n{} skipped: {reason}", skipped.len())?;
        writeln!(out, "{}", indented(&wrap(&names.join(" "), 100)))?;
    }
    if !notes.is_empty() {
        writeln!(out)?;
    }
    for (note, count) in &notes {
        writeln!(out, "note, {count} times: {note}")?;
    }
    if folders.len() > 1 {
        writeln!(out, "\nall: {}", Counts::of(all))?;
    }
    Ok(())
}
