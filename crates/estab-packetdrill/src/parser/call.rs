//! System calls: arguments, result, error.

use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::script::{Call, Expression, Field, Notation, Span, Value};

use super::number::{Bad, malformed, parse_integer};
use super::text::unescape;
use super::{Parsed, Parser};

/// How deep lists, structures and functions may be nested in one another.
const MAX_DEPTH: usize = 32;

impl Parser<'_> {
    pub(super) fn call(&mut self) -> Parsed<Call> {
        let name = self.take();
        self.expect('(')?;
        let arguments = self.expressions(')')?;
        self.expect('=')?;
        let result = self.result()?;
        let errno = (self.token.kind == Kind::Word).then(|| {
            let word = self.take();
            (word.text.into_owned(), word.span)
        });
        let note = if self.token.is('(') {
            Some(self.note()?)
        } else {
            None
        };
        Ok(Call {
            name: name.text.into_owned(),
            name_span: name.span,
            arguments,
            result,
            errno,
            note,
            span: self.span_from(name.span.start),
        })
    }

    /// What a call returns. A parenthesis after a name begins a note, never a function's arguments.
    fn result(&mut self) -> Parsed<Expression> {
        let first = self.returned()?;
        self.alternatives(first, Self::returned)
    }

    fn returned(&mut self) -> Parsed<Expression> {
        if self.token.kind != Kind::Word {
            return self.primary();
        }
        let word = self.take();
        Ok(Expression {
            value: Value::Symbol(word.text.into_owned()),
            span: word.span,
        })
    }

    /// `(Resource temporarily unavailable)`, up to the parenthesis that closes it, on the same line.
    fn note(&mut self) -> Parsed<String> {
        let start = self.token.span.start;
        let rest = self.lexer.rest(start);
        let mut open = 0;
        for (at, character) in rest.char_indices() {
            match character {
                '(' => open += 1,
                ')' if open == 1 => {
                    let note = rest[1..at].trim().to_owned();
                    self.lexer.seek(start + at + 1);
                    self.end = start + at + 1;
                    self.token = self.lexer.token();
                    return Ok(note);
                }
                ')' => open -= 1,
                '\n' => break,
                _ => {}
            }
        }
        let error = Diagnostic::new(self.token.span, "unterminated note");
        Err(Box::new(error.label("`)` is missing for this")))
    }

    /// Expressions between commas, up to a closing sign, which is taken too.
    fn expressions(&mut self, close: char) -> Parsed<Vec<Expression>> {
        let mut list = Vec::new();
        if self.accept(close) {
            return Ok(list);
        }
        loop {
            list.push(self.expression()?);
            if self.accept(close) {
                return Ok(list);
            }
            self.comma_or(close)?;
        }
    }

    fn comma_or(&mut self, close: char) -> Parsed<()> {
        if self.accept(',') {
            return Ok(());
        }
        Err(self.expected(&format!("`,` or `{close}`")))
    }

    fn expression(&mut self) -> Parsed<Expression> {
        if self.depth == MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(Box::new(Diagnostic::new(self.token.span, message)));
        }
        self.depth += 1;
        let all = self
            .primary()
            .and_then(|first| self.alternatives(first, Self::primary));
        self.depth -= 1;
        all
    }

    /// `| b | c`, if it follows.
    fn alternatives(
        &mut self,
        first: Expression,
        next: fn(&mut Self) -> Parsed<Expression>,
    ) -> Parsed<Expression> {
        if !self.token.is('|') {
            return Ok(first);
        }
        let start = first.span.start;
        let mut list = vec![first];
        while self.accept('|') {
            list.push(next(self)?);
        }
        Ok(Expression {
            value: Value::Or(list),
            span: self.span_from(start),
        })
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let start = self.token.span.start;
        let value = match self.token.kind {
            Kind::Ellipsis => {
                self.take();
                Value::Ellipsis
            }
            Kind::Text => self.text()?,
            Kind::Number | Kind::Sign('-') => self.integer()?,
            Kind::Word => self.symbol_or_function()?,
            Kind::Sign('&') => {
                self.take();
                self.reference()?
            }
            Kind::Sign('[') => {
                self.take();
                Value::List(self.expressions(']')?)
            }
            Kind::Sign('{') => {
                self.take();
                Value::Struct(self.fields()?)
            }
            _ => return Err(self.expected("a value")),
        };
        Ok(Expression {
            value,
            span: self.span_from(start),
        })
    }

    /// `"text"`, `"text"...`: that it goes on does not matter, for only lengths are compared.
    fn text(&mut self) -> Parsed<Value> {
        let token = self.take();
        let bytes = unescape(&token.text, token.span)?;
        if self.token.kind == Kind::Ellipsis {
            self.take();
        }
        Ok(Value::Text(bytes))
    }

    fn integer(&mut self) -> Parsed<Value> {
        let start = self.token.span.start;
        let minus = self.accept('-');
        if self.token.kind != Kind::Number {
            return Err(self.expected("a number"));
        }
        let token = self.take();
        // A name that is defined to be a number may bring a sign along.
        let signed = token.text.strip_prefix('-');
        let digits = signed.unwrap_or(&token.text);
        let span = self.span_from(start);
        let negative = minus != signed.is_some();
        match parse_integer(digits) {
            Ok((value, notation)) => {
                let value = in_range(value, negative, notation).unwrap_or_else(|| {
                    self.out_of_range(span);
                    0
                });
                Ok(Value::Integer { value, notation })
            }
            Err(Bad::TooLarge) => {
                self.out_of_range(span);
                Ok(Value::Integer {
                    value: 0,
                    notation: Notation::Decimal,
                })
            }
            Err(Bad::Malformed) => Err(malformed(token.span, &token.text)),
        }
    }

    fn out_of_range(&mut self, span: Span) {
        let error = Diagnostic::new(span, "the number does not fit into 64 bits");
        self.report(error.label("too large"));
    }

    fn symbol_or_function(&mut self) -> Parsed<Value> {
        let name = self.take().text.into_owned();
        if !self.accept('(') {
            return Ok(Value::Symbol(name));
        }
        Ok(Value::Function {
            name,
            arguments: self.expressions(')')?,
        })
    }

    /// `&sin6_addr`, as strace writes where `inet_pton` puts the address.
    fn reference(&mut self) -> Parsed<Value> {
        if self.token.kind != Kind::Word {
            return Err(self.expected("a name"));
        }
        Ok(Value::Symbol(format!("&{}", self.take().text)))
    }

    fn fields(&mut self) -> Parsed<Vec<Field>> {
        let mut fields = Vec::new();
        if self.accept('}') {
            return Ok(fields);
        }
        loop {
            fields.push(self.field()?);
            if self.accept('}') {
                return Ok(fields);
            }
            self.comma_or('}')?;
        }
    }

    /// `value`, `name=value`, `name(len)=value`
    fn field(&mut self) -> Parsed<Field> {
        let first = self.expression()?;
        let span = first.span;
        if !self.token.is('=') {
            return Ok(Field {
                name: String::new(),
                len: None,
                value: first,
                span,
            });
        }
        let (name, len) = match first.value {
            Value::Symbol(name) if !name.starts_with('&') => (name, None),
            Value::Function {
                name,
                mut arguments,
            } if arguments.len() == 1 => (name, arguments.pop()),
            _ => {
                let error = Diagnostic::new(span, "this is not the name of a field");
                return Err(Box::new(error.label("expected `name=` or `name(length)=`")));
            }
        };
        self.take();
        let value = self.expression()?;
        Ok(Field {
            name,
            len,
            value,
            span: self.span_from(span.start),
        })
    }
}

/// A number with its sign. Hexadecimal ones may also be the bits of a negative one.
fn in_range(value: u64, negative: bool, notation: Notation) -> Option<i64> {
    if negative {
        return 0_i64.checked_sub_unsigned(value);
    }
    match notation {
        Notation::Hexadecimal => Some(value.cast_signed()),
        Notation::Decimal | Notation::Octal => i64::try_from(value).ok(),
    }
}
