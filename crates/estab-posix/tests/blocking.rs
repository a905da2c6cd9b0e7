//! Calls that wait, and calls that may not.

mod common;

use common::{Process, TCP, UDP, address, v4};
use core::task::Poll;
use core::time::Duration;
use estab_posix::{Errno, Waiting};
use estab_tcp::Instant;

#[test]
fn a_conversation_of_blocking_calls() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    assert_eq!(p.write(a, b"hello"), Ok(5));
    let mut buffer = [0; 16];
    assert_eq!(p.read(b, &mut buffer), Ok(5));
    assert_eq!(&buffer[..5], b"hello");
    p.shutdown(a, libc::SHUT_WR).expect("shut down");
    assert_eq!(p.read(b, &mut buffer), Ok(0));
    assert_eq!(p.write(b, b"bye"), Ok(3));
    assert_eq!(p.read(a, &mut buffer), Ok(3));
    assert_eq!(p.close(b), Ok(()));
    assert_eq!(p.read(a, &mut buffer), Ok(0));
    assert_eq!(p.close(a), Ok(()));
    assert_eq!(p.close(a), Err(Errno::EBADF));
    p.pass(Duration::from_secs(61));
    let counters = p.posix.stack().counters();
    assert_eq!((counters.sockets, counters.connections), (0, 0));
    assert_eq!((counters.time_wait, counters.ports), (0, 0));
}

#[test]
fn a_call_waits_until_what_it_waits_for_is_there() {
    let mut p = Process::new();
    let (listener, address) = p.listener();
    let mut accepting = Waiting::new();
    let waits = p.posix.accept4(p.now, listener, 0, &mut accepting);
    assert!(waits.is_pending());
    let a = p.socket(TCP);
    let mut connecting = Waiting::new();
    let first = p
        .posix
        .connect(p.now, a, address.as_bytes(), &mut connecting);
    assert!(first.is_pending() && connecting.deadline().is_none());
    p.run();
    let then = p
        .posix
        .connect(p.now, a, address.as_bytes(), &mut connecting);
    assert_eq!(then, Poll::Ready(Ok(())));
    let accepted = p.posix.accept4(p.now, listener, 0, &mut accepting);
    let Poll::Ready(Ok(accepted)) = accepted else {
        panic!("accepted: {accepted:?}");
    };
    assert_eq!(Ok(accepted.address), p.posix.getsockname(a));
}

#[test]
fn a_blocking_write_returns_when_all_is_queued() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    p.set_int(a, libc::SOL_SOCKET, libc::SO_SNDBUF, 20_000)
        .expect("set");
    p.set_int(b, libc::SOL_SOCKET, libc::SO_RCVBUF, 20_000)
        .expect("set");
    let data: Vec<u8> = (0..300_000).map(|n| n as u8).collect();
    let mut writing = Waiting::new();
    let mut got = Vec::new();
    for _ in 0..10_000 {
        let wrote = p.posix.write(p.now, a, &data, &mut writing);
        p.run();
        let mut buffer = [0; 7000];
        let read = p.posix.recvfrom(
            p.now,
            b,
            &mut buffer,
            libc::MSG_DONTWAIT,
            &mut Waiting::new(),
        );
        if let Poll::Ready(Ok(received)) = read {
            got.extend_from_slice(&buffer[..received.len]);
        }
        p.pass(Duration::from_millis(1));
        if let Poll::Ready(result) = wrote {
            assert_eq!(result, Ok(300_000));
            break;
        }
    }
    while got.len() < data.len() {
        let mut buffer = [0; 7000];
        let n = p.read(b, &mut buffer).expect("read");
        assert!(n > 0);
        got.extend_from_slice(&buffer[..n]);
    }
    assert!(got == data, "the same bytes in the same order");
}

