//! Errors of the calls on streams, state by state.

use crate::world::{Log, World, v4};

const NONBLOCK: i32 = libc::SOCK_NONBLOCK;

pub(crate) fn fresh_stream(world: &mut dyn World, log: &mut Log) {
    let fd = world.tcp();
    log.say("read", world.read(fd, 10));
    log.say("read nothing", world.read(fd, 0));
    log.say("recv", world.recv(fd, 10, 0));
    log.say("recv nothing", world.recv(fd, 0, 0));
    log.say("peek", world.recv(fd, 10, libc::MSG_PEEK));
    log.say("recv urgent", world.recv(fd, 10, libc::MSG_OOB));
    log.say("error queue", world.recv(fd, 10, libc::MSG_ERRQUEUE));
    log.say("write", world.write(fd, b"x"));
    log.say("write nothing", world.write(fd, b""));
    log.say(
        "send to",
        world.sendmsg(fd, b"x", 0, Some(&v4("127.0.0.1:9")), &[]),
    );
    log.done("peer", world.getpeername(fd));
    log.done("accept", world.accept4(fd, 0));
    log.done("accept with bad flags", world.accept4(fd, 1));
    log.say("shutdown 3", world.shutdown(fd, 3));
    log.say("shutdown -1", world.shutdown(fd, -1));
    log.say("queue", world.ioctl(fd, libc::FIONREAD as u32, 0));
    log.say("out queue", world.ioctl(fd, libc::TIOCOUTQ as u32, 0));
    log.say("unsent", world.ioctl(fd, 0x894b, 0));
    log.say("at mark", world.ioctl(fd, 0x8905, 0));
    log.say("error", world.get_int(fd, libc::SOL_SOCKET, libc::SO_ERROR));
    log.say("shutdown", world.shutdown(fd, libc::SHUT_RDWR));
    log.say("disconnect", world.connect(fd, &[0, 0]));
}

pub(crate) fn listening(world: &mut dyn World, log: &mut Log) {
    let (fd, address) = world.listener();
    log.done("accept", world.accept4(fd, 0));
    log.say("read", world.read(fd, 10));
    log.say("recv urgent", world.recv(fd, 10, libc::MSG_OOB));
    log.say("write", world.write(fd, b"x"));
    log.say("connect", world.connect(fd, &address));
    log.say("bind", world.bind(fd, &v4("127.0.0.1:0")));
    log.say("listen again", world.listen(fd, 1));
    log.say("listen with less than nothing", world.listen(fd, -1));
    log.done("peer", world.getpeername(fd));
    log.say("queue", world.ioctl(fd, libc::FIONREAD as u32, 0));
    log.say("out queue", world.ioctl(fd, libc::TIOCOUTQ as u32, 0));
    log.say("unsent", world.ioctl(fd, 0x894b, 0));
    log.say("at mark", world.ioctl(fd, 0x8905, 0));
    let other = world.tcp();
    log.say("bind there", world.bind(other, &address));
    world
        .set_int(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)
        .expect("set");
    world
        .set_int(other, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)
        .expect("set");
    log.say("bind there with reuse", world.bind(other, &address));
    log.say("shutdown write", world.shutdown(fd, libc::SHUT_WR));
    log.done("accept still", world.accept4(fd, 0));
    log.say("shutdown read", world.shutdown(fd, libc::SHUT_RD));
    log.done("accept no more", world.accept4(fd, 0));
    log.say("listen anew", world.listen(fd, 1));
    let unbound = world.tcp();
    log.say("listen unbound", world.listen(unbound, 0));
    let port = world.getsockname(unbound).map(|name| name[2..4] != [0, 0]);
    log.say("has a port", port);
}

pub(crate) fn connecting(world: &mut dyn World, log: &mut Log) {
    // A listener whose accept queue is full answers no SYN.
    let listener = world.tcp();
    world.bind(listener, &v4("127.0.0.1:0")).expect("bound");
    world.listen(listener, 0).expect("listening");
    let address = world.getsockname(listener).expect("an address");
    let first = world.tcp();
    let _ = world.connect(first, &address);
    world.settle(first, libc::POLLOUT);
    let fd = world.tcp();
    log.say("connect", world.connect(fd, &address));
    log.text("ready for", world.revents(fd));
    log.say("again", world.connect(fd, &address));
    log.say("read", world.read(fd, 10));
    log.say("recv nothing", world.recv(fd, 0, 0));
    log.say("write", world.write(fd, b"x"));
    log.say("write nothing", world.write(fd, b""));
    log.done("peer", world.getpeername(fd));
    log.say("listen", world.listen(fd, 1));
    log.say("bind", world.bind(fd, &v4("127.0.0.1:0")));
    log.done("accept", world.accept4(fd, 0));
    log.say("queue", world.ioctl(fd, libc::FIONREAD as u32, 0));
    log.say("out queue", world.ioctl(fd, libc::TIOCOUTQ as u32, 0));
    log.say("error", world.get_int(fd, libc::SOL_SOCKET, libc::SO_ERROR));
    log.say("shutdown", world.shutdown(fd, libc::SHUT_WR));
    log.text("then ready for", world.revents(fd));
    log.say("write then", world.write(fd, b"x"));
    log.say("read then", world.read(fd, 10));
    log.done("peer then", world.getpeername(fd));
    // A blocking connect with a time-out.
    let fd = world
        .socket(libc::AF_INET, libc::SOCK_STREAM, 0)
        .expect("a socket");
    let timeout = [0i64.to_ne_bytes(), 20_000i64.to_ne_bytes()].concat();
    let set = world.setsockopt(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &timeout);
    log.say("time-out", set);
    log.say("connect in time", world.connect(fd, &address));
    log.say("connect again in time", world.connect(fd, &address));
    log.say("write in time", world.write(fd, b"x"));
}

