//! When an event happens.

use core::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::lexer::{Kind, shown};
use crate::script::{Action, Direction, Span, Time};

use super::{Parsed, Parser};

/// What may stand where an event begins.
const A_TIME: &str = "an event, which begins with a time (`0.1`, `+0.1` or `*`)";

impl Parser<'_> {
    /// The time with which an event begins.
    pub(super) fn time(&mut self) -> Parsed<Time> {
        if self.accept('*') {
            return Ok(Time::Any);
        }
        let start = self.token.span.start;
        let relative = self.accept('+');
        let first = if relative {
            self.seconds("seconds")?
        } else {
            self.seconds(A_TIME)?
        };
        let time = if self.accept('~') {
            if relative {
                self.expect('+')?;
            }
            let last = self.seconds("seconds")?;
            if relative {
                Time::RelativeRange(first, last)
            } else {
                Time::AbsoluteRange(first, last)
            }
        } else if self.token.kind == Kind::Ellipsis {
            self.take();
            let end = self.seconds("the time at which the call returns, in seconds")?;
            if relative {
                Time::RelativeBlocking(first, end)
            } else {
                Time::AbsoluteBlocking(first, end)
            }
        } else if relative {
            return Ok(Time::Relative(first));
        } else {
            return Ok(Time::Absolute(first));
        };
        self.check_order(time, start);
        Ok(time)
    }

    fn check_order(&mut self, time: Time, start: usize) {
        let (Time::AbsoluteRange(first, last)
        | Time::RelativeRange(first, last)
        | Time::AbsoluteBlocking(first, last)
        | Time::RelativeBlocking(first, last)) = time
        else {
            return;
        };
        if last < first {
            let message = "the time range ends before it begins";
            let error = Diagnostic::new(self.span_from(start), message);
            self.report(error.label("the later time comes second"));
        }
    }

    /// Ranges are for packets that are expected, and only calls block.
    pub(super) fn check_time(&mut self, time: Time, span: Span, action: &Action) {
        let outbound =
            matches!(action, Action::Packet(packet) if packet.direction == Direction::Outbound);
        let message = match time {
            Time::Absolute(_) | Time::Relative(_) => return,
            Time::Any if outbound => return,
            Time::AbsoluteRange(..) | Time::RelativeRange(..) if outbound => return,
            Time::AbsoluteBlocking(..) | Time::RelativeBlocking(..)
                if matches!(action, Action::Call(_)) =>
            {
                return;
            }
            Time::Any => "only an outbound packet may come at any time",
            Time::AbsoluteRange(..) | Time::RelativeRange(..) => {
                "only an outbound packet may come within a range of time"
            }
            Time::AbsoluteBlocking(..) | Time::RelativeBlocking(..) => {
                "only a call has a time at which it returns"
            }
        };
        self.report(Diagnostic::new(span, message));
    }

    fn seconds(&mut self, what: &str) -> Parsed<Duration> {
        if !matches!(self.token.kind, Kind::Number | Kind::Decimal) {
            return Err(self.expected(what));
        }
        let token = self.take();
        parse_seconds(&token.text).ok_or_else(|| {
            let message = format!("`{}` is not a time in seconds", shown(&token.text));
            let help = format!("a time is a decimal number, at most {MAX_SECONDS}");
            Box::new(Diagnostic::new(token.span, message).help(help))
        })
    }
}

/// More than a hundred years: sums of times stay far from any limit.
const MAX_SECONDS: u32 = u32::MAX;

/// Seconds with a fraction, of which nine digits count.
fn parse_seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds = if whole.is_empty() { 0 } else { decimal(whole)? };
    let mut nanos = 0;
    for index in 0..9 {
        let digit = fraction
            .as_bytes()
            .get(index)
            .map_or(0, |byte| u32::from(byte - b'0'));
        nanos = nanos * 10 + digit;
    }
    Some(Duration::new(seconds.into(), nanos))
}

fn decimal(digits: &str) -> Option<u32> {
    digits
        .bytes()
        .all(|digit| digit.is_ascii_digit())
        .then(|| digits.parse().ok())?
}
