//! What a call came to against what the script says.

use super::message::{Control, ExpectedMessage, parse};
use super::poll::ExpectedEvent;
use super::{Expectation, Expected, address};
use crate::report::{Difference, FailureKind};
use crate::subject::{EpollEvent, Outcome, Output, PollFd, SystemCall};
use crate::symbols::errno_name;
use core::fmt::Display;

/// How a call failed its expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) kind: FailureKind,
    pub(crate) differences: Vec<Difference>,
}

/// Compares. `gives_fd`: the result is a descriptor, whose number is the script's to choose.
pub(crate) fn compare(
    call: &SystemCall,
    expected: &Expectation,
    outcome: &Outcome,
    gives_fd: bool,
) -> Option<Mismatch> {
    let mut differences = Vec::new();
    if let Some(result) = expected.result {
        let same = result == outcome.result || gives_fd && result >= 0 && outcome.result >= 0;
        if !same {
            differences.push(difference("result", result, outcome.result));
        }
    }
    let mut kind = FailureKind::Result;
    let errno = |number: i32| match number {
        0 => "none".to_owned(),
        number => errno_name(number),
    };
    let failed = outcome.result < 0;
    if let Some(number) = expected.errno
        && number != outcome.errno
    {
        if differences.is_empty() {
            kind = FailureKind::Errno;
        }
        differences.push(difference("errno", errno(number), errno(outcome.errno)));
    } else if failed && !differences.is_empty() && expected.errno.is_none() {
        differences.push(difference("errno", "none", errno(outcome.errno)));
    }
    if differences.is_empty() && !failed {
        kind = FailureKind::Output;
        output(call, &expected.output, &outcome.output, &mut differences);
    }
    (!differences.is_empty()).then_some(Mismatch { kind, differences })
}

fn difference(field: &'static str, expected: impl Display, actual: impl Display) -> Difference {
    Difference {
        field,
        expected: expected.to_string(),
        actual: actual.to_string(),
    }
}

fn output(call: &SystemCall, expected: &Expected, actual: &Output, out: &mut Vec<Difference>) {
    match (expected, actual) {
        (Expected::Any | Expected::Pipe(_), _) => {}
        (Expected::Address(expected), Output::Address(actual)) => {
            compare_addresses(expected, actual, out);
        }
        (Expected::Integer(expected), Output::Integer(actual)) => {
            if *expected != i64::from(*actual) {
                out.push(difference("value", expected, actual));
            }
        }
        (Expected::Value(expected, len), Output::Value(actual)) => {
            value(call, expected, *len, actual, out);
        }
        (Expected::Revents(expected), Output::PollFds(actual)) => revents(expected, actual, out),
        (Expected::Events(expected), Output::Events(actual)) => events(expected, actual, out),
        (
            Expected::Message(expected),
            Output::Message {
                address,
                flags,
                control,
            },
        ) => message(expected, address, *flags, control, out),
        // A call that only sets something stores nothing.
        (Expected::Integer(_), Output::None) => {}
        (_, actual) => out.push(difference("output", "something", format!("{actual:?}"))),
    }
}

fn compare_addresses(expected: &[u8], actual: &[u8], out: &mut Vec<Difference>) {
    // Of an IPv6 address flow and scope are not looked at.
    let same = match (address::read(expected), address::read(actual)) {
        (Some(expected), Some(actual)) => {
            expected.ip() == actual.ip() && expected.port() == actual.port()
        }
        _ => expected == actual,
    };
    if !same {
        let (expected, actual) = (address::shown(expected), address::shown(actual));
        out.push(difference("address", expected, actual));
    }
}

fn value(
    call: &SystemCall,
    expected: &[Option<u8>],
    len: Option<u32>,
    actual: &[u8],
    out: &mut Vec<Difference>,
) {
    // A text may be shorter than its room: what follows it is zeros.
    let expected_byte = |at: usize| expected.get(at).copied().unwrap_or(Some(0));
    let compared = expected
        .len()
        .max(if is_text(call) { actual.len() } else { 0 });
    let same = (0..compared).all(|at| match (expected_byte(at), actual.get(at)) {
        (Some(byte), Some(actual)) => byte == *actual,
        (Some(byte), None) => byte == 0 && is_text(call),
        (None, _) => true,
    });
    if !same {
        let known: Vec<u8> = expected.iter().map(|byte| byte.unwrap_or(0)).collect();
        out.push(difference(
            "value",
            shown_value(&known),
            shown_value(actual),
        ));
    }
    if let Some(len) = len
        && !is_text(call)
        && usize::try_from(len) != Ok(actual.len())
    {
        out.push(difference("length", len, actual.len()));
    }
}

fn is_text(call: &SystemCall) -> bool {
    match call {
        SystemCall::GetSockOpt { level, name, .. } => matches!(
            (*level, *name),
            (libc::SOL_TCP, libc::TCP_CONGESTION | libc::TCP_ULP)
                | (libc::SOL_SOCKET, libc::SO_BINDTODEVICE)
        ),
        _ => false,
    }
}

