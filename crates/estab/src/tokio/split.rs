//! The two directions of a stream, apart.

use super::stream::TcpStream;
use estab_stack::MessageFlags;
use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};

/// The reading half of a borrowed stream: [`TcpStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a>(pub(super) &'a TcpStream);

/// The writing half of a borrowed stream: [`TcpStream::split`].
#[derive(Debug)]
pub struct WriteHalf<'a>(pub(super) &'a TcpStream);

/// The reading half of a shared stream: [`TcpStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: Arc<TcpStream>,
}

/// The writing half of a shared stream: [`TcpStream::into_split`]. Dropping it ends the sending side, unless
/// [`forget`](Self::forget) is called.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Arc<TcpStream>,
    ends_sending: bool,
}

/// The halves are of different streams. They are given back.
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves are not of the same stream")
    }
}

impl Error for ReuniteError {}

impl OwnedReadHalf {
    pub(super) fn pair(stream: TcpStream) -> (Self, OwnedWriteHalf) {
        let stream = Arc::new(stream);
        let reading = Self {
            stream: Arc::clone(&stream),
        };
        let writing = OwnedWriteHalf {
            stream,
            ends_sending: true,
        };
        (reading, writing)
    }

    /// Puts the stream together again.
    ///
    /// # Errors
    /// The halves are of different streams.
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        if !Arc::ptr_eq(&self.stream, &other.stream) {
            return Err(ReuniteError(self, other));
        }
        other.forget();
        let socket = Arc::clone(&self.stream.socket);
        Ok(TcpStream { socket })
    }

    fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

impl OwnedWriteHalf {
    /// Puts the stream together again.
    ///
    /// # Errors
    /// The halves are of different streams.
    pub fn reunite(self, other: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        other.reunite(self)
    }

    /// Drops the half without ending the sending side.
    pub fn forget(mut self) {
        self.ends_sending = false;
    }

    fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.ends_sending {
            // The connection may be gone already.
            let _ = self.stream.end_sending();
        }
    }
}

impl ReadHalf<'_> {
    fn stream(&self) -> &TcpStream {
        self.0
    }
}

impl WriteHalf<'_> {
    fn stream(&self) -> &TcpStream {
        self.0
    }
}

macro_rules! reading_half {
    ($type:ty) => {
        impl $type {
            /// Like reading, but what is read stays.
            ///
            /// # Errors
            /// As reading.
            pub async fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.stream().peek(buffer).await
            }

            /// See [`TcpStream::try_read`].
            ///
            /// # Errors
            /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
            pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.stream().try_read(buffer)
            }

            /// Waits until there is something to read, or end of file.
            ///
            /// # Errors
            /// None so far.
            pub async fn readable(&self) -> io::Result<()> {
                self.stream().readable().await
            }
        }

        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let flags = MessageFlags::default();
                self.stream().poll_receive(cx, buffer, flags).map_ok(drop)
            }
        }
    };
}

macro_rules! writing_half {
    ($type:ty) => {
        impl $type {
            /// See [`TcpStream::try_write`].
            ///
            /// # Errors
            /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room.
            pub fn try_write(&self, data: &[u8]) -> io::Result<usize> {
                self.stream().try_write(data)
            }

            /// Waits until there is room to write.
            ///
            /// # Errors
            /// None so far.
            pub async fn writable(&self) -> io::Result<()> {
                self.stream().writable().await
            }
        }

        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.stream().poll_send(cx, data)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                pieces: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.stream().poll_send_vectored(cx, pieces)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.stream().end_sending())
            }
        }
    };
}

macro_rules! both_halves {
    ($type:ty) => {
        impl $type {
            /// The address and port of this end.
            ///
            /// # Errors
            /// The host is down.
            pub fn local_addr(&self) -> io::Result<SocketAddr> {
                self.stream().local_addr()
            }

            /// The address and port of the other end.
            ///
            /// # Errors
            /// Of kind [`NotConnected`](io::ErrorKind::NotConnected).
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.stream().peer_addr()
            }

            /// Waits until the stream is ready for any of `interest`.
            ///
            /// # Errors
            /// None so far.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.stream().ready(interest).await
            }
        }
    };
}

reading_half!(ReadHalf<'_>);
reading_half!(OwnedReadHalf);
writing_half!(WriteHalf<'_>);
writing_half!(OwnedWriteHalf);
both_halves!(ReadHalf<'_>);
both_halves!(OwnedReadHalf);
both_halves!(WriteHalf<'_>);
both_halves!(OwnedWriteHalf);

impl AsRef<TcpStream> for OwnedReadHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.stream
    }
}

impl AsRef<TcpStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.stream
    }
}
