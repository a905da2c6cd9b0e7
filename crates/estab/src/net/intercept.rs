use super::TcpStream;
use crate::Host;
use crate::request::Undecided;
use crate::socket::Socket;
use estab_stack::Decision;
use estab_tcp::IcmpErrorKind;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Listens for connections to any address and any port: [`Host::intercept`].
///
/// Each client's SYN waits, unanswered, until the request is decided.
#[derive(Debug)]
pub struct Interceptor {
    socket: Arc<Socket>,
}

impl Interceptor {
    pub(crate) fn open(host: &Host, undecided_max: u32) -> io::Result<Self> {
        let socket = Socket::open(host.handle(), |stack, now| {
            stack.intercept(now, undecided_max)
        })?;
        Ok(Self {
            socket: Arc::new(socket),
        })
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn into_shared(self) -> Arc<Socket> {
        self.socket
    }

    /// The next request.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when it is not to wait, [`NetworkDown`](io::ErrorKind::NetworkDown)
    /// after the host's shutdown.
    #[allow(
        clippy::should_implement_trait,
        reason = "an endless queue that may fail, like `accept`"
    )]
    pub fn next(&self) -> io::Result<Request> {
        let socket = &self.socket;
        let request = socket.block(socket.read_patience(), |stack, _, id| {
            stack.next_request(id)
        })?;
        Ok(Request(Undecided::new(socket.host(), request)))
    }

    /// Another handle to the same interceptor, for another thread.
    ///
    /// # Errors
    /// None: the signature is that of other sockets.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: Arc::clone(&self.socket),
        })
    }

    /// Whether [`next`](Self::next) fails with kind [`WouldBlock`](io::ErrorKind::WouldBlock) instead of waiting.
    ///
    /// # Errors
    /// None: the signature is that of other sockets.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking);
        Ok(())
    }
}

/// A client that wants to connect. Dropping it refuses.
#[derive(Debug)]
#[must_use = "dropping a request refuses it"]
pub struct Request(Undecided);

impl Request {
    /// The address and port that the client wants to reach.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.request().local
    }

    /// The client.
    pub fn peer_addr(&self) -> SocketAddr {
        self.0.request().remote
    }

    /// Answers the SYN, and waits until the connection is open.
    ///
    /// # Errors
    /// The client gave up meanwhile, or does not complete the handshake.
    pub fn accept(self) -> io::Result<TcpStream> {
        TcpStream::opened(self.0.accept()?)
    }

    /// Answers with RST.
    pub fn refuse(self) {
        self.0.reject(Decision::Refuse);
    }

    /// Answers with an ICMP error.
    pub fn unreachable(self, kind: IcmpErrorKind) {
        self.0.reject(Decision::Unreachable(kind));
    }

    /// Never answers: the client's connect times out.
    pub fn ignore(self) {
        self.0.reject(Decision::Drop);
    }
}
