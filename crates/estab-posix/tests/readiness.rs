//! `poll` and epoll: waiting, many descriptors, edges.

mod common;

use common::{Process, UDP, v4};
use core::task::Poll;
use core::time::Duration;
use estab_posix::{EpollEvent, Errno, OPEN_MAX, PollFd, Waiting};

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const EDGE: u32 = libc::EPOLLET as u32;

fn add(p: &mut Process, epfd: i32, fd: i32, events: u32) {
    let event = EpollEvent {
        events,
        data: fd as u64,
    };
    p.posix
        .epoll_ctl(epfd, libc::EPOLL_CTL_ADD, fd, Some(event))
        .expect("added");
}

/// What is ready now, by the numbers of the descriptors.
fn ready(p: &mut Process, epfd: i32, most: i32) -> Vec<(u64, u32)> {
    p.run();
    let mut waiting = Waiting::new();
    match p.posix.epoll_wait(p.now, epfd, most, 0, &mut waiting) {
        Poll::Ready(Ok(events)) => events.iter().map(|e| (e.data, e.events)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn polling_waits_for_its_time() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    let mut fds = [
        PollFd {
            fd: b,
            events: libc::POLLIN,
            revents: 99,
        },
        PollFd {
            fd: -5,
            events: libc::POLLIN,
            revents: 99,
        },
    ];
    let before = p.now;
    let n = p.call(|posix, now, waiting| posix.poll(now, &mut fds, 1500, waiting));
    assert_eq!(n, Ok(0));
    assert_eq!(p.now - before, Duration::from_millis(1500));
    assert_eq!((fds[0].revents, fds[1].revents), (0, 0));
    // Without limit, until something comes.
    let mut waiting = Waiting::new();
    assert!(p.posix.poll(p.now, &mut fds, -1, &mut waiting).is_pending());
    assert_eq!(waiting.deadline(), None);
    p.write(a, b"x").expect("written");
    let n = p.posix.poll(p.now, &mut fds, -1, &mut waiting);
    assert_eq!(n, Poll::Ready(Ok(1)));
    assert_eq!(fds[0].revents, libc::POLLIN);
    let mut many = vec![fds[1]; OPEN_MAX + 1];
    let n = p.posix.poll(p.now, &mut many, 0, &mut Waiting::new());
    assert_eq!(n, Poll::Ready(Err(Errno::EINVAL)));
    let mut bad = [PollFd {
        fd: 999,
        events: 0,
        revents: 0,
    }];
    let n = p.posix.poll(p.now, &mut bad, -1, &mut Waiting::new());
    assert_eq!((n, bad[0].revents), (Poll::Ready(Ok(1)), libc::POLLNVAL));
}

#[test]
fn epoll_waits_for_its_time() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    add(&mut p, epfd, b, IN);
    let before = p.now;
    let events = p.call(|posix, now, waiting| posix.epoll_wait(now, epfd, 8, 700, waiting));
    assert_eq!(events, Ok(vec![]));
    assert_eq!(p.now - before, Duration::from_millis(700));
    let mut waiting = Waiting::new();
    assert!(
        p.posix
            .epoll_wait(p.now, epfd, 8, -1, &mut waiting)
            .is_pending()
    );
    p.write(a, b"x").expect("written");
    let events = p.posix.epoll_wait(p.now, epfd, 8, -1, &mut waiting);
    let event = EpollEvent {
        events: IN,
        data: b as u64,
    };
    assert_eq!(events, Poll::Ready(Ok(vec![event])));
    // A set that is closed while somebody waits.
    let mut waiting = Waiting::new();
    p.read(b, &mut [0; 9]).expect("read");
    assert!(
        p.posix
            .epoll_wait(p.now, epfd, 8, -1, &mut waiting)
            .is_pending()
    );
    p.close(epfd).expect("closed");
    let events = p.posix.epoll_wait(p.now, epfd, 8, -1, &mut waiting);
    assert_eq!(events, Poll::Ready(Err(Errno::EBADF)));
}

#[test]
fn those_that_are_ready_take_turns() {
    let mut p = Process::new();
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    let pairs: Vec<(i32, i32)> = (0..5).map(|_| p.pair()).collect();
    for (a, b) in &pairs {
        add(&mut p, epfd, *b, IN);
        p.write(*a, b"x").expect("written");
    }
    let mut seen = Vec::new();
    for _ in 0..5 {
        let events = ready(&mut p, epfd, 2);
        assert_eq!(events.len(), 2);
        seen.extend(events.iter().map(|(fd, _)| *fd));
    }
    for (_, b) in &pairs {
        let times = seen.iter().filter(|fd| **fd == *b as u64).count();
        assert_eq!(times, 2, "each as often as the others: {seen:?}");
    }
}

#[test]
fn a_writer_gets_an_edge_when_there_is_room_again() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    p.set_int(a, libc::SOL_SOCKET, libc::SO_SNDBUF, 20_000)
        .expect("set");
    p.set_int(b, libc::SOL_SOCKET, libc::SO_RCVBUF, 5000)
        .expect("set");
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    add(&mut p, epfd, a, OUT | EDGE);
    assert_eq!(ready(&mut p, epfd, 8), [(a as u64, OUT)]);
    assert_eq!(ready(&mut p, epfd, 8), []);
    while p.send(a, &[0; 9000], libc::MSG_DONTWAIT).is_ok() {}
    assert_eq!(ready(&mut p, epfd, 8), []);
    let mut read = 0;
    while ready(&mut p, epfd, 8).is_empty() {
        read += p.read(b, &mut [0; 9000]).expect("read");
        p.pass(Duration::from_millis(300));
        assert!(read < 100_000, "room was made");
    }
    assert_eq!(ready(&mut p, epfd, 8), [], "once");
}