pub(crate) fn connected(world: &mut dyn World, log: &mut Log) {
    let (listener, address) = world.listener();
    let a = world.tcp();
    log.say("connect", world.connect(a, &address));
    world.settle(a, libc::POLLOUT);
    log.say("connect is done", world.connect(a, &address));
    log.say("connect once more", world.connect(a, &address));
    log.say("listen", world.listen(a, 1));
    log.say("bind", world.bind(a, &v4("127.0.0.1:0")));
    log.done("accept from it", world.accept4(a, 0));
    world.settle(listener, libc::POLLIN);
    let (b, peer) = world.accept4(listener, NONBLOCK).expect("accepted");
    log.say("the peer", world.getsockname(a).map(|name| name == peer));
    log.say("accepted flags", world.fcntl(b, libc::F_GETFL, 0));
    log.say("connect the accepted", world.connect(b, &address));
    log.say("read", world.read(a, 10));
    log.say("recv nothing", world.recv(a, 0, 0));
    log.say("recv urgent", world.recv(a, 10, libc::MSG_OOB));
    log.say("write nothing", world.write(a, b""));
    log.say(
        "send to another",
        world.sendmsg(a, b"x", 0, Some(&v4("127.0.0.1:9")), &[]),
    );
    log.say("zero copy", world.send(a, b"x", libc::MSG_ZEROCOPY));
    log.say("fast open", world.send(a, b"x", libc::MSG_FASTOPEN));
    log.say("unknown flag", world.send(a, b"x", 0x10000));
    let right = control(libc::SOL_SOCKET, libc::SCM_CREDENTIALS, 12);
    log.say("credentials", world.sendmsg(a, b"x", 0, None, &right));
    let unknown = control(libc::SOL_SOCKET, 77, 4);
    log.say("unknown control", world.sendmsg(a, b"x", 0, None, &unknown));
    let foreign = control(libc::SOL_IP, libc::IP_TTL, 4);
    log.say("control of IP", world.sendmsg(a, b"x", 0, None, &foreign));
    let mut short = control(libc::SOL_SOCKET, 77, 4);
    short[0] = 200;
    log.say("control too long", world.sendmsg(a, b"x", 0, None, &short));
    log.say("shutdown write", world.shutdown(a, libc::SHUT_WR));
    log.say("write then", world.write(a, b"x"));
    log.say("shutdown write again", world.shutdown(a, libc::SHUT_WR));
    world.settle(b, libc::POLLRDHUP);
    log.say(
        "the other end shuts down",
        world.shutdown(b, libc::SHUT_RDWR),
    );
    world.settle(a, libc::POLLRDHUP);
    log.say("read at the end", world.read(a, 10));
    log.say("urgent at the end", world.recv(a, 10, libc::MSG_OOB));
    log.done("peer at the end", world.getpeername(a));
    log.say("shutdown at the end", world.shutdown(a, libc::SHUT_RDWR));
    log.say("connect at the end", world.connect(a, &address));
    log.say("listen at the end", world.listen(a, 1));
}

