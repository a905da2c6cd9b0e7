//! The driver under devices and wakers that misbehave, and what it spends.

mod common;

use common::{CLIENT, SERVER, at, builder, eventually, hosts, within_limit};
use estab::{TcpListener, TcpStream};
use estab_device::memory::{self, MemoryDevice};
use estab_device::{Capabilities, Device, RxBatch, TxBatch, Wait};
use estab_stack::{HostEvent, HostSink};
use estab_tcp::{Instant, Interest};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// A device that fails, or panics, while its switch is on.
struct Faulty {
    device: MemoryDevice,
    fails: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
}

impl Faulty {
    fn check(&self) -> io::Result<()> {
        assert!(!self.panics.load(Ordering::Relaxed), "as told");
        if self.fails.load(Ordering::Relaxed) {
            return Err(ErrorKind::NetworkDown.into());
        }
        Ok(())
    }
}

impl Device for Faulty {
    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }
    fn receive(&mut self, now: Instant, batch: &mut RxBatch) -> io::Result<usize> {
        self.check()?;
        self.device.receive(now, batch)
    }
    fn transmit(&mut self, now: Instant, batch: &mut TxBatch) -> io::Result<usize> {
        self.check()?;
        self.device.transmit(now, batch)
    }
    fn wait_on(&self) -> Wait<'_> {
        self.device.wait_on()
    }
    fn set_waker(&mut self, waker: Option<Waker>) {
        self.device.set_waker(waker);
    }
}

#[test]
fn a_device_that_fails_for_a_while_is_tried_again() {
    within_limit(|| {
        let (left, right) = memory::pair(Default::default());
        let fails = Arc::new(AtomicBool::new(false));
        let faulty = Faulty {
            device: right,
            fails: Arc::clone(&fails),
            panics: Arc::default(),
        };
        let server = builder().device("left", left).address(SERVER, 24).build();
        let client = builder()
            .device("right", faulty)
            .address(CLIENT, 24)
            .build();
        let (server, client) = (server.unwrap(), client.unwrap());
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        let mut stream = TcpStream::connect(&client, at(7)).unwrap();
        let mut accepted = listener.accept().unwrap().0;
        fails.store(true, Ordering::Relaxed);
        stream.write_all(b"lost at first").unwrap();
        eventually("it failed", || client.driver_counters().device_errors > 0);
        assert!(client.driver_counters().packets_dropped > 0);
        fails.store(false, Ordering::Relaxed);
        let mut buffer = [0; 13];
        accepted.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"lost at first");
    });
}

#[test]
fn a_failing_device_costs_little() {
    within_limit(|| {
        let (_left, right) = memory::pair(Default::default());
        let faulty = Faulty {
            device: right,
            fails: Arc::new(AtomicBool::new(true)),
            panics: Arc::default(),
        };
        let host = builder().device("right", faulty).build().unwrap();
        thread::park_timeout(Duration::from_millis(500));
        let errors = host.driver_counters().device_errors;
        assert!(
            (1..=20).contains(&errors),
            "{errors} attempts in half a second"
        );
    });
}

#[test]
fn a_device_that_panics_in_a_call_takes_only_that_call_with_it() {
    within_limit(|| {
        let (left, right) = memory::pair(Default::default());
        let panics = Arc::new(AtomicBool::new(false));
        let faulty = Faulty {
            device: right,
            fails: Arc::default(),
            panics: Arc::clone(&panics),
        };
        let server = builder().device("left", left).address(SERVER, 24).build();
        let client = builder()
            .device("right", faulty)
            .address(CLIENT, 24)
            .build();
        let (server, client) = (server.unwrap(), client.unwrap());
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        let mut stream = TcpStream::connect(&client, at(7)).unwrap();
        let mut accepted = listener.accept().unwrap().0;
        panics.store(true, Ordering::Relaxed);
        let mut clone = stream.try_clone().unwrap();
        let writer = thread::spawn(move || clone.write_all(b"x"));
        assert!(writer.join().is_err(), "the panic reaches the caller");
        panics.store(false, Ordering::Relaxed);
        stream.write_all(b"y").unwrap();
        let mut buffer = [0; 2];
        accepted.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"xy", "what was queued is sent again");
    });
}

