//! Errors of the calls, state by state.

use crate::world::{Log, World, v4, v6};
use estab_posix::{EpollEvent, Errno};

const NONBLOCK: i32 = libc::SOCK_NONBLOCK;

pub(crate) fn making_sockets(world: &mut dyn World, log: &mut Log) {
    let cases = [
        ("stream", libc::AF_INET, libc::SOCK_STREAM, 0),
        (
            "stream TCP",
            libc::AF_INET,
            libc::SOCK_STREAM,
            libc::IPPROTO_TCP,
        ),
        (
            "stream UDP",
            libc::AF_INET,
            libc::SOCK_STREAM,
            libc::IPPROTO_UDP,
        ),
        ("stream 77", libc::AF_INET, libc::SOCK_STREAM, 77),
        ("stream -1", libc::AF_INET, libc::SOCK_STREAM, -1),
        ("stream 300", libc::AF_INET, libc::SOCK_STREAM, 300),
        ("datagram", libc::AF_INET, libc::SOCK_DGRAM, 0),
        (
            "datagram UDP",
            libc::AF_INET,
            libc::SOCK_DGRAM,
            libc::IPPROTO_UDP,
        ),
        (
            "datagram TCP",
            libc::AF_INET,
            libc::SOCK_DGRAM,
            libc::IPPROTO_TCP,
        ),
        ("datagram 77", libc::AF_INET, libc::SOCK_DGRAM, 77),
        ("IPv6 stream", libc::AF_INET6, libc::SOCK_STREAM, 0),
        (
            "IPv6 datagram",
            libc::AF_INET6,
            libc::SOCK_DGRAM,
            libc::IPPROTO_UDP,
        ),
        (
            "IPv6 stream UDP",
            libc::AF_INET6,
            libc::SOCK_STREAM,
            libc::IPPROTO_UDP,
        ),
        ("type 0", libc::AF_INET, 0, 0),
        ("reliable datagrams", libc::AF_INET, libc::SOCK_RDM, 0),
        ("type 7", libc::AF_INET, 7, 0),
        ("type 11", libc::AF_INET, 11, 0),
        ("flags", libc::AF_INET, libc::SOCK_STREAM | 0x100, 0),
        (
            "nonblock, cloexec",
            libc::AF_INET,
            libc::SOCK_STREAM | NONBLOCK | libc::SOCK_CLOEXEC,
            0,
        ),
        ("family 0", 0, libc::SOCK_STREAM, 0),
        ("family 99", 99, libc::SOCK_STREAM, 0),
        ("family -1", -1, libc::SOCK_STREAM, 0),
        ("family 99, type 99", 99, 11, 0),
        ("UNIX", libc::AF_UNIX, libc::SOCK_STREAM, 0),
    ];
    for (step, domain, kind, protocol) in cases {
        log.done(step, world.socket(domain, kind, protocol));
    }
}

