//! Every number that is given out is an open descriptor of the kernel.

use crate::world::V4;

fn is_open(fd: i32) -> bool {
    // SAFETY: it only looks.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

#[test]
fn numbers_are_the_kernels_and_go_with_close() {
    let tool = V4.tool();
    let (accepted, _wire) = V4.accepted(&tool);
    let [read, write] = tool.pipe();
    let fds = [
        accepted,
        V4.tcp(&tool),
        V4.udp(&tool),
        tool.epoll_create(),
        read,
        write,
    ];
    for (at, fd) in fds.iter().enumerate() {
        assert!(is_open(*fd), "{fds:?}");
        assert!(!fds[..at].contains(fd), "{fds:?}");
    }
    for fd in fds {
        assert_eq!(tool.close(fd), Ok(0));
        assert_eq!(tool.close(fd), Err(libc::EBADF), "closed twice");
    }
}

#[test]
fn a_duplicate_has_a_number_from_the_one_asked_for_on() {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    let dup = tool.fcntl(fd, libc::F_DUPFD, Some(200)).unwrap() as i32;
    assert!(dup >= 200 && is_open(dup), "{dup}");
    assert_eq!(tool.close(fd), Ok(0));
    assert_eq!(tool.write(dup, &[0; 5]), Ok(5));
    wire.expect_line("P. 1:6(5) ack 1");
    assert_eq!(tool.close(dup), Ok(0));
    wire.expect_line("F. 6:6(0) ack 1");
}

#[test]
fn the_tool_may_close_what_a_script_left_open() {
    let tool = V4.tool();
    let left = [V4.tcp(&tool), V4.udp(&tool)];
    for fd in left {
        // SAFETY: the tool does so at the end of a script, and the plug-in is made for it.
        assert_eq!(unsafe { libc::close(fd) }, 0);
    }
    // Other tests take numbers too, so these need not come back, but whatever comes can be used.
    for _ in 0..50 {
        let fd = V4.udp(&tool);
        assert_eq!(tool.sendto(fd, &[1], 0, &V4.sockaddr(V4.remote())), Ok(1));
    }
    tool.free();
}
