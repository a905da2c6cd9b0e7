//! Ranges of options.

use crate::world::{Log, Outcome, World};

const SOCKET: i32 = libc::SOL_SOCKET;
const TCP: i32 = libc::SOL_TCP;
const IP: i32 = libc::SOL_IP;
const IPV6: i32 = libc::SOL_IPV6;

/// Sets a value, and reads what it became.
pub(crate) fn round_trip(
    world: &mut dyn World,
    fd: i32,
    level: i32,
    name: i32,
    value: i32,
) -> Outcome<i32> {
    world.set_int(fd, level, name, value)?;
    world.get_int(fd, level, name)
}

type Ranges<'a> = &'a [(&'a str, i32, i32, &'a [i32])];

fn ranges(world: &mut dyn World, log: &mut Log, fd: i32, what: &str, ranges: Ranges<'_>) {
    for (step, level, name, values) in ranges {
        for value in *values {
            let result = round_trip(world, fd, *level, *name, *value);
            log.say(format!("{what}{step} {value}"), result);
        }
    }
}

pub(crate) fn ranges_of_socket_options(world: &mut dyn World, log: &mut Log) {
    let bools = &[0, 1, 2, -1];
    let all: Ranges<'_> = &[
        ("SO_REUSEADDR", SOCKET, libc::SO_REUSEADDR, bools),
        ("SO_REUSEPORT", SOCKET, libc::SO_REUSEPORT, bools),
        ("SO_KEEPALIVE", SOCKET, libc::SO_KEEPALIVE, bools),
        ("SO_BROADCAST", SOCKET, libc::SO_BROADCAST, bools),
        ("SO_OOBINLINE", SOCKET, libc::SO_OOBINLINE, bools),
        ("SO_RCVLOWAT", SOCKET, libc::SO_RCVLOWAT, &[0, 1, 1000]),
        ("SO_TYPE", SOCKET, libc::SO_TYPE, &[1]),
        ("SO_ERROR", SOCKET, libc::SO_ERROR, &[1]),
        ("SO_DOMAIN", SOCKET, libc::SO_DOMAIN, &[1]),
        ("SO_PROTOCOL", SOCKET, libc::SO_PROTOCOL, &[1]),
        ("SO_ACCEPTCONN", SOCKET, libc::SO_ACCEPTCONN, &[1]),
        ("SO_SNDLOWAT", SOCKET, libc::SO_SNDLOWAT, &[1]),
        (
            "SO_RCVBUF",
            SOCKET,
            libc::SO_RCVBUF,
            &[0, 1, 1151, 1152, 1153, 5000, 100_000],
        ),
    ];
    let fd = world.tcp();
    ranges(world, log, fd, "", all);
    let buffers: Ranges<'_> = &[(
        "SO_SNDBUF",
        SOCKET,
        libc::SO_SNDBUF,
        &[0, 1, 2303, 2304, 2305, 5000, 100_000],
    )];
    ranges(world, log, fd, "", buffers);
    let fd = world.udp();
    ranges(world, log, fd, "UDP ", all);
}

