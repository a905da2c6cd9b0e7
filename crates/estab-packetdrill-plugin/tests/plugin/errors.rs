//! Bad arguments, bad flags, calls after the end.

use crate::tool::{Tool, init};
use crate::world::{V4, in_child};
use std::net::SocketAddr;

#[test]
fn pointers_to_nothing_are_faults() {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    wire.inject("P.", 1, 10, 1, &[]);
    assert_eq!(tool.read_null(fd, 10), Err(libc::EFAULT));
    assert_eq!(tool.read_null(fd, 0), Ok(0));
    // SAFETY: all zero is a header without anything.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iovlen = 1;
    assert_eq!(tool.recvmsg(fd, &mut header, 0), Err(libc::EFAULT));
    assert_eq!(tool.sendmsg(fd, &header, 0), Err(libc::EFAULT));
    header.msg_iovlen = 5000;
    assert_eq!(tool.sendmsg(fd, &header, 0), Err(libc::EMSGSIZE));
    assert_eq!(tool.read(fd, &mut [0; 100]), Ok(10), "nothing was lost");
}

#[test]
fn descriptors_that_are_not_ours_are_bad() {
    let tool = V4.tool();
    // Standard input, and nothing.
    for fd in [0, -1, i32::MAX] {
        assert_eq!(tool.read(fd, &mut [0; 4]), Err(libc::EBADF));
        assert_eq!(tool.read_null(fd, 4), Err(libc::EBADF));
        assert_eq!(tool.write(fd, &[]), Err(libc::EBADF));
        assert_eq!(tool.listen(fd, 1), Err(libc::EBADF));
        assert_eq!(tool.accept(fd), Err(libc::EBADF));
        assert_eq!(tool.fcntl(fd, libc::F_GETFL, None), Err(libc::EBADF));
        assert_eq!(tool.close(fd), Err(libc::EBADF));
    }
}

#[test]
fn addresses_that_are_wrong_are_refused() {
    let tool = V4.tool();
    let fd = V4.tcp(&tool);
    assert_eq!(tool.bind(fd, &[2, 0, 0]), Err(libc::EINVAL));
    let elsewhere: SocketAddr = "10.9.9.9:8080".parse().unwrap();
    let elsewhere = tool.bind(fd, &V4.sockaddr(elsewhere));
    assert_eq!(elsewhere, Err(libc::EADDRNOTAVAIL));
    let family = tool.socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
    assert_eq!(family, Err(libc::EAFNOSUPPORT));
}

#[test]
fn a_packet_larger_than_any_is_refused_and_nonsense_is_dropped() {
    let tool = V4.tool();
    assert_eq!(tool.netdev_send(&vec![0x45; 70_000]), Err(libc::EMSGSIZE));
    for packet in [&[][..], &[0x45], &[0x60; 39], &[0xff; 1000]] {
        assert_eq!(tool.netdev_send(packet), Ok(0));
    }
    V4.accepted(&tool);
}

#[test]
fn after_free_there_is_nothing() {
    let tool = V4.tool();
    let fd = V4.tcp(&tool);
    tool.free();
    assert_eq!(tool.listen(fd, 1), Err(libc::EBADF));
    tool.free();
}

#[test]
fn flags_that_are_wrong_end_the_process_and_say_why() {
    let name = "errors::flags_that_are_wrong_end_the_process_and_say_why";
    let output = in_child(name, "--quiet", None, || {
        init(Some("mtu=1500,speed=7"));
        unreachable!("init has ended the process");
    });
    if let Some(output) = output {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let message = String::from_utf8_lossy(&output.stderr);
        let expected =
            "estab: packetdrill plug-in: --so_flags: unknown key `speed`; the keys are local_ip,";
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn no_flags_at_all_are_fine() {
    let tool = Tool::start(None);
    let fd = tool.socket(libc::AF_INET, libc::SOCK_STREAM, 0).unwrap();
    assert_eq!(tool.close(fd), Ok(0));
}
