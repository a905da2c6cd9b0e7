use core::fmt;

/// Why bytes are not the packet that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// A length points behind the end of what is there.
    Truncated,
    /// A field has a value that it must not have, or fields contradict each other.
    Malformed,
    /// The checksum is wrong.
    Checksum,
    /// Well formed as far as one can tell, but of a version or type that is not implemented.
    Unsupported,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Truncated => "truncated packet",
            Self::Malformed => "malformed packet",
            Self::Checksum => "wrong checksum",
            Self::Unsupported => "unsupported protocol version or type",
        })
    }
}

impl core::error::Error for Error {}
