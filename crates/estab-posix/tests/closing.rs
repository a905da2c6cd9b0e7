//! The end of descriptors: shared ones, lingering ones, those that have unread data.

mod common;

use common::{Process, TCP, v4};
use core::task::Poll;
use core::time::Duration;
use estab_posix::{Errno, OPEN_MAX, Waiting};

fn linger(p: &mut Process, fd: i32, seconds: i32) {
    let value = [1i32.to_ne_bytes(), seconds.to_ne_bytes()].concat();
    p.posix
        .setsockopt(p.now, fd, libc::SOL_SOCKET, libc::SO_LINGER, &value)
        .expect("set");
}

/// A connection whose peer reads nothing, and which has more queued than fits there.
fn full(p: &mut Process) -> (i32, i32) {
    let (a, b) = p.pair();
    p.set_int(b, libc::SOL_SOCKET, libc::SO_RCVBUF, 3000)
        .expect("set");
    p.set_int(a, libc::SOL_SOCKET, libc::SO_SNDBUF, 200_000)
        .expect("set");
    let sent = p.write(a, &[0; 150_000]).expect("queued");
    assert_eq!(sent, 150_000);
    (a, b)
}

#[test]
fn numbers_are_the_lowest_free_from_three() {
    let mut p = Process::new();
    let fds: Vec<i32> = (0..4).map(|_| p.socket(TCP)).collect();
    assert_eq!(fds, [3, 4, 5, 6]);
    p.close(4).expect("closed");
    p.close(5).expect("closed");
    assert_eq!((p.socket(TCP), p.socket(TCP), p.socket(TCP)), (4, 5, 7));
    assert!(p.posix.descriptors().eq(3..8));
}

#[test]
fn the_table_is_bounded() {
    let mut p = Process::new();
    let (listener, address) = p.listener();
    let a = p.socket(TCP);
    p.connect(a, address.as_bytes()).expect("connected");
    while p.posix.descriptors().count() < OPEN_MAX {
        p.socket(TCP);
    }
    let none = p.posix.socket(TCP.0, TCP.1, 0);
    assert_eq!(none, Err(Errno::EMFILE));
    assert_eq!(p.posix.pipe2(0), Err(Errno::EMFILE));
    assert_eq!(p.posix.epoll_create(0), Err(Errno::EMFILE));
    assert_eq!(p.posix.fcntl(a, libc::F_DUPFD, 0), Err(Errno::EMFILE));
    assert_eq!(p.accept(listener).err(), Some(Errno::EMFILE));
    // The connection still waits, and one number is enough for it, but not for a pipe.
    p.close(500).expect("closed");
    assert_eq!(p.posix.pipe2(0), Err(Errno::EMFILE));
    assert_eq!(p.accept(listener).map(|accepted| accepted.fd), Ok(500));
    assert_eq!(p.posix.stack().counters().sockets, OPEN_MAX as u64);
}

#[test]
fn numbers_can_be_changed() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    assert_eq!(p.posix.rename(a, 5000), Ok(()));
    assert_eq!(p.write(a, b"x"), Err(Errno::EBADF));
    assert_eq!(p.write(5000, b"x"), Ok(1));
    assert_eq!(p.posix.rename(5000, b), Err(Errno::EBUSY));
    assert_eq!(p.posix.rename(5000, 5000), Ok(()));
    assert_eq!(p.posix.rename(5000, -1), Err(Errno::EBADF));
    assert_eq!(p.posix.rename(5000, i32::MAX), Err(Errno::EBADF));
    assert_eq!(p.posix.rename(99, 100), Err(Errno::EBADF));
    assert_eq!(p.read(b, &mut [0; 9]), Ok(1));
    assert_eq!(p.close(5000), Ok(()));
    assert_eq!(p.read(b, &mut [0; 9]), Ok(0));
}

#[test]
fn the_last_descriptor_closes() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    let copy = p.posix.fcntl(a, libc::F_DUPFD, 100).expect("a copy");
    assert_eq!(copy, 100);
    p.close(a).expect("closed");
    assert_eq!(p.write(copy, b"still here"), Ok(10));
    assert_eq!(p.read(b, &mut [0; 20]), Ok(10));
    p.close(copy).expect("closed");
    assert_eq!(p.read(b, &mut [0; 20]), Ok(0));
}

