//! `poll` and `epoll`.
//!
//! Safety: as the table says; pointers are null or good for what the call does with them.

use super::call::{done, int};
use super::memory;
use estab_posix::{EpollEvent, Errno, PollFd};
use libc::{c_int, c_void, epoll_event, nfds_t, pollfd};

const EFAULT: Errno = Errno(libc::EFAULT);
const EINVAL: Errno = Errno(libc::EINVAL);
/// More are refused, as beyond a limit on open descriptors.
const FDS_MAX: nfds_t = 1 << 16;

pub(super) unsafe extern "C" fn poll(
    userdata: *mut c_void,
    list: *mut pollfd,
    count: nfds_t,
    timeout_ms: c_int,
) -> c_int {
    int(userdata, |plugin| {
        if count > FDS_MAX {
            return Err(EINVAL);
        }
        if list.is_null() && count > 0 {
            return Err(EFAULT);
        }
        let mut fds = Vec::new();
        for at in 0..count as usize {
            // SAFETY: the caller's promise, and `at` is below its count.
            let entry = unsafe { memory::get(list.add(at)) }?;
            fds.push(PollFd {
                fd: entry.fd,
                events: entry.events,
                revents: 0,
            });
        }
        let ready = plugin
            .waiting(|state, now, waiting| state.posix.poll(now, &mut fds, timeout_ms, waiting))?;
        for (at, fd) in fds.iter().enumerate() {
            // SAFETY: the caller's promise, and `at` is below its count.
            unsafe { memory::put(&raw mut (*list.add(at)).revents, fd.revents) }?;
        }
        i32::try_from(ready).map_err(|_| EINVAL)
    })
}

pub(super) unsafe extern "C" fn epoll_create(userdata: *mut c_void, size: c_int) -> c_int {
    int(userdata, |plugin| {
        if size <= 0 {
            return Err(EINVAL);
        }
        plugin.epoll_create()
    })
}

pub(super) unsafe extern "C" fn epoll_ctl(
    userdata: *mut c_void,
    epfd: c_int,
    op: c_int,
    fd: c_int,
    event: *mut epoll_event,
) -> c_int {
    done(userdata, |plugin| {
        let event = if op == libc::EPOLL_CTL_DEL {
            None
        } else {
            // SAFETY: the caller's promise.
            let event = unsafe { memory::get(event) }?;
            Some(EpollEvent {
                events: event.events,
                data: event.u64,
            })
        };
        plugin.at_once(|state, _| state.posix.epoll_ctl(epfd, op, fd, event))
    })
}

pub(super) unsafe extern "C" fn epoll_wait(
    userdata: *mut c_void,
    epfd: c_int,
    events: *mut epoll_event,
    max: c_int,
    timeout_ms: c_int,
) -> c_int {
    int(userdata, |plugin| {
        plugin.check(epfd)?;
        if max <= 0 {
            return Err(EINVAL);
        }
        if events.is_null() {
            return Err(EFAULT);
        }
        let ready = plugin.waiting(|state, now, waiting| {
            state.posix.epoll_wait(now, epfd, max, timeout_ms, waiting)
        })?;
        for (at, event) in ready.iter().enumerate() {
            let event = epoll_event {
                events: event.events,
                u64: event.data,
            };
            // SAFETY: the caller's promise; no more are given than it has room for.
            unsafe { memory::put(events.add(at), event) }?;
        }
        i32::try_from(ready.len()).map_err(|_| EINVAL)
    })
}
