//! Making sockets, and their addresses: `socket`, `bind`, `listen`, `accept`, `connect`, names, `shutdown`, `close`.

mod close;
mod connect;

use crate::address::{self, For};
use crate::file::{File, FileId, Kind};
use crate::waiting::ready;
use crate::{Address, Errno, Polled, Posix, Waiting};
use core::task::Poll;
use core::time::Duration;
use estab_stack::{Error, Readiness, SocketId};
use estab_tcp::{Instant, State};

/// A socket, with what is not the stack's but the calls'.
pub(crate) struct Socket {
    pub(crate) id: SocketId,
    pub(crate) v6: bool,
    pub(crate) stream: bool,
    /// How far `connect` has come.
    pub(crate) progress: Progress,
    /// `SO_RCVTIMEO`, `SO_SNDTIMEO`; `None`: no limit.
    pub(crate) receive_timeout: Option<Duration>,
    pub(crate) send_timeout: Option<Duration>,
    /// Options that have no effect on sockets of its kind, in Linux neither, and are only remembered.
    pub(crate) remembered: Remembered,
}

/// Linux's state of a socket, beside that of its connection: what `connect` answers depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    #[default]
    Unconnected,
    Connecting,
    Connected,
}

/// Options without effect.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) keepalive: bool,
    pub(crate) broadcast: bool,
    pub(crate) oob_inline: bool,
    /// On, seconds. Of streams too: the time is kept when it is switched off.
    pub(crate) linger: (bool, i32),
    pub(crate) receive_low_water: Option<i32>,
    pub(crate) defer_accept: u8,
    /// `TCP_QUICKACK` was switched off; it counts as on before, for a connection begins with quick acknowledgements.
    pub(crate) slow_acks: bool,
}

impl Socket {
    pub(crate) fn new(id: SocketId, v6: bool, stream: bool) -> Self {
        Self {
            id,
            v6,
            stream,
            progress: Progress::Unconnected,
            receive_timeout: None,
            send_timeout: None,
            remembered: Remembered::default(),
        }
    }

    /// What a connection inherits from its listener.
    fn accepted(&self) -> Self {
        Self {
            progress: Progress::Connected,
            receive_timeout: self.receive_timeout,
            send_timeout: self.send_timeout,
            remembered: Remembered {
                defer_accept: 0,
                slow_acks: false,
                ..self.remembered
            },
            ..Self::new(self.id, self.v6, self.stream)
        }
    }

    pub(crate) fn kind(&self) -> For {
        For {
            v6: self.v6,
            stream: self.stream,
        }
    }
}

/// What `accept` gives.
#[derive(Debug)]
pub struct Accepted {
    /// The new descriptor.
    pub fd: i32,
    /// The peer's address.
    pub address: Address,
}

const FLAGS: i32 = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
/// The part of `type` that is one.
const TYPE_MASK: i32 = 0xf;
/// One more than the largest type and family of Linux.
const TYPE_END: i32 = 11;

impl Posix {
    /// A TCP or UDP socket, for IPv4 or IPv6, with `SOCK_NONBLOCK` and `SOCK_CLOEXEC`.
    ///
    /// # Errors
    /// `EAFNOSUPPORT`: neither `AF_INET` nor `AF_INET6`. `EINVAL`: flags, or no type or protocol that Linux knows.
    /// `ESOCKTNOSUPPORT`: neither `SOCK_STREAM` nor `SOCK_DGRAM`. `EPROTONOSUPPORT`: a protocol that does not go with
    /// the type. `EMFILE`.
    pub fn socket(&mut self, domain: i32, kind: i32, protocol: i32) -> Result<i32, Errno> {
        let flags = kind & !TYPE_MASK;
        let kind = kind & TYPE_MASK;
        if flags & !FLAGS != 0 {
            return Err(Errno::EINVAL);
        }
        let v6 = match domain {
            libc::AF_INET => false,
            libc::AF_INET6 => true,
            _ => return Err(Errno::EAFNOSUPPORT),
        };
        if kind >= TYPE_END || !(0..=libc::IPPROTO_MPTCP).contains(&protocol) {
            return Err(Errno::EINVAL);
        }
        let stream = match kind {
            libc::SOCK_STREAM => true,
            libc::SOCK_DGRAM => false,
            _ => return Err(Errno::ESOCKTNOSUPPORT),
        };
        match (stream, protocol) {
            (true, 0 | libc::IPPROTO_TCP) | (false, 0 | libc::IPPROTO_UDP) => {}
            _ => return Err(Errno::EPROTONOSUPPORT),
        }
        self.table.check_room(1)?;
        let id = match stream {
            true => self.stack.tcp_socket(v6)?,
            false => self.stack.udp_socket(v6)?,
        };
        self.open_socket(Socket::new(id, v6, stream), flags)
    }

