//! From text to tokens, one at a time: what a few characters mean depends on where they stand, so the parser may also
//! take characters as they are ([`Lexer::raw`]).

mod define;

pub use define::Defines;

use core::fmt;
use std::borrow::Cow;

use crate::diagnostic::Diagnostic;
use crate::parser::MAX_ERRORS;
use crate::script::Span;

/// A token with its text and its place.
#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    /// As it is written, quotes included; what a defined name stands for.
    pub(crate) text: Cow<'a, str>,
    pub(crate) span: Span,
    /// The first on its line.
    pub(crate) first: bool,
    /// It stands for what a name was defined to be.
    pub(crate) defined: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `socket`, `AF_INET`
    Word,
    /// `10`, `0x1f`. May have letters that do not belong there.
    Number,
    /// `0.1`, `.01`
    Decimal,
    /// `"text"`
    Text,
    /// Shell commands.
    Backquoted,
    /// `%{ ... }%`
    Code,
    /// `--name`
    Option,
    /// `...`
    Ellipsis,
    /// Any other character.
    Sign(char),
    /// The end of the text.
    End,
    /// Unterminated: reported already.
    Broken,
}

impl Token<'_> {
    pub(crate) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

/// How a message names it.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::End => f.write_str("the end of the script"),
            Kind::Code => f.write_str("code"),
            Kind::Backquoted => f.write_str("a command in backquotes"),
            Kind::Sign(sign) => write!(f, "`{}`", sign.escape_debug()),
            Kind::Text if self.text.chars().count() > MAX_SHOWN => f.write_str("a string"),
            _ => write!(f, "`{}`", shown(&self.text)),
        }
    }
}

/// How many characters of a token a message shows.
const MAX_SHOWN: usize = 24;

/// The beginning of a text as a message shows it.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(MAX_SHOWN) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    defines: Defines,
    /// What it found wrong.
    pub(crate) errors: Vec<Diagnostic>,
    /// Where comments stand, in order.
    pub(crate) comments: Vec<Span>,
    /// Where names stand that stand for something else, in order.
    pub(crate) defined: Vec<Span>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, defines: Defines) -> Self {
        Self {
            text,
            at: 0,
            defines,
            errors: Vec::new(),
            comments: Vec::new(),
            defined: Vec::new(),
        }
    }

    pub(crate) fn defines(&mut self) -> &mut Defines {
        &mut self.defines
    }

    /// The next token is the one that begins at or after this byte.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    /// What follows a place.
    pub(crate) fn rest(&self, at: usize) -> &'a str {
        &self.text[at..]
    }

    /// Characters from a place on as long as they are of one sort; the next token begins after them.
    pub(crate) fn raw(&mut self, at: usize, belongs: impl Fn(char) -> bool) -> (&'a str, Span) {
        let rest = self.rest(at);
        let len = rest
            .find(|character| !belongs(character))
            .unwrap_or(rest.len());
        self.at = at + len;
        (
            &rest[..len],
            Span {
                start: at,
                end: self.at,
            },
        )
    }

    pub(crate) fn token(&mut self) -> Token<'a> {
        let before = self.at;
        self.skip_blanks();
        let first = before == 0 || self.text[before..self.at].contains('\n');
        let start = self.at;
        let (kind, len) = self.scan();
        self.at = start + len;
        let span = Span {
            start,
            end: self.at,
        };
        let text = &self.text[start..self.at];
        if kind == Kind::Word
            && let Some((kind, value)) = self.defines.resolve(text)
        {
            add(&mut self.defined, span);
            return Token {
                kind,
                text: Cow::Owned(value),
                span,
                first,
                defined: true,
            };
        }
        Token {
            kind,
            text: Cow::Borrowed(text),
            span,
            first,
            defined: false,
        }
    }

    /// Kind and length of what begins here.
    fn scan(&mut self) -> (Kind, usize) {
        let rest = self.rest(self.at);
        let Some(character) = rest.chars().next() else {
            return (Kind::End, 0);
        };
        match character {
            'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, length(rest, is_word_character)),
            '0'..='9' => number(rest),
            '.' if rest.starts_with("...") => (Kind::Ellipsis, 3),
            '.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => (
                Kind::Decimal,
                1 + length(&rest[1..], |c| c.is_ascii_digit()),
            ),
            '"' => self.text_literal(rest),
            '`' => self.until(rest, Kind::Backquoted, "`", "`", "command"),
            '%' if rest.starts_with("%{") => self.until(rest, Kind::Code, "%{", "}%", "code"),
            '-' if rest.starts_with("--") => (
                Kind::Option,
                2 + length(&rest[2..], |c| is_word_character(c) || c == '-'),
            ),
            other => (Kind::Sign(other), other.len_utf8()),
        }
    }

    /// What ends at a closing mark, on whatever line.
    fn until(
        &mut self,
        rest: &str,
        kind: Kind,
        open: &str,
        close: &str,
        what: &str,
    ) -> (Kind, usize) {
        if let Some(end) = rest[open.len()..].find(close) {
            return (kind, open.len() + end + close.len());
        }
        self.unterminated(open.len(), what, close);
        (Kind::Broken, rest.len())
    }

    /// A string ends on its line.
    fn text_literal(&mut self, rest: &str) -> (Kind, usize) {
        let mut escaped = false;
        for (at, character) in rest.char_indices().skip(1) {
            match character {
                '\n' => {
                    self.unterminated(1, "string", "\"");
                    return (Kind::Broken, at);
                }
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return (Kind::Text, at + 1),
                _ => {}
            }
        }
        self.unterminated(1, "string", "\"");
        (Kind::Broken, rest.len())
    }

    /// White space and comments.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest(self.at);
            self.at += rest.len() - rest.trim_start().len();
            let rest = rest.trim_start();
            let start = self.at;
            if rest.starts_with('#') || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let len = comment.find("*/").map(|end| end + 4);
                if len.is_none() {
                    self.unterminated(2, "comment", "*/");
                }
                self.at += len.unwrap_or(rest.len());
            } else {
                return;
            }
            add(
                &mut self.comments,
                Span {
                    start,
                    end: self.at,
                },
            );
        }
    }

    fn unterminated(&mut self, open: usize, what: &str, close: &str) {
        let span = Span {
            start: self.at,
            end: self.at + open,
        };
        let error = Diagnostic::new(span, format!("unterminated {what}"))
            .label(format!("`{close}` is missing for this"));
        if self.errors.len() < MAX_ERRORS && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

/// Notes a place, once: the same text may be read more than once.
fn add(places: &mut Vec<Span>, span: Span) {
    if places.last().is_none_or(|last| last.end <= span.start) {
        places.push(span);
    }
}

/// Digits, with what hangs on them; or with a fraction.
fn number(rest: &str) -> (Kind, usize) {
    let digits = length(rest, |c| c.is_ascii_digit());
    let after = &rest[digits..];
    if let Some(fraction) = after.strip_prefix('.')
        && fraction.starts_with(|next: char| next.is_ascii_digit())
    {
        return (
            Kind::Decimal,
            digits + 1 + length(fraction, |c| c.is_ascii_digit()),
        );
    }
    (Kind::Number, length(rest, is_word_character))
}

fn length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character))
        .unwrap_or(text.len())
}

fn is_word_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
