//! A script in canonical spelling that keeps its comments and empty lines.

use crate::diagnostic::{Diagnostics, Source};
use crate::lexer::Defines;
use crate::parser::{Read, read};
use crate::script::{Action, Event, Script, Span};

/// How long a line may get before a call goes on in the next.
const WIDTH: usize = 100;

/// What such a line begins with.
const INDENT: &str = "      ";

/// Writes a script's text anew. One event on each line; comments stay where they are, and so does one empty line where
/// there were any. An event with a comment inside, or with a name that stands for something else, stays as it was
/// written. The result is the same script, and formatting it again changes nothing.
///
/// # Errors
///
/// What is wrong with the script.
pub fn format(name: &str, text: &str) -> Result<String, Diagnostics> {
    let Read {
        script,
        comments,
        defined,
    } = read(&Source::new(name, text), &Defines::new())?;
    let stays = |span| holds_one(span, &comments) || holds_one(span, &defined);
    let items = items(text, &script, stays);
    let outside = comments.iter().filter(|comment| {
        let before = items.partition_point(|item| item.span.start <= comment.start);
        before == 0 || items[before - 1].span.end <= comment.start
    });
    let mut pieces: Vec<_> = outside.map(|span| comment(text, *span)).collect();
    pieces.extend(items.iter().cloned());
    pieces.sort_by_key(|piece| piece.span.start);
    Ok(lay_out(text, &pieces))
}

#[derive(Clone)]
struct Piece {
    span: Span,
    text: String,
    is_comment: bool,
}

/// All that a script consists of, in order. `stays` tells what keeps its spelling.
fn items(text: &str, script: &Script, stays: impl Fn(Span) -> bool) -> Vec<Piece> {
    let piece = |span, canonical: String| {
        let text = if stays(span) {
            text[span.start..span.end].to_owned()
        } else {
            canonical
        };
        Piece {
            span,
            text,
            is_comment: false,
        }
    };
    let mut items = Vec::new();
    items.extend(
        script
            .options
            .iter()
            .map(|option| piece(option.span, option.to_string())),
    );
    items.extend(
        script
            .init
            .iter()
            .map(|command| piece(command.span, command.to_string())),
    );
    items.extend(
        script
            .events
            .iter()
            .map(|event| piece(event.span, event_text(event))),
    );
    items.extend(
        script
            .cleanup
            .iter()
            .map(|command| piece(command.span, command.to_string())),
    );
    items
}

/// Whether one of some places, which are in order, lies inside of a span.
fn holds_one(span: Span, places: &[Span]) -> bool {
    let first = places.partition_point(|place| place.start < span.start);
    places.get(first).is_some_and(|place| place.end <= span.end)
}

fn comment(text: &str, span: Span) -> Piece {
    Piece {
        span,
        text: text[span.start..span.end].trim_end().to_owned(),
        is_comment: true,
    }
}

/// A comment stays on the line of what stands before it; all else begins a line of its own.
fn lay_out(text: &str, pieces: &[Piece]) -> String {
    let mut output = String::with_capacity(text.len());
    let mut end = 0;
    for piece in pieces {
        let newlines = text[end..piece.span.start].matches('\n').count();
        if output.is_empty() {
        } else if piece.is_comment && newlines == 0 {
            output.push(' ');
        } else {
            output.push_str(if newlines > 1 { "\n\n" } else { "\n" });
        }
        output.push_str(&piece.text);
        end = piece.span.end;
    }
    output.push('\n');
    output
}

fn event_text(event: &Event) -> String {
    let line = event.to_string();
    match event.action {
        Action::Call(_) if line.chars().count() > WIDTH => wrap(&line),
        _ => line,
    }
}

/// Breaks a call's line after commas between its arguments.
fn wrap(line: &str) -> String {
    let mut output = String::with_capacity(line.len() + 64);
    let mut column = 0;
    for part in parts(line) {
        let width = part.trim_end().chars().count();
        if column > INDENT.len() && column + width > WIDTH {
            output.truncate(output.trim_end().len());
            output.push('\n');
            output.push_str(INDENT);
            column = INDENT.len();
        }
        output.push_str(part);
        column += part.chars().count();
    }
    output
}

/// A call's line in pieces that must not be broken. All after the arguments is one of them.
fn parts(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0, false, false);
    for (at, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ' ' if depth > 0 => {
                parts.push(&line[start..=at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&line[start..]);
    parts
}
