//! Flags of sending and receiving, queues, and splicing.

use crate::world::{Log, World, v4};

const INQ: u32 = libc::FIONREAD as u32;
const OUTQ: u32 = libc::TIOCOUTQ as u32;
const AT_MARK: u32 = 0x8905;

pub(crate) fn flags_of_receiving(world: &mut dyn World, log: &mut Log) {
    let (a, b) = world.pair();
    world.write(a, b"hello, world").expect("written");
    world.settle(b, libc::POLLIN);
    log.say("peek", world.recvmsg(b, 5, libc::MSG_PEEK));
    log.say("peek all", world.recvmsg(b, 50, libc::MSG_PEEK));
    log.say(
        "peek and wait for all",
        world.recvmsg(
            b,
            50,
            libc::MSG_PEEK | libc::MSG_WAITALL | libc::MSG_DONTWAIT,
        ),
    );
    log.say("throw away", world.recv(b, 2, libc::MSG_TRUNC));
    log.say(
        "peek at the length",
        world.recv(b, 50, libc::MSG_PEEK | libc::MSG_TRUNC),
    );
    log.say("read", world.recvmsg(b, 5, libc::MSG_CMSG_CLOEXEC));
    log.say("nothing", world.recv(b, 0, 0));
    log.say("all that is there", world.recvmsg(b, 50, libc::MSG_WAITALL));
    log.say("empty", world.recv(b, 50, libc::MSG_WAITALL));
    log.say("unknown flag", world.recv(b, 50, 0x1000_0000));
    let low = world.set_int(b, libc::SOL_SOCKET, libc::SO_RCVLOWAT, 4);
    log.say("low water", low);
    world.write(a, b"abc").expect("written");
    world.settle(b, libc::POLLIN | libc::POLLRDHUP);
    log.text("below low water", world.revents(b));
    log.say("is read all the same", world.recv(b, 10, 0));
    world.write(a, b"abc").expect("written");
    world.shutdown(a, libc::SHUT_WR).expect("shut down");
    world.settle(b, libc::POLLRDHUP);
    log.say(
        "wait for all at the end",
        world.recvmsg(b, 50, libc::MSG_WAITALL),
    );
    log.say("the end", world.recvmsg(b, 50, 0));
}

pub(crate) fn urgent_data(world: &mut dyn World, log: &mut Log) {
    let (a, b) = world.pair();
    world.write(a, b"before").expect("written");
    world.send(a, b"ab!", libc::MSG_OOB).expect("sent");
    world.write(a, b"after").expect("written");
    world.settle(b, libc::POLLPRI);
    log.say("queue", world.ioctl(b, INQ, 0));
    log.say("at mark", world.ioctl(b, AT_MARK, 0));
    log.say(
        "peek urgent",
        world.recvmsg(b, 10, libc::MSG_OOB | libc::MSG_PEEK),
    );
    log.say("to the mark", world.recvmsg(b, 50, 0));
    log.say("then at mark", world.ioctl(b, AT_MARK, 0));
    log.say("queue at the mark", world.ioctl(b, INQ, 0));
    log.say(
        "urgent without room",
        world.recvmsg(b, 0, libc::MSG_OOB | libc::MSG_PEEK),
    );
    log.say("urgent", world.recvmsg(b, 10, libc::MSG_OOB));
    log.say("urgent once", world.recvmsg(b, 10, libc::MSG_OOB));
    log.say("behind the mark", world.recvmsg(b, 50, 0));
    log.say("not at mark", world.ioctl(b, AT_MARK, 0));
    world
        .set_int(b, libc::SOL_SOCKET, libc::SO_OOBINLINE, 1)
        .expect("set");
    world.send(a, b"xy", libc::MSG_OOB).expect("sent");
    world.settle(b, libc::POLLPRI);
    log.say("inline urgent", world.recvmsg(b, 10, libc::MSG_OOB));
    log.say("inline to the mark", world.recvmsg(b, 10, 0));
    log.say("inline at mark", world.ioctl(b, AT_MARK, 0));
    log.say("inline byte", world.recvmsg(b, 10, 0));
}

pub(crate) fn queue_lengths(world: &mut dyn World, log: &mut Log) {
    let (a, b) = world.pair();
    world.write(a, b"12345").expect("written");
    world.settle(b, libc::POLLIN);
    log.say("in", world.ioctl(b, INQ, 0));
    log.say("out", world.ioctl(a, OUTQ, 0));
    let _ = world.recv(b, 2, 0);
    log.say("in then", world.ioctl(b, INQ, 0));
    world.shutdown(a, libc::SHUT_WR).expect("shut down");
    world.settle(b, libc::POLLRDHUP);
    log.say("in with the end", world.ioctl(b, INQ, 0));
    let _ = world.recv(b, 10, 0);
    log.say("in at the end", world.ioctl(b, INQ, 0));
    log.say("unsent at the end", world.ioctl(a, 0x894b, 0));
    let fd = world.udp();
    world.bind(fd, &v4("127.0.0.1:0")).expect("bound");
    let address = world.getsockname(fd).expect("a name");
    let other = world.udp();
    for text in [&b"first"[..], b"second one"] {
        world
            .sendmsg(other, text, 0, Some(&address), &[])
            .expect("sent");
    }
    world.settle(fd, libc::POLLIN);
    log.say("the first datagram's", world.ioctl(fd, INQ, 0));
    let _ = world.recv(fd, 10, 0);
    log.say("the second's", world.ioctl(fd, INQ, 0));
}

