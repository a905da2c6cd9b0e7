//! Values of arguments. What is wrong is kept, so that several errors can be told at once.

use crate::diagnostic::Diagnostic;
use crate::run::Config;
use crate::script::{Expression, Field, Span, Value};
use crate::symbols;

/// Most bytes of one buffer.
const BUFFER_MAX: i64 = 64 << 20;
/// Most parts of an iov, entries of `poll`, or events of `epoll_wait`.
pub(super) const ENTRIES_MAX: usize = 1024;

pub(super) struct Lower<'a> {
    pub(super) config: &'a Config,
    pub(super) errors: Vec<Diagnostic>,
}

impl<'a> Lower<'a> {
    pub(super) const fn new(config: &'a Config) -> Self {
        Self {
            config,
            errors: Vec::new(),
        }
    }

    /// Says that something else was expected there.
    pub(super) fn expected<T>(&mut self, at: &Expression, what: &str) -> Option<T> {
        self.error(at.span, format!("expected {what}"))
    }

    pub(super) fn error<T>(&mut self, span: Span, message: impl Into<String>) -> Option<T> {
        self.errors.push(Diagnostic::new(span, message));
        None
    }

    /// A number, a name, or an `|` of them.
    pub(super) fn integer(&mut self, from: &Expression) -> Option<i64> {
        match &from.value {
            Value::Integer { value, .. } => Some(*value),
            Value::Symbol(name) => self.symbol(name, from.span),
            Value::Or(parts) => {
                // All of them, so that every unknown name is told.
                let values: Vec<_> = parts.iter().map(|part| self.integer(part)).collect();
                values
                    .into_iter()
                    .try_fold(0, |all, value| Some(all | value?))
            }
            Value::Function { name, arguments } => self.function(name, arguments, from),
            _ => self.expected(from, "a number or the name of one"),
        }
    }

    fn symbol(&mut self, name: &str, span: Span) -> Option<i64> {
        if let Some(value) = symbols::value(name) {
            return Some(value);
        }
        let error = Diagnostic::new(span, format!("unknown name `{name}`"));
        self.errors.push(match symbols::similar(name) {
            Some(similar) => error.help(format!("there is `{similar}`")),
            None => error,
        });
        None
    }

    fn function(&mut self, name: &str, arguments: &[Expression], from: &Expression) -> Option<i64> {
        let [argument] = arguments else {
            return self.expected(from, "a function of one argument");
        };
        let value = self.integer(argument)?;
        match name {
            "htons" | "ntohs" => Some(i64::from(self.narrow::<u16>(value, argument)?.to_be())),
            "htonl" | "ntohl" => Some(i64::from(self.narrow::<u32>(value, argument)?.to_be())),
            _ => self.expected(from, "htons(...) or htonl(...)"),
        }
    }

    /// The number as a smaller type.
    pub(super) fn narrow<T: TryFrom<i64>>(&mut self, value: i64, from: &Expression) -> Option<T> {
        match T::try_from(value) {
            Ok(value) => Some(value),
            Err(_) => self.error(from.span, format!("{value} is out of range here")),
        }
    }

    /// An `int`; what is above `i32::MAX` and has 32 bits is taken for these bits.
    pub(super) fn int(&mut self, from: &Expression) -> Option<i32> {
        let value = self.integer(from)?;
        if let Ok(bits) = u32::try_from(value) {
            return Some(bits.cast_signed());
        }
        self.narrow(value, from)
    }

    pub(super) fn fd(&mut self, from: &Expression) -> Option<i32> {
        match from.value {
            Value::Integer { .. } | Value::Symbol(_) => self.int(from),
            _ => self.expected(from, "a descriptor"),
        }
    }

    /// How many bytes.
    pub(super) fn count(&mut self, from: &Expression) -> Option<usize> {
        let value = self.integer(from)?;
        if value > BUFFER_MAX {
            let message = format!("a buffer of more than {BUFFER_MAX} bytes");
            return self.error(from.span, message);
        }
        self.narrow(value, from)
    }

    /// `[n]`: a pointer to a number.
    pub(super) fn pointed(&mut self, from: &Expression) -> Option<i64> {
        match &from.value {
            Value::List(list) => match list.as_slice() {
                [one] => self.integer(one),
                _ => self.expected(from, "one number in brackets"),
            },
            _ => self.integer(from),
        }
    }

    pub(super) fn list<'e>(&mut self, from: &'e Expression) -> Option<&'e [Expression]> {
        match &from.value {
            Value::List(list) if list.len() <= ENTRIES_MAX => Some(list),
            Value::List(_) => self.error(from.span, format!("more than {ENTRIES_MAX} entries")),
            _ => self.expected(from, "a list in brackets"),
        }
    }

    pub(super) fn fields<'e>(&mut self, from: &'e Expression) -> Option<&'e [Field]> {
        match &from.value {
            Value::Struct(fields) => Some(fields),
            _ => self.expected(from, "a structure in braces"),
        }
    }

    /// Tells which fields are none of these.
    pub(super) fn known_fields(&mut self, fields: &[Field], known: &[&str]) {
        for field in fields {
            if !known.contains(&field.name.as_str()) {
                let message = match field.name.as_str() {
                    "" => "a field without a name".to_owned(),
                    name => format!("unknown field `{name}`"),
                };
                let error = Diagnostic::new(field.span, message);
                self.errors
                    .push(error.label(format!("there are {}", known.join(", "))));
            }
        }
    }

    /// What a call returns; `None`: anything.
    pub(super) fn result(&mut self, from: &Expression) -> Option<i64> {
        match from.value {
            Value::Ellipsis => None,
            _ => self.integer(from),
        }
    }

    pub(super) fn errno(&mut self, name: &str, span: Span) -> Option<i32> {
        if let Some(number) = symbols::errno(name) {
            return Some(number);
        }
        let error = Diagnostic::new(span, format!("unknown error `{name}`"));
        self.errors.push(match symbols::similar(name) {
            Some(similar) => error.help(format!("there is `{similar}`")),
            None => error,
        });
        None
    }
}

/// Is it `...`?
pub(super) const fn is_ellipsis(expression: &Expression) -> bool {
    matches!(expression.value, Value::Ellipsis)
}

/// Is it a NULL pointer?
pub(super) fn is_null(expression: &Expression) -> bool {
    match &expression.value {
        Value::Integer { value, .. } => *value == 0,
        Value::Symbol(name) => name == "NULL",
        _ => false,
    }
}

/// The field of a name.
pub(super) fn field<'e>(fields: &'e [Field], name: &str) -> Option<&'e Field> {
    fields.iter().find(|field| field.name == name)
}
