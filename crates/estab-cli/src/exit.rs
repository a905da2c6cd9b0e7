//! How the program ends.

use std::fmt;
use std::process::ExitCode;

/// The text about exit codes for `estab --help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done; of `lab run`: every expectation held; of `drill`: no script failed
  1  failed; of `lab run`: an expectation did not hold; of `drill`: a script failed
  2  the command line is wrong; of `drill`: a script is not written in the language
  3  the network of the command cannot be opened (a privilege or a device is missing)
  4  the other host cannot be reached, refuses, or does not answer
  5  the answer is an error, or was cut short
  130, 143  ended by Ctrl-C or SIGTERM while connected (of `serve` that is a good end, 0)";

/// A kind of failure, attached to an error as its context. Decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line is wrong in a way that clap does not see.
    Usage,
    /// The network of the command cannot be opened.
    Network,
    /// The other host cannot be reached.
    Connection,
    /// The answer is an error, or was cut short.
    Answer,
}

impl Failure {
    fn code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Network => 3,
            Self::Connection => 4,
            Self::Answer => 5,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usage => "wrong command line",
            Self::Network => "cannot open the network",
            Self::Connection => "no connection",
            Self::Answer => "no good answer",
        })
    }
}

impl std::error::Error for Failure {}

/// Standard output is closed: whoever read it has enough, which is no failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputClosed;

impl fmt::Display for OutputClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output is closed")
    }
}

impl std::error::Error for OutputClosed {}

/// The exit code for what a command came to; says on standard error what went wrong.
pub(crate) fn code(result: anyhow::Result<ExitCode>) -> ExitCode {
    let error = match result {
        Ok(code) => return code,
        Err(error) => error,
    };
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        let inner = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        cause.is::<OutputClosed>() || inner.is_some_and(|inner| inner.is::<OutputClosed>())
    };
    if error.chain().any(closed) {
        return ExitCode::SUCCESS;
    }
    eprintln!("estab: {error:#}");
    ExitCode::from(
        error
            .downcast_ref::<Failure>()
            .map_or(1, |failure| failure.code()),
    )
}
