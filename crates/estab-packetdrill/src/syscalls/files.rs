//! Pipes, files, and what moves data between descriptors.

use super::Expected;
use super::lower::{Lower, is_ellipsis, is_null};
use crate::script::{Call, Value};
use crate::subject::SystemCall;

/// `pipe` and `pipe2`.
pub(super) fn pipe(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fds, flags @ ..] = call.arguments.as_slice() else {
        return None;
    };
    let ends = match lower.list(fds)? {
        [read, write] => [lower.fd(read)?, lower.fd(write)?],
        _ => return lower.expected(fds, "two descriptors"),
    };
    let flags = match flags.first() {
        Some(flags) => Some(lower.int(flags)?),
        None => None,
    };
    Some((SystemCall::Pipe { flags }, Expected::Pipe(ends)))
}

pub(super) fn splice(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd_in, offset_in, fd_out, offset_out, len, flags] = call.arguments.as_slice() else {
        return None;
    };
    for offset in [offset_in, offset_out] {
        if !is_null(offset) && !is_ellipsis(offset) {
            return lower.expected(offset, "NULL: there are no offsets here");
        }
    }
    let (fd_in, fd_out) = (lower.fd(fd_in), lower.fd(fd_out));
    let (len, flags) = (lower.count(len), lower.int(flags));
    let call = SystemCall::Splice {
        fd_in: fd_in?,
        fd_out: fd_out?,
        len: len?,
        flags: flags?.cast_unsigned(),
    };
    Some((call, Expected::Any))
}

pub(super) fn sendfile(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [out_fd, in_fd, offset, count] = call.arguments.as_slice() else {
        return None;
    };
    let (out_fd, in_fd) = (lower.fd(out_fd), lower.fd(in_fd));
    let offset = match &offset.value {
        Value::List(_) => Some(lower.pointed(offset)?),
        _ if is_null(offset) || is_ellipsis(offset) => None,
        _ => return lower.expected(offset, "[offset] or NULL"),
    };
    let call = SystemCall::SendFile {
        out_fd: out_fd?,
        in_fd: in_fd?,
        offset,
        count: lower.count(count)?,
    };
    Some((call, Expected::Any))
}

pub(super) fn open(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [path, flags, mode @ ..] = call.arguments.as_slice() else {
        return None;
    };
    let Value::Text(text) = &path.value else {
        return lower.expected(path, "a path in quotes");
    };
    let Ok(text) = String::from_utf8(text.clone()) else {
        return lower.expected(path, "a path that is UTF-8 text");
    };
    let flags = lower.int(flags)?;
    let mode = match mode.first() {
        Some(mode) => lower.int(mode)?.cast_unsigned(),
        None => 0,
    };
    let call = SystemCall::Open {
        path: text,
        flags,
        mode,
    };
    Some((call, Expected::Any))
}

pub(super) fn dup(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let fd = lower.fd(call.arguments.first()?)?;
    Some((SystemCall::Dup { fd }, Expected::Any))
}
