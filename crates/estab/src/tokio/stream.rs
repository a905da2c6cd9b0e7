use super::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use super::{no_address, resolve};
use crate::Host;
use crate::driver::waits::Key;
use crate::options::{common_options, stream_options, tcp_options};
use crate::socket::Socket;
use bytes::Bytes;
use estab_stack::MessageFlags;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio::net::ToSocketAddrs;

/// A TCP connection of a [`Host`], shaped like `tokio::net::TcpStream`.
///
/// Dropping it closes it like [`crate::TcpStream`]: what was written is still delivered.
/// [`shutdown`](tokio::io::AsyncWriteExt::shutdown) ends the sending side only.
pub struct TcpStream {
    pub(super) socket: Arc<Socket>,
}

const READ: MessageFlags = MessageFlags {
    peek: false,
    urgent: false,
    more: false,
    end_of_record: false,
    truncate: false,
};
const PEEK: MessageFlags = MessageFlags { peek: true, ..READ };

impl TcpStream {
    pub(super) fn new(socket: Socket) -> Self {
        socket.host().driver().ensure_task();
        Self {
            socket: Arc::new(socket),
        }
    }

    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// As [`crate::TcpStream::connect`].
    pub async fn connect(host: &Host, addresses: impl ToSocketAddrs) -> io::Result<Self> {
        let mut failed = None;
        for address in resolve(addresses).await? {
            let socket = Socket::tcp(host.handle(), address.is_ipv6())?;
            match Self::open(socket, address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = Some(error),
            }
        }
        Err(no_address(failed))
    }

    pub(super) async fn open(socket: Socket, address: SocketAddr) -> io::Result<Self> {
        let stream = Self::new(socket);
        stream.socket.start_connect(address, None)?;
        stream.opened().await
    }

    /// Waits until the connection is open, or failed to.
    pub(super) async fn opened(self) -> io::Result<Self> {
        let socket = &self.socket;
        socket.wait(|stack, _| socket.connected_once(stack)).await?;
        Ok(self)
    }

    /// From a blocking stream; its time-outs have no effect here.
    pub fn from_blocking(stream: crate::TcpStream) -> Self {
        let socket = stream.into_shared();
        socket.host().driver().ensure_task();
        Self { socket }
    }

    /// To a blocking stream.
    pub fn into_blocking(self) -> crate::TcpStream {
        crate::TcpStream::from_shared(self.socket)
    }

    /// Waits until the stream is ready for any of `interest`.
    ///
    /// # Errors
    /// None so far.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.socket.ready(interest).await
    }

    /// Waits until there is something to read, or end of file.
    ///
    /// # Errors
    /// None so far.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// Waits until there is room to write.
    ///
    /// # Errors
    /// None so far.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// The same as [`readable`](Self::readable), for one task that polls to read.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = self.socket.poll_ready(cx, Key::Reader, Interest::READABLE);
        ready.map_ok(drop)
    }

    /// The same as [`writable`](Self::writable), for one task that polls to write.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = self.socket.poll_ready(cx, Key::Writer, Interest::WRITABLE);
        ready.map_ok(drop)
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when that is nothing.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = &self.socket;
        socket.attempt(|stack, now| socket.receive_once(stack, now, buffer, READ))
    }

    /// Reads what is there into several buffers.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when that is nothing.
    pub fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let socket = &self.socket;
        socket.attempt(|stack, now| socket.receive_vectored_once(stack, now, buffers))
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when that is nothing.
    pub fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        let socket = &self.socket;
        socket.attempt(|stack, now| socket.send_once(stack, now, data, READ))
    }

    /// Writes what there is room for of several pieces.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when that is nothing.
    pub fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = &self.socket;
        socket.attempt(|stack, now| socket.send_vectored_once(stack, now, pieces))
    }

    /// Queues owned bytes without a copy; how many were taken. They are cut off the front of `data`.
    ///
    /// # Errors
    /// As writing.
    pub async fn send_bytes(&self, data: &mut Bytes) -> io::Result<usize> {
        let socket = &self.socket;
        socket
            .wait(|stack, now| stack.send_bytes(now, socket.id(), data))
            .await
    }

    /// Sends with flags; how many bytes were taken.
    ///
    /// # Errors
    /// As writing.
    pub async fn send(&self, data: &[u8], flags: MessageFlags) -> io::Result<usize> {
        let socket = &self.socket;
        socket
            .wait(|stack, now| socket.send_once(stack, now, data, flags))
            .await
    }

    /// Receives with flags; end of file is `Ok(0)`.
    ///
    /// # Errors
    /// As reading; [`InvalidInput`](io::ErrorKind::InvalidInput) when there is no urgent byte to read.
    pub async fn receive(&self, buffer: &mut [u8], flags: MessageFlags) -> io::Result<usize> {
        let socket = &self.socket;
        socket
            .wait(|stack, now| socket.receive_once(stack, now, buffer, flags))
            .await
    }

    /// Like reading, but what is read stays.
    ///
    /// # Errors
    /// As reading.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive(buffer, PEEK).await
    }

    /// The same, for one task that polls to read.
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.poll_receive(cx, buffer, PEEK)
    }

    /// Closes the connection, waits as [`set_linger`](Self::set_linger) says, and tells what came of it. While halves of
    /// the stream are held elsewhere it only gives up this one.
    ///
    /// # Errors
    /// As [`crate::TcpStream::close`].
    pub async fn close(self) -> io::Result<()> {
        let Some(socket) = Arc::into_inner(self.socket) else {
            return Ok(());
        };
        let id = socket.id();
        socket.wait(|stack, now| stack.close(now, id, true)).await
    }

    /// Drops what is queued and resets the connection.
    ///
    /// # Errors
    /// The host is down.
    pub fn abort(self) -> io::Result<()> {
        self.socket.abort()
    }

    /// Two halves that borrow the stream.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf(self), WriteHalf(self))
    }

    /// Two halves that share the stream. Dropping the writing half ends the sending side.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        OwnedReadHalf::pair(self)
    }

    pub(super) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        flags: MessageFlags,
    ) -> Poll<io::Result<usize>> {
        let socket = &self.socket;
        socket.poll_call(cx, Key::Reader, |stack, now| {
            let room = buffer.initialize_unfilled();
            let count = socket.receive_once(stack, now, room, flags)?;
            buffer.advance(count);
            Ok(count)
        })
    }

    pub(super) fn poll_send(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let socket = &self.socket;
        socket.poll_call(cx, Key::Writer, |stack, now| {
            socket.send_once(stack, now, data, READ)
        })
    }

    pub(super) fn poll_send_vectored(
        &self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let socket = &self.socket;
        socket.poll_call(cx, Key::Writer, |stack, now| {
            socket.send_vectored_once(stack, now, pieces)
        })
    }

    pub(super) fn end_sending(&self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    common_options!(socket);
    tcp_options!(socket);
    stream_options!(socket);
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_receive(cx, buffer, READ).map_ok(drop)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing is held back in this end, so there is nothing to do.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.end_sending())
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpStream").field(&self.socket).finish()
    }
}
