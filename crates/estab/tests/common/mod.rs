//! Two hosts with a cable in memory between them, and a limit on the time of everything.

#![allow(unreachable_pub, reason = "it is a module of each test binary")]
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "these tests run in real time")]

use estab::{Host, HostBuilder, Settings};
use estab_device::memory::{self, MemoryLinkConfig};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
pub const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

/// A port of the server's.
pub fn at(port: u16) -> SocketAddr {
    SocketAddr::new(SERVER, port)
}

/// Settings whose times suit tests.
pub fn settings() -> Settings {
    Settings {
        tcp_time_wait: Duration::from_millis(200),
        tcp_fin_timeout: Duration::from_millis(500),
        ..Settings::default()
    }
}

pub fn builder() -> HostBuilder {
    Host::builder().settings(settings())
}

/// A server and a client.
pub fn hosts() -> (Host, Host) {
    hosts_on(MemoryLinkConfig::default())
}

pub fn hosts_on(link: MemoryLinkConfig) -> (Host, Host) {
    let (left, right) = memory::pair(link);
    let server = builder().device("left", left).address(SERVER, 24).build();
    let client = builder().device("right", right).address(CLIENT, 24).build();
    (server.unwrap(), client.unwrap())
}

/// Runs a test in a thread, and fails when it takes longer than ten seconds: whatever hangs is a failure, not a wait.
pub fn within_limit(test: impl FnOnce() + Send + 'static) {
    within(Duration::from_secs(10), test);
}

pub fn within(limit: Duration, test: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    let thread = std::thread::Builder::new().name(name).spawn(move || {
        let result = std::panic::catch_unwind(AssertUnwindSafe(test));
        let _ = sender.send(result);
    });
    drop(thread.unwrap());
    match receiver.recv_timeout(limit) {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => panic!("it hangs: not done after {limit:?}"),
    }
}

/// Waits for something that must come true soon.
pub fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < Duration::from_secs(8), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until the kernel takes packets for an address that it was given. An IPv6 address it has at once, but the route to
/// itself is made a moment later, and until then what comes for it is lost.
pub fn kernel_serves(address: IpAddr) {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let own = socket.local_addr().unwrap();
    eventually("the kernel hears itself", || {
        socket.send_to(b"?", own).is_ok() && socket.recv(&mut [0]).is_ok()
    });
}

/// Bytes that show it when some are lost, doubled or exchanged.
pub fn pattern(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        bytes.extend_from_slice(&state.rotate_left(29).to_be_bytes());
    }
    bytes.truncate(len);
    bytes
}
