//! From tokens to a script. One method for each part of the grammar; what is wrong with an event is reported, and the
//! next event is read.

mod call;
mod encapsulation;
mod icmp;
mod number;
mod option_lines;
mod packet;
mod tcp_options;
mod text;
mod time;

pub(crate) use option_lines::is_plain_value;
pub(crate) use tcp_options::{MAX_OPTION_BYTES, encoded_len};

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::lexer::{Defines, Kind, Lexer, Token};
use crate::script::{Action, Code, Command, Event, Script, Span};

/// How many bytes a script may have.
pub const MAX_LEN: usize = 1 << 20;

/// How many errors are reported of one script.
pub const MAX_ERRORS: usize = 20;

/// Reads a script. The name is for messages.
///
/// # Errors
///
/// All that is wrong with it, up to [`MAX_ERRORS`] things.
pub fn parse(name: &str, text: &str) -> Result<Script, Diagnostics> {
    parse_with(&Source::new(name, text), &Defines::new())
}

/// Reads a script from bytes that should be UTF-8.
///
/// # Errors
///
/// All that is wrong with it; where the first byte stands that is not UTF-8.
pub fn parse_bytes(name: &str, bytes: &[u8]) -> Result<Script, Diagnostics> {
    parse_with(&source(name, bytes)?, &Defines::new())
}

/// A source from bytes that should be UTF-8.
///
/// # Errors
///
/// Where the first byte stands that is not UTF-8.
pub fn source(name: &str, bytes: &[u8]) -> Result<Source, Diagnostics> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => {
            let start = error.valid_up_to();
            let span = Span {
                start,
                end: start + 1,
            };
            let message = "the script is not UTF-8 text";
            let label = format!("the byte 0x{:02x} begins no character", bytes[start]);
            let source = Source::new(name, String::from_utf8_lossy(bytes));
            Err(Diagnostics::new(
                source,
                vec![Diagnostic::new(span, message).label(label)],
            ))
        }
    }
}

/// Reads a script in which names stand for something else. The script's own definitions come after these.
///
/// # Errors
///
/// All that is wrong with it, up to [`MAX_ERRORS`] things.
pub fn parse_with(source: &Source, defines: &Defines) -> Result<Script, Diagnostics> {
    read(source, defines).map(|read| read.script)
}

/// A script, and what only those need to know who write its text anew.
pub(crate) struct Read {
    pub(crate) script: Script,
    /// Where comments stand, in order.
    pub(crate) comments: Vec<Span>,
    /// Where names stand that stand for something else.
    pub(crate) defined: Vec<Span>,
}

pub(crate) fn read(source: &Source, defines: &Defines) -> Result<Read, Diagnostics> {
    if source.text().len() > MAX_LEN {
        let message = format!("the script is longer than {MAX_LEN} bytes");
        let error = Diagnostic::new(Span::default(), message);
        return Err(Diagnostics::new(
            Source::new(source.name(), ""),
            vec![error],
        ));
    }
    let mut parser = Parser::new(source.text(), defines.clone());
    let script = parser.script();
    let Parser {
        lexer, mut errors, ..
    } = parser;
    errors.extend(lexer.errors);
    if errors.is_empty() {
        return Ok(Read {
            script,
            comments: lexer.comments,
            defined: lexer.defined,
        });
    }
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    errors.truncate(MAX_ERRORS);
    Err(Diagnostics::new(source.clone(), errors))
}

