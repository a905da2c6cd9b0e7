//! `splice`: between a pipe and a socket, or two pipes.

use crate::file::{FileId, Kind};
use crate::pipe::PipeId;
use crate::waiting::ready;
use crate::{Errno, Polled, Posix, Waiting};
use core::task::Poll;
use estab_tcp::Instant;

const FLAGS: u32 =
    libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MORE | libc::SPLICE_F_GIFT;

impl Posix {
    /// Moves at most `len` bytes; one side must be a pipe. Gives what there was, at least one byte unless it is the end; waits for
    /// that, unless `SPLICE_F_NONBLOCK` is given or a side is non-blocking. The bytes are copied.
    ///
    /// # Errors
    /// `EINVAL`: no pipe, the same pipe twice, an epoll, a datagram socket (which Linux takes), or unknown flags. `EBADF`: also an end of a pipe that does not go that
    /// way. `EAGAIN`; `EPIPE`; those of the socket.
    // Linux's call has these.
    #[allow(clippy::too_many_arguments, reason = "those of the call")]
    pub fn splice(
        &mut self,
        now: Instant,
        fd_in: i32,
        fd_out: i32,
        len: usize,
        flags: u32,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        if flags & !FLAGS != 0 {
            return Poll::Ready(Err(Errno::EINVAL));
        }
        let from = ready!(self.waiting_file(fd_in, waiting));
        let to = ready!(self.table.file(fd_out));
        let files = (ready!(self.get(from)), ready!(self.get(to)));
        let dont_wait = flags & libc::SPLICE_F_NONBLOCK != 0;
        let more = flags & libc::SPLICE_F_MORE != 0;
        match (&files.0.kind, &files.1.kind) {
            (Kind::PipeWriter(_), _) | (_, Kind::PipeReader(_)) => Poll::Ready(Err(Errno::EBADF)),
            (Kind::PipeReader(a), Kind::PipeWriter(b)) if a == b => Poll::Ready(Err(Errno::EINVAL)),
            (Kind::PipeReader(a), Kind::PipeWriter(b)) => {
                let nonblock = dont_wait || files.0.nonblock || files.1.nonblock;
                self.splice_pipes(*a, *b, len, nonblock)
            }
            (Kind::Socket(socket), Kind::PipeWriter(pipe)) if socket.stream => {
                let nonblock = dont_wait || files.1.nonblock;
                self.splice_in(now, from, *pipe, len, nonblock, waiting)
            }
            (Kind::PipeReader(pipe), Kind::Socket(socket)) if socket.stream => {
                let nonblock = dont_wait || files.0.nonblock;
                self.splice_out(now, *pipe, to, len, nonblock, more, waiting)
            }
            _ => Poll::Ready(Err(Errno::EINVAL)),
        }
    }

    fn splice_pipes(&mut self, a: PipeId, b: PipeId, len: usize, nonblock: bool) -> Polled<usize> {
        let wait = match nonblock {
            true => Poll::Ready(Err(Errno::EAGAIN)),
            false => Poll::Pending,
        };
        let to = ready!(self.pipe_mut(b));
        if to.reader.is_none() {
            return Poll::Ready(Err(Errno::EPIPE));
        }
        let room = to.room();
        let from = ready!(self.pipe_mut(a));
        let len = len.min(room).min(from.data.len());
        if from.data.is_empty() && from.writer.is_none() {
            return Poll::Ready(Ok(0));
        }
        if len == 0 {
            return wait;
        }
        let bytes: Vec<u8> = from.data.drain(..len).collect();
        ready!(self.pipe_mut(b)).data.extend(bytes);
        self.pipe_has_room(a);
        self.pipe_has_data(b);
        Poll::Ready(Ok(len))
    }

    /// From a socket into a pipe.
    fn splice_in(
        &mut self,
        now: Instant,
        from: FileId,
        id: PipeId,
        len: usize,
        nonblock: bool,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let pipe = ready!(self.pipe_mut(id));
        if pipe.reader.is_none() {
            return Poll::Ready(Err(Errno::EPIPE));
        }
        let room = pipe.room().min(len);
        if room == 0 {
            return match nonblock {
                true => Poll::Ready(Err(Errno::EAGAIN)),
                false => Poll::Pending,
            };
        }
        let mut buffer = vec![0; room];
        let flags = if nonblock { libc::MSG_DONTWAIT } else { 0 };
        let received = match self.receive(now, from, &mut buffer, flags, waiting) {
            Poll::Ready(received) => ready!(received).len,
            // Less than the low-water mark came, and was taken.
            Poll::Pending => match core::mem::take(&mut waiting.done) {
                0 => return Poll::Pending,
                received => received,
            },
        };
        buffer.truncate(received);
        ready!(self.pipe_mut(id)).data.extend(buffer);
        if received > 0 {
            self.pipe_has_data(id);
        }
        Poll::Ready(Ok(received))
    }

    /// From a pipe to a socket.
    #[allow(clippy::too_many_arguments, reason = "those of the call")]
    fn splice_out(
        &mut self,
        now: Instant,
        id: PipeId,
        to: FileId,
        len: usize,
        nonblock: bool,
        more: bool,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        loop {
            let pipe = ready!(self.pipe_mut(id));
            let piece = pipe.data.len().min(len - waiting.done);
            if piece == 0 {
                return match () {
                    () if waiting.done > 0 || pipe.writer.is_none() => {
                        Poll::Ready(Ok(waiting.done))
                    }
                    () if nonblock => Poll::Ready(Err(Errno::EAGAIN)),
                    () => Poll::Pending,
                };
            }
            let bytes: Vec<u8> = pipe.data.iter().take(piece).copied().collect();
            let mut flags = if nonblock { libc::MSG_DONTWAIT } else { 0 };
            if more {
                flags |= libc::MSG_MORE;
            }
            // What the socket takes leaves the pipe at once, so the wait for more begins anew each time.
            let mut sending = Waiting {
                deadline: waiting.deadline,
                ..Waiting::new()
            };
            let result = self.send(now, to, &bytes, flags, None, &mut sending);
            waiting.deadline = sending.deadline;
            let sent = match result {
                Poll::Ready(Ok(sent)) => sent,
                Poll::Pending => sending.done,
                Poll::Ready(Err(_)) if waiting.done > 0 => return Poll::Ready(Ok(waiting.done)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            };
            ready!(self.pipe_mut(id)).data.drain(..sent);
            waiting.done += sent;
            if sent > 0 {
                self.pipe_has_room(id);
            }
            if result.is_pending() {
                return Poll::Pending;
            }
            if waiting.done == len {
                return Poll::Ready(Ok(len));
            }
        }
    }
}
