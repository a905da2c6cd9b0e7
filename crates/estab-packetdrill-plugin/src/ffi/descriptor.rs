//! Descriptors of the kernel that stand for ours, so that their numbers are free and the tool can close what a script left open.

use estab_posix::Errno;
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsRawFd, IntoRawFd};

/// A new one, not of the number `but`.
///
/// # Errors
/// `EMFILE`, `ENFILE`, `ENOMEM`.
pub(crate) fn open(but: Option<i32>) -> Result<i32, Errno> {
    let open = || eventfd(0, EventfdFlags::CLOEXEC);
    let errno = |error: rustix::io::Errno| Errno(error.raw_os_error());
    let first = open().map_err(errno)?;
    if Some(first.as_raw_fd()) != but {
        return Ok(first.into_raw_fd());
    }
    // The first is still open, so this one has another number.
    Ok(open().map_err(errno)?.into_raw_fd())
}

/// Closes one. That it is closed already does no harm.
pub(crate) fn close(number: i32) {
    // SAFETY: no Rust object owns the number: it came from `open`. Whether the tool has closed it already cannot be known, and a
    // number that it closed and got again for itself is one that we were not asked to close.
    unsafe { libc::close(number) };
}