#[test]
fn each_datagram_is_an_edge() {
    let mut p = Process::new();
    let a = p.socket(UDP);
    p.posix.bind(a, &v4("127.0.0.1:53")).expect("bound");
    let b = p.socket(UDP);
    p.connect(b, &v4("127.0.0.1:53")).expect("connected");
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    add(&mut p, epfd, a, IN | EDGE);
    for _ in 0..3 {
        p.write(b, b"x").expect("sent");
        assert_eq!(ready(&mut p, epfd, 8), [(a as u64, IN)]);
        assert_eq!(ready(&mut p, epfd, 8), []);
    }
}

#[test]
fn errors_are_told_unasked() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    add(&mut p, epfd, b, EDGE);
    assert_eq!(ready(&mut p, epfd, 8), []);
    p.connect(a, &[0, 0]).expect("disconnected");
    let gone = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
    assert_eq!(ready(&mut p, epfd, 8), [(b as u64, gone)]);
    assert_eq!(ready(&mut p, epfd, 8), []);
}

#[test]
fn a_set_forgets_what_was_closed_however_often() {
    let mut p = Process::new();
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    let (a, b) = p.pair();
    p.write(a, b"x").expect("written");
    for _ in 0..1000 {
        let copy = p.posix.fcntl(b, libc::F_DUPFD, 0).expect("a copy");
        add(&mut p, epfd, copy, IN);
        let deleted = p.posix.epoll_ctl(epfd, libc::EPOLL_CTL_DEL, copy, None);
        assert_eq!(deleted, Ok(()));
        p.close(copy).expect("closed");
    }
    assert_eq!(ready(&mut p, epfd, 8), []);
    assert_eq!(p.revents(epfd), 0);
    add(&mut p, epfd, b, IN);
    assert_eq!(p.revents(epfd), libc::POLLIN | libc::POLLRDNORM);
    assert_eq!(ready(&mut p, epfd, 8), [(b as u64, IN)]);
}
