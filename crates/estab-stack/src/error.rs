use core::fmt;
use estab_tcp::ConnectionError;

/// What a call that cannot be completed now waits for. Try again when it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// [`Readiness::READABLE`](crate::Readiness::READABLE).
    Readable,
    /// [`Readiness::WRITABLE`](crate::Readiness::WRITABLE).
    Writable,
    /// [`StackEvent::Closed`](crate::StackEvent::Closed): a lingering close is over.
    Closed,
}

/// Why a call failed. The names are those of `errno`, which the socket layers map them to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// `EAGAIN`: the call would wait for this.
    WouldBlock(Wait),
    /// `EINPROGRESS`: the connection is being opened; wait until the socket is writable.
    InProgress,
    /// `EALREADY`: it is being opened already.
    AlreadyInProgress,
    /// `EBADF`: there is no such socket.
    BadSocket,
    /// `EINVAL`.
    Invalid,
    /// `EADDRINUSE`.
    AddressInUse,
    /// `EADDRNOTAVAIL`: not an address of this host, or no port is free.
    AddressNotAvailable,
    /// `EAFNOSUPPORT`.
    FamilyNotSupported,
    /// `EISCONN`.
    AlreadyConnected,
    /// `ENOTCONN`.
    NotConnected,
    /// `EDESTADDRREQ`.
    DestinationRequired,
    /// `EPIPE`.
    BrokenPipe,
    /// `EMSGSIZE`.
    MessageTooLong,
    /// `EOPNOTSUPP`: this kind of socket cannot do it.
    NotSupported,
    /// `ENOPROTOOPT`: the option is not implemented.
    NoSuchOption,
    /// `ENOBUFS`: a limit of the stack was reached.
    NoBuffers,
    /// `ENETUNREACH`: no route.
    NetworkUnreachable,
    /// `EHOSTUNREACH`: the neighbour or the host does not answer.
    HostUnreachable,
    /// `EACCES`: broadcast without permission.
    Denied,
    /// `EWOULDBLOCK` from a lingering close: its time is over, and what was not delivered was dropped with a reset. The
    /// socket is gone.
    LingerTimedOut,
    /// The connection failed.
    Connection(ConnectionError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WouldBlock(_) => "operation would block",
            Self::InProgress => "operation now in progress",
            Self::AlreadyInProgress => "operation already in progress",
            Self::BadSocket => "bad socket",
            Self::Invalid => "invalid argument",
            Self::AddressInUse => "address already in use",
            Self::AddressNotAvailable => "cannot assign requested address",
            Self::FamilyNotSupported => "address family not supported",
            Self::AlreadyConnected => "socket is already connected",
            Self::NotConnected => "socket is not connected",
            Self::DestinationRequired => "destination address required",
            Self::BrokenPipe => "broken pipe",
            Self::MessageTooLong => "message too long",
            Self::NotSupported => "operation not supported",
            Self::NoSuchOption => "protocol option not available",
            Self::NoBuffers => "no buffer space available",
            Self::NetworkUnreachable => "network is unreachable",
            Self::HostUnreachable => "no route to host",
            Self::Denied => "permission denied",
            Self::LingerTimedOut => "not all data was delivered within the linger time",
            Self::Connection(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for Error {}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        Self::Connection(error)
    }
}
