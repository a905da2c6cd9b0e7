//! The kernel's errors as estab's.

use estab_stack::{Error, Wait};
use estab_tcp::ConnectionError;
use rustix::io::Errno;
use std::io;

/// What a call came to; `wait` is what it would have waited for.
pub(crate) fn stack_error(error: &io::Error, wait: Wait) -> Error {
    let Some(errno) = Errno::from_io_error(error) else {
        return Error::Invalid;
    };
    if let Some(error) = connection_error(error) {
        return Error::Connection(error);
    }
    match errno {
        Errno::AGAIN => Error::WouldBlock(wait),
        Errno::INPROGRESS => Error::InProgress,
        Errno::ALREADY => Error::AlreadyInProgress,
        Errno::BADF => Error::BadSocket,
        Errno::ADDRINUSE => Error::AddressInUse,
        Errno::ADDRNOTAVAIL => Error::AddressNotAvailable,
        Errno::AFNOSUPPORT => Error::FamilyNotSupported,
        Errno::ISCONN => Error::AlreadyConnected,
        Errno::NOTCONN => Error::NotConnected,
        Errno::DESTADDRREQ => Error::DestinationRequired,
        Errno::PIPE => Error::BrokenPipe,
        Errno::MSGSIZE => Error::MessageTooLong,
        Errno::OPNOTSUPP => Error::NotSupported,
        Errno::NOPROTOOPT => Error::NoSuchOption,
        Errno::NOBUFS | Errno::NOMEM => Error::NoBuffers,
        Errno::ACCESS | Errno::PERM => Error::Denied,
        _ => Error::Invalid,
    }
}

/// The error of a connection, if it is one.
pub(crate) fn connection_error(error: &io::Error) -> Option<ConnectionError> {
    Some(match Errno::from_io_error(error)? {
        Errno::CONNREFUSED => ConnectionError::Refused,
        Errno::CONNRESET => ConnectionError::Reset,
        Errno::TIMEDOUT => ConnectionError::TimedOut,
        Errno::CONNABORTED => ConnectionError::Aborted,
        Errno::HOSTUNREACH => ConnectionError::HostUnreachable,
        Errno::NETUNREACH => ConnectionError::NetworkUnreachable,
        _ => return None,
    })
}
