use super::each_address;
use crate::Host;
use crate::error;
use crate::options::common_options;
use crate::socket::Socket;
use estab_stack::{SocketOption, UdpReceived};
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// A UDP socket of a [`Host`], shaped like [`std::net::UdpSocket`].
pub struct UdpSocket {
    socket: Arc<Socket>,
}

impl UdpSocket {
    /// Binds a socket to the first of the addresses that is free.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable).
    pub fn bind(host: &Host, addresses: impl ToSocketAddrs) -> io::Result<Self> {
        each_address(addresses, |address| {
            let socket = Socket::udp(host.handle(), address.is_ipv6())?;
            socket.bind(address)?;
            Ok(Self {
                socket: Arc::new(socket),
            })
        })
    }

    /// Sends to, and receives from, the first of the addresses that has a route.
    ///
    /// # Errors
    /// [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable).
    pub fn connect(&self, addresses: impl ToSocketAddrs) -> io::Result<()> {
        each_address(addresses, |address| {
            self.socket.start_connect(address, None)
        })
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Sends a datagram to the address that it is connected to.
    ///
    /// # Errors
    /// No address, or the error that ICMP reported for an earlier datagram.
    pub fn send(&self, data: &[u8]) -> io::Result<usize> {
        self.transmit(data, None)
    }

    /// Sends a datagram to the first of the addresses.
    ///
    /// # Errors
    /// No route; the datagram is too long.
    pub fn send_to(&self, data: &[u8], addresses: impl ToSocketAddrs) -> io::Result<usize> {
        let Some(to) = addresses.to_socket_addrs()?.next() else {
            return Err(error::invalid("no address to send to"));
        };
        self.transmit(data, Some(to))
    }

    fn transmit(&self, data: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        let socket = &self.socket;
        socket.block(socket.write_patience(), |stack, now, _| {
            socket.send_to_once(stack, now, data, to)
        })
    }

    /// Receives a datagram; its bytes beyond the buffer are lost.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) after the time-out; the error that ICMP reported
    /// ([`ConnectionRefused`](io::ErrorKind::ConnectionRefused)).
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.receive(buffer, false)?.len)
    }

    /// Receives a datagram, and from whom.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = self.receive(buffer, false)?;
        Ok((received.len, received.from))
    }

    /// Receives a datagram with all that is known of it: both addresses, and its full length.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_message(&self, buffer: &mut [u8]) -> io::Result<UdpReceived> {
        self.receive(buffer, false)
    }

    /// Like [`recv`](Self::recv), but the datagram stays.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.receive(buffer, true)?.len)
    }

    /// Like [`recv_from`](Self::recv_from), but the datagram stays.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = self.receive(buffer, true)?;
        Ok((received.len, received.from))
    }

    fn receive(&self, buffer: &mut [u8], peek: bool) -> io::Result<UdpReceived> {
        let socket = &self.socket;
        socket.block(socket.read_patience(), |stack, now, _| {
            socket.receive_from_once(stack, now, buffer, peek)
        })
    }

    /// Another handle to the same socket.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: Arc::clone(&self.socket),
        })
    }

    /// How long receiving waits; then it fails with kind [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// # Errors
    /// The time is zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    /// How long sending waits.
    ///
    /// # Errors
    /// The time is zero.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(timeout)
    }

    /// How long receiving waits.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.socket.read_timeout())
    }

    /// How long sending waits.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.socket.write_timeout())
    }

    /// Whether calls fail with kind [`WouldBlock`](io::ErrorKind::WouldBlock) instead of waiting.
    ///
    /// # Errors
    /// None: the signature is that of `std`.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking);
        Ok(())
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
        let broadcast = self.socket.option(estab_stack::OptionName::Broadcast)?;
        Ok(broadcast == SocketOption::Broadcast(true))
    }

    common_options!(socket);
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UdpSocket").field(&self.socket).finish()
    }
}
