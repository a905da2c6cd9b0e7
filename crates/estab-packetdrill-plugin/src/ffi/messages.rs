//! Data in and out of sockets.
//!
//! Safety: as the table says; pointers are null or good for what the call does with them.

use super::call::{int, size};
use super::memory::{self, buffer, gather, input, output, scatter, vectors};
use crate::plugin::Plugin;
use estab_posix::{Errno, Message};
use libc::{c_int, c_uint, c_void, iovec, msghdr};
use std::ptr::{null, null_mut};

const EFAULT: Errno = Errno(libc::EFAULT);
const EINVAL: Errno = Errno(libc::EINVAL);

pub(super) unsafe extern "C" fn read(
    userdata: *mut c_void,
    fd: c_int,
    data: *mut c_void,
    len: usize,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        let data = unsafe { output(data, len) }?;
        plugin.waiting(|state, now, waiting| state.posix.read(now, fd, data, waiting))
    })
}

pub(super) unsafe extern "C" fn readv(
    userdata: *mut c_void,
    fd: c_int,
    list: *const iovec,
    count: c_int,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        let count = usize::try_from(count).map_err(|_| EINVAL)?;
        // SAFETY: the caller's promise.
        let (list, total) = unsafe { vectors(list, count, libc::EINVAL) }?;
        let mut data = buffer(total)?;
        let len =
            plugin.waiting(|state, now, waiting| state.posix.read(now, fd, &mut data, waiting))?;
        // SAFETY: the caller's promise.
        unsafe { scatter(&data[..len.min(total)], &list) }?;
        Ok(len)
    })
}

pub(super) unsafe extern "C" fn recv(
    userdata: *mut c_void,
    fd: c_int,
    data: *mut c_void,
    len: usize,
    flags: c_int,
) -> isize {
    // SAFETY: the caller's promise; nobody wants the address.
    unsafe { recvfrom(userdata, fd, data, len, flags, null_mut(), null_mut()) }
}

pub(super) unsafe extern "C" fn recvfrom(
    userdata: *mut c_void,
    fd: c_int,
    data: *mut c_void,
    len: usize,
    flags: c_int,
    address: *mut c_void,
    address_len: *mut u32,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        let data = unsafe { output(data, len) }?;
        let received = plugin
            .waiting(|state, now, waiting| state.posix.recvfrom(now, fd, data, flags, waiting))?;
        // SAFETY: the caller's promise.
        unsafe { memory::put_address(received.address.as_ref(), address, address_len) }?;
        Ok(received.len)
    })
}

pub(super) unsafe extern "C" fn recvmsg(
    userdata: *mut c_void,
    fd: c_int,
    message: *mut msghdr,
    flags: c_int,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        let mut header = unsafe { memory::get(message) }?;
        // SAFETY: the caller's promise.
        let len = unsafe { receive(plugin, fd, &mut header, flags) }?;
        // SAFETY: the caller's promise.
        unsafe { memory::put(message, header) }?;
        Ok(len)
    })
}

unsafe fn receive(
    plugin: &Plugin,
    fd: c_int,
    header: &mut msghdr,
    flags: c_int,
) -> Result<usize, Errno> {
    // SAFETY: the caller's promise.
    let (list, total) = unsafe { vectors(header.msg_iov, header.msg_iovlen, libc::EMSGSIZE) }?;
    let mut data = buffer(total)?;
    let room = match header.msg_control.is_null() {
        true => 0,
        false => header.msg_controllen,
    };
    let received = plugin.waiting(|state, now, waiting| {
        state
            .posix
            .recvmsg(now, fd, &mut data, room, flags, waiting)
    })?;
    // SAFETY: the caller's promise.
    unsafe {
        scatter(&data[..received.len.min(total)], &list)?;
        memory::put_bytes(&received.control, header.msg_control, room)?;
        let address = received.address.as_ref();
        memory::put_address(address, header.msg_name, &mut header.msg_namelen)?;
    }
    header.msg_controllen = received.control.len().min(room);
    header.msg_flags = received.flags;
    Ok(received.len)
}

pub(super) unsafe extern "C" fn write(
    userdata: *mut c_void,
    fd: c_int,
    data: *const c_void,
    len: usize,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        let data = unsafe { input(data, len) }?;
        plugin.waiting(|state, now, waiting| state.posix.write(now, fd, data, waiting))
    })
}

pub(super) unsafe extern "C" fn writev(
    userdata: *mut c_void,
    fd: c_int,
    list: *const iovec,
    count: c_int,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        let count = usize::try_from(count).map_err(|_| EINVAL)?;
        // SAFETY: the caller's promise.
        let (list, total) = unsafe { vectors(list, count, libc::EINVAL) }?;
        // SAFETY: the caller's promise.
        let data = unsafe { gather(&list, total) }?;
        plugin.waiting(|state, now, waiting| state.posix.write(now, fd, &data, waiting))
    })
}

pub(super) unsafe extern "C" fn send(
    userdata: *mut c_void,
    fd: c_int,
    data: *const c_void,
    len: usize,
    flags: c_int,
) -> isize {
    // SAFETY: the caller's promise; there is no address.
    unsafe { sendto(userdata, fd, data, len, flags, null(), 0) }
}

pub(super) unsafe extern "C" fn sendto(
    userdata: *mut c_void,
    fd: c_int,
    data: *const c_void,
    len: usize,
    flags: c_int,
    address: *const c_void,
    address_len: u32,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        let (data, address) =
            unsafe { (input(data, len)?, memory::address(address, address_len)?) };
        plugin.sendto(fd, data, flags, address)
    })
}

pub(super) unsafe extern "C" fn sendmsg(
    userdata: *mut c_void,
    fd: c_int,
    message: *const msghdr,
    flags: c_int,
) -> isize {
    size(userdata, |plugin| {
        plugin.check(fd)?;
        // SAFETY: the caller's promise.
        unsafe {
            let header = memory::get(message)?;
            let (list, total) = vectors(header.msg_iov, header.msg_iovlen, libc::EMSGSIZE)?;
            let data = gather(&list, total)?;
            let address = memory::address(header.msg_name, header.msg_namelen)?;
            let control = input(header.msg_control, header.msg_controllen)?;
            plugin.sendmsg(fd, &data, &Message { address, control }, flags)
        }
    })
}

pub(super) unsafe extern "C" fn splice(
    userdata: *mut c_void,
    fd_in: c_int,
    offset_in: *mut i64,
    fd_out: c_int,
    offset_out: *mut i64,
    len: usize,
    flags: c_uint,
) -> c_int {
    int(userdata, |plugin| {
        plugin.check(fd_in)?;
        plugin.check(fd_out)?;
        for offset in [offset_in, offset_out] {
            // The tool has a pointer to zero where a script says NULL. Pipes and sockets have no other offset.
            // SAFETY: the caller's promise.
            if !offset.is_null() && unsafe { memory::get(offset) }? != 0 {
                return Err(Errno(libc::ESPIPE));
            }
        }
        let moved = plugin.waiting(|state, now, waiting| {
            state.posix.splice(now, fd_in, fd_out, len, flags, waiting)
        })?;
        i32::try_from(moved).map_err(|_| EFAULT)
    })
}
