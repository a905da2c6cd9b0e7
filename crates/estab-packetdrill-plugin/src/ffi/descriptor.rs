//! Descriptors of the kernel that stand for ours, so that their numbers are free and the tool can close what a script left open.

use estab_posix::Errno;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::fcntl_dupfd_cloexec;
use std::os::fd::{AsRawFd, IntoRawFd};

/// A new one, of a number from `least` on.
///
/// # Errors
/// `EMFILE`, `ENFILE`, `ENOMEM`.
pub(crate) fn open(least: i32) -> Result<i32, Errno> {
    let open = || {
        let lowest = eventfd(0, EventfdFlags::CLOEXEC)?;
        match lowest.as_raw_fd() >= least {
            true => Ok(lowest),
            false => fcntl_dupfd_cloexec(lowest, least),
        }
    };
    let opened: rustix::io::Result<_> = open();
    opened
        .map(IntoRawFd::into_raw_fd)
        .map_err(|error| Errno(error.raw_os_error()))
}

/// Closes one. That it is closed already does no harm.
pub(crate) fn close(number: i32) {
    // SAFETY: no Rust object owns the number: it came from `open`. Whether the tool has closed it already cannot be known, and a
    // number that it closed and got again for itself is one that we were not asked to close.
    unsafe { libc::close(number) };
}
