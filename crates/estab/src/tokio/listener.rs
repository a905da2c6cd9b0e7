use super::stream::TcpStream;
use super::{no_address, resolve};
use crate::Host;
use crate::driver::Core;
use crate::driver::waits::Key;
use crate::options::common_options;
use crate::socket::Socket;
use estab_stack::SocketId;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio::net::ToSocketAddrs;

/// Listens for TCP connections to a [`Host`], shaped like `tokio::net::TcpListener`.
pub struct TcpListener {
    socket: Socket,
}

impl TcpListener {
    pub(super) fn new(socket: Socket) -> Self {
        socket.host().driver().ensure_task();
        Self { socket }
    }

    /// Listens at the first of the addresses that can be bound. See [`crate::TcpListener::bind`].
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable).
    pub async fn bind(host: &Host, addresses: impl ToSocketAddrs) -> io::Result<Self> {
        let mut failed = None;
        for address in resolve(addresses).await? {
            match crate::TcpListener::open(host, address) {
                Ok(socket) => return Ok(Self::new(socket)),
                Err(error) => failed = Some(error),
            }
        }
        Err(no_address(failed))
    }

    /// The next connection, and the address of its peer. Any number of tasks may wait here.
    ///
    /// # Errors
    /// [`NetworkDown`](io::ErrorKind::NetworkDown) after the host's shutdown.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let id = self.socket.id();
        let accept = |core: &mut Core, now| core.accept(now, id);
        Ok(self.adopt(self.socket.wait_core(accept).await?))
    }

    /// The same, for one task that polls.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let id = self.socket.id();
        let accept = |core: &mut Core, now| core.accept(now, id);
        let accepted = self.socket.poll_core(cx, Key::Reader, accept);
        accepted.map_ok(|accepted| self.adopt(accepted))
    }

    fn adopt(&self, (socket, peer): (SocketId, SocketAddr)) -> (TcpStream, SocketAddr) {
        let socket = Socket::adopt(self.socket.host(), socket);
        (TcpStream::new(socket), peer)
    }

    common_options!(socket);
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpListener").field(&self.socket).finish()
    }
}
