//! Connections: opened by the peer and by us, data both ways, closed.

use crate::tool::{Tool, vectors, vectors_mut};
use crate::wire::Wire;
use crate::world::{Form, MAPPED, V4, V6};
use etherparse::TcpOptionElement::{
    MaximumSegmentSize, Noop, SelectiveAcknowledgementPermitted, Timestamp, WindowScale,
};
use std::fs;

/// The shift that Linux takes for the largest receive buffer of its settings.
fn wscale() -> u32 {
    let text = fs::read_to_string("/proc/sys/net/ipv4/tcp_rmem").unwrap();
    let largest: u32 = text.split_whitespace().nth(2).unwrap().parse().unwrap();
    largest.ilog2().saturating_sub(15).min(14)
}

fn passive_open(form: &Form) {
    let tool = form.tool();
    let (listener, wire) = form.listener(&tool);
    let before = tool.gettimeofday();
    let options = [
        MaximumSegmentSize(1000),
        SelectiveAcknowledgementPermitted,
        Noop,
        WindowScale(7),
    ];
    wire.inject("S", 0, 0, 0, &options);
    let after = tool.gettimeofday();
    let syn_ack = wire.expect_line("S. 0:0(0) ack 1");
    let expected = format!("mss {},nop,nop,sackOK,nop,wscale {}", form.mss, wscale());
    assert_eq!(syn_ack.options, expected);
    assert!(
        before <= syn_ack.at && syn_ack.at <= after,
        "{before:?} {syn_ack:?} {after:?}"
    );
    wire.inject(".", 1, 0, 1, &[]);
    let (fd, peer) = tool.accept(listener).unwrap();
    assert_eq!(peer, form.sockaddr(wire.remote));

    wire.inject("P.", 1, 1000, 1, &[]);
    wire.expect_line(". 1:1(0) ack 1001");
    assert_eq!(tool.read(fd, &mut [0; 4000]), Ok(1000));
    assert_eq!(tool.write(fd, &[0; 1500]), Ok(1500));
    wire.expect_line(". 1:1001(1000) ack 1001");
    wire.expect_line("P. 1001:1501(500) ack 1001");
    wire.inject(".", 1001, 0, 1501, &[]);

    assert_eq!(tool.close(fd), Ok(0));
    wire.expect_line("F. 1501:1501(0) ack 1001");
    wire.inject("F.", 1001, 0, 1502, &[]);
    wire.expect_line(". 1502:1502(0) ack 1002");
    assert_eq!(tool.close(listener), Ok(0));
}

#[test]
fn passive_open_data_and_close_over_ipv4() {
    passive_open(&V4);
}

#[test]
fn passive_open_data_and_close_over_ipv6() {
    passive_open(&V6);
}

#[test]
fn passive_open_data_and_close_over_mapped_addresses() {
    passive_open(&MAPPED);
}

fn active_open(form: &Form) {
    let tool = form.tool();
    let fd = form.tcp(&tool);
    assert_eq!(
        tool.fcntl(fd, libc::F_GETFL, None),
        Ok(libc::O_RDWR as isize)
    );
    let nonblocking = libc::O_RDWR | libc::O_NONBLOCK;
    assert_eq!(tool.fcntl(fd, libc::F_SETFL, Some(nonblocking)), Ok(0));
    let remote = form.sockaddr(form.remote());
    assert_eq!(tool.connect(fd, &remote), Err(libc::EINPROGRESS));
    let wire = Wire::new(&tool, form.local(), form.remote());
    let syn = wire.expect_line("S 0:0(0)");
    let expected = format!("mss {},sackOK,TS,nop,wscale {}", form.mss, wscale());
    assert_eq!(syn.options, expected);
    assert_eq!(
        (syn.local.ip(), syn.remote),
        (form.local().ip(), form.remote())
    );
    let echo = syn.timestamps.unwrap().0;
    let options = [
        MaximumSegmentSize(1460),
        SelectiveAcknowledgementPermitted,
        Timestamp(700, echo),
        Noop,
        WindowScale(7),
    ];
    wire.inject("S.", 0, 0, 1, &options);
    let ack = wire.expect_line(". 1:1(0) ack 1");
    assert_eq!(ack.options, "nop,nop,TS");
    assert_eq!(ack.timestamps.unwrap().1, 700);
    let error = tool.getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, 4);
    assert_eq!(error, Ok(vec![0; 4]));
    assert_eq!(
        tool.connect(fd, &remote),
        Ok(0),
        "as Linux: the second call tells that it is done"
    );
    assert_eq!(tool.connect(fd, &remote), Err(libc::EISCONN));

    assert_eq!(tool.shutdown(fd, libc::SHUT_WR), Ok(0));
    wire.expect_line("F. 1:1(0) ack 1");
    wire.inject("R.", 1, 0, 2, &[Noop, Noop, Timestamp(701, echo)]);
    assert_eq!(tool.read(fd, &mut [0; 100]), Err(libc::ECONNRESET));
}

