//! Descriptors over estab's sockets, with Linux's calls, errors and numbers.
//!
//! [`Posix`] is a process' table of descriptors over one [`Stack`](estab_stack::Stack): sockets, epolls, pipes. It supplies waiting and numbers;
//! what a socket does is the stack's. Whoever has programs, scripts or a C interface to serve builds on it: packets and time go through it
//! as through a stack, and no call ever sleeps. A call that must wait gives `Pending`; it is made again with the same [`Waiting`] when
//! something has moved.
//!
//! # Example
//!
//! A process that speaks with itself over 127.0.0.1, which is there from the start.
//!
//! ```
//! use core::task::Poll;
//! use estab_posix::{Errno, Posix, Waiting};
//! use estab_stack::{Stack, StackConfig};
//! use estab_tcp::{Instant, Settings};
//!
//! /// Delivers what is on its way. Without another interface nothing comes out.
//! fn deliver(posix: &mut Posix, now: Instant) {
//!     while posix.poll_transmit(now).is_some() {}
//! }
//!
//! # fn main() -> Result<(), Errno> {
//! // A program takes its seed from the system's random numbers.
//! let stack = Stack::new(StackConfig { seed: [7; 32], settings: Settings::default() });
//! let mut posix = Posix::new(stack);
//! let now = Instant::ZERO;
//!
//! // A listener on a free port, as bytes of a `sockaddr_in`.
//! let listener = posix.socket(libc::AF_INET, libc::SOCK_STREAM, 0)?;
//! let any_port = estab_posix::Address::new("127.0.0.1:0".parse().unwrap(), false);
//! posix.bind(listener, any_port.as_bytes())?;
//! posix.listen(now, listener, 8)?;
//! let address = posix.getsockname(listener)?;
//!
//! // A blocking connect waits for the other side ...
//! let client = posix.socket(libc::AF_INET, libc::SOCK_STREAM, 0)?;
//! let mut waiting = Waiting::new();
//! assert_eq!(posix.connect(now, client, address.as_bytes(), &mut waiting), Poll::Pending);
//! deliver(&mut posix, now);
//! // ... and is made again when something has moved.
//! assert_eq!(posix.connect(now, client, address.as_bytes(), &mut waiting), Poll::Ready(Ok(())));
//!
//! let Poll::Ready(accepted) = posix.accept4(now, listener, libc::SOCK_NONBLOCK, &mut Waiting::new()) else {
//!     panic!("one is there");
//! };
//! let server = accepted?.fd;
//! let mut buffer = [0; 16];
//! let nothing_yet = posix.read(now, server, &mut buffer, &mut Waiting::new());
//! assert_eq!(nothing_yet, Poll::Ready(Err(Errno::EAGAIN)));
//!
//! assert_eq!(posix.write(now, client, b"hello", &mut Waiting::new()), Poll::Ready(Ok(5)));
//! deliver(&mut posix, now);
//! assert_eq!(posix.read(now, server, &mut buffer, &mut Waiting::new()), Poll::Ready(Ok(5)));
//! assert_eq!(&buffer[..5], b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! # What is not as in Linux
//!
//! `tests/linux` makes the same calls over Linux and compares results, errors, bits and bytes. These differ on purpose:
//!
//! - Whatever is not implemented is an error: options are `ENOPROTOOPT`, flags of sending `EOPNOTSUPP` (`MSG_ZEROCOPY`, `MSG_FASTOPEN`; for datagrams
//!   also `MSG_MORE`, `MSG_DONTROUTE`), control messages that Linux would obey `EINVAL`, families and types `EAFNOSUPPORT` and `ESOCKTNOSUPPORT`.
//!   `SO_SNDBUF` of a UDP socket is among them. Options that have no effect on such a socket in Linux either are remembered here too.
//! - There is no epoll in an epoll (`EINVAL`), no pipe of packets, no splicing of datagrams. A pipe counts bytes, not pages.
//! - A descriptor that is closed ends the calls that wait on it with `EBADF`; in Linux they go on. There are no signals, so no `SIGPIPE`, and no
//!   `EINTR`.
//! - Closing a non-blocking socket does not wait, whatever `SO_LINGER` says; when the wait of a blocking one is over, `close` gives `EAGAIN`, and the
//!   connection is reset.
//! - `IP_TOS` and `IPV6_TCLASS`, `IP_TTL` and `IPV6_UNICAST_HOPS` of an IPv6 socket are one option each. Hops of zero are refused.
//! - Buffers may be as large as is asked for; there is no `rmem_max` or `wmem_max`.
//! - `TCP_INFO` counts bytes of the stream, not SYN and FIN with them; segments that are on their way are reckoned from bytes. What estab does not
//!   know is zero.
//! - Defaults are those of the stack's settings.
//!
//! Differences of TCP itself stand in `docs/deviations.md`.

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
