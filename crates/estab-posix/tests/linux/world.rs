//! What both worlds can do.

use estab_posix::{Address, EpollEvent, Errno};

pub(crate) type Outcome<T> = Result<T, Errno>;

/// What `recvmsg` gave: the bytes, whether there was an address, the flags.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) len: usize,
    pub(crate) data: Vec<u8>,
    pub(crate) family: Option<u16>,
    pub(crate) flags: i32,
}

/// The calls. Addresses are bytes, options are bytes.
pub(crate) trait World {
    fn socket(&mut self, domain: i32, kind: i32, protocol: i32) -> Outcome<i32>;
    fn bind(&mut self, fd: i32, address: &[u8]) -> Outcome<()>;
    fn listen(&mut self, fd: i32, backlog: i32) -> Outcome<()>;
    fn accept4(&mut self, fd: i32, flags: i32) -> Outcome<(i32, Vec<u8>)>;
    fn connect(&mut self, fd: i32, address: &[u8]) -> Outcome<()>;
    fn getsockname(&mut self, fd: i32) -> Outcome<Vec<u8>>;
    fn getpeername(&mut self, fd: i32) -> Outcome<Vec<u8>>;
    fn read(&mut self, fd: i32, len: usize) -> Outcome<usize>;
    fn write(&mut self, fd: i32, data: &[u8]) -> Outcome<usize>;
    fn recvmsg(&mut self, fd: i32, len: usize, flags: i32) -> Outcome<Got>;
    fn sendmsg(
        &mut self,
        fd: i32,
        data: &[u8],
        flags: i32,
        address: Option<&[u8]>,
        control: &[u8],
    ) -> Outcome<usize>;
    fn shutdown(&mut self, fd: i32, how: i32) -> Outcome<()>;
    fn close(&mut self, fd: i32) -> Outcome<()>;
    fn fcntl(&mut self, fd: i32, command: i32, argument: i32) -> Outcome<i32>;
    fn ioctl(&mut self, fd: i32, request: u32, argument: i32) -> Outcome<i32>;
    fn getsockopt(&mut self, fd: i32, level: i32, name: i32, room: usize) -> Outcome<Vec<u8>>;
    fn setsockopt(&mut self, fd: i32, level: i32, name: i32, value: &[u8]) -> Outcome<()>;
    fn poll(&mut self, fd: i32, events: i16) -> Outcome<i16>;
    fn epoll_create(&mut self, flags: i32) -> Outcome<i32>;
    fn epoll_ctl(&mut self, epfd: i32, op: i32, fd: i32, event: Option<EpollEvent>) -> Outcome<()>;
    fn epoll_wait(&mut self, epfd: i32, most: i32) -> Outcome<Vec<EpollEvent>>;
    fn pipe2(&mut self, flags: i32) -> Outcome<[i32; 2]>;
    fn splice(&mut self, from: i32, to: i32, len: usize, flags: u32) -> Outcome<usize>;
    /// Lets the network deliver what is on its way; it has when this happened to the descriptor.
    fn settle(&mut self, fd: i32, events: i16);
}

