//! `recvmsg` and `sendmsg`, with control messages.

use super::Expected;
use super::lower::{Lower, field, is_ellipsis};
use crate::script::{Call, Expression, Field, Value};
use crate::subject::SystemCall;

/// Room for control messages when the script speaks of any, bytes.
const CONTROL_ROOM: usize = 4096;
/// Room for an address.
const NAME_ROOM: u32 = 128;

/// What `recvmsg` should store. `None`: does not matter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExpectedMessage {
    pub(crate) address: Option<Vec<u8>>,
    pub(crate) flags: Option<i32>,
    pub(crate) control: Option<Vec<ExpectedControl>>,
}

/// A control message. `None`: does not matter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExpectedControl {
    pub(crate) level: i32,
    pub(crate) kind: i32,
    /// Its beginning.
    pub(crate) data: Option<Vec<u8>>,
}

/// A control message as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Control<'a> {
    pub(super) level: i32,
    pub(super) kind: i32,
    pub(super) data: &'a [u8],
}

const FIELDS: [&str; 4] = ["msg_name", "msg_iov", "msg_flags", "msg_control"];

pub(super) fn recvmsg(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, message, flags] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, flags) = (lower.fd(fd), lower.int(flags));
    let fields = lower.fields(message)?;
    lower.known_fields(fields, &FIELDS);
    let address = match field(fields, "msg_name") {
        Some(name) if !is_ellipsis(&name.value) => {
            let peer = lower.peer_address();
            lower.address(&name.value, peer)?
        }
        _ => None,
    };
    let lens = match field(fields, "msg_iov") {
        Some(iov) => lower.rooms(&iov.value, iov.len.as_ref())?,
        None => Vec::new(),
    };
    let expected_flags = match field(fields, "msg_flags") {
        Some(flags) if !is_ellipsis(&flags.value) => Some(lower.int(&flags.value)?),
        _ => None,
    };
    let control = match field(fields, "msg_control") {
        Some(control) if !is_ellipsis(&control.value) => Some(lower.controls(&control.value)?),
        _ => None,
    };
    let named = |name: &str| field(fields, name).is_some();
    let call = SystemCall::RecvMsg {
        fd: fd?,
        room: named("msg_name").then_some(NAME_ROOM),
        lens,
        control_len: if named("msg_control") {
            CONTROL_ROOM
        } else {
            0
        },
        flags: flags?,
    };
    let expected = ExpectedMessage {
        address,
        flags: expected_flags,
        control,
    };
    Some((call, Expected::Message(expected)))
}

pub(super) fn sendmsg(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, message, flags] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, flags) = (lower.fd(fd), lower.int(flags));
    let fields = lower.fields(message)?;
    lower.known_fields(fields, &FIELDS);
    let address = match field(fields, "msg_name") {
        Some(name) => {
            let peer = lower.peer_address();
            lower.address(&name.value, peer)?
        }
        None => None,
    };
    let data = match field(fields, "msg_iov") {
        Some(iov) => lower.pieces(&iov.value, iov.len.as_ref())?,
        None => Vec::new(),
    };
    let controls = match field(fields, "msg_control") {
        Some(control) if !is_ellipsis(&control.value) => lower.controls(&control.value)?,
        _ => Vec::new(),
    };
    let call = SystemCall::SendMsg {
        fd: fd?,
        address,
        data,
        control: laid_out(&controls),
        flags: flags?,
    };
    Some((call, Expected::Any))
}

