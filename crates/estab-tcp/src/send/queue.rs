use crate::{Chunks, chunks};
use alloc::collections::VecDeque;
use bytes::{Buf, Bytes, BytesMut};

#[cfg(test)]
mod tests;

/// Less than this is copied where sharing would leave a small piece behind; a copy of this size costs no more than
/// the allocation that counts references.
const SHARE_MIN: usize = 2 << 10;

/// The bytes from SND.UNA on: sent and not acknowledged, then not yet sent.
///
/// Small writes gather in a tail buffer, large owned ones are kept as they come. What is sent shares this memory.
///
/// Memory stays within the bytes held plus two buffers: one of which the front is acknowledged, one that is not full.
/// A buffer is at most 64 KiB and at most about twice what was queued when it was made; an empty queue has none. There
/// are at most two pieces for each 2 KiB and for each buffer, however small the writes and the segments are.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    pieces: VecDeque<Piece>,
    /// Follows the pieces.
    tail: BytesMut,
    /// Position of the first byte; positions count from the start of the connection.
    start: u64,
    len: usize,
}

#[derive(Debug)]
struct Piece {
    /// Position of its first byte.
    start: u64,
    bytes: Bytes,
}

impl SendQueue {
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

    /// Appends a copy.
    pub(crate) fn push(&mut self, mut data: &[u8]) {
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

    /// Appends without a copy, unless it is small.
    pub(crate) fn push_bytes(&mut self, data: Bytes) {
        if data.len() < SHARE_MIN {
            self.push(&data);
        } else {
            self.freeze_tail();
            let start = self.end();
            self.len += data.len();
            self.pieces.push_back(Piece { start, bytes: data });
        }
    }

    /// The `len` bytes that begin `offset` bytes after SND.UNA; fewer when the queue ends before. They share its memory
    /// and outlive their acknowledgement.
    pub(crate) fn slice(&mut self, offset: usize, len: usize) -> Chunks {
        debug_assert!(offset.saturating_add(len) <= self.len, "inside the queue");
        let offset = offset.min(self.len);
        let len = len.min(self.len - offset);
        let from = self.start + offset as u64;
        let to = from + len as u64;
        if to > self.tail_start() && self.tail.len() >= SHARE_MIN {
            self.freeze_tail();
        }

        let mut chunks = Chunks::new();
        let first = self
            .pieces
            .partition_point(|piece| piece.start + piece.bytes.len() as u64 <= from);
        for piece in self.pieces.range(first..) {
            if piece.start >= to {
                break;
            }
            let left = from.saturating_sub(piece.start) as usize;
            let right = (to - piece.start).min(piece.bytes.len() as u64) as usize;
            chunks.push(piece.bytes.slice(left..right));
        }
        let tail_start = self.tail_start();
        if to > tail_start {
            let left = from.saturating_sub(tail_start) as usize;
            let right = (to - tail_start) as usize;
            chunks.push(Bytes::copy_from_slice(&self.tail[left..right]));
        }
        chunks
    }

    /// Drops the first `n` bytes, which are acknowledged, and the memory that only they used.
    pub(crate) fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.len, "inside the queue");
        let mut n = n.min(self.len);
        if n == self.len {
            self.clear();
            return;
        }
        self.start += n as u64;
        self.len -= n;
        while let Some(piece) = self.pieces.front_mut() {
            if n < piece.bytes.len() {
                piece.bytes.advance(n);
                piece.start += n as u64;
                return;
            }
            n -= piece.bytes.len();
            self.pieces.pop_front();
        }
        self.tail.advance(n);
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            start: self.end(),
            ..Self::default()
        };
    }

    fn end(&self) -> u64 {
        self.start + self.len as u64
    }

    fn tail_start(&self) -> u64 {
        self.end() - self.tail.len() as u64
    }

    /// Makes a piece of the tail; what is left of its buffer takes the next writes.
    fn freeze_tail(&mut self) {
        if !self.tail.is_empty() {
            let start = self.tail_start();
            let bytes = self.tail.split().freeze();
            self.pieces.push_back(Piece { start, bytes });
        }
    }
}
