//! What floods cost, by a counting allocator.

mod support;

use core::sync::atomic::{AtomicUsize, Ordering};
use estab_tcp::Flags;
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use support::*;

struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The allocator counts for all tests at once: one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SYNs from this many addresses and ports to a listener; what the host says is thrown away.
fn syns(p: &mut Pair, from: u32, count: u32) {
    for n in from..from + count {
        let source =
            SocketAddr::from(([10, 0, 0, 10 + (n / 60_000) as u8], (n % 60_000) as u16 + 1));
        let syn = packet(
            source,
            at(B, 80),
            &header(Flags::SYN, n.wrapping_mul(77_777), 0),
            &[],
        );
        let interface = p.interfaces[B];
        p.hosts[B].handle_packet(p.now, interface, syn.into());
        while p.hosts[B].poll_transmit(p.now).is_some() {}
    }
}

#[test]
fn a_syn_flood_costs_little_memory_and_then_none() {
    let _alone = alone();
    let mut p = pair();
    p.listen(B, 80, 4096);
    let before = ALLOCATED.load(Ordering::Relaxed);
    syns(&mut p, 0, 4096);
    assert_eq!(p.counters(B).half_open, 4096);
    let full = ALLOCATED.load(Ordering::Relaxed);
    let each = (full - before) / 4096;
    println!("{each} bytes for each half-open connection");
    assert!(each < 800, "{each} bytes for each half-open connection");
    // From here on cookies answer, and nothing is kept.
    syns(&mut p, 4096, 50_000);
    let counters = p.counters(B);
    assert_eq!((counters.half_open, counters.cookies_sent), (4096, 50_000));
    let after = ALLOCATED.load(Ordering::Relaxed);
    assert!(after <= full + 10_000, "{} bytes more", after - full);
}

/// Every second byte in a segment of its own: what such pieces cost is bounded.
#[test]
fn single_bytes_out_of_order_cost_bounded_memory() {
    let _alone = alone();
    let mut p = pair_both(|settings| settings.tcp_timestamps = false);
    let (_, client, _) = p.connected();
    let from = p.hosts[A].local_address(client).expect("an address");
    let (ack, _) = p.sent(A).pop().expect("the last ACK");
    let before = ALLOCATED.load(Ordering::Relaxed);
    for n in 0..60_000u32 {
        // From the back to the front, which is the worst for a list.
        let mut header = header(Flags::ACK, 0, ack.ack.0);
        header.seq = ack.seq + (120_000 - 2 * n);
        let byte = packet(from, at(B, 80), &header, &[1]);
        let interface = p.interfaces[B];
        p.hosts[B].handle_packet(p.now, interface, byte.into());
        while p.hosts[B].poll_transmit(p.now).is_some() {}
    }
    let cost = ALLOCATED.load(Ordering::Relaxed).saturating_sub(before);
    println!("{cost} bytes");
    assert!(cost < 400_000, "{cost} bytes");
    assert!(p.counters(B).buffered > 100_000);
    assert!(p.dropped(B, estab_tcp::event::DropReason::NoRoom) > 0);
}