pub(crate) fn descriptors(world: &mut dyn World, log: &mut Log) {
    let fd = world
        .socket(libc::AF_INET, libc::SOCK_STREAM, 0)
        .expect("a socket");
    log.say("flags", world.fcntl(fd, libc::F_GETFL, 0));
    log.say(
        "non-blocking",
        world.fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK),
    );
    log.say("flags then", world.fcntl(fd, libc::F_GETFL, 0));
    log.say("FIONBIO off", world.ioctl(fd, libc::FIONBIO as u32, 0));
    log.say("flags in the end", world.fcntl(fd, libc::F_GETFL, 0));
    log.say("close on exec", world.fcntl(fd, libc::F_GETFD, 0));
    log.say("set it", world.fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC));
    log.say("close on exec then", world.fcntl(fd, libc::F_GETFD, 0));
    let copy = world.fcntl(fd, libc::F_DUPFD, 0).expect("a copy");
    log.say("copy's close on exec", world.fcntl(copy, libc::F_GETFD, 0));
    log.say(
        "copied flags",
        world.fcntl(copy, libc::F_SETFL, libc::O_NONBLOCK),
    );
    log.say("are shared", world.fcntl(fd, libc::F_GETFL, 0));
    let high = world.fcntl(fd, libc::F_DUPFD_CLOEXEC, 700);
    log.say("a high one", high.map(|fd| fd >= 700));
    log.done("too high", world.fcntl(fd, libc::F_DUPFD, i32::MAX));
    log.done("below zero", world.fcntl(fd, libc::F_DUPFD, -1));
    log.say("unknown command", world.fcntl(fd, 9999, 0));
    log.say("unknown request", world.ioctl(fd, 0x8999, 0));
    log.say("close one", world.close(fd));
    log.done("the other lives", world.getsockname(copy));
    log.say("bind of none", world.bind(-1, &v4("127.0.0.1:0")));
    log.done("getsockname of none", world.getsockname(-1));
    log.say("recv of none", world.recv(-1, 1, 0));
    log.say("fcntl of none", world.fcntl(-1, libc::F_GETFL, 0));
    log.say("ioctl of none", world.ioctl(-1, libc::FIONREAD as u32, 0));
    log.say(
        "getsockopt of none",
        world.getsockopt(-1, libc::SOL_SOCKET, libc::SO_TYPE, 4),
    );
    log.say("shutdown of none", world.shutdown(-1, 0));
    log.text("poll of none", world.revents(999));
    let [reader, writer] = world.pipe2(0).expect("a pipe");
    log.say("bind of a pipe", world.bind(reader, &v4("127.0.0.1:0")));
    log.say("listen of a pipe", world.listen(reader, 1));
    log.done("accept of a pipe", world.accept4(writer, 0));
    log.done("bad flags of a pipe", world.accept4(writer, 1));
    log.say("send of a pipe", world.send(writer, b"x", 0));
    log.say(
        "option of a pipe",
        world.setsockopt(reader, libc::SOL_SOCKET, libc::SO_TYPE, b""),
    );
    log.say("flags of a reader", world.fcntl(reader, libc::F_GETFL, 0));
    log.say("flags of a writer", world.fcntl(writer, libc::F_GETFL, 0));
}

pub(crate) fn addresses(world: &mut dyn World, log: &mut Log) {
    let tcp = world.tcp();
    let good = v4("127.0.0.1:0");
    log.say("bind short", world.bind(tcp, &good[..15]));
    log.say("bind nothing", world.bind(tcp, &[]));
    log.say("bind to IPv6", world.bind(tcp, &v6("[::1]:0")));
    log.say("bind to family 99", world.bind(tcp, &[99; 16]));
    log.say(
        "bind long",
        world.bind(tcp, &[&good[..], &[0; 112]].concat()),
    );
    let tcp = world.tcp();
    log.say(
        "bind too long",
        world.bind(tcp, &[&good[..], &[0; 113]].concat()),
    );
    let mut unspecified = v4("0.0.0.0:0");
    unspecified[0] = 0;
    log.say("bind without family", world.bind(tcp, &unspecified));
    let tcp = world.tcp();
    unspecified[4] = 127;
    log.say(
        "bind 127.0.0.0 without family",
        world.bind(tcp, &unspecified),
    );
    log.say(
        "bind to another host's",
        world.bind(tcp, &v4("192.0.2.77:0")),
    );
    log.say("connect short", world.connect(tcp, &good[..15]));
    log.say("connect nothing", world.connect(tcp, &[]));
    log.say("connect one byte", world.connect(tcp, &[2]));
    log.say("connect to IPv6", world.connect(tcp, &v6("[::1]:1")));
    log.say("connect too long", world.connect(tcp, &[0; 129]));
    let six = world.tcp6();
    log.say("6: bind IPv4", world.bind(six, &good));
    log.say(
        "6: bind IPv4, long",
        world.bind(six, &[&good[..], &[0; 12]].concat()),
    );
    log.say("6: connect IPv4", world.connect(six, &v4("127.0.0.1:9")));
    log.say(
        "6: bind without scope",
        world.bind(six, &v6("[::1]:0")[..24]),
    );
    log.say("6: name", world.getsockname(six).map(|name| name.len()));
    log.say(
        "6: connect to a short one",
        world.connect(six, &v6("[::1]:9")[..23]),
    );
    let six = world.tcp6();
    log.say("6: bind mapped", world.bind(six, &v6("127.0.0.1:0")));
    let name = world.getsockname(six).expect("a name");
    log.say("6: mapped name", Ok::<_, Errno>(name[8..24].to_vec()));
    log.say("6: bind again", world.bind(six, &v6("[::1]:0")));
    let six = world.tcp6();
    world
        .set_int(six, libc::SOL_IPV6, libc::IPV6_V6ONLY, 1)
        .expect("set");
    log.say("6 only: bind mapped", world.bind(six, &v6("127.0.0.1:0")));
    log.say(
        "6 only: connect mapped",
        world.connect(six, &v6("127.0.0.1:9")),
    );
    let fresh = world.tcp6();
    log.say("6: fresh name", world.getsockname(fresh));
    let fresh = world.tcp();
    log.say("fresh name", world.getsockname(fresh));
}

