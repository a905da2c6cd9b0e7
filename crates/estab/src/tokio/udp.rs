use super::{no_address, resolve};
use crate::Host;
use crate::driver::waits::Key;
use crate::options::common_options;
use crate::socket::Socket;
use estab_stack::{OptionName, SocketOption, UdpReceived};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio::io::{Interest, ReadBuf, Ready};
use tokio::net::ToSocketAddrs;

/// A UDP socket of a [`Host`], shaped like `tokio::net::UdpSocket`. Share it between tasks in an `Arc`.
pub struct UdpSocket {
    socket: Socket,
}

impl UdpSocket {
    /// Binds a socket to the first of the addresses that is free.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable).
    pub async fn bind(host: &Host, addresses: impl ToSocketAddrs) -> io::Result<Self> {
        let mut failed = None;
        for address in resolve(addresses).await? {
            let socket = Socket::udp(host.handle(), address.is_ipv6())?;
            match socket.bind(address) {
                Ok(()) => {
                    socket.host().driver().ensure_task();
                    return Ok(Self { socket });
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(no_address(failed))
    }

    /// Sends to, and receives from, the first of the addresses that has a route.
    ///
    /// # Errors
    /// [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable).
    pub async fn connect(&self, addresses: impl ToSocketAddrs) -> io::Result<()> {
        let mut failed = None;
        for address in resolve(addresses).await? {
            match self.socket.start_connect(address, None) {
                Ok(()) => return Ok(()),
                Err(error) => failed = Some(error),
            }
        }
        Err(no_address(failed))
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Waits until the socket is ready for any of `interest`.
    ///
    /// # Errors
    /// None so far.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.socket.ready(interest).await
    }

    /// Waits until there is a datagram.
    ///
    /// # Errors
    /// None so far.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// Waits until there is room to send.
    ///
    /// # Errors
    /// None so far.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// Sends a datagram to the address that it is connected to.
    ///
    /// # Errors
    /// As [`crate::UdpSocket::send`].
    pub async fn send(&self, data: &[u8]) -> io::Result<usize> {
        let socket = &self.socket;
        socket
            .wait(|stack, now| socket.send_to_once(stack, now, data, None))
            .await
    }

    /// Sends a datagram to the first of the addresses.
    ///
    /// # Errors
    /// As [`crate::UdpSocket::send_to`].
    pub async fn send_to(&self, data: &[u8], addresses: impl ToSocketAddrs) -> io::Result<usize> {
        let Some(to) = resolve(addresses).await?.into_iter().next() else {
            return Err(no_address(None));
        };
        let socket = &self.socket;
        socket
            .wait(|stack, now| socket.send_to_once(stack, now, data, Some(to)))
            .await
    }

    /// The same, for one task that polls to send.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let socket = &self.socket;
        socket.poll_call(cx, Key::Writer, |stack, now| {
            socket.send_to_once(stack, now, data, Some(to))
        })
    }

    /// Sends a datagram if there is room.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is not.
    pub fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        let socket = &self.socket;
        socket.attempt(|stack, now| socket.send_to_once(stack, now, data, None))
    }

    /// Sends a datagram to an address if there is room.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is not.
    pub fn try_send_to(&self, data: &[u8], to: SocketAddr) -> io::Result<usize> {
        let socket = &self.socket;
        socket.attempt(|stack, now| socket.send_to_once(stack, now, data, Some(to)))
    }

    /// Receives a datagram; its bytes beyond the buffer are lost.
    ///
    /// # Errors
    /// As [`crate::UdpSocket::recv`].
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.receive(buffer, false).await?.len)
    }

    /// Receives a datagram, and from whom.
    ///
    /// # Errors
    /// As [`crate::UdpSocket::recv`].
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = self.receive(buffer, false).await?;
        Ok((received.len, received.from))
    }

    /// Receives a datagram with all that is known of it: both addresses, and its full length.
    ///
    /// # Errors
    /// As [`crate::UdpSocket::recv`].
    pub async fn recv_message(&self, buffer: &mut [u8]) -> io::Result<UdpReceived> {
        self.receive(buffer, false).await
    }

    /// Like [`recv`](Self::recv), but the datagram stays.
    ///
    /// # Errors
    /// As [`crate::UdpSocket::recv`].
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.receive(buffer, true).await?.len)
    }

    /// Like [`recv_from`](Self::recv_from), but the datagram stays.
    ///
    /// # Errors
    /// As [`crate::UdpSocket::recv`].
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = self.receive(buffer, true).await?;
        Ok((received.len, received.from))
    }

    /// Receives a datagram, for one task that polls to read.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let socket = &self.socket;
        socket.poll_call(cx, Key::Reader, |stack, now| {
            let room = buffer.initialize_unfilled();
            let received = socket.receive_from_once(stack, now, room, false)?;
            buffer.advance(received.len);
            Ok(received.from)
        })
    }

    /// Receives a datagram if there is one.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.try_recv_from(buffer)?.0)
    }

    /// Receives a datagram, and from whom, if there is one.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let socket = &self.socket;
        let received =
            socket.attempt(|stack, now| socket.receive_from_once(stack, now, buffer, false))?;
        Ok((received.len, received.from))
    }

    async fn receive(&self, buffer: &mut [u8], peek: bool) -> io::Result<UdpReceived> {
        let socket = &self.socket;
        socket
            .wait(|stack, now| socket.receive_from_once(stack, now, buffer, peek))
            .await
    }

    /// Whether it may send to broadcast addresses (`SO_BROADCAST`).
    ///
    /// # Errors
    /// The host is down.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.socket.set_option(SocketOption::Broadcast(broadcast))
    }

    /// May it send to broadcast addresses?
    ///
    /// # Errors
    /// The host is down.
    pub fn broadcast(&self) -> io::Result<bool> {
        let broadcast = self.socket.option(OptionName::Broadcast)?;
        Ok(broadcast == SocketOption::Broadcast(true))
    }

    common_options!(socket);
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UdpSocket").field(&self.socket).finish()
    }
}
