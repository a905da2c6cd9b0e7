//! `connect`, and its undoing.

use super::Progress;
use crate::address::{self, Given};
use crate::file::FileId;
use crate::waiting::ready;
use crate::{Errno, Polled, Posix, Waiting};
use core::net::SocketAddr;
use core::task::Poll;
use estab_stack::{Error, SocketId};
use estab_tcp::{Instant, State};

impl Posix {
    /// Opens a TCP connection, or sets the peer of a UDP socket. `AF_UNSPEC` undoes either: a TCP connection is reset, and the
    /// socket may be used anew.
    ///
    /// # Errors
    /// `EINPROGRESS`: the socket is non-blocking, or `SO_SNDTIMEO` has passed. `EALREADY`: as before, and it had begun earlier.
    /// `EISCONN`, `ECONNREFUSED`, `ETIMEDOUT`, and what else ends a connection that opens. `ECONNABORTED`: it ended, and
    /// `SO_ERROR` has told why.
    pub fn connect(
        &mut self,
        now: Instant,
        fd: i32,
        address: &[u8],
        waiting: &mut Waiting,
    ) -> Polled<()> {
        let file = ready!(self.waiting_file(fd, waiting));
        let socket = ready!(self.file_socket(file));
        let (id, kind) = (socket.id, socket.kind());
        let remote = match ready!(address::for_connect(address, kind)) {
            Given::Unspecified => return Poll::Ready(self.disconnect(now, file)),
            Given::Address(remote) => remote,
        };
        if !kind.stream {
            return Poll::Ready(
                self.stack
                    .connect(now, id, remote, None)
                    .map_err(Errno::from),
            );
        }
        self.connect_stream(now, file, id, remote, waiting)
    }

    fn connect_stream(
        &mut self,
        now: Instant,
        file: FileId,
        id: SocketId,
        remote: SocketAddr,
        waiting: &mut Waiting,
    ) -> Polled<()> {
        let socket = ready!(self.file_socket(file));
        let limit = socket.send_timeout;
        let waits = match socket.progress {
            // This call waited for it.
            Progress::Connected if waiting.unfinished.is_some() => return Poll::Ready(Ok(())),
            // Somebody gave it up while this call waited.
            Progress::Unconnected if waiting.unfinished.is_some() => {
                let error = ready!(self.take_error(id));
                return Poll::Ready(Err(error.unwrap_or(Errno::ECONNABORTED)));
            }
            Progress::Connected => return Poll::Ready(Err(Errno::EISCONN)),
            Progress::Connecting => waiting.unfinished.unwrap_or(Errno::EALREADY),
            Progress::Unconnected => {
                match self.stack.connect(now, id, remote, None) {
                    Err(Error::InProgress) => {}
                    result => return Poll::Ready(result.map_err(Errno::from)),
                }
                ready!(self.file_socket_mut(file)).progress = Progress::Connecting;
                Errno::EINPROGRESS
            }
        };
        match ready!(self.stack.state(id)) {
            State::SynSent | State::SynReceived => {
                waiting.unfinished = Some(waits);
                self.wait(now, file, waiting, limit, waits)
            }
            State::Closed => Poll::Ready(Err(self.connecting_failed(now, file, id))),
            _ => {
                ready!(self.file_socket_mut(file)).progress = Progress::Connected;
                Poll::Ready(Ok(()))
            }
        }
    }

    /// The connection is over before it was told that it is open.
    fn connecting_failed(&mut self, now: Instant, file: FileId, id: SocketId) -> Errno {
        let error = self.take_error(id).ok().flatten();
        // Nothing is left that could be reset; a socket that is gone needs no clearing.
        let _ = self.disconnect(now, file);
        error.unwrap_or(Errno::ECONNABORTED)
    }

    /// Back to a socket that is not connected.
    pub(crate) fn disconnect(&mut self, now: Instant, file: FileId) -> Result<(), Errno> {
        let socket = self.file_socket_mut(file)?;
        socket.progress = Progress::Unconnected;
        let id = socket.id;
        Ok(self.stack.disconnect(now, id)?)
    }
}
