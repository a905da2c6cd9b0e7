//! The script around the place where a run left it.

use crate::diagnostic::Source;
use crate::report::Failure;
use crate::script::{Script, Span};
use core::fmt::Write;

/// Lines shown before the marked one, and after it.
const BEFORE: usize = 4;
const AFTER: usize = 2;

/// The script's lines around a failure, the line marked where the script was left.
pub(crate) fn excerpt(source: &Source, script: &Script, failure: &Failure) -> String {
    // The whole event is marked, with its time.
    let event = script
        .events
        .iter()
        .find(|event| event.span.start <= failure.span.start && failure.span.end <= event.span.end);
    let span = event.map_or(failure.span, |event| event.span);
    if span == Span::default() {
        return String::new();
    }
    let (first, column) = source.position(span.start);
    let (last, _) = source.position(span.end.saturating_sub(1).max(span.start));
    let mut out = format!("{}:{first}:{column}\n", source.name());
    let lines = source.text().lines().enumerate();
    let shown = lines
        .map(|(index, line)| (index + 1, line))
        .skip(first.saturating_sub(BEFORE + 1))
        .take(last - first + 1 + BEFORE + AFTER);
    for (number, line) in shown {
        let mark = if (first..=last).contains(&number) {
            '>'
        } else {
            ' '
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{mark}{number:>5} | {line}");
        if number == last {
            let _ = writeln!(out, "       | {} {}", carets(source, span), failure.message);
        }
    }
    out
}

/// What underlines the last line of a span.
fn carets(source: &Source, span: Span) -> String {
    let end = span.end.min(source.text().len());
    let end = source.text().floor_char_boundary(end);
    let start = source.text().floor_char_boundary(span.start);
    let line_start = source.text()[..end].rfind('\n').map_or(0, |at| at + 1);
    let from = start.max(line_start);
    let blanks = source.text()[line_start..from]
        .chars()
        .map(|c| if c == '\t' { '\t' } else { ' ' });
    let marks = source.text()[from..end].chars().map(|_| '^');
    blanks.chain(marks).collect()
}
