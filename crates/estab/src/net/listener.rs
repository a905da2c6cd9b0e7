use super::{TcpStream, each_address};
use crate::Host;
use crate::options::common_options;
use crate::socket::Socket;
use estab_stack::SocketOption;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// Connections that wait to be accepted, when the program does not say.
pub(crate) const BACKLOG: u32 = 128;

/// Listens for TCP connections to a [`Host`], shaped like [`std::net::TcpListener`].
///
/// Dropping the last clone closes it; connections that nobody accepted are reset.
pub struct TcpListener {
    socket: Arc<Socket>,
}

impl TcpListener {
    pub(crate) fn new(socket: Socket) -> Self {
        Self {
            socket: Arc::new(socket),
        }
    }

    /// Listens at the first of the addresses that can be bound, with `SO_REUSEADDR` as `std` does, and a backlog of 128.
    /// The IPv6 wildcard takes both families. [`TcpSocket`](super::TcpSocket) allows other options.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable).
    pub fn bind(host: &Host, addresses: impl ToSocketAddrs) -> io::Result<Self> {
        each_address(addresses, |address| {
            Ok(Self::new(Self::open(host, address)?))
        })
    }

    pub(crate) fn open(host: &Host, address: SocketAddr) -> io::Result<Socket> {
        let socket = Socket::tcp(host.handle(), address.is_ipv6())?;
        socket.set_option(SocketOption::ReuseAddress(true))?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?;
        Ok(socket)
    }

    /// The next connection, and the address of its peer.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when it is not to wait, [`NetworkDown`](io::ErrorKind::NetworkDown)
    /// after the host's shutdown.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let socket = &self.socket;
        let (accepted, peer) =
            socket
                .host()
                .block(socket.id(), socket.read_patience(), |core, now| {
                    core.accept(now, socket.id())
                })?;
        let accepted = Socket::adopt(socket.host(), accepted);
        Ok((TcpStream::new(accepted), peer))
    }

    /// The connections one after the other, without end.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The same, and holds the listener.
    pub fn into_incoming(self) -> IntoIncoming {
        IntoIncoming { listener: self }
    }

    /// Another handle to the same listener.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: Arc::clone(&self.socket),
        })
    }

    /// Whether accepting fails with kind [`WouldBlock`](io::ErrorKind::WouldBlock) instead of waiting. Accepted
    /// connections begin in blocking mode.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking);
        Ok(())
    }

    common_options!(socket);
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpListener").field(&self.socket).finish()
    }
}

/// Accepts one connection after the other: [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

/// Accepts one connection after the other: [`TcpListener::into_incoming`].
#[derive(Debug)]
pub struct IntoIncoming {
    listener: TcpListener,
}

impl Iterator for IntoIncoming {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}