fn control(level: i32, kind: i32, data: usize) -> Vec<u8> {
    let mut bytes = (16 + data).to_ne_bytes().to_vec();
    bytes.extend(level.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.resize((16 + data).next_multiple_of(8), 0);
    bytes
}

pub(crate) fn refused(world: &mut dyn World, log: &mut Log) {
    let nobody = world.nobody();
    let fd = world
        .socket(libc::AF_INET, libc::SOCK_STREAM, 0)
        .expect("a socket");
    log.say("blocking", world.connect(fd, &nobody));
    log.say("write", world.write(fd, b"x"));
    log.say("read", world.read(fd, 1));
    log.say("blocking again", world.connect(fd, &nobody));
    log.text("ready for", world.revents(fd));
    let fd = world.tcp();
    log.say("non-blocking", world.connect(fd, &nobody));
    world.settle(fd, libc::POLLERR);
    log.text("then", world.revents(fd));
    log.say("error", world.get_int(fd, libc::SOL_SOCKET, libc::SO_ERROR));
    log.say(
        "error once",
        world.get_int(fd, libc::SOL_SOCKET, libc::SO_ERROR),
    );
    log.text("ready when told", world.revents(fd));
    log.say("read when told", world.read(fd, 1));
    log.say("write when told", world.write(fd, b"x"));
    log.say("connect when told", world.connect(fd, &nobody));
    log.say("connect anew", world.connect(fd, &nobody));
    world.settle(fd, libc::POLLERR);
    log.say("is told by connect", world.connect(fd, &nobody));
    let fd = world.tcp();
    let _ = world.connect(fd, &nobody);
    world.settle(fd, libc::POLLERR);
    log.say("is told by read", world.read(fd, 1));
    log.say("read is over", world.read(fd, 1));
    let fd = world.tcp();
    let _ = world.connect(fd, &nobody);
    world.settle(fd, libc::POLLERR);
    log.say("is told by write", world.write(fd, b"x"));
    log.say("write is over", world.write(fd, b"x"));
}

pub(crate) fn reset(world: &mut dyn World, log: &mut Log) {
    let reset_pair = |world: &mut dyn World| {
        let (a, b) = world.pair();
        let linger = [1i32.to_ne_bytes(), 0i32.to_ne_bytes()].concat();
        let set = world.setsockopt(b, libc::SOL_SOCKET, libc::SO_LINGER, &linger);
        set.expect("set");
        world.close(b).expect("closed");
        world.settle(a, libc::POLLERR);
        a
    };
    let a = reset_pair(world);
    log.text("ready for", world.revents(a));
    log.say("read", world.read(a, 10));
    log.text("ready when told", world.revents(a));
    log.say("read again", world.read(a, 10));
    log.say("write", world.write(a, b"x"));
    log.done("peer", world.getpeername(a));
    log.say("shutdown", world.shutdown(a, libc::SHUT_RDWR));
    let a = reset_pair(world);
    log.say("told by write", world.write(a, b"x"));
    log.say("write again", world.write(a, b"x"));
    let a = reset_pair(world);
    log.say(
        "told by SO_ERROR",
        world.get_int(a, libc::SOL_SOCKET, libc::SO_ERROR),
    );
    log.say("connect", world.connect(a, &v4("127.0.0.1:9")));
    // What came before the reset is lost, in neither world it can be read.
    let (a, b) = world.pair();
    world.write(b, b"never read").expect("written");
    world.settle(a, libc::POLLIN);
    world.close(a).expect("closed");
    world.settle(b, libc::POLLERR);
    log.text("unread data resets", world.revents(b));
    log.say("which is told", world.read(b, 10));
}

pub(crate) fn disconnecting(world: &mut dyn World, log: &mut Log) {
    let (a, b) = world.pair();
    let name = world.getsockname(a).expect("a name");
    let mut none = vec![0; 128];
    log.say("disconnect", world.connect(a, &none));
    world.settle(b, libc::POLLERR);
    log.text("ready for", world.revents(a));
    log.text("the peer's", world.revents(b));
    log.say("the peer reads", world.read(b, 1));
    log.say("error", world.get_int(a, libc::SOL_SOCKET, libc::SO_ERROR));
    log.say(
        "error once",
        world.get_int(a, libc::SOL_SOCKET, libc::SO_ERROR),
    );
    log.done("peer", world.getpeername(a));
    log.say("read", world.read(a, 1));
    log.say("write", world.write(a, b"x"));
    let (listener, address) = world.listener();
    log.say("connect anew", world.connect(a, &address));
    world.settle(a, libc::POLLOUT);
    log.say("connected anew", world.connect(a, &address));
    log.say(
        "from another port",
        world.getsockname(a).map(|new| new != name),
    );
    world.settle(listener, libc::POLLIN);
    log.say("a listener", world.connect(listener, &none));
    log.done("accepts no more", world.accept4(listener, 0));
    world.settle(a, libc::POLLERR);
    log.text("what waited is reset", world.revents(a));
    // A bound port stays.
    let (_listener, address) = world.listener();
    let bound = world.tcp();
    world.bind(bound, &v4("127.0.0.1:0")).expect("bound");
    let name = world.getsockname(bound).expect("a name");
    let _ = world.connect(bound, &address);
    world.settle(bound, libc::POLLOUT);
    none.truncate(2);
    log.say("disconnect a bound one", world.connect(bound, &none));
    log.say(
        "keeps its name",
        world.getsockname(bound).map(|new| new == name),
    );
    log.say("read's error", world.read(bound, 1));
    // While it is being opened.
    let nobody = world.nobody();
    let opening = world.tcp();
    let _ = world.connect(opening, &nobody);
    world.settle(opening, libc::POLLERR);
    log.say("disconnect a refused one", world.connect(opening, &none));
    log.say(
        "its error",
        world.get_int(opening, libc::SOL_SOCKET, libc::SO_ERROR),
    );
}
