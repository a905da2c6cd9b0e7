use super::each_address;
use crate::Host;
use crate::driver::Patience;
use crate::options::{common_options, stream_options, tcp_options};
use crate::socket::Socket;
use bytes::Bytes;
use estab_stack::MessageFlags;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// A TCP connection of a [`Host`], shaped like [`std::net::TcpStream`].
///
/// Dropping the last clone closes it without waiting: what was written is still delivered, unless unread data is left
/// (then the peer gets a RST, RFC 2525 2.17) or [`set_linger`](Self::set_linger) says otherwise. The host goes on to
/// deliver as long as somebody holds it or a socket of it. [`close`](Self::close) does the same and tells what came of it.
///
/// ```no_run
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// # let host = estab::Host::builder().build()?;
/// let mut stream = estab::TcpStream::connect(&host, "10.0.0.1:7")?;
/// stream.write_all(b"hello")?;
/// stream.shutdown(std::net::Shutdown::Write)?;
/// let mut echoed = String::new();
/// stream.read_to_string(&mut echoed)?;
/// stream.close()
/// # }
/// ```
pub struct TcpStream {
    pub(super) socket: Arc<Socket>,
}

impl TcpStream {
    pub(crate) fn new(socket: Socket) -> Self {
        Self {
            socket: Arc::new(socket),
        }
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn from_shared(socket: Arc<Socket>) -> Self {
        Self { socket }
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn into_shared(self) -> Arc<Socket> {
        self.socket
    }

    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// Those of the last address: [`ConnectionRefused`](io::ErrorKind::ConnectionRefused),
    /// [`TimedOut`](io::ErrorKind::TimedOut) after the last SYN, [`HostUnreachable`](io::ErrorKind::HostUnreachable),
    /// [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable), ...
    pub fn connect(host: &Host, addresses: impl ToSocketAddrs) -> io::Result<Self> {
        each_address(addresses, |address| {
            let socket = Socket::tcp(host.handle(), address.is_ipv6())?;
            Self::open(socket, address, None)
        })
    }

    /// The same with one address, and gives up after `timeout`.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); [`TimedOut`](io::ErrorKind::TimedOut) when `timeout` passes.
    pub fn connect_timeout(
        host: &Host,
        address: &SocketAddr,
        timeout: Duration,
    ) -> io::Result<Self> {
        if timeout.is_zero() {
            return Err(crate::error::invalid("a time-out of zero"));
        }
        let socket = Socket::tcp(host.handle(), address.is_ipv6())?;
        Self::open(socket, *address, Some(timeout))
    }

    pub(super) fn open(
        socket: Socket,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Self> {
        socket.start_connect(address, timeout)?;
        Self::opened(socket)
    }

    /// Waits until the connection is open, or failed to.
    pub(super) fn opened(socket: Socket) -> io::Result<Self> {
        socket.block(Patience::Endless, |stack, _, _| {
            socket.connected_once(stack)
        })?;
        Ok(Self::new(socket))
    }

    /// Another handle to the same connection, with the same time-outs and blocking mode.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: Arc::clone(&self.socket),
        })
    }

    /// Ends one direction or both. After `Write` the peer reads end of file once it has read everything, and reading
    /// goes on here for as long as the peer sends. After `Read`, reading gives what is there and then end of file.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.shutdown(how)
    }

    /// Closes the connection, waits as [`set_linger`](Self::set_linger) says, and tells what came of it. While there are
    /// other clones it only gives up this one.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when the linger time passed before everything was acknowledged: the
    /// rest was dropped, and the peer got a RST. The connection's own error when it failed meanwhile.
    pub fn close(self) -> io::Result<()> {
        match Arc::into_inner(self.socket) {
            Some(socket) => socket.close(),
            None => Ok(()),
        }
    }

    /// Drops what is queued and resets the connection, for all clones.
    ///
    /// # Errors
    /// The host is down.
    pub fn abort(self) -> io::Result<()> {
        self.socket.abort()
    }

    /// Like reading, but what is read stays.
    ///
    /// # Errors
    /// As reading.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let flags = MessageFlags {
            peek: true,
            ..MessageFlags::default()
        };
        self.receive(buffer, flags)
    }

    /// Receives with flags; end of file is `Ok(0)`.
    ///
    /// # Errors
    /// As reading; [`InvalidInput`](io::ErrorKind::InvalidInput) when there is no urgent byte to read.
    pub fn receive(&self, buffer: &mut [u8], flags: MessageFlags) -> io::Result<usize> {
        let socket = &self.socket;
        socket.block(socket.read_patience(), |stack, now, _| {
            socket.receive_once(stack, now, buffer, flags)
        })
    }

    /// Sends with flags; how many bytes were taken.
    ///
    /// # Errors
    /// As writing.
    pub fn send(&self, data: &[u8], flags: MessageFlags) -> io::Result<usize> {
        let socket = &self.socket;
        socket.block(socket.write_patience(), |stack, now, _| {
            socket.send_once(stack, now, data, flags)
        })
    }

    /// Queues owned bytes without a copy; how many were taken. They are cut off the front of `data`.
    ///
    /// # Errors
    /// As writing.
    pub fn send_bytes(&self, data: &mut Bytes) -> io::Result<usize> {
        let socket = &self.socket;
        socket.block(socket.write_patience(), |stack, now, id| {
            stack.send_bytes(now, id, data)
        })
    }

    /// How long reading waits; then it fails with kind [`WouldBlock`](io::ErrorKind::WouldBlock). It holds for all
    /// clones.
    ///
    /// # Errors
    /// The time is zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    /// How long writing waits.
    ///
    /// # Errors
    /// The time is zero.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(timeout)
    }

    /// How long reading waits.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.socket.read_timeout())
    }

    /// How long writing waits.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.socket.write_timeout())
    }

    /// Whether reading and writing fail with kind [`WouldBlock`](io::ErrorKind::WouldBlock) instead of waiting. It
    /// holds for all clones. Packets are moved meanwhile by whoever waits, or by the background thread.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking);
        Ok(())
    }

    common_options!(socket);
    tcp_options!(socket);
    stream_options!(socket);
}

impl Read for &TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive(buffer, MessageFlags::default())
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let socket = &self.socket;
        socket.block(socket.read_patience(), |stack, now, _| {
            socket.receive_vectored_once(stack, now, buffers)
        })
    }
}

impl Write for &TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.send(data, MessageFlags::default())
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = &self.socket;
        socket.block(socket.write_patience(), |stack, now, _| {
            socket.send_vectored_once(stack, now, pieces)
        })
    }

    /// Nothing is held back in this end, so there is nothing to do.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(buffers)
    }
}

impl Write for TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpStream").field(&self.socket).finish()
    }
}