#[test]
fn closing_does_not_wait_unless_told() {
    let mut p = Process::new();
    let (a, b) = full(&mut p);
    let before = p.now;
    assert_eq!(p.close(a), Ok(()));
    assert_eq!(p.now, before);
    let mut got = 0;
    loop {
        match p.read(b, &mut [0; 50_000]).expect("read") {
            0 => break,
            n => got += n,
        }
    }
    assert_eq!(got, 150_000, "what was written is delivered");
}

#[test]
fn a_lingering_close_waits_until_all_is_acknowledged() {
    let mut p = Process::new();
    let (a, b) = full(&mut p);
    linger(&mut p, a, 60);
    let mut closing = Waiting::new();
    let waits = p.posix.close(p.now, a, &mut closing);
    assert!(waits.is_pending(), "{waits:?}");
    // The number is free, and is somebody else's already.
    while p.socket(TCP) != a {}
    let mut got = 0;
    let mut closed = false;
    loop {
        match p.read(b, &mut [0; 50_000]).expect("read") {
            0 => break,
            n => got += n,
        }
        closed |= p.posix.close(p.now, a, &mut closing).is_ready();
    }
    assert_eq!(got, 150_000);
    // The last acknowledgement may be delayed.
    p.pass(Duration::from_millis(300));
    if !closed {
        assert_eq!(p.posix.close(p.now, a, &mut closing), Poll::Ready(Ok(())));
    }
    assert!(p.posix.getsockname(a).is_ok(), "the new one is left alone");
}

#[test]
fn a_non_blocking_socket_does_not_linger() {
    let mut p = Process::new();
    let (a, b) = full(&mut p);
    linger(&mut p, a, 60);
    p.posix
        .fcntl(a, libc::F_SETFL, libc::O_NONBLOCK)
        .expect("set");
    let before = p.now;
    assert_eq!(p.close(a), Ok(()));
    assert_eq!(p.now, before);
    assert!(p.read(b, &mut [0; 9]).is_ok(), "it goes on by itself");
}

#[test]
fn a_lingering_close_whose_time_is_over_resets() {
    let mut p = Process::new();
    let (a, b) = full(&mut p);
    linger(&mut p, a, 3);
    let before = p.now;
    assert_eq!(p.close(a), Err(Errno::EAGAIN));
    assert_eq!(p.now - before, Duration::from_secs(3));
    assert_eq!(p.close(a), Err(Errno::EBADF));
    assert_eq!(
        p.get_int(b, libc::SOL_SOCKET, libc::SO_ERROR),
        Ok(Errno::ECONNRESET.0)
    );
}

#[test]
fn no_time_to_linger_resets_at_once() {
    let mut p = Process::new();
    let (a, b) = full(&mut p);
    linger(&mut p, a, 0);
    assert_eq!(p.close(a), Ok(()));
    assert_eq!(
        p.get_int(b, libc::SOL_SOCKET, libc::SO_ERROR),
        Ok(Errno::ECONNRESET.0)
    );
}

#[test]
fn a_close_that_nobody_asks_about_again() {
    let mut p = Process::new();
    let (a, _b) = full(&mut p);
    linger(&mut p, a, 3);
    assert!(p.posix.close(p.now, a, &mut Waiting::new()).is_pending());
    p.pass(Duration::from_secs(5));
    let (c, d) = p.pair();
    assert_eq!(p.write(c, b"x"), Ok(1));
    assert_eq!(p.read(d, &mut [0; 1]), Ok(1));
}

#[test]
fn nothing_is_left_when_all_is_closed() {
    let mut p = Process::new();
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    let (a, b) = p.pair();
    let pipe = p.posix.pipe2(0).expect("a pipe");
    for fd in [a, b, pipe[0], pipe[1]] {
        let event = estab_posix::EpollEvent { events: 1, data: 0 };
        let added = p
            .posix
            .epoll_ctl(epfd, libc::EPOLL_CTL_ADD, fd, Some(event));
        assert_eq!(added, Ok(()));
    }
    let udp = p.socket(common::UDP);
    p.posix.bind(udp, &v4("127.0.0.1:53")).expect("bound");
    // In an order that leaves watchers behind, and watched ones.
    for fd in [a, pipe[1], epfd, pipe[0], b, udp] {
        assert_eq!(p.close(fd), Ok(()));
    }
    assert_eq!(p.posix.descriptors().count(), 0);
    p.pass(Duration::from_secs(61));
    let counters = p.posix.stack().counters();
    assert_eq!(
        (counters.sockets, counters.connections, counters.ports),
        (0, 0, 0)
    );
}
