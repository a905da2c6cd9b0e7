//! Thousands of connections opened, used and closed in order between our sockets and the kernel's: nothing may be reset
//! or lost, and nothing may be left of them.
//!
//! `ESTAB_CHURN` is the number of connections of each test, `ESTAB_SEED` draws how each of them goes.

#[path = "../common/mod.rs"]
mod common;

mod blocking;
mod network;
mod plan;
mod resources;
mod tasks;
mod watch;

use estab_device::namespace::testing::privileged_test;
use network::{Network, Side};
use plan::Plans;
use resources::{KernelCounters, Resources};
use std::io::Write;
use std::ops::Range;
use std::time::Duration;
use watch::{Seen, Watch};

/// Connections that are open at the same time: of each family half.
const LANES: u64 = 4;
/// Opened before anything is measured, for what a process allocates once.
const WARM_UP: u64 = 100;
/// The parts in which a host's connections come, with an end to everything after each.
const PARTS: u64 = 4;
/// What a part may keep for each connection when nothing leaks: a queue that grew, one more buffer in a pool.
const RETAINED_BYTES: isize = 64;

/// Uses a host for the connections of a range, each in its lane.
type Use = fn(&Network, &Plans, Range<u64>);

#[test]
fn the_kernel_connects_to_threads() {
    privileged_test("the_kernel_connects_to_threads", || {
        churn(blocking::the_kernel_connects);
    });
}

#[test]
fn threads_connect_to_the_kernel() {
    privileged_test("threads_connect_to_the_kernel", || {
        churn(blocking::we_connect);
    });
}

#[test]
fn the_kernel_connects_to_tasks() {
    privileged_test("the_kernel_connects_to_tasks", || {
        churn(tasks::the_kernel_connects);
    });
}

#[test]
fn tasks_connect_to_the_kernel() {
    privileged_test("tasks_connect_to_the_kernel", || {
        churn(tasks::we_connect);
    });
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn churn(use_host: Use) {
    let count = number("ESTAB_CHURN", 2000);
    let plans = Plans::new(number("ESTAB_SEED", 1));
    for (number, side) in [(0, Side::PlainReno), (1, Side::OffloadCubic)] {
        let network = Network::new(number, side, Watch::new().0);
        use_host(&network, &plans, 0..WARM_UP);
        everything_is_over(&network);
    }
    let before = Resources::settled();
    one_host(2, Side::PlainReno, &plans, 0..count / 2, use_host);
    one_host(3, Side::OffloadCubic, &plans, count / 2..count, use_host);
    assert_eq!(Resources::settled(), before, "all is given back");
}

/// Uses one host, and looks for what is left of the connections in it while it lives.
fn one_host(number: u8, side: Side, plans: &Plans, numbers: Range<u64>, use_host: Use) {
    let kernel_before = KernelCounters::read();
    let (watch, seen) = Watch::new();
    let network = Network::new(number, side, watch);
    let len = (numbers.end - numbers.start) / PARTS;
    let mut after_parts = Vec::new();
    let mut took = Duration::ZERO;
    for part in 0..PARTS {
        let first = numbers.start + part * len;
        let start = network.host.now();
        use_host(&network, plans, first..first + len);
        took += network.host.now() - start;
        everything_is_over(&network);
        after_parts.push(Resources::settled());
    }
    let kept = kept(&after_parts, len);

    let (connections, closing) = all_were_orderly(&network, &seen, len * PARTS);
    KernelCounters::read().assert_orderly(&kernel_before);
    let _ = writeln!(
        std::io::stderr(),
        "{side:?}: {connections} connections in {took:?}, {closing} through CLOSING, {} segments sent again, \
         {} TIME-WAITs taken over, bytes kept by each part: {kept:?}",
        network.host.counters().retransmits,
        network.host.counters().time_wait_reuses,
    );
}

/// What the device's pool may grow by, a buffer at a time, before it is full: it remembers 32 buffers of 64 KiB at most.
const POOL_BYTES: isize = 32 * 66_000;

/// Compares what there was after each part. Tables and pools keep capacity for the connections of their fullest moment,
/// which is a little fuller now and then; but whatever leaks, leaks in every part.
fn kept(after_parts: &[Resources], connections: u64) -> Vec<isize> {
    let kept = after_parts.windows(2).map(|pair| {
        assert_eq!(pair[0].descriptors, pair[1].descriptors, "descriptors");
        assert_eq!(pair[0].threads, pair[1].threads, "threads");
        pair[1].bytes - pair[0].bytes
    });
    let kept: Vec<isize> = kept.collect();
    let limit = RETAINED_BYTES * connections.cast_signed() as isize;
    assert!(
        kept.iter().any(|&bytes| bytes <= limit) || kept.iter().sum::<isize>() <= POOL_BYTES,
        "every part keeps memory: {kept:?}"
    );
    kept
}

/// Waits until 2 MSL have passed for the last connection, and looks at what the host counts as there.
fn everything_is_over(network: &Network) {
    let live = || {
        let all = network.host.counters();
        let there = [
            ("sockets", all.sockets),
            ("connections", all.connections),
            ("orphans", all.orphans),
            ("half_open", all.half_open),
            ("time_wait", all.time_wait),
            ("requests", all.requests),
            ("ports", all.ports),
            ("timers", all.timers),
            ("buffered", all.buffered),
        ];
        there
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect::<Vec<_>>()
    };
    let end = network.host.now() + network::OVER_MAX;
    while !live().is_empty() {
        assert!(network.host.now() < end, "left: {:?}", live());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// No connection ended otherwise than by FIN both ways; their number, and that of those that passed CLOSING.
fn all_were_orderly(network: &Network, seen: &Seen, count: u64) -> (u64, u64) {
    let all = network.host.counters();
    assert_eq!(all.active_opens + all.passive_opens, count);
    let bad = [
        ("resets sent", seen.resets_sent()),
        ("resets received", seen.resets_received()),
        ("errors", seen.errors()),
        ("resets_out", all.resets_out),
        ("half_open_timeouts", all.half_open_timeouts),
        ("half_open_resets", all.half_open_resets),
        ("unaccepted_resets", all.unaccepted_resets),
        ("overflow_resets", all.overflow_resets),
        ("unsendable", all.unsendable),
        ("unread_resets", all.unread_resets),
        ("linger_resets", all.linger_resets),
        ("linger_timeouts", all.linger_timeouts),
        ("aborts", all.aborts),
        ("orphan_overflows", all.orphan_overflows),
        ("time_wait_overflows", all.time_wait_overflows),
        ("memory_pressure", all.memory_pressure),
    ];
    for (name, count) in bad {
        assert_eq!(count, 0, "{name}");
    }
    let closing = seen.closing();
    assert!(closing > 0, "no simultaneous close");
    (count, closing)
}
