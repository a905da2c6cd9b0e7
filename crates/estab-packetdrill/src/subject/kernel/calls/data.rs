//! Calls that carry data.

use super::super::super::{Outcome, Output, SystemCall};
use super::{BUFFER_MAX, ROOM_MAX, address_of, filled, long, room_for, socklen, with};
use std::{mem, ptr};

/// `read` and its kind.
pub(super) fn receive(call: &SystemCall) -> Outcome {
    match call {
        SystemCall::Read { fd, len } => {
            let mut buffer = buffer(*len);
            // SAFETY: see the module above.
            unsafe { long(libc::read(*fd, buffer.as_mut_ptr().cast(), buffer.len())) }
        }
        SystemCall::Readv { fd, lens } => {
            let mut buffers = Buffers::new(lens);
            let pieces = buffers.pieces();
            // SAFETY: see the module above; the pieces point into the buffers.
            unsafe { long(libc::readv(*fd, pieces.as_ptr(), count(&pieces))) }
        }
        SystemCall::Recv { fd, len, flags } => {
            let mut buffer = buffer(*len);
            // SAFETY: see the module above.
            unsafe {
                long(libc::recv(
                    *fd,
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    *flags,
                ))
            }
        }
        SystemCall::RecvFrom {
            fd,
            len,
            flags,
            room,
        } => receive_from(*fd, *len, *flags, *room),
        SystemCall::RecvMsg {
            fd,
            room,
            lens,
            control_len,
            flags,
        } => receive_message(*fd, *room, lens, *control_len, *flags),
        _ => Outcome::error(libc::ENOSYS),
    }
}

/// `write` and its kind.
pub(super) fn send(call: &SystemCall) -> Outcome {
    match call {
        // SAFETY: see the module above.
        SystemCall::Write { fd, data } => unsafe {
            long(libc::write(*fd, data.as_ptr().cast(), data.len()))
        },
        SystemCall::Writev { fd, data } => {
            let pieces = pieces_of(data);
            // SAFETY: see the module above; the pieces point into the data.
            unsafe { long(libc::writev(*fd, pieces.as_ptr(), count(&pieces))) }
        }
        SystemCall::Send { fd, data, flags } => {
            // SAFETY: see the module above.
            unsafe { long(libc::send(*fd, data.as_ptr().cast(), data.len(), *flags)) }
        }
        SystemCall::SendTo {
            fd,
            data,
            flags,
            address,
        } => {
            let (pointer, len) = address.as_deref().map_or((ptr::null(), 0), address_of);
            // SAFETY: see the module above.
            unsafe {
                long(libc::sendto(
                    *fd,
                    data.as_ptr().cast(),
                    data.len(),
                    *flags,
                    pointer,
                    len,
                ))
            }
        }
        SystemCall::SendMsg {
            fd,
            address,
            data,
            control,
            flags,
        } => send_message(*fd, address.as_deref(), data, control, *flags),
        _ => Outcome::error(libc::ENOSYS),
    }
}

fn buffer(len: usize) -> Vec<u8> {
    vec![0; len.min(BUFFER_MAX)]
}

fn count(pieces: &[libc::iovec]) -> i32 {
    i32::try_from(pieces.len()).unwrap_or(i32::MAX)
}

fn pieces_of(data: &[Vec<u8>]) -> Vec<libc::iovec> {
    let piece = |data: &Vec<u8>| libc::iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    data.iter().map(piece).collect()
}

/// Buffers that are filled one after the other.
struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    fn new(lens: &[usize]) -> Self {
        let mut left = BUFFER_MAX;
        let next = |len: &usize| {
            let len = (*len).min(left);
            left -= len;
            vec![0; len]
        };
        Self(lens.iter().map(next).collect())
    }

    fn pieces(&mut self) -> Vec<libc::iovec> {
        let piece = |buffer: &mut Vec<u8>| libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        self.0.iter_mut().map(piece).collect()
    }
}

fn receive_from(fd: i32, len: usize, flags: i32, room: Option<u32>) -> Outcome {
    let mut data = buffer(len);
    let mut address = room.map(room_for);
    let mut address_len = address.as_deref().map_or(0, socklen);
    let (pointer, len_pointer) = match &mut address {
        Some(buffer) => (buffer.as_mut_ptr().cast(), &raw mut address_len),
        None => (ptr::null_mut(), ptr::null_mut()),
    };
    let (start, len) = (data.as_mut_ptr().cast(), data.len());
    // SAFETY: see the module above.
    let outcome = unsafe { long(libc::recvfrom(fd, start, len, flags, pointer, len_pointer)) };
    with(outcome, || match address {
        Some(address) => Output::Address(filled(address, address_len)),
        None => Output::None,
    })
}

/// A header of a message, all null and zero.
fn empty_message() -> libc::msghdr {
    // SAFETY: null pointers and zeros are valid, and mean that there is nothing.
    unsafe { mem::zeroed() }
}

fn receive_message(
    fd: i32,
    room: Option<u32>,
    lens: &[usize],
    control_len: usize,
    flags: i32,
) -> Outcome {
    let mut buffers = Buffers::new(lens);
    let mut pieces = buffers.pieces();
    let mut address = room.map_or_else(Vec::new, room_for);
    let mut control = vec![0; control_len.min(ROOM_MAX)];
    let mut message = empty_message();
    if !address.is_empty() {
        message.msg_name = address.as_mut_ptr().cast();
        message.msg_namelen = socklen(&address);
    }
    message.msg_iov = pieces.as_mut_ptr();
    message.msg_iovlen = pieces.len() as _;
    if !control.is_empty() {
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = control.len() as _;
    }
    // SAFETY: see the module above; the header points to buffers that outlive the call.
    let outcome = unsafe { long(libc::recvmsg(fd, &raw mut message, flags)) };
    with(outcome, || {
        #[allow(clippy::unnecessary_cast, reason = "its type depends on the C library")]
        control.truncate(message.msg_controllen as usize);
        Output::Message {
            address: filled(address, message.msg_namelen),
            flags: message.msg_flags,
            control,
        }
    })
}

fn send_message(
    fd: i32,
    address: Option<&[u8]>,
    data: &[Vec<u8>],
    control: &[u8],
    flags: i32,
) -> Outcome {
    let mut pieces = pieces_of(data);
    let mut message = empty_message();
    if let Some(address) = address {
        let (pointer, len) = address_of(address);
        message.msg_name = pointer.cast_mut().cast();
        message.msg_namelen = len;
    }
    message.msg_iov = pieces.as_mut_ptr();
    message.msg_iovlen = pieces.len() as _;
    if !control.is_empty() {
        message.msg_control = control.as_ptr().cast_mut().cast();
        message.msg_controllen = control.len() as _;
    }
    // SAFETY: see the module above; the kernel writes to nothing that the header points to.
    unsafe { long(libc::sendmsg(fd, &raw const message, flags)) }
}