/// What comes often.
impl dyn World + '_ {
    pub(crate) fn tcp(&mut self) -> i32 {
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
        self.socket(libc::AF_INET, kind, 0).expect("a socket")
    }

    pub(crate) fn udp(&mut self) -> i32 {
        let kind = libc::SOCK_DGRAM | libc::SOCK_NONBLOCK;
        self.socket(libc::AF_INET, kind, 0).expect("a socket")
    }

    pub(crate) fn tcp6(&mut self) -> i32 {
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
        self.socket(libc::AF_INET6, kind, 0).expect("a socket")
    }

    /// A listener on 127.0.0.1, and its address.
    pub(crate) fn listener(&mut self) -> (i32, Vec<u8>) {
        let fd = self.tcp();
        self.bind(fd, &v4("127.0.0.1:0")).expect("bound");
        self.listen(fd, 8).expect("listening");
        let address = self.getsockname(fd).expect("an address");
        (fd, address)
    }

    /// An address where nobody listens, and nobody else can: it stays bound.
    pub(crate) fn nobody(&mut self) -> Vec<u8> {
        let fd = self.tcp();
        self.bind(fd, &v4("127.0.0.1:0")).expect("bound");
        self.getsockname(fd).expect("an address")
    }

    /// Both ends of a connection, non-blocking: the one that connected, and the one that was accepted.
    pub(crate) fn pair(&mut self) -> (i32, i32) {
        let (listener, address) = self.listener();
        let a = self.tcp();
        assert_eq!(self.connect(a, &address), Err(Errno::EINPROGRESS));
        self.settle(a, libc::POLLOUT);
        assert_eq!(self.connect(a, &address), Ok(()));
        self.settle(listener, libc::POLLIN);
        let (b, _) = self
            .accept4(listener, libc::SOCK_NONBLOCK)
            .expect("accepted");
        self.close(listener).expect("closed");
        (a, b)
    }

    pub(crate) fn send(&mut self, fd: i32, data: &[u8], flags: i32) -> Outcome<usize> {
        self.sendmsg(fd, data, flags, None, &[])
    }

    pub(crate) fn recv(&mut self, fd: i32, len: usize, flags: i32) -> Outcome<usize> {
        self.recvmsg(fd, len, flags).map(|got| got.len)
    }

    pub(crate) fn get_int(&mut self, fd: i32, level: i32, name: i32) -> Outcome<i32> {
        let value = self.getsockopt(fd, level, name, 4)?;
        Ok(i32::from_ne_bytes(value.try_into().expect("an int")))
    }

    pub(crate) fn set_int(&mut self, fd: i32, level: i32, name: i32, value: i32) -> Outcome<()> {
        self.setsockopt(fd, level, name, &value.to_ne_bytes())
    }

    /// All that a descriptor is ready for, in words.
    pub(crate) fn revents(&mut self, fd: i32) -> String {
        match self.poll(fd, !0) {
            Ok(bits) => bits_of(bits as u16),
            Err(errno) => format!("{errno:?}"),
        }
    }
}

/// Bits of poll and epoll in words.
pub(crate) fn bits_of(bits: u16) -> String {
    const NAMES: [(i16, &str); 11] = [
        (libc::POLLIN, "IN"),
        (libc::POLLPRI, "PRI"),
        (libc::POLLOUT, "OUT"),
        (libc::POLLERR, "ERR"),
        (libc::POLLHUP, "HUP"),
        (libc::POLLNVAL, "NVAL"),
        (libc::POLLRDNORM, "RDNORM"),
        (libc::POLLRDBAND, "RDBAND"),
        (libc::POLLWRNORM, "WRNORM"),
        (libc::POLLWRBAND, "WRBAND"),
        (libc::POLLRDHUP, "RDHUP"),
    ];
    let names: Vec<&str> = NAMES
        .iter()
        .filter(|(bit, _)| bits & *bit as u16 != 0)
        .map(|(_, name)| *name)
        .collect();
    if names.is_empty() {
        "nothing".into()
    } else {
        names.join("|")
    }
}

/// What happened in one world, step by step.
pub(crate) struct Log(Vec<(String, String)>);

impl Log {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn text(&mut self, step: impl Into<String>, what: impl Into<String>) {
        let step = step.into();
        assert!(
            self.0.iter().all(|(known, _)| *known != step),
            "step {step} comes twice"
        );
        self.0.push((step, what.into()));
    }

    /// The result of a call.
    pub(crate) fn say<T: core::fmt::Debug>(&mut self, step: impl Into<String>, result: Outcome<T>) {
        let what = match result {
            Ok(value) => format!("{value:?}"),
            Err(errno) => format!("{errno:?}"),
        };
        self.text(step, what);
    }

    /// The result of a call whose value differs from world to world.
    pub(crate) fn done<T>(&mut self, step: impl Into<String>, result: Outcome<T>) {
        self.say(step, result.map(|_| ()));
    }

    pub(crate) fn lines(self) -> Vec<(String, String)> {
        self.0
    }
}

/// The bytes of a `sockaddr_in`.
pub(crate) fn v4(text: &str) -> Vec<u8> {
    let address = text.parse().expect("an address");
    Address::new(address, false).as_bytes().to_vec()
}

/// The bytes of a `sockaddr_in6`.
pub(crate) fn v6(text: &str) -> Vec<u8> {
    let address = text.parse().expect("an address");
    Address::new(address, true).as_bytes().to_vec()
}