pub(crate) fn datagrams(world: &mut dyn World, log: &mut Log) {
    let fd = world.udp();
    log.say("recv", world.recv(fd, 10, 0));
    log.say("recv urgent", world.recv(fd, 10, libc::MSG_OOB));
    log.say("error queue", world.recv(fd, 10, libc::MSG_ERRQUEUE));
    log.say("send nowhere", world.write(fd, b"x"));
    log.say("send urgent", world.send(fd, b"x", libc::MSG_OOB));
    log.say("listen", world.listen(fd, 1));
    log.done("accept", world.accept4(fd, 0));
    log.done("peer", world.getpeername(fd));
    log.say("at mark", world.ioctl(fd, 0x8905, 0));
    log.say("unsent", world.ioctl(fd, 0x894b, 0));
    log.say("queue", world.ioctl(fd, libc::FIONREAD as u32, 0));
    log.say("out queue", world.ioctl(fd, libc::TIOCOUTQ as u32, 0));
    let to = |bytes: &[u8]| Some(bytes.to_vec());
    let targets = [
        ("short", to(&v4("127.0.0.1:9")[..15])),
        ("IPv6", to(&v6("[::1]:9"))),
        ("family 99", to(&[99; 16])),
        ("port 0", to(&v4("127.0.0.1:0"))),
        ("too long", to(&[0; 129])),
        ("broadcast", to(&v4("255.255.255.255:9"))),
    ];
    for (step, target) in targets {
        let sent = world.sendmsg(fd, b"x", 0, target.as_deref(), &[]);
        log.say(format!("send to {step}"), sent);
    }
    let large = vec![0; 65_508];
    let sent = world.sendmsg(fd, &large, 0, Some(&v4("127.0.0.1:9")), &[]);
    log.say("too large", sent);
    log.say("shutdown", world.shutdown(fd, libc::SHUT_RDWR));
    let nobody = world.udp();
    world.bind(nobody, &v4("127.0.0.1:0")).expect("bound");
    let address = world.getsockname(nobody).expect("a name");
    // It takes nothing from anybody else, and nobody else can have its port.
    world
        .connect(nobody, &v4("127.0.0.1:9"))
        .expect("connected");
    let fd = world.udp();
    log.say("connect", world.connect(fd, &address));
    log.say("connect again", world.connect(fd, &address));
    log.say("send", world.write(fd, b"x"));
    world.settle(fd, libc::POLLERR);
    log.text("nobody is there", world.revents(fd));
    log.say("is told", world.read(fd, 10));
    log.say("once", world.read(fd, 10));
    log.say("disconnect", world.connect(fd, &[0, 0]));
    log.say("has no address", world.getsockname(fd));
    log.say("and no peer", world.write(fd, b"x"));
    log.say("connect a third time", world.connect(fd, &address));
    log.say("shutdown read", world.shutdown(fd, libc::SHUT_RD));
    log.text("ready after shutdown", world.revents(fd));
    log.say("shutdown write", world.shutdown(fd, libc::SHUT_WR));
    log.say("send after shutdown", world.write(fd, b"x"));
    log.text("ready after both", world.revents(fd));
    let six = world
        .socket(libc::AF_INET6, libc::SOCK_DGRAM | NONBLOCK, 0)
        .expect("a socket");
    let sent = world.sendmsg(six, b"x", 0, Some(&v4("127.0.0.1:9")), &[]);
    log.say("6: send to IPv4", sent);
    let sent = world.sendmsg(six, b"x", 0, Some(&[99; 28]), &[]);
    log.say("6: send to family 99", sent);
    log.say(
        "6: send to nobody",
        world.sendmsg(six, b"x", 0, Some(&[0; 28]), &[]),
    );
    log.say("6: connect to IPv4", world.connect(six, &v4("127.0.0.1:9")));
}

