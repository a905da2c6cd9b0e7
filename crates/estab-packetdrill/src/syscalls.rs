//! System calls: from what the script says to what the kernel would see, and whether what came back is what the script says.

mod address;
mod compare;
mod data;
mod descriptors;
mod files;
mod layout;
mod lower;
mod message;
mod options;
mod poll;
mod sockets;
pub(crate) mod tcp_info;

pub(crate) use address::read as read_address;
pub(crate) use compare::{compare, shown};
pub(crate) use descriptors::{in_call, results, written};

use crate::diagnostic::Diagnostic;
use crate::run::Config;
use crate::script::Call;
use crate::subject::SystemCall;
use crate::symbols;
use lower::Lower;

/// A call that can be made, but for its descriptors, which are still the script's.
#[derive(Clone, Debug)]
pub(crate) struct Lowered {
    pub(crate) call: SystemCall,
    pub(crate) expectation: Expectation,
}

/// What a call should come to.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    /// `None`: anything.
    pub(crate) result: Option<i64>,
    pub(crate) errno: Option<i32>,
    pub(crate) output: Expected,
}

/// What a call should store.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Expected {
    /// It does not matter.
    #[default]
    Any,
    /// A `sockaddr`.
    Address(Vec<u8>),
    /// An `int`.
    Integer(i64),
    /// An option's value; `None` for a byte that does not matter. And its length.
    Value(Vec<Option<u8>>, Option<u32>),
    /// `revents`, one for each entry; `None`: does not matter.
    Revents(Vec<Option<i16>>),
    /// Events that `epoll_wait` gives.
    Events(Vec<poll::ExpectedEvent>),
    /// What `recvmsg` stores.
    Message(message::ExpectedMessage),
    /// Both ends, by the script's numbers.
    Pipe([i32; 2]),
}

/// Why a call was not lowered.
#[derive(Debug)]
pub(crate) enum CallError {
    /// It is wrong.
    Wrong(Vec<Diagnostic>),
    /// It is known, and cannot be made.
    Unsupported(String),
}

/// One entry of the table of calls.
struct Entry {
    name: &'static str,
    /// Arguments, for messages; those in brackets may be left out.
    signature: &'static str,
    least: usize,
    most: usize,
    /// `None` after it reported an error.
    lower: fn(&mut Lower<'_>, &Call) -> Option<(SystemCall, Expected)>,
}

const fn entry(
    name: &'static str,
    signature: &'static str,
    least: usize,
    most: usize,
    lower: fn(&mut Lower<'_>, &Call) -> Option<(SystemCall, Expected)>,
) -> Entry {
    Entry {
        name,
        signature,
        least,
        most,
        lower,
    }
}

#[rustfmt::skip]
const TABLE: &[Entry] = &[
    entry("socket", "domain, type, protocol", 3, 3, sockets::socket),
    entry("bind", "fd, address, length", 3, 3, sockets::bind),
    entry("listen", "fd, backlog", 2, 2, sockets::listen),
    entry("accept", "fd, address, length", 3, 3, sockets::accept),
    entry("accept4", "fd, address, length, flags", 4, 4, sockets::accept),
    entry("connect", "fd, address, length", 3, 3, sockets::connect),
    entry("getsockname", "fd, address, length", 3, 3, sockets::getsockname),
    entry("getpeername", "fd, address, length", 3, 3, sockets::getpeername),
    entry("shutdown", "fd, how", 2, 2, sockets::shutdown),
    entry("close", "fd", 1, 1, sockets::close),
    entry("read", "fd, buffer, count", 3, 3, data::read),
    entry("readv", "fd, iov, count", 3, 3, data::readv),
    entry("recv", "fd, buffer, length, flags", 4, 4, data::recv),
    entry("recvfrom", "fd, buffer, length, flags, address, length", 6, 6, data::recvfrom),
    entry("recvmsg", "fd, message, flags", 3, 3, message::recvmsg),
    entry("write", "fd, buffer, count", 3, 3, data::write),
    entry("writev", "fd, iov, count", 3, 3, data::writev),
    entry("send", "fd, buffer, length, flags", 4, 4, data::send),
    entry("sendto", "fd, buffer, length, flags, address, length", 6, 6, data::sendto),
    entry("sendmsg", "fd, message, flags", 3, 3, message::sendmsg),
    entry("sendfile", "out_fd, in_fd, offset, count", 4, 4, files::sendfile),
    entry("fcntl", "fd, command[, argument]", 2, 3, options::fcntl),
    entry("ioctl", "fd, request[, value]", 2, 3, options::ioctl),
    entry("getsockopt", "fd, level, option, value, length", 5, 5, options::getsockopt),
    entry("setsockopt", "fd, level, option, value, length", 5, 5, options::setsockopt),
    entry("poll", "fds, count, timeout", 3, 3, poll::poll),
    entry("epoll_create", "size", 1, 1, poll::epoll_create),
    entry("epoll_create1", "flags", 1, 1, poll::epoll_create1),
    entry("epoll_ctl", "epfd, operation, fd, event", 4, 4, poll::epoll_ctl),
    entry("epoll_wait", "epfd, events, most, timeout", 4, 4, poll::epoll_wait),
    entry("pipe", "fds", 1, 1, files::pipe),
    entry("pipe2", "fds, flags", 2, 2, files::pipe),
    entry("splice", "fd_in, offset_in, fd_out, offset_out, length, flags", 6, 6, files::splice),
    entry("open", "path, flags[, mode]", 2, 3, files::open),
    entry("dup", "fd", 1, 1, files::dup),
];

/// Calls of the language that no subject of this runner makes.
const UNSUPPORTED: [&str; 4] = ["cap_set", "psp_rx_assoc", "psp_tx_assoc", "mmap"];

/// Lowers a call, with all that is wrong with it.
pub(crate) fn lower(call: &Call, config: &Config) -> Result<Lowered, CallError> {
    if UNSUPPORTED.contains(&call.name.as_str()) {
        let reason = format!("there is no `{}` here", call.name);
        return Err(CallError::Unsupported(reason));
    }
    let Some(entry) = TABLE.iter().find(|entry| entry.name == call.name) else {
        let message = format!("unknown system call `{}`", call.name);
        let error = Diagnostic::new(call.name_span, message);
        let names = TABLE.iter().map(|entry| entry.name);
        return Err(CallError::Wrong(vec![
            match symbols::nearest(&call.name, names) {
                Some(similar) => error.help(format!("there is `{similar}`")),
                None => error,
            },
        ]));
    };
    let count = call.arguments.len();
    if !(entry.least..=entry.most).contains(&count) {
        let message = format!("`{}` does not take {count} arguments", call.name);
        let error = Diagnostic::new(call.span, message);
        let label = format!("it is {}({})", entry.name, entry.signature);
        return Err(CallError::Wrong(vec![error.label(label)]));
    }
    let mut lower = Lower::new(config);
    let lowered = (entry.lower)(&mut lower, call);
    let result = lower.result(&call.result);
    let errno = call
        .errno
        .as_ref()
        .and_then(|(name, span)| lower.errno(name, *span));
    match lowered {
        Some((system_call, output)) if lower.errors.is_empty() => Ok(Lowered {
            call: system_call,
            expectation: Expectation {
                result,
                errno,
                output,
            },
        }),
        _ => Err(CallError::Wrong(lower.errors)),
    }
}
