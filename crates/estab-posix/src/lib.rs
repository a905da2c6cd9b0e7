//! Descriptors over estab's sockets, with Linux's calls, errors and numbers.

mod address;
mod descriptor;
mod epoll;
mod errno;
mod file;
mod options;
mod pipe;
mod poll;
mod posix;
mod socket;
mod splice;
mod table;
mod tcp_info;
mod transfer;
mod waiting;

pub use address::Address;
pub use epoll::EpollEvent;
pub use errno::Errno;
pub use poll::PollFd;
pub use posix::Posix;
pub use socket::Accepted;
pub use table::OPEN_MAX;
pub use transfer::{Message, Received, ReceivedMessage};
pub use waiting::{Polled, Waiting};
