//! The stack's errors as `io::Error`, in one place.

use estab_stack::Error;
use estab_tcp::ConnectionError;
use rustix::io::Errno;
use std::io;

/// The error that `std::net` would give: its `raw_os_error` is Linux's `errno`, and its kind follows from that.
pub(crate) fn io_error(error: Error) -> io::Error {
    io::Error::from_raw_os_error(errno(error).raw_os_error())
}

/// The same for the pending error of a socket (`SO_ERROR`).
pub(crate) fn connection_error(error: ConnectionError) -> io::Error {
    io_error(Error::Connection(error))
}

/// What every call gives after the host was shut down.
pub(crate) fn down() -> io::Error {
    io::Error::from_raw_os_error(Errno::NETDOWN.raw_os_error())
}

/// A call's time-out has passed. As with `SO_RCVTIMEO` on Unix, the kind is `WouldBlock`.
pub(crate) fn timed_out() -> io::Error {
    io::Error::from_raw_os_error(Errno::AGAIN.raw_os_error())
}

/// `EINVAL`.
pub(crate) fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn errno(error: Error) -> Errno {
    match error {
        Error::WouldBlock(_) | Error::LingerTimedOut => Errno::AGAIN,
        Error::InProgress => Errno::INPROGRESS,
        Error::AlreadyInProgress => Errno::ALREADY,
        // There is no descriptor that could be bad: a clone of the socket was aborted.
        Error::BadSocket => Errno::CONNABORTED,
        Error::Invalid => Errno::INVAL,
        Error::AddressInUse => Errno::ADDRINUSE,
        Error::AddressNotAvailable => Errno::ADDRNOTAVAIL,
        Error::FamilyNotSupported => Errno::AFNOSUPPORT,
        Error::AlreadyConnected => Errno::ISCONN,
        Error::NotConnected => Errno::NOTCONN,
        Error::DestinationRequired => Errno::DESTADDRREQ,
        Error::BrokenPipe => Errno::PIPE,
        Error::MessageTooLong => Errno::MSGSIZE,
        Error::NotSupported => Errno::OPNOTSUPP,
        Error::NoSuchOption => Errno::NOPROTOOPT,
        Error::NoBuffers => Errno::NOBUFS,
        Error::NetworkUnreachable => Errno::NETUNREACH,
        Error::HostUnreachable => Errno::HOSTUNREACH,
        Error::Denied => Errno::ACCESS,
        Error::Connection(error) => match error {
            ConnectionError::Refused => Errno::CONNREFUSED,
            ConnectionError::Reset => Errno::CONNRESET,
            ConnectionError::TimedOut => Errno::TIMEDOUT,
            ConnectionError::Aborted => Errno::CONNABORTED,
            ConnectionError::HostUnreachable => Errno::HOSTUNREACH,
            ConnectionError::NetworkUnreachable => Errno::NETUNREACH,
            ConnectionError::ProtocolUnreachable => Errno::NOPROTOOPT,
            ConnectionError::NoBuffers => Errno::NOBUFS,
        },
    }
}
