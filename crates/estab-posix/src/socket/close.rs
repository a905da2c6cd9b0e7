//! `shutdown` and `close`.

use super::Progress;
use crate::file::{FileId, Kind};
use crate::waiting::ready;
use crate::{Errno, Polled, Posix, Waiting};
use core::task::Poll;
use estab_stack::{Error, SocketId};
use estab_tcp::{Instant, Shutdown, State};

impl Posix {
    /// Ends one direction or both. A connection that is being opened is given up instead.
    ///
    /// # Errors
    /// `EINVAL`: `how` is none of `SHUT_RD`, `SHUT_WR` and `SHUT_RDWR`. `ENOTCONN`.
    pub fn shutdown(&mut self, now: Instant, fd: i32, how: i32) -> Result<(), Errno> {
        let file = self.table.file(fd)?;
        let socket = self.file_socket(file)?;
        let (id, stream) = (socket.id, socket.stream);
        let how = match how {
            libc::SHUT_RD => Shutdown::Read,
            libc::SHUT_WR => Shutdown::Write,
            libc::SHUT_RDWR => Shutdown::Both,
            _ => return Err(Errno::EINVAL),
        };
        if stream {
            match self.stack.state(id)? {
                // As in Linux: there is no sending side to be ended.
                State::Listen if how == Shutdown::Write => return Ok(()),
                State::SynSent => return self.disconnect(now, file),
                State::Closed | State::SynReceived => {}
                _ => self.file_socket_mut(file)?.progress = Progress::Connected,
            }
        }
        Ok(self.stack.shutdown(now, id, how)?)
    }

    /// Gives a descriptor up, which is free at once. With its last descriptor a socket, pipe or epoll ends. The call waits only
    /// for a blocking socket with `SO_LINGER`. (Linux waits for a non-blocking one too.)
    ///
    /// # Errors
    /// `EBADF`. `EAGAIN`: the time to linger has passed, and what was not delivered is dropped. The descriptor is gone whatever the
    /// error.
    pub fn close(&mut self, now: Instant, fd: i32, waiting: &mut Waiting) -> Polled<()> {
        if let Some(closing) = waiting.closing {
            let Some(id) = self.closing.get(closing).copied() else {
                return Poll::Ready(Ok(()));
            };
            return match self.stack.close(now, id, true) {
                Err(Error::WouldBlock(_)) => Poll::Pending,
                result => {
                    self.closing.remove(closing);
                    Poll::Ready(result.map_err(Errno::from))
                }
            };
        }
        let descriptor = ready!(self.table.remove(fd));
        let file = ready!(self.get_mut(descriptor.file));
        file.descriptors -= 1;
        if file.descriptors > 0 {
            return Poll::Ready(Ok(()));
        }
        self.release(now, descriptor.file, waiting)
    }

    /// The last descriptor is gone.
    fn release(&mut self, now: Instant, id: FileId, waiting: &mut Waiting) -> Polled<()> {
        let Some(file) = self.files.remove(id) else {
            return Poll::Ready(Err(Errno::EBADF));
        };
        for watch in &file.watches {
            self.forget_watch(*watch);
        }
        match file.kind {
            Kind::Socket(socket) => self.close_socket(now, socket.id, !file.nonblock, waiting),
            Kind::Epoll(epoll) => {
                self.end_epoll(id, &epoll);
                Poll::Ready(Ok(()))
            }
            Kind::PipeReader(pipe) => {
                self.end_pipe_reader(pipe);
                Poll::Ready(Ok(()))
            }
            Kind::PipeWriter(pipe) => {
                self.end_pipe_writer(pipe);
                Poll::Ready(Ok(()))
            }
        }
    }

    fn close_socket(
        &mut self,
        now: Instant,
        id: SocketId,
        may_wait: bool,
        waiting: &mut Waiting,
    ) -> Polled<()> {
        self.owners.remove(id);
        match self.stack.close(now, id, may_wait) {
            Err(Error::WouldBlock(_)) => {
                waiting.closing = Some(self.closing.insert(id));
                Poll::Pending
            }
            result => Poll::Ready(result.map_err(Errno::from)),
        }
    }
}
