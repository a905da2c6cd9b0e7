//! Descriptors over estab's sockets, with Linux's numbers.

mod address;
mod errno;
mod posix;

pub use address::Address;
pub use errno::Errno;
pub use posix::{
    Accepted, EpollEvent, Message, PollFd, Polled, Posix, Received, ReceivedMessage, Waiting,
};
