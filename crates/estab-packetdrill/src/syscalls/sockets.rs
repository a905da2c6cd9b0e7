//! Sockets themselves.

use super::Expected;
use super::lower::{Lower, is_ellipsis};
use crate::script::{Call, Expression};
use crate::subject::SystemCall;

pub(super) fn socket(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [domain, kind, protocol] = call.arguments.as_slice() else {
        return None;
    };
    let domain = if is_ellipsis(domain) {
        let v6 = lower.config.network.ip_version.sockets_are_v6();
        Some(if v6 { libc::AF_INET6 } else { libc::AF_INET })
    } else {
        lower.int(domain)
    };
    let (kind, protocol) = (lower.int(kind), lower.int(protocol));
    let call = SystemCall::Socket {
        domain: domain?,
        kind: kind?,
        protocol: protocol?,
    };
    Some((call, Expected::Any))
}

pub(super) fn bind(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, address, length] = call.arguments.as_slice() else {
        return None;
    };
    let own = lower.own_address();
    let address = given(lower, address, length, own);
    let fd = lower.fd(fd)?;
    Some((
        SystemCall::Bind {
            fd,
            address: address?,
        },
        Expected::Any,
    ))
}

pub(super) fn connect(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, address, length] = call.arguments.as_slice() else {
        return None;
    };
    let peer = lower.peer_address();
    let address = given(lower, address, length, peer);
    let fd = lower.fd(fd)?;
    Some((
        SystemCall::Connect {
            fd,
            address: address?,
        },
        Expected::Any,
    ))
}

/// An address that must be there, cut or filled to its length.
fn given(
    lower: &mut Lower<'_>,
    address: &Expression,
    length: &Expression,
    own: Vec<u8>,
) -> Option<Vec<u8>> {
    let bytes = lower.address(address, own);
    let Some(mut bytes) = bytes? else {
        return lower.expected(address, "an address");
    };
    if !is_ellipsis(length) {
        bytes.resize(lower.count(length)?, 0);
    }
    Some(bytes)
}

pub(super) fn listen(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, backlog] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, backlog) = (lower.fd(fd), lower.int(backlog));
    let call = SystemCall::Listen {
        fd: fd?,
        backlog: backlog?,
    };
    Some((call, Expected::Any))
}

/// `accept` and `accept4`.
pub(super) fn accept(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, address, length, flags @ ..] = call.arguments.as_slice() else {
        return None;
    };
    let fd = lower.fd(fd);
    let stored = lower.stored_address(address, length);
    let flags = match flags.first() {
        Some(flags) => Some(lower.int(flags)?),
        None => None,
    };
    let (room, expected) = stored?;
    Some((
        SystemCall::Accept {
            fd: fd?,
            room,
            flags,
        },
        expected,
    ))
}

pub(super) fn getsockname(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let (fd, room, expected) = name(lower, call)?;
    Some((SystemCall::GetSockName { fd, room }, expected))
}

pub(super) fn getpeername(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let (fd, room, expected) = name(lower, call)?;
    Some((SystemCall::GetPeerName { fd, room }, expected))
}

fn name(lower: &mut Lower<'_>, call: &Call) -> Option<(i32, u32, Expected)> {
    let [fd, address, length] = call.arguments.as_slice() else {
        return None;
    };
    let fd = lower.fd(fd);
    let (room, expected) = lower.stored_address(address, length)?;
    Some((fd?, room.unwrap_or(0), expected))
}

pub(super) fn shutdown(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, how] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, how) = (lower.fd(fd), lower.int(how));
    Some((SystemCall::Shutdown { fd: fd?, how: how? }, Expected::Any))
}

pub(super) fn close(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let fd = lower.fd(call.arguments.first()?)?;
    Some((SystemCall::Close { fd }, Expected::Any))
}
