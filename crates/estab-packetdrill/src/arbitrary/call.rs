//! Calls with any arguments.

use crate::script::{Call, Expression, Field, Notation, Span, Value};

use super::Choices;

/// Calls that scripts make.
pub(super) const NAMES: [&str; 33] = [
    "socket",
    "bind",
    "listen",
    "accept",
    "accept4",
    "connect",
    "read",
    "readv",
    "recv",
    "recvfrom",
    "recvmsg",
    "write",
    "writev",
    "send",
    "sendto",
    "sendmsg",
    "sendfile",
    "fcntl",
    "ioctl",
    "close",
    "shutdown",
    "getsockopt",
    "setsockopt",
    "poll",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "pipe",
    "splice",
    "open",
    "cap_set",
    "no_such_call",
];

/// Constants that scripts name.
pub(super) const SYMBOLS: [&str; 40] = [
    "AF_INET",
    "AF_INET6",
    "AF_UNSPEC",
    "SOCK_STREAM",
    "SOCK_DGRAM",
    "SOCK_NONBLOCK",
    "IPPROTO_TCP",
    "IPPROTO_UDP",
    "SOL_SOCKET",
    "SOL_TCP",
    "IPPROTO_IP",
    "SO_LINGER",
    "SO_SNDBUF",
    "SO_RCVBUF",
    "SO_ERROR",
    "SO_KEEPALIVE",
    "SO_REUSEADDR",
    "TCP_NODELAY",
    "TCP_CORK",
    "TCP_MAXSEG",
    "TCP_INFO",
    "TCP_USER_TIMEOUT",
    "TCP_CONGESTION",
    "TCP_QUICKACK",
    "MSG_PEEK",
    "MSG_DONTWAIT",
    "MSG_MORE",
    "MSG_OOB",
    "MSG_TRUNC",
    "MSG_EOR",
    "SHUT_RD",
    "SHUT_WR",
    "SHUT_RDWR",
    "F_GETFL",
    "F_SETFL",
    "O_RDWR",
    "O_NONBLOCK",
    "SIOCINQ",
    "SIOCOUTQ",
    "FIONREAD",
];

/// Fields that structures have.
const FIELDS: [&str; 22] = [
    "fd",
    "events",
    "revents",
    "onoff",
    "linger",
    "sa_family",
    "sin_port",
    "sin_addr",
    "sin6_port",
    "sin6_addr",
    "msg_name",
    "msg_iov",
    "msg_flags",
    "msg_control",
    "cmsg_level",
    "cmsg_type",
    "cmsg_data",
    "iov_base",
    "iov_len",
    "ee_errno",
    "scm_sec",
    "u32",
];

const ERRORS: [&str; 6] = [
    "EAGAIN",
    "EINVAL",
    "ECONNRESET",
    "EPIPE",
    "EBADF",
    "ENOTCONN",
];

/// Functions that give a value.
const FUNCTIONS: [&str; 5] = ["htons", "htonl", "inet_addr", "inet_pton", "f"];

/// A call that can be written, whose arguments are nested so deep at most.
pub(super) fn call(choices: &mut Choices<'_>, depth: usize) -> Call {
    let mut result = expression(choices, 1);
    // What stands in parentheses behind a name is a note.
    match &mut result.value {
        Value::Or(list) => list.iter_mut().for_each(no_function),
        _ => no_function(&mut result),
    }
    Call {
        name: choices.of(&NAMES).to_owned(),
        name_span: Span::default(),
        arguments: choices.many(6, |choices| expression(choices, depth)),
        result,
        errno: choices
            .flip()
            .then(|| (choices.of(&ERRORS).to_owned(), Span::default())),
        note: choices.flip().then(|| note(choices)),
        span: Span::default(),
    }
}

fn no_function(result: &mut Expression) {
    if matches!(result.value, Value::Function { .. }) {
        result.value = Value::Ellipsis;
    }
}

fn note(choices: &mut Choices<'_>) -> String {
    (choices.of(&[
        "",
        "Try again",
        "flags O_RDWR|O_NONBLOCK",
        "a (b) c # // \"",
        "é",
    ]))
    .to_owned()
}

/// An argument that can be written.
pub(super) fn expression(choices: &mut Choices<'_>, depth: usize) -> Expression {
    let value = if depth > 0 && choices.below(8) == 1 {
        let mut list = vec![plain(choices, depth - 1), plain(choices, depth - 1)];
        list.extend(choices.many(2, |choices| plain(choices, depth - 1)));
        Value::Or(list.into_iter().map(spanless).collect())
    } else {
        plain(choices, depth)
    };
    spanless(value)
}

fn spanless(value: Value) -> Expression {
    Expression {
        value,
        span: Span::default(),
    }
}

/// Anything but alternatives, which do not nest.
fn plain(choices: &mut Choices<'_>, depth: usize) -> Value {
    let forms = if depth > 0 { 8 } else { 5 };
    match choices.below(forms) {
        0 => Value::Ellipsis,
        1 | 2 => integer(choices),
        3 => symbol(choices),
        4 => Value::Text(text(choices)),
        5 => Value::List(choices.many(4, |choices| expression(choices, depth - 1))),
        6 => Value::Struct(choices.many(4, |choices| field(choices, depth - 1))),
        _ => Value::Function {
            name: choices.of(&FUNCTIONS).to_owned(),
            arguments: choices.many(3, |choices| expression(choices, depth - 1)),
        },
    }
}

fn symbol(choices: &mut Choices<'_>) -> Value {
    let sign = if choices.below(16) == 1 { "&" } else { "" };
    Value::Symbol(format!("{sign}{}", choices.of(&SYMBOLS)))
}

fn integer(choices: &mut Choices<'_>) -> Value {
    let notation = choices.of(&[
        Notation::Decimal,
        Notation::Decimal,
        Notation::Hexadecimal,
        Notation::Octal,
    ]);
    let low = i64::from(choices.number());
    let value = match choices.below(8) {
        1 => -low,
        2 => low << 32 | low,
        3 => choices.of(&[i64::MIN, i64::MAX]),
        _ => low,
    };
    Value::Integer { value, notation }
}

fn text(choices: &mut Choices<'_>) -> Vec<u8> {
    choices.many(8, |choices| choices.below(256) as u8)
}

fn field(choices: &mut Choices<'_>, depth: usize) -> Field {
    let named = choices.below(4) != 1;
    Field {
        name: if named {
            choices.of(&FIELDS).to_owned()
        } else {
            String::new()
        },
        len: (named && choices.below(4) == 1).then(|| expression(choices, depth.min(1))),
        value: expression(choices, depth),
        span: Span::default(),
    }
}