#[test]
fn a_write_that_cannot_go_on_gives_what_it_did() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    p.set_int(a, libc::SOL_SOCKET, libc::SO_SNDBUF, 20_000)
        .expect("set");
    p.set_int(b, libc::SOL_SOCKET, libc::SO_RCVBUF, 5000)
        .expect("set");
    let data = vec![0; 300_000];
    // Not waiting.
    let sent = p.send(a, &data, libc::MSG_DONTWAIT).expect("a part");
    assert!((20_000..300_000).contains(&sent));
    while p.send(a, &data, libc::MSG_DONTWAIT).is_ok() {}
    assert_eq!(p.send(a, &data, libc::MSG_DONTWAIT), Err(Errno::EAGAIN));
    // Waiting no longer than it may.
    let mut buffer = vec![0; 50_000];
    p.read(b, &mut buffer).expect("some room");
    p.pass(Duration::from_millis(300));
    let timeout = timeval(2, 0);
    p.posix
        .setsockopt(p.now, a, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &timeout)
        .expect("set");
    let before = p.now;
    let sent = p.write(a, &data).expect("a part");
    assert!((1..300_000).contains(&sent));
    assert_eq!(p.now - before, Duration::from_secs(2));
    // The peer resets: what was taken counts, then comes the error.
    let mut writing = Waiting::new();
    p.read(b, &mut buffer).expect("some room");
    p.pass(Duration::from_millis(300));
    let waits = p.posix.write(p.now, a, &data, &mut writing);
    assert!(waits.is_pending());
    p.close(b).expect("with unread data");
    let Poll::Ready(Ok(sent)) = p.posix.write(p.now, a, &data, &mut writing) else {
        panic!("it is over");
    };
    assert!((1..300_000).contains(&sent));
    assert_eq!(p.write(a, &data), Err(Errno::ECONNRESET));
    assert_eq!(p.write(a, &data), Err(Errno::EPIPE));
}

fn timeval(seconds: i64, micros: i64) -> Vec<u8> {
    [seconds.to_ne_bytes(), micros.to_ne_bytes()].concat()
}

#[test]
fn reading_waits_for_all_or_for_the_low_water_mark() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    let mut buffer = [0; 10];
    let mut reading = Waiting::new();
    let mut all = |p: &mut Process, reading: &mut Waiting| {
        p.run();
        let got = p
            .posix
            .recvfrom(p.now, b, &mut buffer, libc::MSG_WAITALL, reading);
        got.map_ok(|received| (received.len, buffer))
    };
    assert!(all(&mut p, &mut reading).is_pending());
    p.write(a, b"hello").expect("written");
    assert!(all(&mut p, &mut reading).is_pending());
    p.write(a, b"world!").expect("written");
    assert_eq!(
        all(&mut p, &mut reading),
        Poll::Ready(Ok((10, *b"helloworld")))
    );
    // The rest, and the end.
    let mut reading = Waiting::new();
    assert!(all(&mut p, &mut reading).is_pending());
    p.shutdown(a, libc::SHUT_WR).expect("shut down");
    let Poll::Ready(Ok((len, got))) = all(&mut p, &mut reading) else {
        panic!("the end ends the wait");
    };
    assert_eq!(&got[..len], b"!");
    // With a low-water mark.
    let (a, b) = p.pair();
    p.set_int(b, libc::SOL_SOCKET, libc::SO_RCVLOWAT, 4)
        .expect("set");
    let mut reading = Waiting::new();
    p.write(a, b"abc").expect("written");
    let mut buffer = [0; 10];
    let waits = p.posix.read(p.now, b, &mut buffer, &mut reading);
    assert!(waits.is_pending());
    p.write(a, b"de").expect("written");
    let read = p.posix.read(p.now, b, &mut buffer, &mut reading);
    assert_eq!(read, Poll::Ready(Ok(5)));
    assert_eq!(&buffer[..5], b"abcde");
}

