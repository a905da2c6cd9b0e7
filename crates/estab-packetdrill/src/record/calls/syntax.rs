//! Pieces of calls.

use crate::script::{Call, Expression, Field, Notation, Span, Value};
use estab_posix::Errno;

/// The descriptor of a socket.
pub(super) fn fd(socket: usize) -> Expression {
    let fd = i64::try_from(socket).unwrap_or(i64::MAX).saturating_add(3);
    integer(fd)
}

pub(super) fn expression(value: Value) -> Expression {
    Expression {
        value,
        span: Span::default(),
    }
}

pub(super) fn integer(value: i64) -> Expression {
    expression(Value::Integer {
        value,
        notation: Notation::Decimal,
    })
}

pub(super) fn number(value: usize) -> Expression {
    integer(i64::try_from(value).unwrap_or(i64::MAX))
}

pub(super) fn symbol(name: &str) -> Expression {
    expression(Value::Symbol(name.to_owned()))
}

pub(super) fn ellipsis() -> Expression {
    expression(Value::Ellipsis)
}

pub(super) fn or(names: &[&str]) -> Expression {
    expression(Value::Or(names.iter().map(|name| symbol(name)).collect()))
}

pub(super) fn list(values: Vec<Expression>) -> Expression {
    expression(Value::List(values))
}

pub(super) fn structure(fields: Vec<(&str, Expression)>) -> Expression {
    let field = |(name, value): (&str, Expression)| Field {
        name: name.to_owned(),
        len: None,
        value,
        span: Span::default(),
    };
    expression(Value::Struct(fields.into_iter().map(field).collect()))
}

pub(super) fn function(name: &str, argument: Expression) -> Expression {
    expression(Value::Function {
        name: name.to_owned(),
        arguments: vec![argument],
    })
}

pub(super) fn call(name: &str, arguments: Vec<Expression>, result: Expression) -> Call {
    Call {
        name: name.to_owned(),
        name_span: Span::default(),
        arguments,
        result,
        errno: None,
        note: None,
        span: Span::default(),
    }
}

/// The call that came to nothing, with its error.
pub(super) fn failed(mut call: Call, errno: Errno) -> Call {
    call.result = integer(-1);
    call.errno = Some((errno.name().unwrap_or("EIO").to_owned(), Span::default()));
    call.note = Some(errno.text().to_owned());
    call
}
