//! What descriptors are ready for.

use crate::world::{Log, World, bits_of, v4};
use estab_posix::EpollEvent;

pub(crate) fn poll_through_a_life(world: &mut dyn World, log: &mut Log) {
    let a = world.tcp();
    log.text("fresh", world.revents(a));
    let (listener, address) = world.listener();
    log.text("listening", world.revents(listener));
    let _ = world.connect(a, &address);
    world.settle(a, libc::POLLOUT);
    log.text("connected", world.revents(a));
    world.settle(listener, libc::POLLIN);
    log.text("to accept", world.revents(listener));
    let (b, _) = world
        .accept4(listener, libc::SOCK_NONBLOCK)
        .expect("accepted");
    log.text("accepted", world.revents(b));
    log.text("nothing more to accept", world.revents(listener));
    world.write(a, b"hello").expect("written");
    world.settle(b, libc::POLLIN);
    log.text("data", world.revents(b));
    log.say(
        "only what is asked for",
        world
            .poll(b, libc::POLLOUT)
            .map(|bits| bits_of(bits as u16)),
    );
    world.read(b, 10).expect("read");
    log.text("data read", world.revents(b));
    world.shutdown(a, libc::SHUT_WR).expect("shut down");
    log.text("write shut down", world.revents(a));
    world.settle(b, libc::POLLRDHUP);
    log.text("end of stream", world.revents(b));
    world.shutdown(b, libc::SHUT_WR).expect("shut down");
    log.text("both closed", world.revents(b));
    world.settle(a, libc::POLLRDHUP);
    log.text("both closed here", world.revents(a));
    world.shutdown(listener, libc::SHUT_RD).expect("shut down");
    log.text("listener ended", world.revents(listener));
    let (a, b) = world.pair();
    world.shutdown(a, libc::SHUT_RD).expect("shut down");
    log.text("read shut down", world.revents(a));
    world.shutdown(a, libc::SHUT_WR).expect("shut down");
    log.text("all shut down", world.revents(a));
    log.say("nobody writes any more", world.write(a, b"x"));
    world.settle(b, libc::POLLRDHUP);
    log.text("the peer's", world.revents(b));
}

pub(crate) fn poll_of_urgent_data(world: &mut dyn World, log: &mut Log) {
    let (a, b) = world.pair();
    world.send(a, b"x", libc::MSG_OOB).expect("sent");
    world.settle(b, libc::POLLPRI);
    log.text("urgent alone", world.revents(b));
    world.send(a, b"yz", libc::MSG_OOB).expect("sent");
    world.settle(b, libc::POLLIN);
    log.text("urgent behind a byte", world.revents(b));
    log.say("urgent", world.recv(b, 1, libc::MSG_OOB));
    log.text("urgent read", world.revents(b));
    log.say("the rest", world.recv(b, 10, 0));
    log.text("all read", world.revents(b));
}

pub(crate) fn poll_of_datagrams(world: &mut dyn World, log: &mut Log) {
    let a = world.udp();
    log.text("fresh", world.revents(a));
    world.bind(a, &v4("127.0.0.1:0")).expect("bound");
    let address = world.getsockname(a).expect("a name");
    let b = world.udp();
    let sent = world.sendmsg(b, b"", 0, Some(&address), &[]);
    log.say("an empty one", sent);
    world.settle(a, libc::POLLIN);
    log.text("there", world.revents(a));
    log.say("received", world.recv(a, 10, 0));
    log.text("gone", world.revents(a));
}

pub(crate) fn poll_of_pipes(world: &mut dyn World, log: &mut Log) {
    let [reader, writer] = world.pipe2(libc::O_NONBLOCK).expect("a pipe");
    log.text("empty reader", world.revents(reader));
    log.text("empty writer", world.revents(writer));
    world.write(writer, &[0; 100]).expect("written");
    log.text("reader", world.revents(reader));
    let _ = world.write(writer, &vec![0; 70_000]);
    log.text("full writer", world.revents(writer));
    world.close(writer).expect("closed");
    log.text("reader without writer", world.revents(reader));
    let _ = world.read(reader, 70_000);
    log.text("empty reader without writer", world.revents(reader));
    let [reader, writer] = world.pipe2(libc::O_NONBLOCK).expect("a pipe");
    world.close(reader).expect("closed");
    log.text("writer without reader", world.revents(writer));
}

/// What an epoll has to say, without the caller's numbers.
fn events(world: &mut dyn World, epfd: i32) -> String {
    match world.epoll_wait(epfd, 8) {
        Ok(events) if events.is_empty() => "none".into(),
        Ok(events) => {
            let texts: Vec<String> = events
                .iter()
                .map(|event| format!("{}={}", event.data, bits_of(event.events as u16)))
                .collect();
            texts.join(" ")
        }
        Err(errno) => format!("{errno:?}"),
    }
}

