//! Pipes and `splice`, with calls that wait.

mod common;

use common::{Process, TCP, UDP};
use core::task::Poll;
use estab_posix::{Errno, Waiting};

const CAPACITY: usize = 64 << 10;

#[test]
fn a_pipe_holds_so_much_and_no_more() {
    let mut p = Process::new();
    let [reader, writer] = p.posix.pipe2(0).expect("a pipe");
    let data: Vec<u8> = (0..100_000).map(|n| n as u8).collect();
    let mut writing = Waiting::new();
    assert!(
        p.posix
            .write(p.now, writer, &data, &mut writing)
            .is_pending()
    );
    let mut got = vec![0; 100_000];
    assert_eq!(p.read(reader, &mut got), Ok(CAPACITY));
    let wrote = p.posix.write(p.now, writer, &data, &mut writing);
    assert_eq!(wrote, Poll::Ready(Ok(100_000)));
    assert_eq!(p.read(reader, &mut got[CAPACITY..]), Ok(100_000 - CAPACITY));
    assert!(got == data);
}

#[test]
fn small_writes_are_whole() {
    let mut p = Process::new();
    let [reader, writer] = p.posix.pipe2(libc::O_NONBLOCK).expect("a pipe");
    assert_eq!(p.write(writer, &[0; CAPACITY - 100]), Ok(CAPACITY - 100));
    assert_eq!(p.write(writer, &[1; 200]), Err(Errno::EAGAIN));
    assert_eq!(p.write(writer, &[1; 5000]), Ok(100), "larger ones are not");
    assert_eq!(p.read(reader, &mut [0; 100]), Ok(100));
    assert_eq!(p.write(writer, &[1; 100]), Ok(100));
}

#[test]
fn a_reader_waits_for_the_writer_and_sees_its_end() {
    let mut p = Process::new();
    let [reader, writer] = p.posix.pipe2(0).expect("a pipe");
    let mut reading = Waiting::new();
    let mut buffer = [0; 10];
    let waits = p.posix.read(p.now, reader, &mut buffer, &mut reading);
    assert!(waits.is_pending());
    p.close(writer).expect("closed");
    let read = p.posix.read(p.now, reader, &mut buffer, &mut reading);
    assert_eq!(read, Poll::Ready(Ok(0)));
    // A writer that waits is told that nobody reads any more.
    let [reader, writer] = p.posix.pipe2(0).expect("a pipe");
    let mut writing = Waiting::new();
    let waits = p.posix.write(p.now, writer, &[0; 100_000], &mut writing);
    assert!(waits.is_pending());
    p.close(reader).expect("closed");
    let wrote = p.posix.write(p.now, writer, &[0; 100_000], &mut writing);
    assert_eq!(wrote, Poll::Ready(Ok(CAPACITY)));
    assert_eq!(p.write(writer, b"x"), Err(Errno::EPIPE));
}

#[test]
fn splicing_waits() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    let [reader, writer] = p.posix.pipe2(0).expect("a pipe");
    let mut into = Waiting::new();
    let waits = p.posix.splice(p.now, b, writer, 100, 0, &mut into);
    assert!(waits.is_pending());
    p.write(a, b"through").expect("written");
    let moved = p.posix.splice(p.now, b, writer, 100, 0, &mut into);
    assert_eq!(moved, Poll::Ready(Ok(7)));
    let mut out = Waiting::new();
    let moved = p.posix.splice(p.now, reader, a, 100, 0, &mut out);
    assert_eq!(moved, Poll::Ready(Ok(7)));
    assert_eq!(p.read(b, &mut [0; 100]), Ok(7));
    let mut out = Waiting::new();
    let waits = p.posix.splice(p.now, reader, a, 100, 0, &mut out);
    assert!(waits.is_pending(), "the pipe is empty");
    p.close(writer).expect("closed");
    let moved = p.posix.splice(p.now, reader, a, 100, 0, &mut out);
    assert_eq!(moved, Poll::Ready(Ok(0)));
}

#[test]
fn splicing_to_a_full_socket_moves_what_fits() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    p.set_int(a, libc::SOL_SOCKET, libc::SO_SNDBUF, 10_000)
        .expect("set");
    p.set_int(b, libc::SOL_SOCKET, libc::SO_RCVBUF, 3000)
        .expect("set");
    while p.send(a, &[0; 20_000], libc::MSG_DONTWAIT).is_ok() {}
    let [reader, writer] = p.posix.pipe2(0).expect("a pipe");
    p.write(writer, &[7; 50_000]).expect("written");
    let flags = libc::SPLICE_F_NONBLOCK;
    let moved = p.call(|posix, now, waiting| posix.splice(now, reader, a, 50_000, flags, waiting));
    assert_eq!(moved, Err(Errno::EAGAIN));
    let mut waiting = Waiting::new();
    let waits = p.posix.splice(p.now, reader, a, 50_000, 0, &mut waiting);
    assert!(waits.is_pending());
    let mut got = Vec::new();
    let mut moved = Poll::Pending;
    for _ in 0..1000 {
        p.pass(core::time::Duration::from_millis(300));
        let mut buffer = [0; 9000];
        let read = p.recv(b, &mut buffer, libc::MSG_DONTWAIT);
        got.extend_from_slice(&buffer[..read.unwrap_or(0)]);
        if moved.is_pending() {
            moved = p.posix.splice(p.now, reader, a, 50_000, 0, &mut waiting);
        }
        if got.iter().filter(|byte| **byte == 7).count() == 50_000 {
            break;
        }
    }
    assert_eq!(moved, Poll::Ready(Ok(50_000)));
    assert_eq!(got.iter().filter(|byte| **byte == 7).count(), 50_000);
}

#[test]
fn splicing_between_pipes_and_what_cannot_be_spliced() {
    let mut p = Process::new();
    let first = p.posix.pipe2(0).expect("a pipe");
    let second = p.posix.pipe2(0).expect("a pipe");
    let mut waiting = Waiting::new();
    let waits = p
        .posix
        .splice(p.now, first[0], second[1], 10, 0, &mut waiting);
    assert!(waits.is_pending());
    p.write(first[1], b"hello").expect("written");
    let moved = p
        .posix
        .splice(p.now, first[0], second[1], 10, 0, &mut waiting);
    assert_eq!(moved, Poll::Ready(Ok(5)));
    assert_eq!(p.read(second[0], &mut [0; 10]), Ok(5));
    let udp = p.socket(UDP);
    let epfd = p.posix.epoll_create(0).expect("an epoll");
    for fd in [udp, epfd] {
        let moved = p
            .posix
            .splice(p.now, first[0], fd, 10, 0, &mut Waiting::new());
        assert_eq!(moved, Poll::Ready(Err(Errno::EINVAL)));
    }
    let fresh = p.socket(TCP);
    let moved = p
        .posix
        .splice(p.now, fresh, first[1], 10, 0, &mut Waiting::new());
    assert_eq!(moved, Poll::Ready(Err(Errno::ENOTCONN)));
    assert_eq!(p.posix.pipe2(libc::O_DIRECT), Err(Errno::EINVAL));
}
