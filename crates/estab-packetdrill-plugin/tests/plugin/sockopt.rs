//! Options, and the `getsockopt` that `LD_PRELOAD` puts before the C library's.

use crate::tool::{GetSockOpt, library, symbol};
use crate::world::{V4, V6, assert_passed, in_child};
use libc::{IPPROTO_TCP, SO_SNDBUF, SOL_SOCKET, TCP_INFO, c_void};
use std::mem::transmute;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Not in libc's list.
const TCP_CC_INFO: i32 = 26;
const SO_MEMINFO: i32 = 55;
/// `TCP_ESTABLISHED`.
const ESTABLISHED: u8 = 1;

fn call(function: GetSockOpt, fd: i32, level: i32, name: i32, room: usize) -> Result<Vec<u8>, i32> {
    let (mut value, mut len) = (vec![0xee_u8; room], room as u32);
    // SAFETY: there is room for so many bytes.
    let done = unsafe { function(fd, level, name, value.as_mut_ptr().cast(), &mut len) };
    // SAFETY: errno of this thread.
    let errno = unsafe { *libc::__errno_location() };
    value.truncate(len as usize);
    if done == 0 { Ok(value) } else { Err(errno) }
}

/// What a script's `%{ }%` makes the tool ask, and what it asks of sockets that are not ours.
fn interposed(function: GetSockOpt) {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    assert_eq!(tool.write(fd, &[0; 2000]), Ok(2000));
    wire.expect_line(". 1:1001(1000) ack 1");
    let info = call(function, fd, IPPROTO_TCP, TCP_INFO, 1000).unwrap();
    assert_eq!(info[0], ESTABLISHED);
    assert!(info.len() >= 104, "{}", info.len());
    let field = |at: usize| u32::from_ne_bytes(info[at..at + 4].try_into().unwrap());
    // tcpi_snd_mss, tcpi_unacked in segments, tcpi_snd_cwnd.
    assert_eq!((field(16), field(24), field(80)), (1000, 2, 10));
    let short = call(function, fd, IPPROTO_TCP, TCP_INFO, 8).unwrap();
    assert_eq!(short, info[..8]);
    assert_eq!(
        call(function, fd, IPPROTO_TCP, TCP_CC_INFO, 100),
        Ok(vec![])
    );
    let memory = call(function, fd, SOL_SOCKET, SO_MEMINFO, 36).unwrap();
    assert_eq!(memory.len(), 36);

    // The kernel's own.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let kind = call(function, socket.as_raw_fd(), SOL_SOCKET, libc::SO_TYPE, 4);
    assert_eq!(kind, Ok(libc::SOCK_DGRAM.to_ne_bytes().to_vec()));
    let nothing = call(function, -1, SOL_SOCKET, libc::SO_TYPE, 4);
    assert_eq!(nothing, Err(libc::EBADF));
    drop(tool);
    let gone = call(function, fd, IPPROTO_TCP, TCP_INFO, 100);
    assert_eq!(gone, Err(libc::ENOTSOCK), "what is left is the placeholder");
}

#[test]
fn the_exported_getsockopt_answers_for_our_descriptors() {
    // SAFETY: the interface says that the symbol is of this type.
    interposed(unsafe { transmute::<*mut c_void, GetSockOpt>(symbol("getsockopt")) });
}

#[test]
fn preloaded_it_stands_before_the_c_librarys() {
    let path = library();
    assert_passed(in_child(
        "sockopt::preloaded_it_stands_before_the_c_librarys",
        "--quiet",
        Some(path.as_os_str()),
        || interposed(libc::getsockopt),
    ));
}

#[test]
fn options_are_set_and_read() {
    let tool = V6.tool();
    let fd = V6.tcp(&tool);
    let set = tool.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &20_000_i32.to_ne_bytes());
    assert_eq!(set, Ok(0));
    let doubled = 40_000_i32.to_ne_bytes();
    assert_eq!(
        tool.getsockopt(fd, SOL_SOCKET, SO_SNDBUF, 4),
        Ok(doubled.to_vec())
    );
    assert_eq!(
        tool.getsockopt(fd, SOL_SOCKET, SO_SNDBUF, 2),
        Ok(doubled[..2].to_vec())
    );
    let unknown = tool.getsockopt(fd, IPPROTO_TCP, 9999, 4);
    assert_eq!(unknown, Err(libc::ENOPROTOOPT));
    let wrong = tool.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &[0; 2]);
    assert_eq!(wrong, Err(libc::EINVAL));
}
