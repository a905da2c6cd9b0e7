//! Options: defaults, sizes, ranges.

use crate::ranges::round_trip;
use crate::world::{Log, World};

const SOCKET: i32 = libc::SOL_SOCKET;
const TCP: i32 = libc::SOL_TCP;
const IP: i32 = libc::SOL_IP;
const IPV6: i32 = libc::SOL_IPV6;

/// All options that estab has, and some that it has not.
const ALL: &[(&str, i32, i32)] = &[
    ("SO_REUSEADDR", SOCKET, libc::SO_REUSEADDR),
    ("SO_TYPE", SOCKET, libc::SO_TYPE),
    ("SO_ERROR", SOCKET, libc::SO_ERROR),
    ("SO_BROADCAST", SOCKET, libc::SO_BROADCAST),
    ("SO_KEEPALIVE", SOCKET, libc::SO_KEEPALIVE),
    ("SO_OOBINLINE", SOCKET, libc::SO_OOBINLINE),
    ("SO_LINGER", SOCKET, libc::SO_LINGER),
    ("SO_REUSEPORT", SOCKET, libc::SO_REUSEPORT),
    ("SO_RCVLOWAT", SOCKET, libc::SO_RCVLOWAT),
    ("SO_SNDLOWAT", SOCKET, libc::SO_SNDLOWAT),
    ("SO_RCVTIMEO", SOCKET, libc::SO_RCVTIMEO),
    ("SO_SNDTIMEO", SOCKET, libc::SO_SNDTIMEO),
    ("SO_RCVTIMEO_NEW", SOCKET, 66),
    ("SO_SNDTIMEO_NEW", SOCKET, 67),
    ("SO_ACCEPTCONN", SOCKET, libc::SO_ACCEPTCONN),
    ("SO_PROTOCOL", SOCKET, libc::SO_PROTOCOL),
    ("SO_DOMAIN", SOCKET, libc::SO_DOMAIN),
    ("SO_SNDBUFFORCE", SOCKET, libc::SO_SNDBUFFORCE),
    ("SO_RCVBUFFORCE", SOCKET, libc::SO_RCVBUFFORCE),
    ("SO 9999", SOCKET, 9999),
    ("IP_TOS", IP, libc::IP_TOS),
    ("IP_TTL", IP, libc::IP_TTL),
    ("IP_MTU", IP, libc::IP_MTU),
    ("IP 9999", IP, 9999),
    ("IPV6_UNICAST_HOPS", IPV6, libc::IPV6_UNICAST_HOPS),
    ("IPV6_V6ONLY", IPV6, libc::IPV6_V6ONLY),
    ("IPV6_TCLASS", IPV6, libc::IPV6_TCLASS),
    ("IPV6 9999", IPV6, 9999),
    ("TCP_NODELAY", TCP, libc::TCP_NODELAY),
    ("TCP_MAXSEG", TCP, libc::TCP_MAXSEG),
    ("TCP_CORK", TCP, libc::TCP_CORK),
    ("TCP_KEEPIDLE", TCP, libc::TCP_KEEPIDLE),
    ("TCP_KEEPINTVL", TCP, libc::TCP_KEEPINTVL),
    ("TCP_KEEPCNT", TCP, libc::TCP_KEEPCNT),
    ("TCP_SYNCNT", TCP, libc::TCP_SYNCNT),
    ("TCP_LINGER2", TCP, libc::TCP_LINGER2),
    ("TCP_DEFER_ACCEPT", TCP, libc::TCP_DEFER_ACCEPT),
    ("TCP_WINDOW_CLAMP", TCP, libc::TCP_WINDOW_CLAMP),
    ("TCP_QUICKACK", TCP, libc::TCP_QUICKACK),
    ("TCP_USER_TIMEOUT", TCP, 18),
    ("TCP_NOTSENT_LOWAT", TCP, 25),
    ("TCP 9999", TCP, 9999),
    ("level 9999", 9999, 1),
];

