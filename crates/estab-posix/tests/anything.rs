//! Whatever is called, in any order, on any descriptor: no panic, no hang, and nothing is left when all is closed.

mod common;

use common::{Process, v4, v6};
use core::task::Poll;
use core::time::Duration;
use estab_posix::{EpollEvent, Message, PollFd, Waiting};
use estab_tcp::Rng;

/// Numbers that mean something, and some that do not.
const OPTIONS: [(i32, i32); 16] = [
    (libc::SOL_SOCKET, libc::SO_LINGER),
    (libc::SOL_SOCKET, libc::SO_SNDBUF),
    (libc::SOL_SOCKET, libc::SO_RCVBUF),
    (libc::SOL_SOCKET, libc::SO_RCVLOWAT),
    (libc::SOL_SOCKET, libc::SO_RCVTIMEO),
    (libc::SOL_SOCKET, libc::SO_SNDTIMEO),
    (libc::SOL_SOCKET, libc::SO_ERROR),
    (libc::SOL_SOCKET, libc::SO_OOBINLINE),
    (libc::SOL_SOCKET, libc::SO_REUSEADDR),
    (libc::SOL_TCP, libc::TCP_INFO),
    (libc::SOL_TCP, libc::TCP_CORK),
    (libc::SOL_TCP, libc::TCP_MAXSEG),
    (libc::SOL_TCP, libc::TCP_DEFER_ACCEPT),
    (libc::SOL_TCP, libc::TCP_CONGESTION),
    (libc::SOL_IP, libc::IP_TTL),
    (libc::SOL_IPV6, libc::IPV6_V6ONLY),
];

struct Chaos {
    p: Process,
    rng: Rng,
    /// Calls that are under way: what was called, and how far it came.
    waiting: Vec<(u32, i32, Waiting)>,
}

impl Chaos {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let len = u32::try_from(from.len()).expect("few");
        from[self.rng.below(len) as usize]
    }

    fn fd(&mut self) -> i32 {
        let fds: Vec<i32> = self.p.posix.descriptors().collect();
        match fds.is_empty() || self.rng.chance(0.03) {
            true => self.pick(&[-1, 0, 7, 999, i32::MAX]),
            false => self.pick(&fds),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = self.pick(&[0, 1, 3, 4, 8, 16, 20, 100]);
        (0..len)
            .map(|_| self.pick(&[0, 0, 0, 1, 2, 88, 255]))
            .collect()
    }

    fn address(&mut self) -> Vec<u8> {
        let port = self.rng.below(4) + 80;
        match self.rng.below(8) {
            0 => self.bytes(),
            1 => v6(&format!("[::1]:{port}")),
            2 => v6(&format!("127.0.0.1:{port}")),
            3 => vec![0; 16],
            _ => v4(&format!("127.0.0.1:{port}")),
        }
    }

    fn flags(&mut self) -> i32 {
        (0..3).fold(0, |flags, _| {
            flags
                | self.pick(&[
                    0,
                    0,
                    libc::MSG_PEEK,
                    libc::MSG_OOB,
                    libc::MSG_MORE,
                    libc::MSG_EOR,
                    libc::MSG_TRUNC,
                    libc::MSG_WAITALL,
                    libc::MSG_DONTWAIT,
                    libc::MSG_ERRQUEUE,
                ])
        })
    }

    /// A call that ends at once.
    fn simple(&mut self) {
        let (fd, now) = (self.fd(), self.p.now);
        let number = self.pick(&[-1, 0, 1, 2, 3, 5, 100, 70_000, i32::MAX, i32::MIN]);
        let (level, name) = self.pick(&OPTIONS);
        let posix_call = self.rng.below(14);
        let address = self.address();
        let value = self.bytes();
        let posix = &mut self.p.posix;
        match posix_call {
            0 | 1 => {
                let domain = self.pick(&[libc::AF_INET, libc::AF_INET6]);
                let kind = self.pick(&[libc::SOCK_STREAM, libc::SOCK_STREAM, libc::SOCK_DGRAM]);
                let nonblock = self.pick(&[0, libc::SOCK_NONBLOCK]);
                let _ = self.p.posix.socket(domain, kind | nonblock, 0);
            }
            2 => drop(posix.bind(fd, &address)),
            3 => drop(posix.listen(now, fd, number)),
            4 => drop(posix.shutdown(now, fd, number)),
            5 => drop(posix.getsockopt(now, fd, level, name, value.len())),
            6 => drop(posix.setsockopt(now, fd, level, name, &value)),
            7 => drop(posix.setsockopt(now, fd, level, name, &number.to_ne_bytes())),
            8 => {
                let command = self.pick(&[libc::F_GETFL, libc::F_SETFL, libc::F_DUPFD, 99]);
                let argument = self.pick(&[0, libc::O_NONBLOCK, number]);
                let _ = self.p.posix.fcntl(fd, command, argument);
            }
            9 => {
                let request = self.pick(&[0x541b, 0x5411, 0x894b, 0x8905, 0x5421, 1]);
                let _ = self.p.posix.ioctl(now, fd, request, number);
            }
            10 => drop(posix.epoll_create(0)),
            11 | 12 => {
                let target = self.fd();
                let op = self.pick(&[1, 1, 1, 2, 3, 9]);
                let events = self.rng.next_u32();
                let event = EpollEvent { events, data: 1 };
                let _ = self.p.posix.epoll_ctl(fd, op, target, Some(event));
            }
            _ => {
                let flags = self.pick(&[0, libc::O_NONBLOCK]);
                let _ = self.p.posix.pipe2(flags);
            }
        }
        let _ = (self.p.posix.getsockname(fd), self.p.posix.getpeername(fd));
    }

    /// A call that may wait. True when it does.
    fn call(&mut self, call: u32, fd: i32, waiting: &mut Waiting) -> bool {
        let now = self.p.now;
        let (flags, address) = (self.flags(), self.address());
        let (other, control) = (self.fd(), self.bytes());
        let len = self.pick(&[0, 1, 10, 3000, 100_000]);
        let mut buffer = vec![5; len];
        let posix = &mut self.p.posix;
        match call {
            0 | 1 => posix.accept4(now, fd, 0, waiting).is_pending(),
            2 | 3 => posix.connect(now, fd, &address, waiting).is_pending(),
            4 => posix.read(now, fd, &mut buffer, waiting).is_pending(),
            5 => posix
                .recvmsg(now, fd, &mut buffer, 64, flags, waiting)
                .is_pending(),
            6 | 7 => posix.write(now, fd, &buffer, waiting).is_pending(),
            8 => {
                let message = Message {
                    address: Some(&address),
                    control: &control,
                };
                posix
                    .sendmsg(now, fd, &buffer, &message, flags, waiting)
                    .is_pending()
            }
            9 => posix.close(now, fd, waiting).is_pending(),
            10 => {
                let mut fds = [fd, other].map(|fd| PollFd {
                    fd,
                    events: !0,
                    revents: 0,
                });
                posix.poll(now, &mut fds, 50, waiting).is_pending()
            }
            11 => posix.epoll_wait(now, fd, 4, 50, waiting).is_pending(),
            12 => posix.splice(now, fd, other, len, 0, waiting).is_pending(),
            _ => posix.splice(now, other, fd, len, 2, waiting).is_pending(),
        }
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..7 => self.simple(),
            7..14 => {
                let (call, fd) = (self.rng.below(14), self.fd());
                let mut waiting = Waiting::new();
                if self.call(call, fd, &mut waiting) && self.waiting.len() < 20 {
                    self.waiting.push((call, fd, waiting));
                }
            }
            14..17 => {
                let Some((call, fd, mut waiting)) = self.waiting.pop() else {
                    return;
                };
                if self.call(call, fd, &mut waiting) {
                    self.waiting.insert(0, (call, fd, waiting));
                }
            }
            17 | 18 => self.p.run(),
            _ => {
                let time = self.pick(&[1, 50, 1000, 70_000]);
                self.p.pass(Duration::from_millis(time));
            }
        }
    }
}

