//! Calls that wait, and calls that may not.

mod common;

use common::{Process, TCP};
use core::task::Poll;
use core::time::Duration;
use estab_posix::{Errno, Waiting};

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
    assert_eq!(
        (counters.sockets, counters.connections, counters.time_wait),
        (0, 0, 0)
    );
}

#[test]
fn numbers_are_the_lowest_free_from_three() {
    let mut p = Process::new();
    let fds: Vec<i32> = (0..4).map(|_| p.socket(TCP)).collect();
    assert_eq!(fds, [3, 4, 5, 6]);
    p.close(4).expect("closed");
    p.close(5).expect("closed");
    assert_eq!((p.socket(TCP), p.socket(TCP), p.socket(TCP)), (4, 5, 7));
}

#[test]
fn a_call_waits_until_what_it_waits_for_is_there() {
    let mut p = Process::new();
    let (listener, address) = p.listener();
    let mut accepting = Waiting::new();
    assert!(
        p.posix
            .accept4(p.now, listener, 0, &mut accepting)
            .is_pending()
    );
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