fn defaults(world: &mut dyn World, log: &mut Log, fd: i32, what: &str) {
    for (step, level, name) in ALL {
        log.say(
            format!("{what} {step}"),
            world.getsockopt(fd, *level, *name, 64),
        );
    }
}

pub(crate) fn defaults_of_a_stream(world: &mut dyn World, log: &mut Log) {
    let fd = world.tcp();
    defaults(world, log, fd, "4");
    let fd = world.tcp6();
    defaults(world, log, fd, "6");
}

pub(crate) fn defaults_of_a_datagram_socket(world: &mut dyn World, log: &mut Log) {
    let fd = world.udp();
    defaults(world, log, fd, "4");
    let fd = world
        .socket(libc::AF_INET6, libc::SOCK_DGRAM, 0)
        .expect("a socket");
    defaults(world, log, fd, "6");
}

/// Values that are too short, and room that is.
pub(crate) fn sizes(world: &mut dyn World, log: &mut Log) {
    let six = world.tcp6();
    let udp = world.udp();
    for (step, level, name) in ALL {
        for len in [0, 1, 3] {
            let set = world.setsockopt(six, *level, *name, &vec![1; len]);
            log.say(format!("{step}: {len} bytes"), set);
        }
    }
    // IPv6's only when it is one of IPv6.
    for (step, level, name) in ALL.iter().filter(|(_, level, _)| *level != IPV6) {
        let set = world.setsockopt(udp, *level, *name, &[1; 3]);
        log.say(format!("{step}: 3 bytes, UDP"), set);
    }
    let fd = world.tcp();
    world.set_int(fd, IP, libc::IP_TOS, 0x20).expect("set");
    let cases = [
        ("SO_TYPE", SOCKET, libc::SO_TYPE),
        ("SO_LINGER", SOCKET, libc::SO_LINGER),
        ("SO_RCVTIMEO", SOCKET, libc::SO_RCVTIMEO),
        ("IP_TOS", IP, libc::IP_TOS),
        ("TCP_KEEPIDLE", TCP, libc::TCP_KEEPIDLE),
        ("TCP_CONGESTION", TCP, libc::TCP_CONGESTION),
    ];
    for (step, level, name) in cases {
        for room in [0, 1, 2, 3, 5, 20] {
            let value = world
                .getsockopt(fd, level, name, room)
                .map(|value| value.len());
            log.say(format!("{step}: room for {room}"), value);
        }
    }
}

pub(crate) fn lingering_and_times(world: &mut dyn World, log: &mut Log) {
    let fd = world.tcp();
    let pair = |a: i32, b: i32| [a.to_ne_bytes(), b.to_ne_bytes()].concat();
    let times = [(1, 0), (1, 5), (0, 0), (0, 7), (2, 3), (-1, 4)];
    for (n, (on, seconds)) in times.into_iter().enumerate() {
        let set = world.setsockopt(fd, SOCKET, libc::SO_LINGER, &pair(on, seconds));
        log.say(format!("linger {n}"), set);
        log.say(
            format!("linger {n} is"),
            world.getsockopt(fd, SOCKET, libc::SO_LINGER, 8),
        );
    }
    let short = world.setsockopt(fd, SOCKET, libc::SO_LINGER, &[1; 7]);
    log.say("linger, short", short);
    let time = |seconds: i64, micros: i64| [seconds.to_ne_bytes(), micros.to_ne_bytes()].concat();
    // Whole hundredths: Linux rounds to its ticks.
    let times = [
        (0, 0),
        (1, 0),
        (3, 500_000),
        (0, 20_000),
        (0, -1),
        (0, 1_000_000),
        (0, 999_999_999),
    ];
    for (n, (seconds, micros)) in times.into_iter().enumerate() {
        for (step, name) in [("receive", libc::SO_RCVTIMEO), ("send", 67)] {
            let set = world.setsockopt(fd, SOCKET, name, &time(seconds, micros));
            log.say(format!("{step} time {n}"), set);
            log.say(
                format!("{step} time {n} is"),
                world.getsockopt(fd, SOCKET, name, 16),
            );
        }
    }
    let short = world.setsockopt(fd, SOCKET, libc::SO_RCVTIMEO, &[0; 15]);
    log.say("time, short", short);
    let value = world.getsockopt(fd, SOCKET, libc::SO_RCVTIMEO, 10);
    log.say("time, no room", value.map(|value| value.len()));
}

