use core::fmt;

/// Why a connection ended before its time. Each socket layer maps it to the error that programs know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionError {
    /// A RST answered our SYN, or ended a refused open (`ECONNREFUSED`).
    Refused,
    /// A RST came (`ECONNRESET`).
    Reset,
    /// Retransmission, keep-alive or the user timeout gave up (`ETIMEDOUT`).
    TimedOut,
    /// The caller aborted (`ECONNABORTED`).
    Aborted,
    /// ICMP: host unreachable (`EHOSTUNREACH`).
    HostUnreachable,
    /// ICMP: network unreachable (`ENETUNREACH`).
    NetworkUnreachable,
    /// ICMP: protocol not available (`ENOPROTOOPT`).
    ProtocolUnreachable,
    /// A limit of the stack was reached (`ENOBUFS`).
    NoBuffers,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::Reset => "connection reset by peer",
            Self::TimedOut => "connection timed out",
            Self::Aborted => "connection aborted",
            Self::HostUnreachable => "host unreachable",
            Self::NetworkUnreachable => "network unreachable",
            Self::ProtocolUnreachable => "protocol not available",
            Self::NoBuffers => "no buffer space available",
        })
    }
}

impl core::error::Error for ConnectionError {}

/// Why nothing could be queued (RFC 9293 3.10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The send buffer is full, or the connection is not yet open: wait for it to be writable.
    WouldBlock,
    /// The sending side was shut down, or the connection is gone (`EPIPE`).
    Closed,
    /// The connection failed; said once, then [`Closed`](Self::Closed).
    Failed(ConnectionError),
}

/// Why nothing could be read (RFC 9293 3.10.3). End of file is no error: it is `Ok(0)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// Nothing there yet: wait for it to be readable.
    WouldBlock,
    /// There is no urgent byte to read, or it was read (`EINVAL`).
    NoUrgent,
    /// The connection failed; said once, then end of file.
    Failed(ConnectionError),
}
