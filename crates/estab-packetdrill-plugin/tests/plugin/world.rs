//! What the tests begin with.

use crate::tool::Tool;
use crate::wire::{Wire, sockaddr};
use etherparse::TcpOptionElement;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, fs};

/// One of the tool's three versions of IP.
pub(crate) struct Form {
    pub(crate) flags: &'static str,
    pub(crate) domain: i32,
    local: &'static str,
    remote: &'static str,
    /// The MSS of an MTU of 1500.
    pub(crate) mss: u16,
}

pub(crate) const V4: Form = Form {
    flags: "ip_version=ipv4,local_ip=192.168.0.1,remote_ip=192.0.2.1,gateway_ip=192.168.0.254,netmask_ip=255.255.0.0",
    domain: libc::AF_INET,
    local: "192.168.0.1:8080",
    remote: "192.0.2.1:8080",
    mss: 1460,
};
pub(crate) const V6: Form = Form {
    flags: "ip_version=ipv6,local_ip=fd3d:fa7b:d17d::1,remote_ip=2001:db8::1,gateway_ip=fd3d:fa7b:d17d::fe,mtu=1500",
    domain: libc::AF_INET6,
    local: "[fd3d:fa7b:d17d::1]:8080",
    remote: "[2001:db8::1]:8080",
    mss: 1440,
};
pub(crate) const MAPPED: Form = Form {
    flags: "ip_version=ipv4-mapped-ipv6,local_ip=192.168.0.1,remote_ip=192.0.2.1",
    domain: libc::AF_INET6,
    ..V4
};

impl Form {
    pub(crate) fn tool(&self) -> Tool {
        Tool::new(self.flags)
    }
    pub(crate) fn local(&self) -> SocketAddr {
        self.local.parse().unwrap()
    }
    /// Where the tool's scripts connect to.
    pub(crate) fn remote(&self) -> SocketAddr {
        self.remote.parse().unwrap()
    }
    pub(crate) fn sockaddr(&self, address: SocketAddr) -> Vec<u8> {
        sockaddr(self.domain, address)
    }
    pub(crate) fn tcp(&self, tool: &Tool) -> i32 {
        tool.socket(self.domain, libc::SOCK_STREAM, libc::IPPROTO_TCP)
            .unwrap()
    }
    pub(crate) fn udp(&self, tool: &Tool) -> i32 {
        tool.socket(self.domain, libc::SOCK_DGRAM, libc::IPPROTO_UDP)
            .unwrap()
    }

    /// A listener, and the wire of a peer that will connect to it.
    pub(crate) fn listener<'a>(&self, tool: &'a Tool) -> (i32, Wire<'a>) {
        let listener = self.tcp(tool);
        assert_eq!(tool.bind(listener, &self.sockaddr(self.local())), Ok(0));
        assert_eq!(tool.listen(listener, 1), Ok(0));
        let from = SocketAddr::new(self.remote().ip(), 54_321);
        (listener, Wire::new(tool, self.local(), from))
    }

    /// A connection that was accepted, without options but the MSS.
    pub(crate) fn accepted<'a>(&self, tool: &'a Tool) -> (i32, Wire<'a>) {
        let (listener, wire) = self.listener(tool);
        wire.inject("S", 0, 0, 0, &[TcpOptionElement::MaximumSegmentSize(1000)]);
        wire.expect_line("S. 0:0(0) ack 1");
        wire.inject(".", 1, 0, 1, &[]);
        let (fd, _) = tool.accept(listener).unwrap();
        assert_eq!(tool.close(listener), Ok(0));
        (fd, wire)
    }
}

/// Waits until the calling thread's brother sleeps, as the tool looks at it.
pub(crate) fn until_asleep(tid: i32) {
    let path = format!("/proc/self/task/{tid}/stat");
    for _ in 0..10_000 {
        let stat = fs::read_to_string(&path).unwrap();
        // The name, in parentheses, may hold anything.
        let state = stat.rsplit_once(") ").unwrap().1;
        if state.starts_with('S') {
            return;
        }
        pause(Duration::from_millis(1));
    }
    panic!("the thread does not sleep");
}

#[allow(clippy::disallowed_methods, reason = "these tests run in real time")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

pub(crate) fn tid() -> i32 {
    // SAFETY: it has no preconditions.
    unsafe { libc::gettid() }
}

const CHILD: &str = "ESTAB_PLUGIN_CHILD";

/// Runs the body in a process of its own, whose command line ends with `last_word`. `None` in that process.
pub(crate) fn in_child<T: AsRef<OsStr>>(
    name: &str,
    last_word: T,
    preload: Option<&OsStr>,
    body: impl FnOnce(),
) -> Option<Output> {
    if env::var(CHILD).as_deref() == Ok(name) {
        body();
        return None;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([name, "--exact", "--nocapture"])
        .arg(last_word)
        .env(CHILD, name);
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    Some(command.output().unwrap())
}

/// The child passed.
pub(crate) fn assert_passed(output: Option<Output>) {
    if let Some(output) = output {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }
}