pub(crate) fn listeners_and_connections(world: &mut dyn World, log: &mut Log) {
    let (listener, address) = world.listener();
    let settings = [
        ("SO_KEEPALIVE", SOCKET, libc::SO_KEEPALIVE, 1),
        ("SO_OOBINLINE", SOCKET, libc::SO_OOBINLINE, 1),
        ("SO_BROADCAST", SOCKET, libc::SO_BROADCAST, 1),
        ("SO_REUSEADDR", SOCKET, libc::SO_REUSEADDR, 1),
        ("SO_RCVLOWAT", SOCKET, libc::SO_RCVLOWAT, 3),
        ("SO_RCVBUF", SOCKET, libc::SO_RCVBUF, 50_000),
        ("SO_SNDBUF", SOCKET, libc::SO_SNDBUF, 60_000),
        ("TCP_NODELAY", TCP, libc::TCP_NODELAY, 1),
        ("TCP_KEEPIDLE", TCP, libc::TCP_KEEPIDLE, 11),
        ("TCP_KEEPINTVL", TCP, libc::TCP_KEEPINTVL, 12),
        ("TCP_KEEPCNT", TCP, libc::TCP_KEEPCNT, 13),
        ("TCP_LINGER2", TCP, libc::TCP_LINGER2, 14),
        ("TCP_DEFER_ACCEPT", TCP, libc::TCP_DEFER_ACCEPT, 3),
        ("TCP_USER_TIMEOUT", TCP, 18, 15_000),
        ("TCP_NOTSENT_LOWAT", TCP, 25, 16_000),
        ("TCP_MAXSEG", TCP, libc::TCP_MAXSEG, 1000),
        ("IP_TOS", IP, libc::IP_TOS, 0x40),
        ("IP_TTL", IP, libc::IP_TTL, 77),
    ];
    for (step, level, name, value) in settings {
        let set = round_trip(world, listener, level, name, value);
        log.say(format!("listener {step}"), set);
    }
    log.say(
        "listener SO_ACCEPTCONN",
        world.get_int(listener, SOCKET, libc::SO_ACCEPTCONN),
    );
    log.say(
        "listener no clamp",
        world.set_int(listener, TCP, libc::TCP_WINDOW_CLAMP, 0),
    );
    world
        .set_int(listener, TCP, libc::TCP_DEFER_ACCEPT, 0)
        .expect("set");
    let linger = [1i32.to_ne_bytes(), 9i32.to_ne_bytes()].concat();
    world
        .setsockopt(listener, SOCKET, libc::SO_LINGER, &linger)
        .expect("set");
    let a = world.tcp();
    let _ = world.connect(a, &address);
    world.settle(a, libc::POLLOUT);
    world.settle(listener, libc::POLLIN);
    let (b, _) = world.accept4(listener, 0).expect("accepted");
    for (step, level, name, _) in settings {
        log.say(format!("accepted {step}"), world.get_int(b, level, name));
    }
    let linger = world.getsockopt(b, SOCKET, libc::SO_LINGER, 8);
    log.say("accepted SO_LINGER", linger);
    log.say(
        "accepted SO_ACCEPTCONN",
        world.get_int(b, SOCKET, libc::SO_ACCEPTCONN),
    );
    log.say(
        "accepted IPV6_V6ONLY",
        world.get_int(b, IPV6, libc::IPV6_V6ONLY),
    );
    log.say(
        "accepted defers",
        round_trip(world, b, TCP, libc::TCP_DEFER_ACCEPT, 3),
    );
    log.say(
        "accepted no clamp",
        world.set_int(b, TCP, libc::TCP_WINDOW_CLAMP, 0),
    );
    log.done("accepted IP_MTU", world.get_int(b, IP, libc::IP_MTU));
    // Close does not wait for the peer: all is delivered.
    world.close(b).expect("closed");
}