/// What a part of the grammar gives, or why there is none.
type Parsed<T> = Result<T, Box<Diagnostic>>;

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// What comes next.
    token: Token<'a>,
    /// Where the last token that was taken ends.
    end: usize,
    errors: Vec<Diagnostic>,
    /// How deep the expression is nested.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, defines: Defines) -> Self {
        let mut lexer = Lexer::new(text, defines);
        // A byte order mark is no part of the text.
        lexer.seek(if text.starts_with('\u{feff}') { 3 } else { 0 });
        let token = lexer.token();
        Self {
            lexer,
            token,
            end: 0,
            errors: Vec::new(),
            depth: 0,
        }
    }

    fn script(&mut self) -> Script {
        let mut script = Script {
            options: self.option_lines(),
            ..Script::default()
        };
        if self.token.kind == Kind::Backquoted {
            script.init = Some(self.command());
        }
        while self.token.kind != Kind::End && self.errors.len() < MAX_ERRORS {
            if self.token.kind == Kind::Backquoted {
                script.cleanup = Some(self.command());
                self.nothing_more();
                break;
            }
            let start = self.token.span.start;
            match self.event() {
                Ok(event) => script.events.push(event),
                Err(error) => {
                    self.report_unless_broken(*error);
                    self.recover(start);
                }
            }
        }
        if script.events.is_empty() && self.errors.is_empty() && self.lexer.errors.is_empty() {
            let message = "the script has no event";
            let help = "an event is a time and what happens then: `+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3`";
            self.report(Diagnostic::new(self.token.span, message).help(help));
        }
        script
    }

    fn event(&mut self) -> Parsed<Event> {
        let start = self.token.span.start;
        let time = self.time()?;
        let time_span = self.span_from(start);
        let action = match self.token.kind {
            Kind::Sign('<' | '>') => Action::Packet(self.packet()?),
            Kind::Word => Action::Call(self.call()?),
            Kind::Backquoted => Action::Command(self.command()),
            Kind::Code => Action::Code(self.code()),
            _ => return Err(self.expected("a packet, a call, a command or code")),
        };
        self.check_time(time, time_span, &action);
        Ok(Event {
            time,
            action,
            span: self.span_from(start),
        })
    }

    fn command(&mut self) -> Command {
        let token = self.take();
        Command {
            text: token.text[1..token.text.len() - 1].to_owned(),
            span: token.span,
        }
    }

    fn code(&mut self) -> Code {
        let token = self.take();
        Code {
            text: token.text[2..token.text.len() - 2].to_owned(),
            span: token.span,
        }
    }

    /// The closing command is the last thing of a script.
    fn nothing_more(&mut self) {
        if self.token.kind != Kind::End && self.token.kind != Kind::Broken {
            let error = self.expected("the end of the script, after a command without a time");
            let help = "a command between events has a time: `+0 `sleep 1``";
            self.report(error.help(help));
        }
    }

    /// Goes on to what looks like the next event, and over at least one token.
    fn recover(&mut self, event_start: usize) {
        if self.token.span.start == event_start {
            self.take();
        }
        while self.token.kind != Kind::End && !self.begins_event() {
            self.take();
        }
    }

    /// Whether the next token is the first of an event. A number may also go on with a call's arguments.
    fn begins_event(&mut self) -> bool {
        if !self.token.first {
            return false;
        }
        match self.token.kind {
            Kind::Sign('+' | '*') | Kind::Backquoted => true,
            Kind::Number | Kind::Decimal => matches!(
                self.peek().kind,
                Kind::Sign('<' | '>' | '~')
                    | Kind::Ellipsis
                    | Kind::Word
                    | Kind::Backquoted
                    | Kind::Code
            ),
            _ => false,
        }
    }

    /// Takes the next token.
    fn take(&mut self) -> Token<'a> {
        let next = self.lexer.token();
        self.end = self.token.span.end;
        core::mem::replace(&mut self.token, next)
    }

    /// The token after the next.
    fn peek(&mut self) -> Token<'a> {
        let token = self.lexer.token();
        self.lexer.seek(self.token.span.end);
        token
    }

    /// Takes characters from the next token on as they are.
    fn take_raw(&mut self, belongs: impl Fn(char) -> bool) -> (&'a str, Span) {
        let (text, span) = self.lexer.raw(self.token.span.start, belongs);
        self.end = span.end;
        self.token = self.lexer.token();
        (text, span)
    }

    /// Takes a sign if it is the next token.
    fn accept(&mut self, sign: char) -> bool {
        let is = self.token.is(sign);
        if is {
            self.take();
        }
        is
    }

    /// Takes a word if it is the next token.
    fn accept_word(&mut self, word: &str) -> bool {
        let is = self.token.is_word(word);
        if is {
            self.take();
        }
        is
    }

    fn expect(&mut self, sign: char) -> Parsed<Token<'a>> {
        if self.token.is(sign) {
            Ok(self.take())
        } else {
            Err(self.expected(&format!("`{sign}`")))
        }
    }

    fn expect_word(&mut self, word: &str) -> Parsed<Token<'a>> {
        let is = self.token.is_word(word);
        if is {
            Ok(self.take())
        } else {
            Err(self.expected(&format!("`{word}`")))
        }
    }

    /// From a place up to the last token that was taken.
    fn span_from(&self, start: usize) -> Span {
        Span {
            start,
            end: self.end.max(start),
        }
    }

    /// Something else was expected than the next token.
    fn expected(&self, what: &str) -> Box<Diagnostic> {
        let message = format!("expected {what}, found {}", self.token);
        Box::new(Diagnostic::new(self.token.span, message))
    }

    fn report(&mut self, error: Diagnostic) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// The lexer has told what is wrong with a token that does not end.
    fn report_unless_broken(&mut self, error: Diagnostic) {
        if self.token.kind != Kind::Broken {
            self.report(error);
        }
    }
}