#[test]
fn an_echo_wakes_no_other_thread() {
    const ROUNDS: u64 = 500;
    within_limit(|| {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        let idle = TcpListener::bind(&server, at(8)).unwrap();
        thread::spawn(move || idle.accept().map(drop));
        let echo = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut byte = [0];
            while stream.read(&mut byte).unwrap() > 0 {
                stream.write_all(&byte).unwrap();
            }
        });
        let mut stream = TcpStream::connect(&client, at(7)).unwrap();
        let mut exchange = |count| {
            for _ in 0..count {
                stream.write_all(b"x").unwrap();
                stream.read_exact(&mut [0]).unwrap();
            }
        };
        exchange(50);
        let before = server.driver_counters();
        exchange(ROUNDS);
        let after = server.driver_counters();
        let wakes = after.thread_wakes - before.thread_wakes;
        assert!(
            wakes < ROUNDS / 4,
            "{wakes} threads woken in {ROUNDS} echoes"
        );
        let kicks = after.kicks - before.kicks;
        // Each packet of a link in memory wakes its receiver; a link with a descriptor does that by itself.
        assert!(kicks <= ROUNDS * 5 / 2, "{kicks} kicks in {ROUNDS} echoes");
        drop(stream);
        echo.join().unwrap();
    });
}

#[test]
fn an_idle_host_sleeps() {
    within_limit(|| {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        let _stream = TcpStream::connect(&client, at(7)).unwrap();
        let _accepted = listener.accept().unwrap();
        thread::park_timeout(Duration::from_millis(500));
        let before = (server.driver_counters(), client.driver_counters());
        thread::park_timeout(Duration::from_millis(500));
        let after = (server.driver_counters(), client.driver_counters());
        for (before, after) in [(before.0, after.0), (before.1, after.1)] {
            assert!(after.sleeps - before.sleeps <= 2, "{before:?} {after:?}");
        }
    });
}

/// Counts the events whose time is before that of the event before them.
struct Backwards {
    last: Instant,
    count: Arc<AtomicU64>,
}

impl HostSink for Backwards {
    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn event(&mut self, now: Instant, _event: &HostEvent<'_>) {
        self.count
            .fetch_add((now < self.last).into(), Ordering::Relaxed);
        self.last = self.last.max(now);
    }
}

/// A timestamp that is older than the one before makes the peer drop the segment (PAWS).
#[test]
fn time_does_not_go_back_when_many_threads_call() {
    within_limit(|| {
        let (server, client) = hosts();
        let count = Arc::new(AtomicU64::new(0));
        for host in [&server, &client] {
            host.set_sink(Some(Box::new(Backwards {
                last: Instant::ZERO,
                count: Arc::clone(&count),
            })));
        }
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut stream = TcpStream::connect(&client, at(7)).unwrap();
                    for _ in 0..2000 {
                        stream.write_all(&[7; 1000]).unwrap();
                    }
                });
                let mut accepted = listener.accept().unwrap().0;
                scope.spawn(move || {
                    let mut data = Vec::new();
                    accepted.read_to_end(&mut data).unwrap();
                    assert_eq!(data.len(), 2_000_000);
                });
            }
        });
        assert_eq!(count.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_description_that_makes_no_sense_is_refused() {
    let error = builder().address(SERVER, 24).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let (device, _) = memory::pair(Default::default());
    let error = builder().device("x", device).address(SERVER, 33).build();
    assert!(error.is_err());
}

#[test]
fn settings_can_be_changed() {
    let host = builder().build().unwrap();
    host.change_settings(|settings| settings.tcp_syn_retries = 2);
    assert_eq!(host.settings().tcp_syn_retries, 2);
    host.set_setting("net.ipv4.tcp_syn_retries", "3").unwrap();
    assert_eq!(host.setting("tcp_syn_retries").unwrap(), "3");
    assert!(host.set_setting("tcp_syn_retries", "many").is_err());
    assert!(host.set_setting("no_such_setting", "1").is_err());
}
