//! `getsockopt` for `LD_PRELOAD`: the tool asks the C library for `TCP_INFO` when a script has `%{ }%`.

use super::call::{on, result};
use super::sockets;
use crate::plugin;
use libc::{c_int, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

type GetSockOpt = unsafe extern "C" fn(c_int, c_int, c_int, *mut c_void, *mut u32) -> c_int;

/// Answers for descriptors of a stack of this process, and passes the others on to the next `getsockopt` that the loader knows.
///
/// # Safety
/// As that of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut u32,
) -> c_int {
    if let Some(plugin) = plugin::owner(fd) {
        // SAFETY: the caller's promise.
        let done = on(&plugin, |plugin| unsafe {
            sockets::option(plugin, fd, level, name, value, len)
        });
        return result(done).map_or(-1, |()| 0);
    }
    let Some(next) = next() else {
        result::<()>(Err(estab_posix::Errno(libc::ENOSYS)));
        return -1;
    };
    // SAFETY: the caller's promise.
    unsafe { next(fd, level, name, value, len) }
}

fn next() -> Option<GetSockOpt> {
    static NEXT: OnceLock<Option<GetSockOpt>> = OnceLock::new();
    *NEXT.get_or_init(|| {
        // SAFETY: the name is a string.
        let symbol = unsafe { libc::dlsym(libc::RTLD_NEXT, c"getsockopt".as_ptr()) };
        // SAFETY: a symbol of this name is this function, and null is `None`.
        unsafe { transmute::<*mut c_void, Option<GetSockOpt>>(symbol) }
    })
}
