use super::{Plugin, State};
use crate::clock::Clock;
use crate::options::Options;
use core::task::Poll;
use estab_posix::{Errno, Waiting};
use estab_tcp::Instant;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// 192.0.2.1:8080.
const REMOTE: [u8; 16] = [2, 0, 0x1f, 0x90, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0];

/// A non-blocking socket that is being connected.
fn connect(state: &mut State, now: Instant) {
    state.prepare(&REMOTE);
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
    let fd = state.posix.socket(libc::AF_INET, kind, 0).unwrap();
    let connected = state.posix.connect(now, fd, &REMOTE, &mut Waiting::new());
    assert_eq!(connected, Poll::Ready(Err(Errno(libc::EINPROGRESS))));
    state.transmit();
}

#[test]
fn timers_run_at_their_own_time_however_late() {
    let clock = Clock::start();
    let mut state = State::new(Options::default(), clock).unwrap();
    connect(&mut state, Instant::ZERO);
    let late = Instant::from_nanos(10_500_000_000);
    let advanced = state.advance(late);
    assert!(advanced.ran);
    assert_eq!(advanced.now, late);
    let sent: Vec<_> = std::iter::from_fn(|| state.emitted.pop())
        .map(|packet| (packet.sent - clock.time_of_day(Instant::ZERO)).as_secs_f64())
        .collect();
    assert_eq!(sent, [0.0, 1.0, 3.0, 7.0]);
    // And never back.
    assert_eq!(state.advance(Instant::ZERO).now, late);
}

#[test]
fn receiving_gives_up_after_a_while() {
    let plugin = Plugin::start(Options::default()).unwrap();
    let start = plugin.time_of_day();
    let packet = plugin.receive(Duration::from_millis(30)).unwrap();
    assert!(packet.is_none());
    assert!(plugin.time_of_day() - start >= Duration::from_millis(30));
    plugin
        .at_once(|state, now| {
            connect(state, now);
            Ok(())
        })
        .unwrap();
    assert!(plugin.receive(Duration::ZERO).unwrap().is_some());
    plugin.stop();
}

#[test]
fn after_a_panic_nothing_works_and_nothing_hangs() {
    let plugin = Plugin::start(Options::default()).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _ = plugin.at_once::<()>(|_, _| panic!("on purpose"));
    }));
    assert!(panicked.is_err());
    plugin.wake_all();
    let eio = Errno(libc::EIO);
    assert_eq!(plugin.check(0), Err(eio));
    assert_eq!(plugin.receive(Duration::from_secs(1)).unwrap_err(), eio);
    let waits = plugin.waiting::<()>(|_, _, _| Poll::Pending);
    assert_eq!(waits, Err(eio));
    plugin.stop();
}