fn play(seed: u64) {
    let mut chaos = Chaos {
        p: Process::new(),
        rng: Rng::new(seed),
        waiting: Vec::new(),
    };
    // Something to begin with: two connections, a listener, datagrams.
    chaos.p.pair();
    chaos.p.pair();
    let listener = chaos.p.socket_nonblock(common::TCP6);
    let posix = &mut chaos.p.posix;
    posix.bind(listener, &v6("[::]:80")).expect("bound");
    posix.listen(chaos.p.now, listener, 4).expect("listening");
    let datagrams = chaos.p.socket_nonblock(common::UDP);
    let posix = &mut chaos.p.posix;
    posix.bind(datagrams, &v4("127.0.0.1:81")).expect("bound");
    for _ in 0..400 {
        chaos.step();
    }
    let Chaos { mut p, waiting, .. } = chaos;
    // Closes that are under way are brought to their end, the rest is given up.
    let mut closing: Vec<(i32, Waiting)> = waiting
        .into_iter()
        .filter(|(call, _, _)| *call == 9)
        .map(|(_, fd, waiting)| (fd, waiting))
        .collect();
    let fds: Vec<i32> = p.posix.descriptors().collect();
    for fd in fds {
        let mut waiting = Waiting::new();
        if p.posix.close(p.now, fd, &mut waiting).is_pending() {
            closing.push((fd, waiting));
        }
    }
    // No connection outlives its retransmissions, no linger time here is longer.
    p.pass(Duration::from_secs(5000));
    for (fd, mut waiting) in closing {
        let closed = p.posix.close(p.now, fd, &mut waiting);
        assert!(matches!(closed, Poll::Ready(_)), "seed {seed}");
    }
    let counters = p.posix.stack().counters();
    assert_eq!(
        counters.connections + counters.half_open + counters.time_wait,
        0,
        "seed {seed}"
    );
    assert_eq!(counters.buffered, 0, "seed {seed}");
}

#[test]
fn anything_may_be_called() {
    (0..100).for_each(play);
}
