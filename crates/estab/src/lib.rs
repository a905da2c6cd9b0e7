//! TCP/IP in user space: sockets shaped like those of `std::net` and of tokio, on hosts that live in this process.
//!
//! A [`Host`] has addresses, routes and devices. A device moves packets: a TUN or TAP device to the kernel of this
//! machine, a cable in memory to another host in this process, or anything that implements
//! [`Device`](estab_device::Device). As there is no global host, what opens a socket takes one:
//!
//! ```
//! use estab::{Host, TcpListener, TcpStream};
//! use std::io::{Read, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! // A cable in memory, and a host at each end.
//! let (left, right) = estab_device::memory::pair(Default::default());
//! let server = Host::builder()
//!     .device("left", left)
//!     .address([10, 0, 0, 1].into(), 24)
//!     .build()?;
//! let client = Host::builder()
//!     .device("right", right)
//!     .address([10, 0, 0, 2].into(), 24)
//!     .build()?;
//!
//! let listener = TcpListener::bind(&server, "10.0.0.1:7")?;
//! let mut connecting = TcpStream::connect(&client, "10.0.0.1:7")?;
//! let (mut accepted, peer) = listener.accept()?;
//! assert_eq!(peer, connecting.local_addr()?);
//!
//! connecting.write_all(b"hello")?;
//! connecting.close()?;
//! let mut text = String::new();
//! accepted.read_to_string(&mut text)?;
//! assert_eq!(text, "hello");
//! assert_eq!(accepted.state()?, estab::State::CloseWait);
//! # Ok(())
//! # }
//! ```
//!
//! # Two layers of sockets
//!
//! [`TcpListener`], [`TcpStream`], [`TcpSocket`] and [`UdpSocket`] wait in the calling thread. With the feature `tokio`,
#![cfg_attr(
    feature = "tokio",
    doc = "the module [`tokio`] has the same for tasks, with tokio's traits."
)]
#![cfg_attr(
    not(feature = "tokio"),
    doc = "the module `tokio` has the same for tasks, with tokio's traits."
)]
//! Both stand on the same sockets of the stack, and a socket can change from one to the other. Beyond what `std` has,
//! there is `close`, which tells what came of the data that was queued, `abort`, `info`, `state`, and one list of
//! options ([`SocketOption`]) that are either implemented or an error. An [`Interceptor`] takes connections to any address
//! and any port, and decides on each before it is answered.
//!
//! Errors are [`std::io::Error`] with the `raw_os_error` that the kernel's sockets would give, and so the same kind.
//!
//! # Who moves the packets
//!
//! Nobody has to: the thread that waits in a call drives the devices, a call that sends does so before it returns, and a
//! background thread, one for each host, takes over when nobody has waited for a few milliseconds. A request and its
//! answer then cost no hand-over between threads. On tokio, a task of the runtime does it.
//!
//! # Ending
//!
//! Dropping a socket closes it without waiting; what was written is still delivered while the host lives. The host lives
//! as long as a handle or a socket of it; [`Host::shutdown`] closes everything in order and reports what could not be
//! delivered. Things may be dropped in any order.
//!
//! # Examples
//!
//! In the crate's `examples`: `two_hosts`, `echo`, `echo_tokio`, `own_device` (a device of one's own), `embedded` (the
//! stack without this crate's driver), `peer` (to be measured).

#![forbid(unsafe_code)]

mod clock;
mod driver;
mod error;
mod host;
mod net;
mod options;
mod request;
mod socket;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use driver::DriverCounters;
pub use estab_stack::{
    Cidr, Counters, Echo, EchoReply, InterfaceId, Linger, MessageFlags, OptionName, Readiness,
    Route, SocketOption, UdpReceived,
};
pub use estab_tcp::{IcmpErrorKind, Settings, State, TcpInfo};
pub use host::{Host, HostBuilder, Report, Undelivered};
pub use net::{
    Incoming, Interceptor, IntoIncoming, Request, TcpListener, TcpSocket, TcpStream, UdpSocket,
};

/// The example of the README, tested.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
