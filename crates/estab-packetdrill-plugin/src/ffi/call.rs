//! What all calls have in common: which stack, results and `errno` as C has them, no panic across the boundary.

use crate::plugin::{self, Plugin};
use estab_posix::Errno;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A call whose result is an `int`.
pub(super) fn int(
    userdata: *mut c_void,
    call: impl FnOnce(&Plugin) -> Result<i32, Errno>,
) -> c_int {
    result(guarded(userdata, call)).unwrap_or(-1)
}

/// A call whose result is an `int`, zero when it succeeds.
pub(super) fn done(
    userdata: *mut c_void,
    call: impl FnOnce(&Plugin) -> Result<(), Errno>,
) -> c_int {
    int(userdata, |plugin| call(plugin).map(|()| 0))
}

/// A call whose result is a number of bytes.
pub(super) fn size(
    userdata: *mut c_void,
    call: impl FnOnce(&Plugin) -> Result<usize, Errno>,
) -> isize {
    let size = result(guarded(userdata, call));
    size.and_then(|size| isize::try_from(size).ok())
        .unwrap_or(-1)
}

/// Sets `errno` of this thread when there is one.
pub(super) fn result<T>(result: Result<T, Errno>) -> Option<T> {
    result
        .inspect_err(|errno| {
            // SAFETY: the C library gives each thread a valid place.
            unsafe { *libc::__errno_location() = errno.0 };
        })
        .ok()
}

/// Makes the call on the stack of this number. A panic, whose message is on standard error, becomes `EIO`.
fn guarded<T>(
    userdata: *mut c_void,
    call: impl FnOnce(&Plugin) -> Result<T, Errno>,
) -> Result<T, Errno> {
    // It was freed, or is not what the table says.
    let plugin = plugin::find(userdata.addr()).ok_or(Errno(libc::EBADF))?;
    on(&plugin, call)
}

/// The same for a stack that was found otherwise.
pub(super) fn on<T>(
    plugin: &Plugin,
    call: impl FnOnce(&Plugin) -> Result<T, Errno>,
) -> Result<T, Errno> {
    catch_unwind(AssertUnwindSafe(|| call(plugin))).unwrap_or_else(|_| {
        eprintln!("estab: packetdrill plug-in: a call panicked; all that follow fail with EIO");
        plugin.wake_all();
        Err(Errno(libc::EIO))
    })
}