#[test]
fn active_open_over_ipv4() {
    active_open(&V4);
}

#[test]
fn active_open_over_ipv6() {
    active_open(&V6);
}

#[test]
fn active_open_over_mapped_addresses() {
    active_open(&MAPPED);
}

#[test]
fn messages_are_spread_and_gathered() {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    assert_eq!(tool.writev(fd, &[b"one", b"", b"three"]), Ok(8));
    wire.expect_line("P. 1:9(8) ack 1");
    wire.inject(".", 1, 0, 9, &[]);
    let mut list = vectors(&[b"four", b"five"]);
    // SAFETY: all zero is a header without anything.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    (header.msg_iov, header.msg_iovlen) = (list.as_mut_ptr(), 2);
    assert_eq!(tool.sendmsg(fd, &header, 0), Ok(8));
    wire.expect_line("P. 9:17(8) ack 1");
    wire.inject(".", 1, 0, 17, &[]);

    wire.inject("P.", 1, 10, 17, &[]);
    wire.expect_line(". 17:17(0) ack 11");
    let (mut a, mut b) = ([1; 4], [1; 8]);
    let mut list = vectors_mut(&mut [&mut a, &mut b]);
    (header.msg_iov, header.msg_iovlen) = (list.as_mut_ptr(), 2);
    (header.msg_flags, header.msg_controllen) = (-1, 77);
    assert_eq!(tool.recvmsg(fd, &mut header, libc::MSG_PEEK), Ok(10));
    assert_eq!((header.msg_flags, header.msg_controllen), (0, 0));
    assert_eq!((a, b), ([0; 4], [0, 0, 0, 0, 0, 0, 1, 1]));
    let (mut a, mut b) = ([1; 4], [1; 8]);
    assert_eq!(tool.readv(fd, &mut [&mut a, &mut b]), Ok(10));
    assert_eq!((a, b), ([0; 4], [0, 0, 0, 0, 0, 0, 1, 1]));
}

#[test]
fn a_segment_far_larger_than_the_mtu_comes_as_one() {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    let mut len = 0;
    assert_eq!(tool.ioctl(fd, libc::FIONREAD as i32, &mut len), Ok(0));
    assert_eq!(len, 0);
    wire.inject("P.", 1, 64_000, 1, &[]);
    wire.expect_line(". 1:1(0) ack 64001");
    assert_eq!(tool.ioctl(fd, libc::FIONREAD as i32, &mut len), Ok(0));
    assert_eq!(len, 64_000);
    assert_eq!(tool.recv(fd, &mut [0; 100], libc::MSG_PEEK), Ok(100));
    assert_eq!(tool.read(fd, &mut vec![0; 70_000]), Ok(64_000));
}

#[test]
fn the_same_run_twice_has_the_same_packets() {
    let run = || {
        let tool = Tool::new(V4.flags);
        let fd = V4.tcp(&tool);
        let nonblocking = Some(libc::O_NONBLOCK);
        assert_eq!(tool.fcntl(fd, libc::F_SETFL, nonblocking), Ok(0));
        let remote = V4.sockaddr(V4.remote());
        assert_eq!(tool.connect(fd, &remote), Err(libc::EINPROGRESS));
        Wire::new(&tool, V4.local(), V4.remote()).expect().local
    };
    assert_eq!(run(), run());
}
