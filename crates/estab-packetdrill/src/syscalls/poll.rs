//! `poll` and `epoll`.

use super::Expected;
use super::lower::{Lower, field, is_ellipsis, is_null};
use crate::script::{Call, Expression, Field, Value};
use crate::subject::{EpollEvent, PollFd, SystemCall};

/// An event that `epoll_wait` should give. `None`: does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedEvent {
    pub(crate) events: Option<u32>,
    pub(crate) data: Option<u64>,
}

pub(super) fn poll(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [list, count, timeout] = call.arguments.as_slice() else {
        return None;
    };
    let entries = lower.list(list)?;
    if !is_ellipsis(count) {
        let told = lower.count(count)?;
        if told != entries.len() {
            let message = format!("{told} is said, but there are {} entries", entries.len());
            return lower.error(count.span, message);
        }
    }
    let (mut fds, mut revents) = (Vec::new(), Vec::new());
    for entry in entries {
        let fields = lower.fields(entry)?;
        lower.known_fields(fields, &["fd", "events", "revents"]);
        let Some(fd) = field(fields, "fd") else {
            return lower.expected(entry, "{fd=..., events=..., revents=...}");
        };
        let fd = lower.fd(&fd.value);
        let events = match field(fields, "events") {
            Some(field) => lower.short(field),
            None => Some(0),
        };
        revents.push(match field(fields, "revents") {
            Some(field) if !is_ellipsis(&field.value) => Some(lower.short(field)?),
            _ => None,
        });
        fds.push(PollFd {
            fd: fd?,
            events: events?,
            revents: 0,
        });
    }
    let timeout_ms = lower.int(timeout)?;
    Some((
        SystemCall::Poll { fds, timeout_ms },
        Expected::Revents(revents),
    ))
}

pub(super) fn epoll_create(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let size = lower.int(call.arguments.first()?)?;
    let call = SystemCall::EpollCreate {
        size: Some(size),
        flags: 0,
    };
    Some((call, Expected::Any))
}

pub(super) fn epoll_create1(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let flags = lower.int(call.arguments.first()?)?;
    Some((SystemCall::EpollCreate { size: None, flags }, Expected::Any))
}

pub(super) fn epoll_ctl(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [epfd, op, fd, event] = call.arguments.as_slice() else {
        return None;
    };
    let (epfd, op, fd) = (lower.fd(epfd), lower.int(op), lower.fd(fd));
    let event = if is_null(event) || is_ellipsis(event) {
        None
    } else {
        let event = lower.event(event)?;
        Some(EpollEvent {
            events: event.events.unwrap_or(0),
            data: event.data.unwrap_or(0),
        })
    };
    let call = SystemCall::EpollCtl {
        epfd: epfd?,
        op: op?,
        fd: fd?,
        event,
    };
    Some((call, Expected::Any))
}

pub(super) fn epoll_wait(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [epfd, events, most, timeout] = call.arguments.as_slice() else {
        return None;
    };
    let epfd = lower.fd(epfd);
    let expected = match &events.value {
        Value::Ellipsis => Expected::Any,
        Value::List(_) => {
            let list = lower.list(events)?;
            let events = list.iter().map(|event| lower.event(event));
            Expected::Events(events.collect::<Option<_>>()?)
        }
        _ => Expected::Events(vec![lower.event(events)?]),
    };
    let (max_events, timeout_ms) = (lower.int(most), lower.int(timeout));
    let call = SystemCall::EpollWait {
        epfd: epfd?,
        max_events: max_events?,
        timeout_ms: timeout_ms?,
    };
    Some((call, expected))
}

impl Lower<'_> {
    fn short(&mut self, field: &Field) -> Option<i16> {
        let value = self.integer(&field.value)?;
        let bits = u16::try_from(value).map(u16::cast_signed);
        match bits {
            Ok(bits) => Some(bits),
            Err(_) => self.narrow(value, &field.value),
        }
    }

    /// `{events=EPOLLIN, fd=4}`
    fn event(&mut self, from: &Expression) -> Option<ExpectedEvent> {
        let fields = self.fields(from)?;
        self.known_fields(fields, &["events", "fd", "u32", "u64", "ptr"]);
        let mut event = ExpectedEvent {
            events: None,
            data: None,
        };
        for field in fields.iter().filter(|field| !is_ellipsis(&field.value)) {
            match field.name.as_str() {
                "events" => event.events = Some(self.int(&field.value)?.cast_unsigned()),
                "u64" => event.data = Some(self.integer(&field.value)?.cast_unsigned()),
                "fd" | "u32" | "ptr" => {
                    event.data = Some(self.int(&field.value)?.cast_unsigned().into());
                }
                _ => {}
            }
        }
        Some(event)
    }
}
