//! Standard output, with a quiet end when its reader has gone.

use crate::exit::OutputClosed;
use std::io::{self, Stdout, Write};

/// Standard output. When its reader is gone, errors carry [`OutputClosed`], which ends the program quietly; a broken pipe of
/// a socket is never mistaken for it.
#[derive(Debug)]
pub(crate) struct Output(Stdout);

/// The output of this process.
pub(crate) fn stdout() -> Output {
    Output(io::stdout())
}

fn marked<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::new(io::ErrorKind::BrokenPipe, OutputClosed),
        _ => error,
    })
}

impl Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        marked(self.0.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        marked(self.0.flush())
    }
}