/// A value as a number when it is as long as one.
fn shown_value(bytes: &[u8]) -> String {
    match *bytes {
        [a] => format!("[{a}]"),
        [a, b, c, d] => format!("[{}]", i32::from_ne_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => {
            let first = i32::from_ne_bytes([a, b, c, d]);
            format!("{{{first}, {}}}", i32::from_ne_bytes([e, f, g, h]))
        }
        _ => {
            let shown: Vec<_> = bytes.iter().take(64).map(|b| format!("{b:02x}")).collect();
            format!("{} ({} bytes)", shown.join(" "), bytes.len())
        }
    }
}

fn revents(expected: &[Option<i16>], actual: &[PollFd], out: &mut Vec<Difference>) {
    let both = expected.iter().zip(actual);
    let same = both
        .clone()
        .all(|(expected, actual)| expected.is_none_or(|expected| expected == actual.revents));
    if !same {
        let names = |bits: i16| flag_names(u32::from(bits.cast_unsigned()), "POLL");
        let expected: Vec<_> = expected
            .iter()
            .map(|bits| bits.map_or_else(|| "...".to_owned(), names))
            .collect();
        let actual: Vec<_> = actual.iter().map(|entry| names(entry.revents)).collect();
        out.push(difference(
            "revents",
            expected.join(", "),
            actual.join(", "),
        ));
    }
}

fn events(expected: &[ExpectedEvent], actual: &[EpollEvent], out: &mut Vec<Difference>) {
    let fits = |expected: &ExpectedEvent, actual: &EpollEvent| {
        expected.events.is_none_or(|events| events == actual.events)
            && expected.data.is_none_or(|data| data == actual.data)
    };
    // Fewer may come than the script has room for: their number is the result.
    let same = actual.len() <= expected.len()
        && expected
            .iter()
            .zip(actual)
            .all(|(expected, actual)| fits(expected, actual));
    if !same {
        let event = |events: Option<u32>, data: Option<u64>| {
            let events = events.map_or_else(|| "...".to_owned(), |bits| flag_names(bits, "EPOLL"));
            let data = data.map_or_else(|| "...".to_owned(), |data| data.to_string());
            format!("{{events={events}, u64={data}}}")
        };
        let expected: Vec<_> = expected.iter().map(|e| event(e.events, e.data)).collect();
        let actual = actual.iter().map(|e| event(Some(e.events), Some(e.data)));
        let actual: Vec<_> = actual.collect();
        out.push(difference("events", expected.join(", "), actual.join(", ")));
    }
}

/// Names of the bits of `poll` or `epoll`.
fn flag_names(bits: u32, prefix: &str) -> String {
    const NAMES: [(u32, &str); 14] = [
        (0x1, "IN"),
        (0x2, "PRI"),
        (0x4, "OUT"),
        (0x8, "ERR"),
        (0x10, "HUP"),
        (0x20, "NVAL"),
        (0x40, "RDNORM"),
        (0x80, "RDBAND"),
        (0x100, "WRNORM"),
        (0x200, "WRBAND"),
        (0x400, "MSG"),
        (0x2000, "RDHUP"),
        (0x4000_0000, "ONESHOT"),
        (0x8000_0000, "ET"),
    ];
    let set = NAMES.iter().filter(|(bit, _)| bits & bit != 0);
    let names: Vec<_> = set.map(|(_, name)| format!("{prefix}{name}")).collect();
    if names.is_empty() {
        bits.to_string()
    } else {
        names.join("|")
    }
}

fn message(
    expected: &ExpectedMessage,
    address: &[u8],
    flags: i32,
    control: &[u8],
    out: &mut Vec<Difference>,
) {
    if let Some(expected) = &expected.address {
        compare_addresses(expected, address, out);
    }
    if let Some(expected) = expected.flags
        && expected != flags
    {
        out.push(difference(
            "msg_flags",
            format!("{expected:#x}"),
            format!("{flags:#x}"),
        ));
    }
    let Some(expected) = &expected.control else {
        return;
    };
    let actual = parse(control);
    let same = expected.len() == actual.len()
        && expected.iter().zip(&actual).all(|(expected, actual)| {
            let data = expected.data.as_deref().unwrap_or_default();
            (expected.level, expected.kind) == (actual.level, actual.kind)
                && actual.data.starts_with(data)
        });
    if !same {
        let shown = |level: i32, kind: i32, data: &[u8]| {
            let data = shown_value(data);
            format!("{{cmsg_level={level}, cmsg_type={kind}, cmsg_data={data}}}")
        };
        let expected: Vec<_> = expected
            .iter()
            .map(|c| shown(c.level, c.kind, c.data.as_deref().unwrap_or_default()))
            .collect();
        let one = |c: &Control<'_>| shown(c.level, c.kind, c.data);
        let actual: Vec<_> = actual.iter().map(one).collect();
        out.push(difference(
            "msg_control",
            expected.join(", "),
            actual.join(", "),
        ));
    }
}

/// What a call came to, in the script's words: ` = -1 EAGAIN (Resource temporarily unavailable)`.
pub(crate) fn shown(outcome: &Outcome) -> String {
    if outcome.result >= 0 || outcome.errno == 0 {
        return format!("= {}", outcome.result);
    }
    let text = std::io::Error::from_raw_os_error(outcome.errno).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    format!(
        "= {} {} ({text})",
        outcome.result,
        errno_name(outcome.errno)
    )
}
