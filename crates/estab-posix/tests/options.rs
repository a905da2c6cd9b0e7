//! Options that are refused, and what the others do to the stack. Their numbers, sizes and ranges are compared with Linux's elsewhere.

mod common;

use common::{Process, TCP, TCP6, UDP};
use core::time::Duration;
use estab_posix::Errno;
use estab_stack::{Linger, OptionName, SocketOption};

const SOCKET: i32 = libc::SOL_SOCKET;

#[test]
fn what_is_not_implemented_is_refused() {
    let mut p = Process::new();
    let fd = p.socket(TCP6);
    let options = [
        (SOCKET, libc::SO_DEBUG),
        (SOCKET, libc::SO_DONTROUTE),
        (SOCKET, libc::SO_PRIORITY),
        (SOCKET, libc::SO_TIMESTAMP),
        (SOCKET, libc::SO_TIMESTAMPING),
        (SOCKET, libc::SO_ZEROCOPY),
        (SOCKET, libc::SO_MARK),
        (SOCKET, libc::SO_BINDTODEVICE),
        (SOCKET, libc::SO_BUSY_POLL),
        (libc::SOL_IP, libc::IP_MTU_DISCOVER),
        (libc::SOL_IP, libc::IP_RECVERR),
        (libc::SOL_IP, libc::IP_RECVTOS),
        (libc::SOL_IP, libc::IP_TRANSPARENT),
        (libc::SOL_IPV6, libc::IPV6_RECVERR),
        (libc::SOL_IPV6, libc::IPV6_RECVTCLASS),
        (libc::SOL_TCP, libc::TCP_FASTOPEN),
        (libc::SOL_TCP, libc::TCP_MD5SIG),
        (libc::SOL_TCP, libc::TCP_REPAIR),
        (libc::SOL_TCP, libc::TCP_TIMESTAMP),
        (libc::SOL_TCP, libc::TCP_ULP),
    ];
    for (level, name) in options {
        assert_eq!(p.set_int(fd, level, name, 1), Err(Errno::ENOPROTOOPT));
        assert_eq!(p.get_int(fd, level, name), Err(Errno::ENOPROTOOPT));
    }
    let udp = p.socket(UDP);
    let sndbuf = p.set_int(udp, SOCKET, libc::SO_SNDBUF, 50_000);
    assert_eq!(sndbuf, Err(Errno::ENOPROTOOPT));
}

#[test]
fn values_reach_the_stack() {
    let mut p = Process::new();
    let fd = p.socket(TCP);
    let id = p.posix.socket_id(fd).expect("a socket");
    let seconds = Duration::from_secs;
    let cases = [
        (
            SOCKET,
            libc::SO_SNDBUF,
            50_000,
            SocketOption::SendBuffer(50_000),
        ),
        (
            SOCKET,
            libc::SO_RCVBUF,
            60_000,
            SocketOption::ReceiveBuffer(60_000),
        ),
        (
            SOCKET,
            libc::SO_RCVBUF,
            0,
            SocketOption::ReceiveBuffer(1152),
        ),
        (
            SOCKET,
            libc::SO_SNDBUFFORCE,
            70_000,
            SocketOption::SendBuffer(70_000),
        ),
        (
            SOCKET,
            libc::SO_RCVBUFFORCE,
            70_000,
            SocketOption::ReceiveBuffer(70_000),
        ),
        (
            libc::SOL_TCP,
            libc::TCP_LINGER2,
            0,
            SocketOption::Linger2(seconds(60)),
        ),
        (
            libc::SOL_TCP,
            libc::TCP_LINGER2,
            -1,
            SocketOption::Linger2(seconds(0)),
        ),
        (
            libc::SOL_TCP,
            libc::TCP_DEFER_ACCEPT,
            5,
            SocketOption::DeferAccept(seconds(7)),
        ),
        (
            libc::SOL_TCP,
            libc::TCP_QUICKACK,
            1,
            SocketOption::QuickAck(true),
        ),
        (
            libc::SOL_TCP,
            libc::TCP_USER_TIMEOUT,
            1500,
            SocketOption::UserTimeout(Duration::from_millis(1500)),
        ),
        (
            libc::SOL_TCP,
            libc::TCP_NOTSENT_LOWAT,
            0,
            SocketOption::NotSentLowWater(u32::MAX),
        ),
        (libc::SOL_IP, libc::IP_TTL, -1, SocketOption::HopLimit(64)),
        (libc::SOL_IP, libc::IP_TOS, 0x23, SocketOption::Tos(0x20)),
    ];
    for (level, name, value, expected) in cases {
        p.set_int(fd, level, name, value).expect("set");
        let now = p.posix.stack().option(id, expected.name());
        assert_eq!(now, Ok(expected));
    }
    let linger = |on: i32, seconds: i32| [on.to_ne_bytes(), seconds.to_ne_bytes()].concat();
    let cases = [
        (linger(1, 5), Linger::Wait(seconds(5))),
        (linger(0, 5), Linger::Off),
        (linger(1, 0), Linger::Abort),
    ];
    for (value, expected) in cases {
        p.posix
            .setsockopt(p.now, fd, SOCKET, libc::SO_LINGER, &value)
            .expect("set");
        let now = p.posix.stack().option(id, OptionName::Linger);
        assert_eq!(now, Ok(SocketOption::Linger(expected)));
    }
}
