//! Packets, time, and the end.
//!
//! Safety: as the table says; pointers are null or good for what the call does with them.

use super::call::{done, result};
use super::memory::{get, input, put, put_bytes};
use crate::plugin;
use estab_posix::Errno;
use libc::{c_int, c_uint, c_void, timeval};
use rustix::thread::{NanosleepRelativeResult, Timespec, nanosleep};
use std::time::Duration;

/// How long `netdev_receive` waits. Scripts of SYNs that nobody answers wait a minute.
const PATIENCE: Duration = Duration::from_secs(70);
/// The longest IPv6 packet without a jumbo payload, bytes.
const PACKET_MAX: usize = 40 + 65_535;

pub(super) unsafe extern "C" fn free(userdata: *mut c_void) {
    if let Some(plugin) = plugin::remove(userdata.addr()) {
        plugin.stop();
    }
}

pub(super) unsafe extern "C" fn netdev_send(
    userdata: *mut c_void,
    packet: *const c_void,
    bytes: usize,
) -> c_int {
    done(userdata, |plugin| {
        if bytes > PACKET_MAX {
            return Err(Errno(libc::EMSGSIZE));
        }
        // SAFETY: the caller's promise.
        let packet = unsafe { input(packet, bytes) }?;
        plugin.deliver(packet.to_vec())
    })
}

/// Zero bytes when there was no packet for a long time, or there is none to hope for: the tool takes this as a script that failed.
pub(super) unsafe extern "C" fn netdev_receive(
    userdata: *mut c_void,
    buffer: *mut c_void,
    bytes: *mut usize,
    time_usecs: *mut i64,
) -> c_int {
    done(userdata, |plugin| {
        // SAFETY: the caller's promise.
        let room = unsafe { get(bytes) }?;
        let packet = plugin.receive(PATIENCE).unwrap_or_default();
        let data = packet.as_ref().map_or(&[][..], |packet| &packet.data);
        let sent = packet.as_ref().map_or_else(Duration::default, |p| p.sent);
        let sent = i64::try_from(sent.as_micros()).unwrap_or(i64::MAX);
        // SAFETY: the caller's promise.
        unsafe {
            put_bytes(data, buffer, room)?;
            put(bytes, data.len().min(room))?;
            put(time_usecs, sent)
        }
    })
}

pub(super) unsafe extern "C" fn usleep(_userdata: *mut c_void, usecs: c_uint) -> c_int {
    let mut left = Timespec {
        tv_sec: i64::from(usecs / 1_000_000),
        tv_nsec: i64::from(usecs % 1_000_000) * 1000,
    };
    loop {
        match nanosleep(&left) {
            NanosleepRelativeResult::Ok => return 0,
            NanosleepRelativeResult::Interrupted(rest) => left = rest,
            NanosleepRelativeResult::Err(error) => {
                result::<()>(Err(Errno(error.raw_os_error())));
                return -1;
            }
        }
    }
}

pub(super) unsafe extern "C" fn gettimeofday(
    userdata: *mut c_void,
    time: *mut timeval,
    _zone: *mut c_void,
) -> c_int {
    done(userdata, |plugin| {
        let now = plugin.time_of_day();
        let now = timeval {
            tv_sec: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
            tv_usec: i64::from(now.subsec_micros()),
        };
        // SAFETY: the caller's promise.
        unsafe { put(time, now) }
    })
}
