//! Bodies of responses: bytes at hand, and pieces of files read as they are sent.

use super::range::Span;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};

/// Read from a file at once.
const CHUNK: u64 = 256 << 10;

/// A part of a body.
#[derive(Debug)]
pub(crate) enum Part {
    /// Bytes at hand.
    Bytes(Bytes),
    /// A piece of the body's file.
    File(Span),
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(span) => span.len,
        }
    }
}

/// The body of a response. Holds one chunk of a file at a time.
#[derive(Debug, Default)]
pub(crate) struct Body {
    file: Option<Arc<File>>,
    parts: VecDeque<Part>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    remaining: u64,
}

impl Body {
    /// Parts, one after the other; those of the file are pieces of `file`.
    pub(crate) fn new(file: File, parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: VecDeque<Part> = parts.into_iter().collect();
        Self {
            remaining: parts.iter().map(Part::len).sum(),
            file: Some(Arc::new(file)),
            parts,
            reading: None,
        }
    }

    /// How many bytes are still to come.
    pub(crate) fn len(&self) -> u64 {
        self.remaining
    }

    /// Cuts the next chunk off the first part; `Ok` when it is at hand, `Err` when it must be read.
    fn next_chunk(&mut self) -> Option<Result<Bytes, Span>> {
        loop {
            match self.parts.front_mut()? {
                Part::File(span) if span.len > 0 => {
                    let piece = Span {
                        start: span.start,
                        len: span.len.min(CHUNK),
                    };
                    span.start += piece.len;
                    span.len -= piece.len;
                    return Some(Err(piece));
                }
                Part::Bytes(bytes) if !bytes.is_empty() => return Some(Ok(std::mem::take(bytes))),
                _ => drop(self.parts.pop_front()),
            }
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self {
            remaining: bytes.len() as u64,
            parts: VecDeque::from([Part::Bytes(bytes)]),
            ..Self::default()
        }
    }
}

/// Reads a piece whole. A file that became shorter is an error: the client must see that its answer is not complete.
fn read(file: &File, piece: Span) -> io::Result<Bytes> {
    let len = usize::try_from(piece.len).map_err(io::Error::other)?;
    let mut buffer = vec![0; len];
    file.read_exact_at(&mut buffer, piece.start)?;
    Ok(buffer.into())
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let chunk = loop {
            if let Some(reading) = &mut this.reading {
                let result = ready!(Pin::new(reading).poll(cx));
                this.reading = None;
                break result.map_err(io::Error::other)?;
            }
            match (this.next_chunk(), &this.file) {
                (None, _) => return Poll::Ready(None),
                (Some(Ok(bytes)), _) => break Ok(bytes),
                (Some(Err(piece)), Some(file)) => {
                    let file = Arc::clone(file);
                    this.reading = Some(spawn_blocking(move || read(&file, piece)));
                }
                (Some(Err(_)), None) => return Poll::Ready(None),
            }
        }?;
        this.remaining -= chunk.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
