//! Sockets for tokio, with the names and traits of `tokio::net`.
//!
//! The first such socket that is opened inside a runtime makes a task of that runtime drive the host; it must have IO
//! enabled. While the runtime runs nothing (a current-thread runtime outside `block_on`) that task does not run either,
//! and nothing is sent or answered; when the runtime is dropped, the host's background thread takes over. Opened outside
//! a runtime, the sockets work with any executor, and the background thread drives the host.
//!
//! All calls are safe to cancel: a future that is dropped has done all of its work or nothing. Each may be
//! made from any number of tasks, except the `poll_*` calls, which remember one task for each direction.
//!
//! ```no_run
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # async fn run(host: estab::Host) -> std::io::Result<()> {
//! let mut stream = estab::tokio::TcpStream::connect(&host, "10.0.0.1:7").await?;
//! stream.write_all(b"hello").await?;
//! stream.shutdown().await?;
//! let mut echoed = String::new();
//! stream.read_to_string(&mut echoed).await?;
//! # Ok(())
//! # }
//! ```

mod call;
mod intercept;
mod listener;
mod split;
mod stream;
mod tcp_socket;
mod udp;

pub use intercept::{Interceptor, Request};
pub use listener::TcpListener;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use stream::TcpStream;
pub use tcp_socket::TcpSocket;
pub use udp::UdpSocket;

use crate::error;
use std::io;
use std::net::SocketAddr;
use tokio::net::ToSocketAddrs;

/// The addresses that a name stands for.
async fn resolve(addresses: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host(addresses).await?.collect())
}

/// What to say after the last address has failed.
fn no_address(failed: Option<io::Error>) -> io::Error {
    failed.unwrap_or_else(|| error::invalid("no address to use"))
}