pub(crate) fn epolls(world: &mut dyn World, log: &mut Log) {
    let event = |events| Some(EpollEvent { events, data: 7 });
    let (add, modify, delete) = (
        libc::EPOLL_CTL_ADD,
        libc::EPOLL_CTL_MOD,
        libc::EPOLL_CTL_DEL,
    );
    log.done("flags", world.epoll_create(1));
    let epfd = world.epoll_create(libc::EPOLL_CLOEXEC).expect("an epoll");
    let fd = world.tcp();
    log.say("wait for nothing", world.epoll_wait(epfd, 0));
    log.say("wait for less", world.epoll_wait(epfd, -1));
    log.say("wait on a socket", world.epoll_wait(fd, 1));
    log.say("wait on none", world.epoll_wait(-1, 1));
    log.say("without event", world.epoll_ctl(epfd, add, fd, None));
    log.say("on a socket", world.epoll_ctl(fd, add, epfd, event(1)));
    log.say("on none", world.epoll_ctl(-1, add, fd, event(1)));
    log.say("of none", world.epoll_ctl(epfd, add, -1, event(1)));
    log.say("of itself", world.epoll_ctl(epfd, add, epfd, event(1)));
    log.say("unknown operation", world.epoll_ctl(epfd, 77, fd, event(1)));
    log.say("change before", world.epoll_ctl(epfd, modify, fd, event(1)));
    log.say("delete before", world.epoll_ctl(epfd, delete, fd, None));
    log.say("add", world.epoll_ctl(epfd, add, fd, event(1)));
    log.say("add again", world.epoll_ctl(epfd, add, fd, event(1)));
    let exclusive = libc::EPOLLEXCLUSIVE as u32;
    log.say(
        "exclusive change",
        world.epoll_ctl(epfd, modify, fd, event(exclusive | 1)),
    );
    log.say("delete", world.epoll_ctl(epfd, delete, fd, None));
    let one_shot = libc::EPOLLONESHOT as u32;
    log.say(
        "exclusive, one shot",
        world.epoll_ctl(epfd, add, fd, event(exclusive | one_shot)),
    );
    log.say(
        "exclusive",
        world.epoll_ctl(epfd, add, fd, event(exclusive | 1)),
    );
    log.say(
        "change an exclusive one",
        world.epoll_ctl(epfd, modify, fd, event(1)),
    );
    log.say("read", world.read(epfd, 10));
    log.say("write", world.write(epfd, b"x"));
    log.say("recv", world.recv(epfd, 10, 0));
    log.text("poll", world.revents(epfd));
    let inner = world.epoll_create(0).expect("an epoll");
    log.say("nested", world.epoll_ctl(epfd, add, inner, event(1)));
}

pub(crate) fn pipes(world: &mut dyn World, log: &mut Log) {
    log.done("flags", world.pipe2(1));
    let [reader, writer] = world.pipe2(libc::O_NONBLOCK).expect("a pipe");
    log.say("read the writer", world.read(writer, 1));
    log.say("write the reader", world.write(reader, b"x"));
    log.say("read", world.read(reader, 1));
    log.say("read nothing", world.read(reader, 0));
    log.say("write", world.write(writer, b"hello"));
    log.say("length", world.ioctl(reader, libc::FIONREAD as u32, 0));
    log.say(
        "length from behind",
        world.ioctl(writer, libc::FIONREAD as u32, 0),
    );
    log.say(
        "other request",
        world.ioctl(reader, libc::TIOCOUTQ as u32, 0),
    );
    log.say("read two", world.read(reader, 2));
    let [reader, writer] = world.pipe2(libc::O_NONBLOCK).expect("a pipe");
    log.say("fill", world.write(writer, &vec![0; 100_000]));
    log.say("full", world.write(writer, b"x"));
    log.say("splice to itself", world.splice(reader, writer, 10, 0));
    log.say("splice the wrong way", world.splice(writer, reader, 10, 0));
    let fd = world.tcp();
    log.say("splice without pipe", world.splice(fd, fd, 10, 0));
    log.say("splice with flags", world.splice(reader, fd, 10, 0x100));
    log.say("splice nothing", world.splice(reader, fd, 0, 0));
    log.say("splice to none", world.splice(reader, -1, 10, 0));
    log.say("splice to a fresh socket", world.splice(reader, fd, 10, 0));
    log.say(
        "splice from a fresh socket",
        world.splice(fd, writer, 10, 0),
    );
    world.close(reader).expect("closed");
    log.say("write to nobody", world.write(writer, b"x"));
    let [reader, writer] = world.pipe2(0).expect("a pipe");
    world.write(writer, b"rest").expect("written");
    world.close(writer).expect("closed");
    log.say("the rest", world.read(reader, 10));
    log.say("the end", world.read(reader, 10));
}
