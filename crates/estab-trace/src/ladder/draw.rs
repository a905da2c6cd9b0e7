//! One line of a ladder, in columns.

use super::Side;
use estab_tcp::{Instant, State};

/// Columns between the rails.
const BETWEEN: usize = 66;
/// The longest name of a state.
const STATE: usize = 12;
const TIME: usize = 11;

/// How much of a segment's way a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// From rail to rail.
    Whole,
    /// It leaves; a later row shows it arriving.
    Departs,
    /// It arrives, and left in an earlier row.
    Arrives,
    /// It left and never arrives.
    Lost,
    /// It arrives, and nobody here sent it just so: a duplicate made by the link, or another host's.
    Unsent,
}

pub(super) struct Arrow {
    pub(super) from: Side,
    pub(super) shape: Shape,
    pub(super) label: String,
}

pub(super) struct Row {
    pub(super) time: Instant,
    pub(super) states: [Option<State>; 2],
    pub(super) arrow: Option<Arrow>,
    pub(super) note: Option<(Side, String)>,
}

/// The first line, with the names of the hosts over their rails.
pub(super) fn heading(left: &str, right: &str) -> String {
    let pad = TIME + 1 + STATE;
    format!(
        "{:>TIME$} {left:>STATE$}  {:BETWEEN$}  {right}\n",
        "seconds", ""
    ) + &format!("{:pad$} |{:BETWEEN$}|\n", "", "")
}

impl Row {
    /// The line; `fine` shows microseconds, else milliseconds.
    pub(super) fn draw(&self, fine: bool) -> String {
        let middle = match (&self.arrow, &self.note) {
            (Some(arrow), _) => arrow.draw(),
            (None, Some((Side::Left, text))) => pad(&format!(" {}", clip(text, BETWEEN - 2))),
            (None, Some((Side::Right, text))) => {
                format!("{:>BETWEEN$}", format!("{} ", clip(text, BETWEEN - 2)))
            }
            (None, None) => pad(""),
        };
        let name = |state: Option<State>| state.map_or("", State::name);
        let [left, right] = self.states.map(name);
        let digits = if fine { 6 } else { 3 };
        let time = self.time.as_secs_f64();
        let line = format!("{time:>TIME$.digits$} {left:>STATE$} |{middle}| {right}");
        line.trim_end().into()
    }
}

impl Arrow {
    fn draw(&self) -> String {
        let (before, label, after) = match self.shape {
            Shape::Whole => self.leaves(BETWEEN - 1, '>'),
            Shape::Departs => self.leaves(BETWEEN * 3 / 4, '\\'),
            Shape::Lost => self.leaves(BETWEEN * 7 / 8, 'X'),
            Shape::Arrives => self.arrives('\\'),
            Shape::Unsent => self.arrives('?'),
        };
        match self.from {
            Side::Left => format!("{before}{label}{after}"),
            // The drawing is turned, the label is not.
            Side::Right => format!("{}{label}{}", turn(&after), turn(&before)),
        }
    }

    /// `-- label -----\` up to this column, or further when the label is longer.
    fn leaves(&self, column: usize, end: char) -> (String, String, String) {
        const BEFORE: &str = "-- ";
        let label = clip(&self.label, BETWEEN - BEFORE.len() - 4);
        let used = BEFORE.len() + label.chars().count() + 1;
        let dashes = column.saturating_sub(used).max(1);
        let blanks = BETWEEN - used - dashes - 1;
        let after = format!(" {}{end}{}", "-".repeat(dashes), " ".repeat(blanks));
        (BEFORE.into(), label, after)
    }

    /// `         \----- label ->`
    fn arrives(&self, begin: char) -> (String, String, String) {
        const AFTER: &str = " ->";
        let label = clip(&self.label, BETWEEN - AFTER.len() - 4);
        let used = label.chars().count() + AFTER.len() + 1;
        let start = (BETWEEN / 4).min(BETWEEN - used - 2);
        let dashes = BETWEEN - start - 1 - used;
        let before = format!("{}{begin}{} ", " ".repeat(start), "-".repeat(dashes));
        (before, label, AFTER.into())
    }
}

/// A part of an arrow as it looks from right to left.
fn turn(part: &str) -> String {
    let turned = part.chars().rev().map(|c| match c {
        '>' => '<',
        '\\' => '/',
        c => c,
    });
    turned.collect()
}

fn pad(text: &str) -> String {
    format!("{text:<BETWEEN$}")
}

/// The text, or as much of it as fits.
fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.into();
    }
    let kept: String = text.chars().take(width - 3).collect();
    format!("{kept}...")
}