pub(crate) fn epoll_levels_and_edges(world: &mut dyn World, log: &mut Log) {
    let epfd = world.epoll_create(0).expect("an epoll");
    let (a, b) = world.pair();
    let edge = libc::EPOLLET as u32;
    let (reading, writing) = (libc::EPOLLIN as u32, libc::EPOLLOUT as u32);
    let ends = libc::EPOLLRDHUP as u32;
    let event = |events, data| Some(EpollEvent { events, data });
    let (add, modify) = (libc::EPOLL_CTL_ADD, libc::EPOLL_CTL_MOD);
    world
        .epoll_ctl(epfd, add, b, event(reading, 1))
        .expect("added");
    log.text("nothing yet", events(world, epfd));
    log.text("not readable itself", world.revents(epfd));
    world.write(a, b"one").expect("written");
    world.settle(b, libc::POLLIN);
    log.text("readable itself", world.revents(epfd));
    log.text("level", events(world, epfd));
    log.text("level again", events(world, epfd));
    let changed = world.epoll_ctl(epfd, modify, b, event(reading | writing | edge, 2));
    log.say("to edge", changed);
    log.text("edge", events(world, epfd));
    log.text("edge once", events(world, epfd));
    world.write(a, b"two").expect("written");
    world.settle(b, libc::POLLIN);
    log.text("a new edge for what came", events(world, epfd));
    log.text("and once", events(world, epfd));
    let _ = world.read(b, 4);
    log.text("reading a part is no edge", events(world, epfd));
    let changed = world.epoll_ctl(epfd, modify, b, event(reading | edge, 2));
    log.say("changing it", changed);
    log.text("is an edge", events(world, epfd));
    let _ = world.read(b, 10);
    world.write(a, b"three").expect("written");
    world.settle(b, libc::POLLIN);
    let _ = world.read(b, 10);
    log.text("read before it was told", events(world, epfd));
    let one_shot = libc::EPOLLONESHOT as u32;
    let changed = world.epoll_ctl(epfd, modify, b, event(writing | one_shot, 3));
    log.say("one shot", changed);
    log.text("fires", events(world, epfd));
    log.text("is over", events(world, epfd));
    let changed = world.epoll_ctl(epfd, modify, b, event(writing | one_shot, 4));
    log.say("again", changed);
    log.text("fires again", events(world, epfd));
    let changed = world.epoll_ctl(epfd, modify, b, event(reading | ends | edge, 5));
    log.say("for the end", changed);
    log.text("not yet", events(world, epfd));
    world.shutdown(a, libc::SHUT_WR).expect("shut down");
    world.settle(b, libc::POLLRDHUP);
    log.text("the end", events(world, epfd));
    log.text("the end once", events(world, epfd));
    world.shutdown(b, libc::SHUT_WR).expect("shut down");
    world.settle(a, libc::POLLRDHUP);
    log.text("closed", events(world, epfd));
    let copy = world.fcntl(b, libc::F_DUPFD, 0).expect("a copy");
    let added = world.epoll_ctl(epfd, add, copy, event(reading, 6));
    log.say("another number is another one", added);
    log.text("told", events(world, epfd));
    world.close(copy).expect("closed");
    log.text("the copy is closed, the file is not", events(world, epfd));
    world.close(b).expect("closed");
    log.text("closed files are gone", events(world, epfd));
    listener_edges(world, log, epfd);
    pipe_edges(world, log, epfd);
    log.say("the end of the set", world.close(epfd));
}

fn listener_edges(world: &mut dyn World, log: &mut Log, epfd: i32) {
    let (listener, address) = world.listener();
    let edge = libc::EPOLLET as u32 | libc::EPOLLIN as u32;
    let event = Some(EpollEvent {
        events: edge,
        data: 8,
    });
    world
        .epoll_ctl(epfd, libc::EPOLL_CTL_ADD, listener, event)
        .expect("added");
    for n in 0..2 {
        let fd = world.tcp();
        let _ = world.connect(fd, &address);
        world.settle(fd, libc::POLLOUT);
        log.text(format!("connection {n}"), events(world, epfd));
        log.text(format!("connection {n} once"), events(world, epfd));
    }
    let _ = world.accept4(listener, 0);
    log.text("accepting is no edge", events(world, epfd));
    world.close(listener).expect("closed");
}

fn pipe_edges(world: &mut dyn World, log: &mut Log, epfd: i32) {
    let [reader, writer] = world.pipe2(libc::O_NONBLOCK).expect("a pipe");
    let edge = libc::EPOLLET as u32 | libc::EPOLLIN as u32;
    let event = Some(EpollEvent {
        events: edge,
        data: 9,
    });
    world
        .epoll_ctl(epfd, libc::EPOLL_CTL_ADD, reader, event)
        .expect("added");
    log.text("an empty pipe", events(world, epfd));
    world.write(writer, b"x").expect("written");
    log.text("a pipe", events(world, epfd));
    log.text("a pipe once", events(world, epfd));
    world.write(writer, b"x").expect("written");
    log.text("a pipe again", events(world, epfd));
    world.close(writer).expect("closed");
    log.text("a pipe without writer", events(world, epfd));
    world.close(reader).expect("closed");
}
