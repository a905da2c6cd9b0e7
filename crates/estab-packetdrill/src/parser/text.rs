//! Strings with the escapes of C.

use crate::diagnostic::Diagnostic;
use crate::lexer::shown;
use crate::script::Span;

use super::Parsed;

/// The bytes of a string that is written with its quotes.
pub(super) fn unescape(literal: &str, span: Span) -> Parsed<Vec<u8>> {
    let mut bytes = Vec::with_capacity(literal.len());
    let mut rest = &literal[1..literal.len() - 1];
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let Some((byte, len)) = escaped(escape) else {
            let character: String = escape.chars().take(1).collect();
            let message = format!("`\\{}` is not an escape", shown(&character));
            let help =
                "the escapes are \\n \\t \\r \\a \\b \\f \\v \\\\ \\\" \\' \\0, \\x41 and \\101";
            return Err(Box::new(Diagnostic::new(span, message).help(help)));
        };
        bytes.push(byte);
        rest = &escape[len..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// What a backslash and the text after it stand for, and how much of the text that takes.
fn escaped(text: &str) -> Option<(u8, usize)> {
    let simple = match text.as_bytes().first()? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'v' => 0x0b,
        b'\\' => b'\\',
        b'"' => b'"',
        b'\'' => b'\'',
        b'x' => return digits(&text[1..], 16, 2).map(|(byte, len)| (byte, len + 1)),
        b'0'..=b'7' => return digits(text, 8, 3),
        _ => return None,
    };
    Some((simple, 1))
}

/// A byte from at most so many digits.
fn digits(text: &str, radix: u32, max: usize) -> Option<(u8, usize)> {
    let len = text
        .chars()
        .take(max)
        .take_while(|digit| digit.is_digit(radix))
        .count();
    Some((u8::from_str_radix(&text[..len], radix).ok()?, len))
}
