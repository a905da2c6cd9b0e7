//! Numbers, and the range of the field that they are for.

use crate::diagnostic::Diagnostic;
use crate::lexer::{Kind, shown};
use crate::script::{Notation, Span};

use super::{Parsed, Parser};

impl Parser<'_> {
    /// A number of at most `max`. One that is too large is reported, and zero in its place.
    pub(super) fn number(&mut self, what: &str, max: u32) -> Parsed<u32> {
        if self.token.kind != Kind::Number {
            return Err(self.expected(&format!("{what}, a number")));
        }
        let token = self.take();
        let digits = token
            .text
            .strip_prefix("0x")
            .or_else(|| token.text.strip_prefix("0X"));
        let value = digits.map_or_else(
            || parse_digits(&token.text, 10),
            |digits| parse_digits(digits, 16),
        );
        match value {
            Ok(value) if value <= u64::from(max) => Ok(value as u32),
            Ok(_) | Err(Bad::TooLarge) => {
                self.too_large(token.span, what, max);
                Ok(0)
            }
            Err(Bad::Malformed) => Err(malformed(token.span, &token.text)),
        }
    }

    pub(super) fn number_u16(&mut self, what: &str) -> Parsed<u16> {
        Ok(self.number(what, u16::MAX.into())? as u16)
    }

    pub(super) fn number_u8(&mut self, what: &str) -> Parsed<u8> {
        Ok(self.number(what, u8::MAX.into())? as u8)
    }

    fn too_large(&mut self, span: Span, what: &str, max: u32) {
        let message = format!("{what} is at most {max}");
        self.report(Diagnostic::new(span, message).label("too large"));
    }
}

/// Why a number has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    Malformed,
    TooLarge,
}

/// A number without a sign, as a call's arguments have them: decimal, `0x1f`, `0644`.
pub(super) fn parse_integer(text: &str) -> Result<(u64, Notation), Bad> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return Ok((parse_digits(digits, 16)?, Notation::Hexadecimal));
    }
    if text.len() > 1 && text.starts_with('0') {
        return Ok((parse_digits(text, 8)?, Notation::Octal));
    }
    Ok((parse_digits(text, 10)?, Notation::Decimal))
}

fn parse_digits(digits: &str, radix: u32) -> Result<u64, Bad> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Bad::Malformed);
    }
    u64::from_str_radix(digits, radix).map_err(|_| Bad::TooLarge)
}

pub(super) fn malformed(span: Span, text: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(
        span,
        format!("`{}` is not a number", shown(text)),
    ))
}