    /// A number for a socket of the stack.
    fn open_socket(&mut self, socket: Socket, flags: i32) -> Result<i32, Errno> {
        let id = socket.id;
        self.stack.tell_arrivals(id, true)?;
        let nonblock = flags & libc::SOCK_NONBLOCK != 0;
        let file = File::new(Kind::Socket(Box::new(socket)), nonblock);
        let fd = self.open(file, flags & libc::SOCK_CLOEXEC != 0)?;
        self.owners.insert(id, self.table.file(fd)?);
        Ok(fd)
    }

    /// Gives a socket its address and port; port 0 chooses a free one.
    ///
    /// # Errors
    /// `EINVAL`: too short, or bound already. `EAFNOSUPPORT`, `EADDRINUSE`, `EADDRNOTAVAIL`; see
    /// [`Stack::bind`](estab_stack::Stack::bind).
    pub fn bind(&mut self, fd: i32, address: &[u8]) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        let id = socket.id;
        let address = address::for_bind(address, socket.kind())?;
        Ok(self.stack.bind(id, address)?)
    }

    /// Lets a TCP socket listen, or changes its backlog.
    ///
    /// # Errors
    /// `EINVAL`: connected, or connecting. `EADDRINUSE`: somebody listens there. `EOPNOTSUPP`: a UDP socket.
    pub fn listen(&mut self, now: Instant, fd: i32, backlog: i32) -> Result<(), Errno> {
        let id = self.socket_of(fd)?.id;
        // As in Linux a negative backlog is the largest.
        Ok(self.stack.listen(now, id, backlog as u32)?)
    }

    /// `accept4`, and `accept` with `flags` 0: takes the next connection.
    ///
    /// # Errors
    /// `EAGAIN`: none waits, and the socket is non-blocking or `SO_RCVTIMEO` has passed. `EINVAL`: flags, or it does not listen.
    /// `EOPNOTSUPP`: a UDP socket. `EMFILE`.
    pub fn accept4(
        &mut self,
        now: Instant,
        fd: i32,
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<Accepted> {
        if flags & !FLAGS != 0 {
            return Poll::Ready(Err(Errno::EINVAL));
        }
        let file = ready!(self.waiting_file(fd, waiting));
        let listener = ready!(self.file_socket(file));
        let (limit, id) = (listener.receive_timeout, listener.id);
        let heir = listener.accepted();
        let (accepted, peer) = match self.accept_next(now, id) {
            Err(Errno::EAGAIN) => return self.wait(now, file, waiting, limit, Errno::EAGAIN),
            result => ready!(result),
        };
        let socket = Socket {
            id: accepted,
            ..heir
        };
        let v6 = socket.v6;
        let fd = ready!(self.open_socket(socket, flags));
        let address = Address::new(peer, v6);
        Poll::Ready(Ok(Accepted { fd, address }))
    }

    fn accept_next(
        &mut self,
        now: Instant,
        listener: SocketId,
    ) -> Result<(SocketId, core::net::SocketAddr), Errno> {
        if self.stack.queues(listener)?.acceptable > 0 {
            self.table.check_room(1)?;
        }
        Ok(self.stack.accept(now, listener)?)
    }

    /// The call would wait: it does, for at most `limit`, if the file lets it; else this is its error.
    pub(crate) fn wait<T>(
        &self,
        now: Instant,
        file: FileId,
        waiting: &mut Waiting,
        limit: Option<Duration>,
        error: Errno,
    ) -> Polled<T> {
        let nonblock = self.get(file).is_ok_and(|file| file.nonblock);
        if nonblock || waiting.is_over(now, limit) {
            return Poll::Ready(Err(error));
        }
        Poll::Pending
    }

    /// Our end's address.
    ///
    /// # Errors
    /// `EBADF`, `ENOTSOCK`.
    pub fn getsockname(&self, fd: i32) -> Result<Address, Errno> {
        let socket = self.socket_of(fd)?;
        let address = self.stack.local_address(socket.id)?;
        Ok(Address::new(address, socket.v6))
    }

    /// The peer's address.
    ///
    /// # Errors
    /// `ENOTCONN`: there is no connection, or it is not open yet, or over.
    pub fn getpeername(&self, fd: i32) -> Result<Address, Errno> {
        let socket = self.socket_of(fd)?;
        // A connection in TIME-WAIT is over for its socket, as in Linux.
        let state = self.stack.state(socket.id).unwrap_or(State::Established);
        let over = matches!(state, State::Closed | State::TimeWait);
        if over {
            return Err(Errno::ENOTCONN);
        }
        let address = self.stack.remote_address(socket.id)?;
        Ok(Address::new(address, socket.v6))
    }

    /// Does the socket listen?
    pub(crate) fn is_listening(&self, id: SocketId) -> bool {
        self.stack.state(id) == Ok(State::Listen)
    }

    /// Is an error pending?
    pub(crate) fn has_error(&self, id: SocketId) -> bool {
        self.stack.readiness(id).contains(Readiness::ERROR)
    }

    /// The pending error, once.
    pub(crate) fn take_error(&mut self, id: SocketId) -> Result<Option<Errno>, Error> {
        Ok(self.stack.take_error(id)?.map(Errno::from))
    }
}
