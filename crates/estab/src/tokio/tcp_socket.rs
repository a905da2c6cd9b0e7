use super::{TcpListener, TcpStream};
use crate::Host;
use crate::options::{common_options, tcp_options};
use crate::socket::Socket;
use estab_stack::SocketOption;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// A TCP socket that is neither connected nor listening yet, shaped like `tokio::net::TcpSocket`.
pub struct TcpSocket {
    socket: Socket,
}

impl TcpSocket {
    /// For IPv4.
    ///
    /// # Errors
    /// The host is down, or has too many sockets.
    pub fn new_v4(host: &Host) -> io::Result<Self> {
        let socket = Socket::tcp(host.handle(), false)?;
        Ok(Self { socket })
    }

    /// For IPv6, and for IPv4 too unless [`V6Only`](SocketOption::V6Only) is set.
    ///
    /// # Errors
    /// The host is down, or has too many sockets.
    pub fn new_v6(host: &Host) -> io::Result<Self> {
        let socket = Socket::tcp(host.handle(), true)?;
        Ok(Self { socket })
    }

    /// Binds it to an address and port of the host's; port 0 takes a free one.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable).
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.socket.bind(address)
    }

    /// Whether it may be bound while old connections hold the address (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// The host is down.
    pub fn set_reuseaddr(&self, reuse: bool) -> io::Result<()> {
        self.socket.set_option(SocketOption::ReuseAddress(reuse))
    }

    /// Whether several sockets may be bound to the same address, each with this option (`SO_REUSEPORT`).
    ///
    /// # Errors
    /// The host is down.
    pub fn set_reuseport(&self, reuse: bool) -> io::Result<()> {
        self.socket.set_option(SocketOption::ReusePort(reuse))
    }

    /// Bytes of data that may be queued to be sent (`SO_SNDBUF`).
    ///
    /// # Errors
    /// The host is down.
    pub fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        self.socket.set_option(SocketOption::SendBuffer(size))
    }

    /// Bytes of data that may wait to be read (`SO_RCVBUF`).
    ///
    /// # Errors
    /// The host is down.
    pub fn set_recv_buffer_size(&self, size: u32) -> io::Result<()> {
        self.socket.set_option(SocketOption::ReceiveBuffer(size))
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// As [`crate::TcpStream::connect`].
    pub async fn connect(self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::open(self.socket, address).await
    }

    /// Listens; `backlog` connections may wait to be accepted.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse).
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        self.socket.listen(backlog)?;
        Ok(TcpListener::new(self.socket))
    }

    common_options!(socket);
    tcp_options!(socket);
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpSocket").field(&self.socket).finish()
    }
}
