//! Calls as a script has them.

use super::Span;

/// A system call with its arguments and its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its arguments.
    pub arguments: Vec<Expression>,
    /// Its result; `...` for any.
    pub result: Expression,
    /// `EAGAIN`, after the result.
    pub errno: Option<(String, Span)>,
    /// `(Resource temporarily unavailable)`: what is said beside it is not compared.
    pub note: Option<String>,
    /// Where.
    pub span: Span,
}

/// An argument or a result, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// What.
    pub value: Value,
    /// Where.
    pub span: Span,
}

/// The forms of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `...`: does not matter, or the script's own.
    Ellipsis,
    /// A number. Hexadecimal ones above `i64::MAX` are the bits of a negative one.
    Integer {
        /// Value.
        value: i64,
        /// How it is written.
        notation: Notation,
    },
    /// A constant's name, such as `SO_LINGER`.
    Symbol(String),
    /// `a | b | c`.
    Or(Vec<Expression>),
    /// `"text"`, its escapes resolved.
    Text(Vec<u8>),
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `{name=value, ...}`; a name may have a length behind it: `msg_name(16)=...`, `msg_iov(1)=[...]`.
    /// Elements without a name (`{..., 1000}` in an iov) have an empty one.
    Struct(Vec<Field>),
    /// `htons(8080)`, `inet_addr("192.0.2.1")`.
    Function {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
}

/// How a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notation {
    /// `10`, `-1`
    #[default]
    Decimal,
    /// `0x10`
    Hexadecimal,
    /// `0644`
    Octal,
}

/// A field of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name; empty when it has none.
    pub name: String,
    /// The length in parentheses behind the name.
    pub len: Option<Expression>,
    /// Its value.
    pub value: Expression,
    /// Where.
    pub span: Span,
}