#[test]
fn peeking_waits_for_all_and_leaves_it() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    let flags = libc::MSG_PEEK | libc::MSG_WAITALL;
    let mut peeking = Waiting::new();
    let mut buffer = [0; 4];
    p.write(a, b"ab").expect("written");
    let waits = p.posix.recvfrom(p.now, b, &mut buffer, flags, &mut peeking);
    assert!(waits.is_pending());
    p.write(a, b"cd").expect("written");
    let got = p.posix.recvfrom(p.now, b, &mut buffer, flags, &mut peeking);
    assert!(matches!(got, Poll::Ready(Ok(received)) if received.len == 4));
    assert_eq!(p.recv(b, &mut [0; 9], 0), Ok(4));
}

#[test]
fn time_outs_of_receiving_and_accepting() {
    let mut p = Process::new();
    let (listener, address) = p.listener();
    let udp = p.socket(UDP);
    let (a, b) = p.pair();
    for fd in [listener, udp, b] {
        let value = timeval(1, 500_000);
        p.posix
            .setsockopt(p.now, fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &value)
            .expect("set");
    }
    let waited = |p: &mut Process, call: &mut dyn FnMut(&mut Process)| {
        let before = p.now;
        call(p);
        assert_eq!(p.now - before, Duration::from_millis(1500));
    };
    waited(&mut p, &mut |p| {
        assert_eq!(p.accept(listener).err(), Some(Errno::EAGAIN))
    });
    waited(&mut p, &mut |p| {
        assert_eq!(p.recv(udp, &mut [0; 9], 0), Err(Errno::EAGAIN))
    });
    waited(&mut p, &mut |p| {
        assert_eq!(p.read(b, &mut [0; 9]), Err(Errno::EAGAIN))
    });
    p.write(a, b"abc").expect("written");
    waited(&mut p, &mut |p| {
        assert_eq!(p.recv(b, &mut [0; 9], libc::MSG_WAITALL), Ok(3));
    });
    let late = p.socket_nonblock(TCP);
    let begun = p.connect(late, address.as_bytes());
    assert_eq!(begun, Err(Errno::EINPROGRESS));
    assert!(p.accept(listener).is_ok());
}

#[test]
fn connecting_to_a_host_that_is_silent() {
    let mut p = Process::new();
    // An interface from which nothing is ever answered.
    let link = p
        .posix
        .stack_mut()
        .add_interface(estab_stack::InterfaceConfig {
            name: "silent".into(),
            medium: estab_stack::Medium::Ip,
            hardware_address: [0; 6],
            mtu: 1500,
            checksum_offload: false,
            segmentation_offload: 0,
        });
    let cidr = estab_stack::Cidr {
        address: [192, 0, 2, 1].into(),
        prefix_len: 24,
    };
    p.posix
        .stack_mut()
        .add_address(link, cidr)
        .expect("an address");
    let to = v4("192.0.2.9:80");
    let fd = p.socket(TCP);
    let value = timeval(2, 0);
    p.posix
        .setsockopt(p.now, fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &value)
        .expect("set");
    let before = p.now;
    assert_eq!(p.connect(fd, &to), Err(Errno::EINPROGRESS));
    assert_eq!(p.now - before, Duration::from_secs(2));
    assert_eq!(p.connect(fd, &to), Err(Errno::EALREADY));
    // Without a limit the resending of SYNs is one.
    let fd = p.socket(TCP);
    assert_eq!(p.connect(fd, &to), Err(Errno::ETIMEDOUT));
    // The error was told some other way.
    let fd = p.socket_nonblock(TCP);
    assert_eq!(p.connect(fd, &to), Err(Errno::EINPROGRESS));
    p.pass(Duration::from_secs(130));
    let error = p.get_int(fd, libc::SOL_SOCKET, libc::SO_ERROR);
    assert_eq!(error, Ok(Errno::ETIMEDOUT.0));
    assert_eq!(p.connect(fd, &to), Err(Errno::ECONNABORTED));
    assert_eq!(p.connect(fd, &to), Err(Errno::EINPROGRESS));
}

