//! Options, `ioctl`, `open`.

use super::super::super::{Outcome, Output};
use super::{filled, number, room_for, socklen, with};
use std::ffi::CString;

/// Longest that an `ioctl` can store, by the numbers of requests.
const IOCTL_MAX: usize = 1 << 14;

pub(super) fn get(fd: i32, level: i32, name: i32, room: u32) -> Outcome {
    let mut value = room_for(room);
    let mut len = socklen(&value);
    // SAFETY: see the module above.
    let outcome = unsafe {
        number(libc::getsockopt(
            fd,
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut len,
        ))
    };
    with(outcome, || Output::Value(filled(value, len)))
}

pub(super) fn set(fd: i32, level: i32, name: i32, value: &[u8]) -> Outcome {
    // SAFETY: see the module above.
    unsafe {
        number(libc::setsockopt(
            fd,
            level,
            name,
            value.as_ptr().cast(),
            socklen(value),
        ))
    }
}

/// With room for more than an integer: the kernel stores what the request's number says, whatever the script means by it.
pub(super) fn ioctl(fd: i32, request: u32, argument: i32) -> Outcome {
    let mut room = vec![0_u64; IOCTL_MAX / 8];
    let mut first = [0; 8];
    first[..4].copy_from_slice(&argument.to_ne_bytes());
    room[0] = u64::from_ne_bytes(first);
    // SAFETY: the room is as large as any request's number can ask for.
    let outcome = unsafe { number(libc::ioctl(fd, request as _, room.as_mut_ptr())) };
    with(outcome, || {
        let [a, b, c, d, ..] = room[0].to_ne_bytes();
        Output::Integer(i32::from_ne_bytes([a, b, c, d]))
    })
}

pub(super) fn open(path: &str, flags: i32, mode: u32) -> Outcome {
    match CString::new(path) {
        // SAFETY: the path ends with a zero byte and outlives the call.
        Ok(path) => unsafe { number(libc::open(path.as_ptr(), flags, mode)) },
        Err(_) => Outcome::error(libc::ENOENT),
    }
}
