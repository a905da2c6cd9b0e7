//! Timers run without anybody's call, and what they send carries the time at which they were due.

use crate::wire::Wire;
use crate::world::V4;
use std::time::Duration;

/// The tool's tolerance for a time.
const TOLERANCE: Duration = Duration::from_millis(4);

#[track_caller]
fn assert_gap(from: Duration, to: Duration, expected: Duration) {
    let gap = to - from;
    assert!(
        gap.abs_diff(expected) < TOLERANCE,
        "{gap:?}, expected {expected:?}"
    );
}

#[test]
fn syns_are_resent_with_doubling_time_outs() {
    let tool = V4.tool();
    let fd = V4.tcp(&tool);
    assert_eq!(tool.fcntl(fd, libc::F_SETFL, Some(libc::O_NONBLOCK)), Ok(0));
    let remote = V4.sockaddr(V4.remote());
    let start = tool.gettimeofday();
    assert_eq!(tool.connect(fd, &remote), Err(libc::EINPROGRESS));
    let wire = Wire::new(&tool, V4.local(), V4.remote());
    let first = wire.expect_line("S 0:0(0)");
    // The second waits to be taken, and the third is waited for.
    tool.wait_until(start + Duration::from_millis(1500));
    let second = wire.expect_line("S 0:0(0)");
    let third = wire.expect_line("S 0:0(0)");
    assert_gap(first.at, second.at, Duration::from_secs(1));
    assert_gap(second.at, third.at, Duration::from_secs(2));
    let late = tool.gettimeofday() - third.at;
    assert!(late < Duration::from_secs(2), "{late:?}");
    wire.inject("R.", 0, 0, 1, &[]);
    let error = tool.getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, 4);
    assert_eq!(error, Ok(libc::ECONNREFUSED.to_ne_bytes().to_vec()));
}

#[test]
fn data_is_resent_after_the_smallest_time_out() {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    assert_eq!(tool.write(fd, &[0; 10]), Ok(10));
    let first = wire.expect_line("P. 1:11(10) ack 1");
    let second = wire.expect_line("P. 1:11(10) ack 1");
    let gap = second.at - first.at;
    let expected = Duration::from_millis(190)..Duration::from_millis(1500);
    assert!(expected.contains(&gap), "{gap:?}");
}

#[test]
fn sleeping_takes_the_time_that_it_says() {
    let tool = V4.tool();
    let start = tool.gettimeofday();
    tool.usleep(Duration::from_millis(30));
    let slept = tool.gettimeofday() - start;
    assert!(slept >= Duration::from_millis(30), "{slept:?}");
    // The time of day is the machine's.
    let machine = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    assert!(machine.abs_diff(tool.gettimeofday()) < Duration::from_secs(5));
}
