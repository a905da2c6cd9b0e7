//! A process on estab that speaks with itself over 127.0.0.1.
#![allow(dead_code, reason = "each test takes what it needs")]

use core::net::SocketAddr;
use core::task::Poll;
use core::time::Duration;
use estab_posix::{Accepted, Address, Errno, Polled, Posix, Waiting};
use estab_stack::{Stack, StackConfig};
use estab_tcp::{Instant, Settings};

/// The process, and its clock.
pub(crate) struct Process {
    pub(crate) posix: Posix,
    pub(crate) now: Instant,
}

pub(crate) const TCP: (i32, i32) = (libc::AF_INET, libc::SOCK_STREAM);
pub(crate) const TCP6: (i32, i32) = (libc::AF_INET6, libc::SOCK_STREAM);
pub(crate) const UDP: (i32, i32) = (libc::AF_INET, libc::SOCK_DGRAM);
pub(crate) const UDP6: (i32, i32) = (libc::AF_INET6, libc::SOCK_DGRAM);

impl Process {
    pub(crate) fn new() -> Self {
        let config = StackConfig {
            seed: [7; 32],
            settings: Settings::default(),
        };
        Self {
            posix: Posix::new(Stack::new(config)),
            now: Instant::ZERO + Duration::from_secs(1),
        }
    }

    /// Delivers what is on its way.
    pub(crate) fn run(&mut self) {
        while self.posix.poll_transmit(self.now).is_some() {}
    }

    /// Lets time pass, timer by timer.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.run();
        while let Some(next) = self.posix.poll_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.posix.handle_timeout(self.now);
            self.run();
        }
        self.now = end;
    }

    /// Makes a call until it is over. Time jumps to what it waits for.
    pub(crate) fn call<T>(
        &mut self,
        mut call: impl FnMut(&mut Posix, Instant, &mut Waiting) -> Polled<T>,
    ) -> Result<T, Errno> {
        let mut waiting = Waiting::new();
        for _ in 0..10_000 {
            // What the call itself sets going may be all that it waits for.
            for _ in 0..2 {
                self.run();
                if let Poll::Ready(result) = call(&mut self.posix, self.now, &mut waiting) {
                    self.run();
                    return result;
                }
            }
            let next = [self.posix.poll_timeout(), waiting.deadline()];
            let Some(next) = next.into_iter().flatten().min() else {
                panic!("the call waits for ever");
            };
            self.now = next.max(self.now);
            self.posix.handle_timeout(self.now);
        }
        panic!("the call waits too long");
    }

    /// Makes a call once.
    pub(crate) fn once<T>(
        &mut self,
        call: impl FnOnce(&mut Posix, Instant, &mut Waiting) -> Polled<T>,
    ) -> Polled<T> {
        self.run();
        let result = call(&mut self.posix, self.now, &mut Waiting::new());
        self.run();
        result
    }

    pub(crate) fn socket(&mut self, kind: (i32, i32)) -> i32 {
        self.posix.socket(kind.0, kind.1, 0).expect("a socket")
    }

    /// A non-blocking one.
    pub(crate) fn socket_nonblock(&mut self, kind: (i32, i32)) -> i32 {
        self.posix
            .socket(kind.0, kind.1 | libc::SOCK_NONBLOCK, 0)
            .expect("a socket")
    }

    /// A listener on 127.0.0.1, and its address.
    pub(crate) fn listener(&mut self) -> (i32, Address) {
        let fd = self.socket(TCP);
        self.posix.bind(fd, &v4("127.0.0.1:0")).expect("bound");
        self.posix.listen(self.now, fd, 8).expect("listening");
        let address = self.posix.getsockname(fd).expect("an address");
        (fd, address)
    }

    pub(crate) fn connect(&mut self, fd: i32, address: &[u8]) -> Result<(), Errno> {
        self.call(|posix, now, waiting| posix.connect(now, fd, address, waiting))
    }

    pub(crate) fn accept(&mut self, fd: i32) -> Result<Accepted, Errno> {
        self.call(|posix, now, waiting| posix.accept4(now, fd, 0, waiting))
    }

    /// Two blocking ends of a connection: the one that connected, and the one that was accepted.
    pub(crate) fn pair(&mut self) -> (i32, i32) {
        let (listener, address) = self.listener();
        let a = self.socket(TCP);
        self.connect(a, address.as_bytes()).expect("connected");
        let b = self.accept(listener).expect("accepted").fd;
        self.close(listener).expect("closed");
        (a, b)
    }

    pub(crate) fn read(&mut self, fd: i32, buffer: &mut [u8]) -> Result<usize, Errno> {
        self.call(|posix, now, waiting| posix.read(now, fd, buffer, waiting))
    }

    pub(crate) fn write(&mut self, fd: i32, data: &[u8]) -> Result<usize, Errno> {
        self.call(|posix, now, waiting| posix.write(now, fd, data, waiting))
    }

    pub(crate) fn send(&mut self, fd: i32, data: &[u8], flags: i32) -> Result<usize, Errno> {
        self.call(|posix, now, waiting| posix.sendto(now, fd, data, flags, None, waiting))
    }

    pub(crate) fn recv(&mut self, fd: i32, buffer: &mut [u8], flags: i32) -> Result<usize, Errno> {
        self.call(|posix, now, waiting| posix.recvfrom(now, fd, buffer, flags, waiting))
            .map(|received| received.len)
    }

    pub(crate) fn close(&mut self, fd: i32) -> Result<(), Errno> {
        self.call(|posix, now, waiting| posix.close(now, fd, waiting))
    }

    pub(crate) fn shutdown(&mut self, fd: i32, how: i32) -> Result<(), Errno> {
        self.run();
        let result = self.posix.shutdown(self.now, fd, how);
        self.run();
        result
    }

    pub(crate) fn get_int(&mut self, fd: i32, level: i32, name: i32) -> Result<i32, Errno> {
        let value = self.posix.getsockopt(self.now, fd, level, name, 4)?;
        Ok(i32::from_ne_bytes(value.try_into().expect("an int")))
    }

    pub(crate) fn set_int(
        &mut self,
        fd: i32,
        level: i32,
        name: i32,
        value: i32,
    ) -> Result<(), Errno> {
        let result = self
            .posix
            .setsockopt(self.now, fd, level, name, &value.to_ne_bytes());
        self.run();
        result
    }

    /// What a descriptor is ready for.
    pub(crate) fn revents(&mut self, fd: i32) -> i16 {
        self.run();
        let mut fds = [estab_posix::PollFd {
            fd,
            events: !0,
            revents: 0,
        }];
        let mut waiting = Waiting::new();
        let _ = self.posix.poll(self.now, &mut fds, 0, &mut waiting);
        fds[0].revents
    }
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// The bytes of a `sockaddr_in`.
pub(crate) fn v4(text: &str) -> Vec<u8> {
    Address::new(address(text), false).as_bytes().to_vec()
}

/// The bytes of a `sockaddr_in6`.
pub(crate) fn v6(text: &str) -> Vec<u8> {
    Address::new(address(text), true).as_bytes().to_vec()
}
