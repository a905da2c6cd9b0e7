//! Reading and writing.

use super::Expected;
use super::lower::{ENTRIES_MAX, Lower, is_ellipsis};
use crate::script::{Call, Expression, Value};
use crate::subject::SystemCall;

/// Most bytes of all buffers of a call together.
const TOTAL_MAX: usize = 64 << 20;

pub(super) fn read(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, _, len] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, len) = (lower.fd(fd), lower.count(len));
    Some((SystemCall::Read { fd: fd?, len: len? }, Expected::Any))
}

pub(super) fn readv(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, iov, count] = call.arguments.as_slice() else {
        return None;
    };
    let fd = lower.fd(fd);
    let lens = lower.rooms(iov, Some(count))?;
    Some((SystemCall::Readv { fd: fd?, lens }, Expected::Any))
}

pub(super) fn recv(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, _, len, flags] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, len, flags) = (lower.fd(fd), lower.count(len), lower.int(flags));
    let call = SystemCall::Recv {
        fd: fd?,
        len: len?,
        flags: flags?,
    };
    Some((call, Expected::Any))
}

pub(super) fn recvfrom(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, _, len, flags, address, length] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, len, flags) = (lower.fd(fd), lower.count(len), lower.int(flags));
    let (room, expected) = lower.stored_address(address, length)?;
    let call = SystemCall::RecvFrom {
        fd: fd?,
        len: len?,
        flags: flags?,
        room,
    };
    Some((call, expected))
}

pub(super) fn write(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, buffer, len] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, data) = (lower.fd(fd), lower.data(buffer, len));
    Some((
        SystemCall::Write {
            fd: fd?,
            data: data?,
        },
        Expected::Any,
    ))
}

pub(super) fn writev(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, iov, count] = call.arguments.as_slice() else {
        return None;
    };
    let fd = lower.fd(fd);
    let data = lower.pieces(iov, Some(count))?;
    Some((SystemCall::Writev { fd: fd?, data }, Expected::Any))
}

pub(super) fn send(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, buffer, len, flags] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, data) = (lower.fd(fd), lower.data(buffer, len));
    let flags = lower.int(flags)?;
    let call = SystemCall::Send {
        fd: fd?,
        data: data?,
        flags,
    };
    Some((call, Expected::Any))
}

pub(super) fn sendto(lower: &mut Lower<'_>, call: &Call) -> Option<(SystemCall, Expected)> {
    let [fd, buffer, len, flags, address, length] = call.arguments.as_slice() else {
        return None;
    };
    let (fd, data) = (lower.fd(fd), lower.data(buffer, len));
    let flags = lower.int(flags);
    let peer = lower.peer_address();
    let mut address = lower.address(address, peer)?;
    if let Some(bytes) = &mut address
        && !is_ellipsis(length)
    {
        bytes.resize(lower.count(length)?, 0);
    }
    let call = SystemCall::SendTo {
        fd: fd?,
        data: data?,
        flags: flags?,
        address,
    };
    Some((call, Expected::Any))
}

impl Lower<'_> {
    /// What is written: zeros, or a text and zeros.
    fn data(&mut self, buffer: &Expression, len: &Expression) -> Option<Vec<u8>> {
        let len = self.count(len)?;
        let mut data = vec![0; len];
        if let Value::Text(text) = &buffer.value {
            let shown = text.len().min(len);
            data[..shown].copy_from_slice(&text[..shown]);
        }
        Some(data)
    }

    /// Buffers of an iov, each with its length.
    fn iov<'e>(
        &mut self,
        iov: &'e Expression,
        count: Option<&Expression>,
    ) -> Option<Vec<(&'e Expression, &'e Expression)>> {
        let list = self.list(iov)?;
        if let Some(count) = count.filter(|count| !is_ellipsis(count)) {
            let told = self.count(count)?;
            if told != list.len() {
                let message = format!("{told} is said, but there are {} entries", list.len());
                return self.error(count.span, message);
            }
        }
        list.iter()
            .map(|entry| match &entry.value {
                Value::Struct(fields) => match fields.as_slice() {
                    [base, len] => Some((&base.value, &len.value)),
                    _ => self.expected(entry, "{buffer, length}"),
                },
                _ => self.expected(entry, "{buffer, length}"),
            })
            .collect()
    }

    /// Sizes of buffers that are filled.
    pub(super) fn rooms(
        &mut self,
        iov: &Expression,
        count: Option<&Expression>,
    ) -> Option<Vec<usize>> {
        let entries = self.iov(iov, count)?;
        let lens: Vec<usize> = entries
            .into_iter()
            .map(|(_, len)| self.count(len))
            .collect::<Option<_>>()?;
        self.in_bounds(&lens, iov).then_some(lens)
    }

    /// Buffers that are written.
    pub(super) fn pieces(
        &mut self,
        iov: &Expression,
        count: Option<&Expression>,
    ) -> Option<Vec<Vec<u8>>> {
        let lens = self.rooms(iov, count)?;
        let entries = self.iov(iov, None)?;
        entries
            .into_iter()
            .take(lens.len().min(ENTRIES_MAX))
            .map(|(buffer, len)| self.data(buffer, len))
            .collect()
    }

    fn in_bounds(&mut self, lens: &[usize], at: &Expression) -> bool {
        let fits = lens.iter().sum::<usize>() <= TOTAL_MAX;
        if !fits {
            let message = format!("buffers of more than {TOTAL_MAX} bytes together");
            self.error::<()>(at.span, message);
        }
        fits
    }
}