/// The whole structure's length, and those fields that do not depend on the machine.
pub(crate) fn information(world: &mut dyn World, log: &mut Log) {
    let fields = [
        ("state", 0, 1),
        ("congestion state", 1, 1),
        ("retransmits", 2, 1),
        ("probes", 3, 1),
        ("backoff", 4, 1),
        ("unacked", 24, 4),
        ("sacked", 28, 4),
        ("lost", 32, 4),
        ("retrans", 36, 4),
        ("snd_ssthresh", 76, 4),
        ("snd_cwnd", 80, 4),
        ("reordering", 88, 4),
        ("total_retrans", 100, 4),
        ("bytes_received", 128, 8),
        ("notsent", 144, 4),
        ("data_segs_in", 152, 4),
        ("data_segs_out", 156, 4),
        ("bytes_sent", 200, 8),
        ("bytes_retrans", 208, 8),
        ("dsack_dups", 216, 4),
        ("rcv_ooopack", 224, 4),
    ];
    let mut show = |world: &mut dyn World, fd: i32, what: &str| {
        let info = world
            .getsockopt(fd, TCP, libc::TCP_INFO, 1000)
            .expect("information");
        log.text(format!("{what} length"), info.len().to_string());
        for (field, at, len) in fields {
            let mut word = [0; 8];
            word[..len].copy_from_slice(&info[at..at + len]);
            log.text(
                format!("{what} {field}"),
                u64::from_ne_bytes(word).to_string(),
            );
        }
    };
    let reno = |world: &mut dyn World, fd: i32| {
        let set = world.setsockopt(fd, TCP, libc::TCP_CONGESTION, b"reno");
        set.expect("set");
    };
    let fresh = world.tcp();
    reno(world, fresh);
    show(world, fresh, "fresh");
    let (listener, address) = world.listener();
    reno(world, listener);
    show(world, listener, "listening");
    let a = world.tcp();
    reno(world, a);
    let _ = world.connect(a, &address);
    world.settle(a, libc::POLLOUT);
    world.settle(listener, libc::POLLIN);
    show(world, listener, "with one to accept");
    show(world, a, "connected");
    let (b, _) = world
        .accept4(listener, libc::SOCK_NONBLOCK)
        .expect("accepted");
    world.write(a, b"hello").expect("written");
    world.settle(b, libc::POLLIN);
    show(world, a, "sender");
    show(world, b, "receiver");
    world.shutdown(a, libc::SHUT_WR).expect("shut down");
    world.settle(b, libc::POLLRDHUP);
    world.shutdown(b, libc::SHUT_WR).expect("shut down");
    world.settle(a, libc::POLLRDHUP);
    show(world, a, "time-wait");
    show(world, b, "closed");
    for room in [0, 1, 7, 104, 200] {
        let info = world.getsockopt(a, TCP, libc::TCP_INFO, room);
        log.say(format!("room for {room}"), info.map(|info| info.len()));
    }
    let memory = world
        .getsockopt(fresh, SOCKET, 55, 100)
        .map(|memory| memory.len());
    log.say("SO_MEMINFO", memory);
    log.say(
        "SO_MEMINFO cut",
        world.getsockopt(fresh, SOCKET, 55, 10).map(|m| m.len()),
    );
    let info = world.getsockopt(fresh, TCP, 26, 100).map(|info| info.len());
    log.say("TCP_CC_INFO", info);
}
