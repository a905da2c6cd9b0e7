//! What flags of sending make of segments.

mod common;

use common::{Process, TCP};
use core::time::Duration;
use estab_posix::{Address, Errno};

/// The data segments that so many calls make, by their lengths.
fn lengths(p: &mut Process, fd: i32, calls: &[(&[u8], i32)]) -> Vec<u32> {
    let count = |p: &mut Process| {
        let info = p
            .posix
            .getsockopt(p.now, fd, libc::SOL_TCP, libc::TCP_INFO, 300);
        let info = info.expect("information");
        let segments = u32::from_ne_bytes(info[156..160].try_into().expect("four bytes"));
        let bytes = u64::from_ne_bytes(info[200..208].try_into().expect("eight bytes"));
        (segments, bytes as u32)
    };
    let mut before = count(p);
    let mut lengths = Vec::new();
    for (data, flags) in calls {
        p.send(fd, data, *flags).expect("sent");
        let after = count(p);
        if after.0 > before.0 {
            lengths.push(after.1 - before.1);
        }
        before = after;
    }
    lengths
}

#[test]
fn more_holds_back_what_is_not_full() {
    let mut p = Process::new();
    let (a, _b) = p.pair();
    let more = libc::MSG_MORE;
    let sent = lengths(&mut p, a, &[(b"one", more), (b"two", more), (b"three", 0)]);
    assert_eq!(sent, [11]);
    // But not for ever.
    assert_eq!(lengths(&mut p, a, &[(b"last", more)]), [0; 0]);
    p.pass(Duration::from_millis(250));
    let outstanding = p.posix.ioctl(p.now, a, libc::TIOCOUTQ as u32, 0);
    assert_eq!(outstanding, Ok(0));
}

#[test]
fn records_do_not_share_a_segment() {
    let mut p = Process::new();
    let listener = p.listener();
    let a = p.socket_nonblock(TCP);
    let _ = p.connect(a, listener.1.as_bytes());
    p.pass(Duration::from_millis(1));
    // All is queued before anything can be sent: the network is not asked in between.
    let mut segments = Vec::new();
    for (data, flags) in [
        (&b"one"[..], libc::MSG_EOR),
        (b"two", libc::MSG_EOR),
        (b"three", 0),
        (b"four", 0),
    ] {
        let sent = p.posix.sendto(
            p.now,
            a,
            data,
            flags,
            None,
            &mut estab_posix::Waiting::new(),
        );
        assert!(sent.is_ready());
        segments.push(data.len());
    }
    p.run();
    let b = p.accept(listener.0).expect("accepted").fd;
    let info = p
        .posix
        .getsockopt(p.now, a, libc::SOL_TCP, libc::TCP_INFO, 300);
    let info = info.expect("information");
    let count = u32::from_ne_bytes(info[156..160].try_into().expect("four bytes"));
    assert!(count >= 2, "two records went, each on its own: {count}");
    let mut buffer = [0; 100];
    p.pass(Duration::from_millis(300));
    assert_eq!(p.read(b, &mut buffer), Ok(15));
    assert_eq!(&buffer[..15], b"onetwothreefour");
}

#[test]
fn datagram_sockets_refuse_what_they_cannot_do() {
    let mut p = Process::new();
    let fd = p.socket(common::UDP);
    p.connect(fd, &common::v4("127.0.0.1:9"))
        .expect("connected");
    for flags in [
        libc::MSG_OOB,
        libc::MSG_MORE,
        libc::MSG_DONTROUTE,
        libc::MSG_ZEROCOPY,
    ] {
        assert_eq!(p.send(fd, b"x", flags), Err(Errno::EOPNOTSUPP));
    }
    assert_eq!(p.send(fd, b"x", libc::MSG_EOR | libc::MSG_NOSIGNAL), Ok(1));
    let name = p.posix.getsockname(fd).expect("a name");
    assert!(Address::parse(name.as_bytes()).is_ok_and(|name| name.port() != 0));
}