impl Lower<'_> {
    fn controls(&mut self, from: &Expression) -> Option<Vec<ExpectedControl>> {
        let list = self.list(from)?;
        list.iter()
            .map(|entry| {
                let fields = self.fields(entry)?;
                self.known_fields(
                    fields,
                    &["cmsg_len", "cmsg_level", "cmsg_type", "cmsg_data"],
                );
                let (Some(level), Some(kind)) =
                    (field(fields, "cmsg_level"), field(fields, "cmsg_type"))
                else {
                    return self.expected(entry, "{cmsg_level=..., cmsg_type=..., cmsg_data=...}");
                };
                let (level, kind) = (self.int(&level.value), self.int(&kind.value));
                let data = match field(fields, "cmsg_data") {
                    Some(data) => self.control_data(&data.value)?,
                    None => None,
                };
                Some(ExpectedControl {
                    level: level?,
                    kind: kind?,
                    data,
                })
            })
            .collect()
    }

    fn control_data(&mut self, from: &Expression) -> Option<Option<Vec<u8>>> {
        match &from.value {
            Value::Ellipsis => Some(None),
            Value::Struct(fields) => self.control_structure(fields),
            Value::List(list) if list.len() == 1 => self.control_data(&list[0]),
            _ => Some(Some(self.int(from)?.to_ne_bytes().to_vec())),
        }
    }

    /// `{ee_errno=..., ee_origin=..., ...}`; times of `scm_timestamping` are on a clock that no script knows.
    fn control_structure(&mut self, fields: &[Field]) -> Option<Option<Vec<u8>>> {
        const EXTENDED_ERROR: [&str; 6] = [
            "ee_errno",
            "ee_origin",
            "ee_type",
            "ee_code",
            "ee_info",
            "ee_data",
        ];
        let timestamps = |field: &Field| matches!(field.name.as_str(), "scm_sec" | "scm_nsec");
        if fields.iter().all(timestamps) {
            return Some(None);
        }
        self.known_fields(fields, &EXTENDED_ERROR);
        let mut number = |name: &str| match field(fields, name) {
            Some(field) if !is_ellipsis(&field.value) => {
                self.int(&field.value).map(i32::cast_unsigned)
            }
            _ => Some(0),
        };
        let [errno, origin, kind, code, info, data] = EXTENDED_ERROR.map(&mut number);
        let byte = |value: Option<u32>| value.map(|value| value.to_le_bytes()[0]);
        let mut out = errno?.to_ne_bytes().to_vec();
        out.extend([byte(origin)?, byte(kind)?, byte(code)?, 0]);
        out.extend(info?.to_ne_bytes());
        out.extend(data?.to_ne_bytes());
        Some(Some(out))
    }
}

/// Length of a `cmsghdr`, and what messages are aligned to.
const HEADER: usize = 16;
const ALIGN: usize = 8;

/// Control messages as the kernel lays them out.
fn laid_out(controls: &[ExpectedControl]) -> Vec<u8> {
    let mut out = Vec::new();
    for control in controls {
        let data = control.data.as_deref().unwrap_or_default();
        out.extend((HEADER + data.len()).to_ne_bytes());
        out.extend(control.level.to_ne_bytes());
        out.extend(control.kind.to_ne_bytes());
        out.extend(data);
        out.resize(out.len().next_multiple_of(ALIGN), 0);
    }
    out
}

/// Takes control messages apart; what is not well-formed ends them.
pub(super) fn parse(mut bytes: &[u8]) -> Vec<Control<'_>> {
    let mut controls = Vec::new();
    loop {
        let Some((&len, rest)) = bytes.split_first_chunk::<8>() else {
            return controls;
        };
        let len = usize::try_from(u64::from_ne_bytes(len)).unwrap_or(usize::MAX);
        let (Some((level, rest)), true) = (rest.split_first_chunk::<4>(), len >= HEADER) else {
            return controls;
        };
        let Some((kind, rest)) = rest.split_first_chunk::<4>() else {
            return controls;
        };
        let Some(data) = rest.get(..len - HEADER) else {
            return controls;
        };
        controls.push(Control {
            level: i32::from_ne_bytes(*level),
            kind: i32::from_ne_bytes(*kind),
            data,
        });
        let next = len.checked_next_multiple_of(ALIGN).unwrap_or(usize::MAX);
        bytes = bytes.get(next..).unwrap_or_default();
    }
}
