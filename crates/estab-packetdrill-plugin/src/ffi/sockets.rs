//! Sockets and their options.
//!
//! Safety: as the table says; pointers are null or good for what the call does with them.

use super::call::{done, int};
use super::memory;
use crate::plugin::Plugin;
use estab_posix::Errno;
use libc::{c_int, c_long, c_ulong, c_void};

const EFAULT: Errno = Errno(libc::EFAULT);
/// Bytes not yet sent; libc has no name for it.
const SIOCOUTQNSD: u32 = 0x894b;
const SIOCATMARK: u32 = 0x8905;

pub(super) unsafe extern "C" fn socket(
    userdata: *mut c_void,
    domain: c_int,
    kind: c_int,
    protocol: c_int,
) -> c_int {
    int(userdata, |plugin| plugin.socket(domain, kind, protocol))
}

pub(super) unsafe extern "C" fn bind(
    userdata: *mut c_void,
    fd: c_int,
    address: *const c_void,
    len: u32,
) -> c_int {
    done(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        let address = unsafe { memory::address(address, len) }?;
        plugin.bind(fd, address.ok_or(EFAULT)?)
    })
}

pub(super) unsafe extern "C" fn listen(userdata: *mut c_void, fd: c_int, backlog: c_int) -> c_int {
    done(userdata, |plugin| {
        plugin.at_once(|state, now| state.posix.listen(now, fd, backlog))
    })
}

pub(super) unsafe extern "C" fn accept(
    userdata: *mut c_void,
    fd: c_int,
    address: *mut c_void,
    len: *mut u32,
) -> c_int {
    int(userdata, |plugin| {
        plugin.check(fd)?;
        if !address.is_null() {
            // Before a connection is taken that the caller then would not get.
            // SAFETY: the caller's promise.
            unsafe { memory::room(len) }?;
        }
        let accepted = plugin.accept(fd)?;
        // SAFETY: the caller's promise.
        unsafe { memory::put_address(Some(&accepted.address), address, len) }?;
        Ok(accepted.fd)
    })
}

pub(super) unsafe extern "C" fn connect(
    userdata: *mut c_void,
    fd: c_int,
    address: *const c_void,
    len: u32,
) -> c_int {
    done(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        let address = unsafe { memory::address(address, len) }?;
        plugin.connect(fd, address.ok_or(EFAULT)?)
    })
}

pub(super) unsafe extern "C" fn fcntl(
    userdata: *mut c_void,
    fd: c_int,
    command: c_int,
    argument: c_long,
) -> c_int {
    int(userdata, |plugin| {
        let argument = match command {
            // These have none, and what stands in its place means nothing.
            libc::F_GETFL | libc::F_GETFD => 0,
            // An int in the low half.
            _ => argument as i32,
        };
        plugin.fcntl(fd, command, argument)
    })
}

pub(super) unsafe extern "C" fn ioctl(
    userdata: *mut c_void,
    fd: c_int,
    request: c_ulong,
    argument: *mut c_int,
) -> c_int {
    done(userdata, |plugin| {
        plugin.check(fd)?;
        // The tool has it as an int, which was extended by its sign.
        let request = request as u32;
        let reads = request == libc::FIONBIO as u32;
        // Of others it is not known whether there is an argument at all.
        let writes = [
            libc::FIONREAD as u32,
            libc::TIOCOUTQ as u32,
            SIOCOUTQNSD,
            SIOCATMARK,
        ]
        .contains(&request);
        if argument.is_null() && (reads || writes) {
            return Err(EFAULT);
        }
        let value = if reads {
            // SAFETY: the caller's promise.
            unsafe { memory::get(argument) }?
        } else {
            0
        };
        let value = plugin.at_once(|state, now| state.posix.ioctl(now, fd, request, value))?;
        if writes {
            // SAFETY: the caller's promise.
            unsafe { memory::put(argument, value) }?;
        }
        Ok(())
    })
}

pub(super) unsafe extern "C" fn close(userdata: *mut c_void, fd: c_int) -> c_int {
    done(userdata, |plugin| plugin.close(fd))
}

pub(super) unsafe extern "C" fn shutdown(userdata: *mut c_void, fd: c_int, how: c_int) -> c_int {
    done(userdata, |plugin| {
        plugin.at_once(|state, now| state.posix.shutdown(now, fd, how))
    })
}

pub(super) unsafe extern "C" fn getsockopt(
    userdata: *mut c_void,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut u32,
) -> c_int {
    done(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        unsafe { option(plugin, fd, level, name, value, len) }
    })
}

/// Reads an option into the caller's memory.
pub(super) unsafe fn option(
    plugin: &Plugin,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut u32,
) -> Result<(), Errno> {
    // SAFETY: the caller's promise.
    let room = unsafe { memory::room(len) }?;
    let option = plugin.at_once(|state, now| state.posix.getsockopt(now, fd, level, name, room))?;
    let option = &option[..option.len().min(room)];
    // SAFETY: the caller's promise.
    unsafe {
        memory::put_bytes(option, value, room)?;
        memory::put(len, option.len() as u32)
    }
}

pub(super) unsafe extern "C" fn setsockopt(
    userdata: *mut c_void,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: u32,
) -> c_int {
    done(userdata, |plugin| {
        plugin.check(fd)?;
        let len = memory::length(len)?;
        // SAFETY: the caller's promise.
        let value = unsafe { memory::input(value, len) }?;
        plugin.at_once(|state, now| state.posix.setsockopt(now, fd, level, name, value))
    })
}

pub(super) unsafe extern "C" fn pipe(userdata: *mut c_void, ends: *mut c_int) -> c_int {
    done(userdata, |plugin| {
        if ends.is_null() {
            return Err(EFAULT);
        }
        let pipe = plugin.pipe()?;
        // SAFETY: the caller's promise.
        unsafe { memory::put(ends.cast(), pipe) }
    })
}
