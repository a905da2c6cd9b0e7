//! `poll`, `epoll`, pipes.

use crate::world::V4;
use libc::{EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLET, EPOLLIN, EPOLLOUT, POLLIN, POLLOUT, pollfd};

fn fd(fd: i32, events: i16) -> [pollfd; 1] {
    [pollfd {
        fd,
        events,
        revents: -1,
    }]
}

#[test]
fn poll_tells_what_is_ready_and_waits_for_it() {
    let tool = V4.tool();
    let (socket, wire) = V4.accepted(&tool);
    let mut fds = fd(socket, POLLIN | POLLOUT);
    assert_eq!(tool.poll(&mut fds, 0), Ok(1));
    assert_eq!(fds[0].revents, POLLOUT);
    let mut fds = fd(socket, POLLIN);
    let start = tool.gettimeofday();
    assert_eq!(tool.poll(&mut fds, 30), Ok(0));
    assert_eq!(fds[0].revents, 0);
    let waited = (tool.gettimeofday() - start).as_millis();
    assert!((30..2000).contains(&waited), "{waited} ms");
    wire.inject("P.", 1, 10, 1, &[]);
    assert_eq!(tool.poll(&mut fds, -1), Ok(1));
    assert_eq!(
        (fds[0].revents, fds[0].events, fds[0].fd),
        (POLLIN, POLLIN, socket)
    );
    assert_eq!(tool.poll(&mut [], 0), Ok(0));
}

#[test]
fn epoll_tells_levels_and_edges() {
    let tool = V4.tool();
    let (socket, wire) = V4.accepted(&tool);
    let (level, edge) = (tool.epoll_create(), tool.epoll_create());
    let both = (EPOLLIN | EPOLLOUT) as u32;
    assert_eq!(tool.epoll_ctl(level, EPOLL_CTL_ADD, socket, both), Ok(0));
    let added = tool.epoll_ctl(edge, EPOLL_CTL_ADD, socket, both | EPOLLET as u32);
    assert_eq!(added, Ok(0));
    let added = tool.epoll_ctl(level, EPOLL_CTL_ADD, socket, both);
    assert_eq!(added, Err(libc::EEXIST));
    let data = socket as u64;
    let (writable, all) = (EPOLLOUT as u32, both);
    for _ in 0..2 {
        assert_eq!(tool.epoll_wait(level, 0), Ok(vec![(writable, data)]));
    }
    assert_eq!(tool.epoll_wait(edge, 0), Ok(vec![(writable, data)]));
    assert_eq!(tool.epoll_wait(edge, 10), Ok(vec![]));
    wire.inject("P.", 1, 10, 1, &[]);
    assert_eq!(tool.epoll_wait(edge, -1), Ok(vec![(all, data)]));
    assert_eq!(tool.epoll_wait(level, -1), Ok(vec![(all, data)]));
    let deleted = tool.epoll_ctl(level, EPOLL_CTL_DEL, socket, 0);
    assert_eq!(deleted, Ok(0));
    assert_eq!(tool.epoll_wait(level, 0), Ok(vec![]));
    for fd in [level, edge, socket] {
        assert_eq!(tool.close(fd), Ok(0));
    }
}

#[test]
fn splice_moves_from_a_socket_through_a_pipe() {
    let tool = V4.tool();
    let (socket, wire) = V4.accepted(&tool);
    let [read, write] = tool.pipe();
    wire.inject("P.", 1, 10, 1, &[]);
    wire.expect_line(". 1:1(0) ack 11");
    assert_eq!(tool.splice(socket, write, 100), Ok(10));
    assert_eq!(tool.splice(read, socket, 100), Ok(10));
    wire.expect_line("P. 1:11(10) ack 11");
    assert_eq!(tool.write(write, b"pipe"), Ok(4));
    assert_eq!(tool.read(read, &mut [0; 10]), Ok(4));
    assert_eq!(tool.close(write), Ok(0));
    assert_eq!(tool.read(read, &mut [0; 10]), Ok(0));
    assert_eq!(tool.close(read), Ok(0));
}