#[test]
fn a_call_whose_descriptor_is_closed_meanwhile_ends() {
    let mut p = Process::new();
    let (_a, b) = p.pair();
    let mut buffer = [0; 10];
    let mut reading = Waiting::new();
    assert!(
        p.posix
            .read(p.now, b, &mut buffer, &mut reading)
            .is_pending()
    );
    let mut again = Waiting::new();
    assert!(p.posix.read(p.now, b, &mut buffer, &mut again).is_pending());
    p.close(b).expect("closed");
    let read = p.posix.read(p.now, b, &mut buffer, &mut reading);
    assert_eq!(read, Poll::Ready(Err(Errno::EBADF)));
    // Another file got the number.
    while p.socket(TCP) != b {}
    let read = p.posix.read(p.now, b, &mut buffer, &mut again);
    assert_eq!(read, Poll::Ready(Err(Errno::EBADF)));
}

#[test]
fn a_connect_that_somebody_gives_up_ends() {
    let mut p = Process::new();
    let (_listener, address) = p.listener();
    let fd = p.socket(TCP);
    let mut connecting = Waiting::new();
    let waits = p
        .posix
        .connect(p.now, fd, address.as_bytes(), &mut connecting);
    assert!(waits.is_pending());
    assert_eq!(p.posix.shutdown(p.now, fd, libc::SHUT_RDWR), Ok(()));
    let connected = p
        .posix
        .connect(p.now, fd, address.as_bytes(), &mut connecting);
    assert_eq!(connected, Poll::Ready(Err(Errno::ECONNRESET)));
    assert_eq!(p.connect(fd, address.as_bytes()), Ok(()));
}

#[test]
fn two_calls_may_wait_for_one_connection() {
    let mut p = Process::new();
    let (_listener, address) = p.listener();
    let fd = p.socket(TCP);
    let mut calls = [Waiting::new(), Waiting::new()];
    for waiting in &mut calls {
        let waits = p.posix.connect(p.now, fd, address.as_bytes(), waiting);
        assert!(waits.is_pending());
    }
    p.run();
    for waiting in &mut calls {
        let connected = p.posix.connect(p.now, fd, address.as_bytes(), waiting);
        assert_eq!(connected, Poll::Ready(Ok(())));
    }
}

#[test]
fn a_listener_that_ends_ends_accepting() {
    let mut p = Process::new();
    let (listener, _) = p.listener();
    let mut accepting = Waiting::new();
    let waits = p.posix.accept4(p.now, listener, 0, &mut accepting);
    assert!(waits.is_pending());
    p.shutdown(listener, libc::SHUT_RD).expect("shut down");
    let accepted = p.posix.accept4(p.now, listener, 0, &mut accepting);
    assert!(matches!(accepted, Poll::Ready(Err(Errno::EINVAL))));
}

#[test]
fn datagrams_wait_for_their_reader() {
    let mut p = Process::new();
    let a = p.socket(UDP);
    p.posix.bind(a, &v4("127.0.0.1:53")).expect("bound");
    let b = p.socket(UDP);
    let mut receiving = Waiting::new();
    let mut buffer = [0; 10];
    let waits = p.posix.recvfrom(p.now, a, &mut buffer, 0, &mut receiving);
    assert!(waits.is_pending());
    let to = v4("127.0.0.1:53");
    let sent = p.call(|posix, now, waiting| posix.sendto(now, b, b"query", 0, Some(&to), waiting));
    assert_eq!(sent, Ok(5));
    let got = p.posix.recvfrom(p.now, a, &mut buffer, 0, &mut receiving);
    let Poll::Ready(Ok(got)) = got else {
        panic!("a datagram: {got:?}");
    };
    assert_eq!(&buffer[..got.len], b"query");
    let from = estab_posix::Address::parse(got.address.expect("a sender").as_bytes());
    let name = p.posix.getsockname(b).expect("a name");
    let port = estab_posix::Address::parse(name.as_bytes())
        .expect("parsed")
        .port();
    assert_eq!(from, Ok(address(&format!("127.0.0.1:{port}"))));
}

#[test]
fn time_stands_still_in_calls() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    p.write(a, b"x").expect("written");
    p.read(b, &mut [0; 1]).expect("read");
    assert_eq!(p.now, Instant::ZERO + Duration::from_secs(1));
}
