//! `--name=value` at a script's top.

use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::script::{OptionLine, Span};

use super::text::unescape;
use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn option_lines(&mut self) -> Vec<OptionLine> {
        let mut options = Vec::new();
        loop {
            let option = match self.token.kind {
                Kind::Option => self.option_line(),
                Kind::Sign('-') if self.lexer.rest(self.token.span.start).starts_with("-D") => {
                    self.short_define()
                }
                _ => return options,
            };
            match option {
                Ok(option) => options.push(option),
                Err(error) => self.report(*error),
            }
        }
    }

    /// `--name`, `--name=value`, also with blanks around the `=`.
    fn option_line(&mut self) -> Parsed<OptionLine> {
        let start = self.token.span.start;
        let name = self.token.text[2..].to_owned();
        if name.is_empty() {
            self.take();
            let error = Diagnostic::new(self.span_from(start), "an option has a name");
            return Err(Box::new(error.label("such as `--ip_version=ipv4`")));
        }
        self.take();
        let value = if self.token.is('=') {
            let after = self.token.span.end;
            let blanks = self.lexer.rest(after);
            let line = blanks.find('\n').map_or(blanks, |end| &blanks[..end]);
            let skipped = line.len() - line.trim_start().len();
            Some(self.option_value(after + skipped)?)
        } else if self.value_follows() {
            let error = self.expected("`=`");
            self.take();
            return Err(error);
        } else {
            None
        };
        let span = self.span_from(start);
        self.define(&name, value.as_deref(), span);
        Ok(OptionLine { name, value, span })
    }

    /// Whether what follows on the line may be meant as a value.
    fn value_follows(&self) -> bool {
        let is_value = matches!(
            self.token.kind,
            Kind::Word | Kind::Number | Kind::Decimal | Kind::Text
        );
        is_value && !self.token.first
    }

    /// `-DNAME=VALUE`
    fn short_define(&mut self) -> Parsed<OptionLine> {
        let start = self.token.span.start;
        let after = self.lexer.rest(start + 2);
        let skipped = after.len() - after.trim_start_matches([' ', '\t']).len();
        let value = self.option_value(start + 2 + skipped)?;
        let span = self.span_from(start);
        self.define("define", Some(&value), span);
        Ok(OptionLine {
            name: "define".to_owned(),
            value: Some(value),
            span,
        })
    }

    fn define(&mut self, name: &str, value: Option<&str>, span: Span) {
        let Some(value) = value.filter(|_| name == "define") else {
            return;
        };
        if let Err(message) = self.lexer.defines().add(value) {
            self.report(Diagnostic::new(span, message));
        }
        // The next token was read before the name stood for something.
        self.lexer.seek(self.end);
        self.token = self.lexer.token();
    }

    /// What stands there up to the next blank, blanks between quotes not counted; or the string that it is.
    fn option_value(&mut self, at: usize) -> Parsed<String> {
        let rest = self.lexer.rest(at);
        let len = value_length(rest);
        let (raw, span) = (
            &rest[..len],
            Span {
                start: at,
                end: at + len,
            },
        );
        self.lexer.seek(span.end);
        self.end = span.end;
        self.token = self.lexer.token();
        if !raw.starts_with('"') || quoted_length(raw, '"') != Some(len) {
            return Ok(raw.to_owned());
        }
        String::from_utf8(unescape(raw, span)?)
            .map_err(|_| Box::new(Diagnostic::new(span, "the value is not UTF-8 text")))
    }
}

/// How far a value goes. A quote that does not end on its line is a character as any other.
fn value_length(text: &str) -> usize {
    let mut at = 0;
    while let Some(character) = text[at..].chars().next().filter(|c| !c.is_whitespace()) {
        at += match character {
            '"' | '`' => quoted_length(&text[at..], character).unwrap_or(1),
            other => other.len_utf8(),
        };
    }
    at
}

fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if character == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Whether an option's value is read back as it is, without quotes around it.
pub(crate) fn is_plain_value(value: &str) -> bool {
    !value.is_empty() && !value.starts_with('"') && value_length(value) == value.len()
}
