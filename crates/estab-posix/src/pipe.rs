//! Pipes.

use crate::file::{File, FileId, Kind};
use crate::poll::{self, Mask};
use crate::waiting::ready;
use crate::{Errno, Polled, Posix, Waiting};
use core::task::Poll;
use std::collections::VecDeque;

slotmap::new_key_type! {
    /// A pipe.
    pub(crate) struct PipeId;
}

/// Bytes that a pipe holds, as Linux's by default.
pub(crate) const CAPACITY: usize = 64 << 10;
/// Writes of so much are never mixed with others', and do not begin before there is room for all (`PIPE_BUF`).
const ATOMIC: usize = 4096;

/// What is between the two ends.
pub(crate) struct Pipe {
    pub(crate) data: VecDeque<u8>,
    /// The ends, until they are closed.
    pub(crate) reader: Option<FileId>,
    pub(crate) writer: Option<FileId>,
}

impl Pipe {
    pub(crate) fn room(&self) -> usize {
        CAPACITY.saturating_sub(self.data.len())
    }

    /// Moves bytes out.
    pub(crate) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(self.data.len());
        for (to, from) in buffer.iter_mut().zip(self.data.drain(..len)) {
            *to = from;
        }
        len
    }
}

impl Posix {
    /// `pipe2`: the reading end and the writing end. `O_NONBLOCK` and `O_CLOEXEC` are obeyed.
    ///
    /// # Errors
    /// `EINVAL`: another flag; `O_DIRECT` too, which Linux knows. `EMFILE`.
    pub fn pipe2(&mut self, flags: i32) -> Result<[i32; 2], Errno> {
        if flags & !(libc::O_NONBLOCK | libc::O_CLOEXEC) != 0 {
            return Err(Errno::EINVAL);
        }
        self.table.check_room(2)?;
        let pipe = self.pipes.insert(Pipe {
            data: VecDeque::new(),
            reader: None,
            writer: None,
        });
        let nonblock = flags & libc::O_NONBLOCK != 0;
        let close_on_exec = flags & libc::O_CLOEXEC != 0;
        let reader = self.open(File::new(Kind::PipeReader(pipe), nonblock), close_on_exec)?;
        let writer = self.open(File::new(Kind::PipeWriter(pipe), nonblock), close_on_exec)?;
        let ends = (self.table.file(reader)?, self.table.file(writer)?);
        let pipe = self.pipe_mut(pipe)?;
        (pipe.reader, pipe.writer) = (Some(ends.0), Some(ends.1));
        Ok([reader, writer])
    }

    pub(crate) fn pipe_mut(&mut self, pipe: PipeId) -> Result<&mut Pipe, Errno> {
        self.pipes.get_mut(pipe).ok_or(Errno::EBADF)
    }

    pub(crate) fn pipe_read(
        &mut self,
        file: FileId,
        id: PipeId,
        buffer: &mut [u8],
    ) -> Polled<usize> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let pipe = ready!(self.pipe_mut(id));
        let taken = pipe.take(buffer);
        if taken > 0 {
            self.pipe_has_room(id);
        } else if pipe.writer.is_some() {
            return self.pipe_wait(file);
        }
        Poll::Ready(Ok(taken))
    }

    pub(crate) fn pipe_write(
        &mut self,
        file: FileId,
        id: PipeId,
        data: &[u8],
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let done = waiting.done;
        let pipe = ready!(self.pipe_mut(id));
        let rest = data.get(done..).unwrap_or(&[]);
        if pipe.reader.is_none() && !rest.is_empty() {
            let nothing = done == 0;
            return Poll::Ready(if nothing { Err(Errno::EPIPE) } else { Ok(done) });
        }
        let room = match data.len() <= ATOMIC && pipe.room() < rest.len() {
            true => 0,
            false => pipe.room(),
        };
        let piece = rest.get(..room).unwrap_or(rest);
        pipe.data.extend(piece);
        waiting.done = done + piece.len();
        if !piece.is_empty() {
            self.pipe_has_data(id);
        }
        if waiting.done == data.len() {
            return Poll::Ready(Ok(waiting.done));
        }
        match self.pipe_wait(file) {
            Poll::Ready(Err(_)) if waiting.done > 0 => Poll::Ready(Ok(waiting.done)),
            result => result,
        }
    }

    /// A pipe has no time-outs.
    fn pipe_wait<T>(&self, file: FileId) -> Polled<T> {
        if self.get(file).is_ok_and(|file| file.nonblock) {
            return Poll::Ready(Err(Errno::EAGAIN));
        }
        Poll::Pending
    }

    pub(crate) fn pipe_has_room(&mut self, id: PipeId) {
        if let Some(writer) = self.pipes.get(id).and_then(|pipe| pipe.writer) {
            self.tell(writer, poll::OUT | poll::WRNORM);
        }
    }

    pub(crate) fn pipe_has_data(&mut self, id: PipeId) {
        if let Some(reader) = self.pipes.get(id).and_then(|pipe| pipe.reader) {
            self.tell(reader, poll::IN | poll::RDNORM);
        }
    }

    pub(crate) fn pipe_reader_mask(&self, id: PipeId) -> Mask {
        let Some(pipe) = self.pipes.get(id) else {
            return poll::HUP;
        };
        let data = if pipe.data.is_empty() {
            0
        } else {
            poll::IN | poll::RDNORM
        };
        data | if pipe.writer.is_none() { poll::HUP } else { 0 }
    }

    pub(crate) fn pipe_writer_mask(&self, id: PipeId) -> Mask {
        let Some(pipe) = self.pipes.get(id) else {
            return poll::ERR;
        };
        let room = if pipe.room() >= ATOMIC {
            poll::OUT | poll::WRNORM
        } else {
            0
        };
        room | if pipe.reader.is_none() { poll::ERR } else { 0 }
    }

    pub(crate) fn end_pipe_reader(&mut self, id: PipeId) {
        if let Some(pipe) = self.pipes.get_mut(id) {
            pipe.reader = None;
            if let Some(writer) = pipe.writer {
                self.tell(writer, poll::ERR | poll::OUT | poll::WRNORM);
            } else {
                self.pipes.remove(id);
            }
        }
    }

    pub(crate) fn end_pipe_writer(&mut self, id: PipeId) {
        if let Some(pipe) = self.pipes.get_mut(id) {
            pipe.writer = None;
            if let Some(reader) = pipe.reader {
                self.tell(reader, poll::HUP);
            } else {
                self.pipes.remove(id);
            }
        }
    }
}
