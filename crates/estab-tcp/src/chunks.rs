use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

/// Payload in pieces that share memory with the send queue. Cloning counts references, it copies nothing.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    pieces: SmallVec<[Bytes; 2]>,
    len: usize,
}

impl Chunks {
    /// No payload.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a piece; an empty one is left out.
    pub fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push(piece);
        }
    }

    /// Bytes in all pieces.
    pub fn len(&self) -> usize {
        self.len
    }

    /// No byte at all?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pieces in order.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// Bytes `start..end` of the payload, sharing its memory.
    ///
    /// # Panics
    /// When the range is not inside the payload.
    pub fn slice(&self, start: usize, end: usize) -> Self {
        assert!(
            start <= end && end <= self.len,
            "a range inside the payload"
        );
        let mut out = Self::new();
        let mut at = 0;
        for piece in &self.pieces {
            let from = start.saturating_sub(at).min(piece.len());
            let to = end.saturating_sub(at).min(piece.len());
            out.push(piece.slice(from..to));
            at += piece.len();
        }
        out
    }
}

impl From<Bytes> for Chunks {
    fn from(piece: Bytes) -> Self {
        let mut chunks = Self::new();
        chunks.push(piece);
        chunks
    }
}

/// Largest buffer that small writes or segments gather in.
pub(crate) const BUFFER_MAX: usize = 64 << 10;
/// Smallest one, so that a connection that says little holds little.
pub(crate) const BUFFER_MIN: usize = 512;

/// A buffer for small pieces: it grows with the bytes that a queue will hold.
pub(crate) fn buffer(queued: usize) -> BytesMut {
    let capacity = queued.checked_next_power_of_two().unwrap_or(BUFFER_MAX);
    BytesMut::with_capacity(capacity.clamp(BUFFER_MIN, BUFFER_MAX))
}

/// Copies into the free part of a buffer; how many bytes.
pub(crate) fn fill(buffer: &mut BytesMut, data: &[u8]) -> usize {
    let room = buffer.capacity() - buffer.len();
    let (now, _) = data.split_at(room.min(data.len()));
    buffer.extend_from_slice(now);
    now.len()
}

#[cfg(test)]
mod tests;
