use crate::chunks;
use alloc::collections::VecDeque;
use bytes::{Buf, Bytes, BytesMut};

#[cfg(test)]
mod tests;

/// Segments shorter than this are copied, so that they do not hold a device's buffer.
const SHARE_MIN: usize = 2 << 10;

/// Bytes in order that wait for the application.
///
/// Long segments are kept as slices of the buffer they came in; short ones gather in a tail buffer, which is at most
/// 64 KiB and at most about twice what was queued when it was made. An empty queue holds no memory.
#[derive(Debug, Default)]
pub(crate) struct ReceiveQueue {
    pieces: VecDeque<Bytes>,
    /// Follows the pieces.
    tail: BytesMut,
    len: usize,
}

impl ReceiveQueue {
    /// An empty queue, which holds no memory.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Bytes held.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// No byte at all?
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends the text of a segment.
    pub(crate) fn push(&mut self, data: Bytes) {
        if data.len() < SHARE_MIN {
            self.gather(&data);
        } else {
            self.freeze_tail();
            self.len += data.len();
            self.pieces.push_back(data);
        }
    }

    /// Moves bytes into `buffer`; how many.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let n = self.peek(buffer);
        self.discard(n);
        n
    }

    /// Copies bytes into `buffer` and keeps them; how many.
    pub(crate) fn peek(&self, buffer: &mut [u8]) -> usize {
        let mut at = 0;
        let tail: &[u8] = &self.tail;
        for piece in self.pieces.iter().map(|piece| &piece[..]).chain([tail]) {
            let n = piece.len().min(buffer.len() - at);
            buffer[at..at + n].copy_from_slice(&piece[..n]);
            at += n;
            if at == buffer.len() {
                break;
            }
        }
        at
    }

    /// Takes up to `max` bytes without a copy; fewer than there are when they lie in several pieces.
    pub(crate) fn take(&mut self, max: usize) -> Bytes {
        let taken = match self.pieces.front_mut() {
            Some(piece) => piece.split_to(max.min(piece.len())),
            None => {
                let n = max.min(self.tail.len());
                self.tail.split_to(n).freeze()
            }
        };
        self.len -= taken.len();
        if self.pieces.front().is_some_and(Bytes::is_empty) {
            self.pieces.pop_front();
        }
        if self.len == 0 {
            self.clear();
        }
        taken
    }

    /// Drops the first `n` bytes.
    pub(crate) fn discard(&mut self, n: usize) {
        debug_assert!(n <= self.len, "inside the queue");
        let mut n = n.min(self.len);
        if n == self.len {
            self.clear();
            return;
        }
        self.len -= n;
        while let Some(piece) = self.pieces.front_mut() {
            if n < piece.len() {
                piece.advance(n);
                return;
            }
            n -= piece.len();
            self.pieces.pop_front();
        }
        self.tail.advance(n);
    }

    /// Takes one byte out of the stream, `offset` bytes after its first: the urgent byte (RFC 6093). Those behind it
    /// move up. `None` when there is no such byte.
    pub(crate) fn remove_byte(&mut self, offset: usize) -> Option<u8> {
        if offset >= self.len {
            return None;
        }
        // From the back, where urgent bytes are.
        let mut start = self.len - self.tail.len();
        let byte = if offset >= start {
            let at = offset - start;
            let byte = self.tail[at];
            self.tail.copy_within(at + 1.., at);
            self.tail.truncate(self.tail.len() - 1);
            byte
        } else {
            let mut index = self.pieces.len();
            while offset < start {
                index -= 1;
                start -= self.pieces[index].len();
            }
            self.remove_from_piece(index, offset - start)
        };
        self.len -= 1;
        if self.len == 0 {
            self.clear();
        }
        Some(byte)
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn remove_from_piece(&mut self, index: usize, at: usize) -> u8 {
        let piece = &mut self.pieces[index];
        let byte = piece[at];
        let before = piece.split_to(at);
        piece.advance(1);
        match (before.is_empty(), piece.is_empty()) {
            (true, true) => drop(self.pieces.remove(index)),
            (true, false) => {}
            (false, true) => *piece = before,
            (false, false) => self.pieces.insert(index, before),
        }
        byte
    }

    fn gather(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if self.tail.len() == self.tail.capacity() {
                self.freeze_tail();
                self.tail = chunks::buffer(self.len + data.len());
            }
            let taken = chunks::fill(&mut self.tail, data);
            self.len += taken;
            data = &data[taken..];
        }
    }

    /// Makes a piece of the tail; what is left of its buffer takes the next segments.
    fn freeze_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push_back(self.tail.split().freeze());
        }
    }
}
