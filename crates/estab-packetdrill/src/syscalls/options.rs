//! Options of sockets and descriptors.

use super::Expected;
use super::lower::{Lower, is_ellipsis, is_null};
use crate::script::{Call, Expression, Value};
use crate::subject::SystemCall;

/// Room for a value of which the script says nothing.
const ROOM: u32 = 4096;
/// Longest value.
const VALUE_MAX: usize = 1 << 16;

pub(super) fn getsockopt(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, level, name, value, length] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, level, name) = (lower.fd(fd), lower.int(level), lower.int(name));
    let told = match &length.value {
        Value::Ellipsis => None,
        _ => {
            let told = lower.pointed(length)?;
            Some(lower.narrow::<u32>(told, length)?)
        }
    };
    let (bytes, natural) = if is_ellipsis(value) {
        (Vec::new(), ROOM)
    } else {
        let len = told.map_or(4, |len| len as usize);
        let bytes = lower.value(value, len)?;
        let natural = u32::try_from(bytes.len()).unwrap_or(ROOM);
        (bytes, natural)
    };
    let call = SystemCall::GetSockOpt {
        fd: fd?,
        level: level?,
        name: name?,
        room: told.unwrap_or(natural),
    };
    Some((call, Expected::Value(bytes, told)))
}

pub(super) fn setsockopt(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, level, name, value, length] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, level, name) = (lower.fd(fd), lower.int(level), lower.int(name));
    let told = match &length.value {
        Value::Ellipsis => None,
        _ => Some(lower.count(length)?),
    };
    if told.is_some_and(|len| len > VALUE_MAX) {
        return lower.error(length.span, format!("more than {VALUE_MAX} bytes"));
    }
    let mut bytes: Vec<u8> = if is_ellipsis(value) || is_null(value) {
        Vec::new()
    } else {
        let bytes = lower.value(value, told.unwrap_or(4))?;
        bytes.into_iter().map(|byte| byte.unwrap_or(0)).collect()
    };
    if let Some(told) = told {
        bytes.resize(told, 0);
    }
    let call = SystemCall::SetSockOpt {
        fd: fd?,
        level: level?,
        name: name?,
        value: bytes,
    };
    Some((call, Expected::Any))
}

impl Lower<'_> {
    /// The bytes of an option's value; a number has as many as `len` says.
    fn value(&mut self, from: &Expression, len: usize) -> Option<Vec<Option<u8>>> {
        match &from.value {
            Value::Text(text) => Some(text.iter().copied().map(Some).collect()),
            Value::Struct(fields) => self.structure(fields, from),
            Value::List(list) => match list.as_slice() {
                [] => Some(Vec::new()),
                [one] if matches!(one.value, Value::Struct(_) | Value::Text(_)) => {
                    self.value(one, len)
                }
                [one] if is_ellipsis(one) => Some(vec![None; len]),
                // Several numbers are `int`s one after the other.
                several => {
                    let width = if several.len() == 1 { len } else { 4 };
                    let mut bytes = Vec::new();
                    for number in several {
                        bytes.extend(self.number(number, width)?);
                    }
                    Some(bytes)
                }
            },
            _ => self.number(from, len),
        }
    }

    fn number(&mut self, from: &Expression, len: usize) -> Option<Vec<Option<u8>>> {
        let value = self.integer(from)?;
        let width = match len {
            1 | 2 | 8 => len,
            0 | 3..=7 => 4,
            _ => 8,
        };
        let bytes: Vec<u8> = match width {
            // A byte or two are filled with the low bits, as a cast does.
            1 => vec![value as u8],
            2 => (value as u16).to_ne_bytes().to_vec(),
            4 => {
                let narrow = u32::try_from(value)
                    .map(u32::cast_signed)
                    .or_else(|_| i32::try_from(value));
                let Ok(narrow) = narrow else {
                    return self.error(from.span, format!("{value} does not fit an int"));
                };
                narrow.to_ne_bytes().to_vec()
            }
            _ => value.to_ne_bytes().to_vec(),
        };
        let kept = if len < 4 {
            len.min(bytes.len())
        } else {
            bytes.len()
        };
        Some(bytes.into_iter().take(kept).map(Some).collect())
    }
}

pub(super) fn fcntl(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, command, argument @ ..] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, command) = (lower.fd(fd), lower.int(command));
    let argument = match argument.first() {
        Some(argument) => Some(lower.int(argument)?),
        None => None,
    };
    let call = SystemCall::Fcntl {
        fd: fd?,
        command: command?,
        argument,
    };
    Some((call, Expected::Any))
}

pub(super) fn ioctl(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, request, value @ ..] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, request) = (lower.fd(fd), lower.int(request));
    let (argument, expected) = match value.first() {
        None => (0, Expected::Any),
        Some(value) if is_ellipsis(value) => (0, Expected::Any),
        Some(value) => {
            let number = lower.pointed(value)?;
            (lower.narrow(number, value)?, Expected::Integer(number))
        }
    };
    let call = SystemCall::Ioctl {
        fd: fd?,
        request: request?.cast_unsigned(),
        argument,
    };
    Some((call, expected))
}
