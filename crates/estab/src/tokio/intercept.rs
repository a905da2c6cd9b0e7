use super::TcpStream;
use crate::Host;
use crate::request::Undecided;
use crate::socket::Socket;
use estab_stack::Decision;
use estab_tcp::IcmpErrorKind;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Listens for connections to any address and any port, as [`crate::Interceptor`].
#[derive(Debug)]
pub struct Interceptor {
    socket: Arc<Socket>,
}

impl Interceptor {
    /// Opens it; `undecided_max` requests may wait for a decision. See [`Host::intercept`].
    ///
    /// # Errors
    /// `undecided_max` is 0; the host is down.
    pub fn open(host: &Host, undecided_max: u32) -> io::Result<Self> {
        Ok(Self::from_blocking(host.intercept(undecided_max)?))
    }

    /// From a blocking one.
    pub fn from_blocking(interceptor: crate::Interceptor) -> Self {
        let socket = interceptor.into_shared();
        socket.host().driver().ensure_task();
        Self { socket }
    }

    /// The next request.
    ///
    /// # Errors
    /// [`NetworkDown`](io::ErrorKind::NetworkDown) after the host's shutdown.
    pub async fn next(&self) -> io::Result<Request> {
        let socket = &self.socket;
        let next = socket.wait(|stack, _| stack.next_request(socket.id()));
        Ok(Request(Undecided::new(socket.host(), next.await?)))
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
    pub async fn accept(self) -> io::Result<TcpStream> {
        TcpStream::new(self.0.accept()?).opened().await
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