pub(crate) fn ranges_of_tcp_options(world: &mut dyn World, log: &mut Log) {
    let bools = &[0, 1, 2, -1];
    let all: Ranges<'_> = &[
        ("TCP_NODELAY", TCP, libc::TCP_NODELAY, bools),
        ("TCP_CORK", TCP, libc::TCP_CORK, bools),
        ("TCP_QUICKACK", TCP, libc::TCP_QUICKACK, bools),
        (
            "TCP_MAXSEG",
            TCP,
            libc::TCP_MAXSEG,
            &[-1, 0, 1, 87, 88, 1000, 32_767, 32_768],
        ),
        (
            "TCP_KEEPIDLE",
            TCP,
            libc::TCP_KEEPIDLE,
            &[-1, 0, 1, 32_767, 32_768],
        ),
        (
            "TCP_KEEPINTVL",
            TCP,
            libc::TCP_KEEPINTVL,
            &[-1, 0, 1, 32_767, 32_768],
        ),
        (
            "TCP_KEEPCNT",
            TCP,
            libc::TCP_KEEPCNT,
            &[-1, 0, 1, 127, 128, 300],
        ),
        (
            "TCP_SYNCNT",
            TCP,
            libc::TCP_SYNCNT,
            &[-1, 0, 1, 127, 128, 300],
        ),
        (
            "TCP_LINGER2",
            TCP,
            libc::TCP_LINGER2,
            &[-1, -5, 0, 1, 60, 119, 120, 121, 100_000],
        ),
        (
            "TCP_DEFER_ACCEPT",
            TCP,
            libc::TCP_DEFER_ACCEPT,
            &[-1, 0, 1, 2, 3, 4, 7, 8, 100, 500],
        ),
        (
            "TCP_WINDOW_CLAMP",
            TCP,
            libc::TCP_WINDOW_CLAMP,
            &[0, 1, 1151, 1152, 1153, 70_000, 0],
        ),
        ("TCP_USER_TIMEOUT", TCP, 18, &[-1, 0, 1, 100_000, i32::MAX]),
        ("TCP_NOTSENT_LOWAT", TCP, 25, &[0, 1, 100_000]),
        ("TCP_INFO", TCP, libc::TCP_INFO, &[1]),
    ];
    let fd = world.tcp();
    for (step, level, name, values) in all {
        for (n, value) in values.iter().enumerate() {
            let result = round_trip(world, fd, *level, *name, *value);
            log.say(format!("{step} {n}: {value}"), result);
        }
    }
    let udp = world.udp();
    log.say(
        "UDP TCP_NODELAY",
        world.set_int(udp, TCP, libc::TCP_NODELAY, 1),
    );
    for name in [
        "reno",
        "reno\0",
        "reno\0and more",
        "nonesuch",
        "",
        "a name that is longer than any",
    ] {
        let set = world.setsockopt(fd, TCP, libc::TCP_CONGESTION, name.as_bytes());
        log.say(format!("TCP_CONGESTION {name:?}"), set);
    }
    let name = world.getsockopt(fd, TCP, libc::TCP_CONGESTION, 64);
    log.say(
        "TCP_CONGESTION",
        name.map(|name| String::from_utf8_lossy(&name).into_owned()),
    );
    let info = world.getsockopt(fd, TCP, 26, 64);
    log.say("TCP_CC_INFO", info);
}

pub(crate) fn ranges_of_ip_options(world: &mut dyn World, log: &mut Log) {
    let four: Ranges<'_> = &[
        (
            "IP_TOS",
            IP,
            libc::IP_TOS,
            &[0, 1, 0x20, 0xfc, 0xff, 0x110, -1],
        ),
        ("IP_TTL", IP, libc::IP_TTL, &[0, 1, 255, 256, -1, -2]),
        ("IPV6_TCLASS", IPV6, libc::IPV6_TCLASS, &[0]),
    ];
    let fd = world.tcp();
    ranges(world, log, fd, "4 ", four);
    log.say(
        "a byte of TOS",
        world.setsockopt(fd, IP, libc::IP_TOS, &[0x40]),
    );
    log.say("is all of it", world.get_int(fd, IP, libc::IP_TOS));
    log.say(
        "no byte of TTL",
        world.setsockopt(fd, IP, libc::IP_TTL, &[]),
    );
    let six: Ranges<'_> = &[
        (
            "IPV6_TCLASS",
            IPV6,
            libc::IPV6_TCLASS,
            &[0, 1, 0x20, 0xfc, 0xff, 0x100, -1, -2],
        ),
        (
            "IPV6_UNICAST_HOPS",
            IPV6,
            libc::IPV6_UNICAST_HOPS,
            &[0, 1, 255, 256, -1, -2],
        ),
        ("IPV6_V6ONLY", IPV6, libc::IPV6_V6ONLY, &[0, 1, 2, 0]),
        ("IP_TOS", IP, libc::IP_TOS, &[0, 0x20]),
        ("IP_TTL", IP, libc::IP_TTL, &[0, 33, 256]),
    ];
    let fd = world.tcp6();
    for (step, level, name, values) in six {
        for (n, value) in values.iter().enumerate() {
            let result = round_trip(world, fd, *level, *name, *value);
            log.say(format!("6 {step} {n}: {value}"), result);
        }
    }
    world.bind(fd, &crate::world::v6("[::1]:0")).expect("bound");
    log.say(
        "IPV6_V6ONLY when bound",
        world.set_int(fd, IPV6, libc::IPV6_V6ONLY, 1),
    );
    let fd = world.udp();
    ranges(world, log, fd, "UDP ", four);
}
