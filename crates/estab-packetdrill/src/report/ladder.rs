//! The ladder of a run: the subject's rail on the left, the script's on the right, time runs down.

use super::{LogEntry, LogKind};

/// How many events are drawn.
const SHOWN: usize = 16;
/// Least width between the rails, and the widest that is filled up.
const WIDTH: usize = 40;
const WIDTH_MAX: usize = 100;

/// Draws the last events.
pub(crate) fn ladder(log: &[LogEntry], subject: &str) -> String {
    let shown = &log[log.len().saturating_sub(SHOWN)..];
    let arrow_width = |entry: &LogEntry| match entry.kind {
        LogKind::Inbound | LogKind::Outbound => label(entry).chars().count() + 8,
        _ => 0,
    };
    let width = shown.iter().map(arrow_width).max().unwrap_or(0);
    let width = width.clamp(WIDTH, WIDTH_MAX);
    let mut out = format!("   seconds  {subject:<width$}  script\n");
    if shown.len() < log.len() {
        out.push_str("            ...\n");
    }
    for entry in shown {
        let time = entry.time.as_secs_f64();
        let row = match entry.kind {
            LogKind::Outbound => arrow(label(entry), width, "|-- ", ">|"),
            LogKind::Inbound => arrow(label(entry), width, "|<- ", "-|"),
            LogKind::Call | LogKind::Command => format!("| {}", entry.text),
            LogKind::Note => format!("|   ({})", entry.text),
        };
        out.push_str(&format!("{time:>10.6}  {row}\n"));
    }
    out
}

/// A packet without the sign of its direction, which is drawn.
fn label(entry: &LogEntry) -> &str {
    entry.text.trim_start_matches(['<', '>', ' '])
}

fn arrow(label: &str, width: usize, left: &str, right: &str) -> String {
    let used = left.len() + label.chars().count() + 1 + right.len();
    let dashes = "-".repeat((width + 2).saturating_sub(used));
    format!("{left}{label} {dashes}{right}")
}
