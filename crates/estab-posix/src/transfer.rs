//! `read` and `write` on whatever a descriptor stands for.

mod control;
mod receive;
mod send;

pub use receive::{Received, ReceivedMessage};
pub use send::Message;

use crate::file::Kind;
use crate::waiting::ready;
use crate::{Errno, Polled, Posix, Waiting};
use core::task::Poll;
use estab_tcp::Instant;

impl Posix {
    /// `read`, `readv`: the buffers one after the other. Zero is the end of the stream.
    ///
    /// # Errors
    /// Those of [`Self::recvfrom`]. `EBADF`: the writing end of a pipe. `EINVAL`: an epoll.
    pub fn read(
        &mut self,
        now: Instant,
        fd: i32,
        buffer: &mut [u8],
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let file = ready!(self.waiting_file(fd, waiting));
        match ready!(self.get(file)).kind {
            // As in Linux a socket is not asked for nothing.
            Kind::Socket(_) if buffer.is_empty() => Poll::Ready(Ok(0)),
            Kind::Socket(_) => self
                .receive(now, file, buffer, 0, waiting)
                .map_ok(|received| received.len),
            Kind::PipeReader(pipe) => self.pipe_read(file, pipe, buffer),
            Kind::PipeWriter(_) => Poll::Ready(Err(Errno::EBADF)),
            Kind::Epoll(_) => Poll::Ready(Err(Errno::EINVAL)),
        }
    }

    /// `write`, `writev`.
    ///
    /// # Errors
    /// Those of [`Self::sendto`]. `EBADF`: the reading end of a pipe. `EINVAL`: an epoll.
    pub fn write(
        &mut self,
        now: Instant,
        fd: i32,
        data: &[u8],
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let file = ready!(self.waiting_file(fd, waiting));
        match ready!(self.get(file)).kind {
            Kind::Socket(_) => self.send(now, file, data, 0, None, waiting),
            Kind::PipeWriter(pipe) => self.pipe_write(file, pipe, data, waiting),
            Kind::PipeReader(_) => Poll::Ready(Err(Errno::EBADF)),
            Kind::Epoll(_) => Poll::Ready(Err(Errno::EINVAL)),
        }
    }
}