pub(crate) fn datagrams_cut(world: &mut dyn World, log: &mut Log) {
    let a = world.udp();
    world.bind(a, &v4("127.0.0.1:0")).expect("bound");
    let address = world.getsockname(a).expect("a name");
    let b = world.udp();
    for _ in 0..5 {
        let sent = world.sendmsg(b, b"hello", 0, Some(&address), &[]);
        sent.expect("sent");
        world.settle(a, libc::POLLIN);
    }
    log.say("peek", world.recvmsg(a, 10, libc::MSG_PEEK));
    log.say("peek, cut", world.recvmsg(a, 2, libc::MSG_PEEK));
    log.say("cut", world.recvmsg(a, 2, 0));
    log.say("whole length", world.recvmsg(a, 2, libc::MSG_TRUNC));
    log.say("no room", world.recvmsg(a, 0, 0));
    log.say("all", world.recvmsg(a, 10, libc::MSG_WAITALL));
    log.say("read nothing", world.read(a, 0));
    log.say("read", world.read(a, 10));
    log.say("empty", world.read(a, 10));
}

pub(crate) fn splicing(world: &mut dyn World, log: &mut Log) {
    let (a, b) = world.pair();
    let [reader, writer] = world.pipe2(libc::O_NONBLOCK).expect("a pipe");
    let nonblock = libc::SPLICE_F_NONBLOCK;
    log.say("empty pipe", world.splice(reader, a, 10, nonblock));
    log.say("empty socket", world.splice(b, writer, 10, nonblock));
    world.write(writer, b"through the pipe").expect("written");
    log.say("out", world.splice(reader, a, 7, nonblock));
    log.say("out, the rest", world.splice(reader, a, 100, nonblock));
    world.settle(b, libc::POLLIN);
    log.say("in", world.splice(b, writer, 10, nonblock));
    log.say("in, the rest", world.splice(b, writer, 100, nonblock));
    log.say("length", world.ioctl(reader, INQ, 0));
    world.shutdown(a, libc::SHUT_WR).expect("shut down");
    world.settle(b, libc::POLLRDHUP);
    log.say(
        "the end of the stream",
        world.splice(b, writer, 100, nonblock),
    );
    let [reader2, writer2] = world.pipe2(0).expect("a pipe");
    log.say("pipe to pipe", world.splice(reader, writer2, 4, nonblock));
    log.say("what came", world.ioctl(reader2, INQ, 0));
    world.close(writer).expect("closed");
    log.say("drain", world.splice(reader, writer2, 100, nonblock));
    log.say(
        "the end of the pipe",
        world.splice(reader, writer2, 100, nonblock),
    );
    world.close(reader2).expect("closed");
    log.say("into nothing", world.splice(b, writer2, 100, nonblock));
}

pub(crate) fn time_outs(world: &mut dyn World, log: &mut Log) {
    let fd = world
        .socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
        .expect("a socket");
    let timeout = [0i64.to_ne_bytes(), 20_000i64.to_ne_bytes()].concat();
    let set = world.setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &timeout);
    log.say("set", set);
    log.say("no datagram", world.recv(fd, 1, 0));
    let (listener, address) = world.listener();
    world.fcntl(listener, libc::F_SETFL, 0).expect("blocking");
    world
        .setsockopt(listener, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &timeout)
        .expect("set");
    log.done("no connection", world.accept4(listener, 0));
    let a = world.tcp();
    let _ = world.connect(a, &address);
    world.settle(a, libc::POLLOUT);
    let (b, _) = world.accept4(listener, 0).expect("accepted");
    let kept = world.getsockopt(b, libc::SOL_SOCKET, libc::SO_RCVTIMEO, 16);
    log.say("inherited", kept);
    world
        .setsockopt(b, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &timeout)
        .expect("set");
    log.say("no data", world.recv(b, 10, 0));
    world.write(a, b"abc").expect("written");
    world.settle(b, libc::POLLIN);
    log.say("not all", world.recv(b, 10, libc::MSG_WAITALL));
    let fd = world
        .socket(libc::AF_INET, libc::SOCK_STREAM, 0)
        .expect("a socket");
    let negative = [(-1i64).to_ne_bytes(), 0i64.to_ne_bytes()].concat();
    let set = world.setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &negative);
    log.say("less than nothing", set);
    let value = world.getsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, 16);
    log.say("reads as", value);
}
