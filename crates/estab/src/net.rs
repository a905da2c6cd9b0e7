//! Blocking sockets, shaped like those of `std::net`.

mod intercept;
mod listener;
mod stream;
mod tcp_socket;
mod udp;

pub use intercept::{Interceptor, Request};
pub use listener::{Incoming, IntoIncoming, TcpListener};
pub use stream::TcpStream;
pub use tcp_socket::TcpSocket;
pub use udp::UdpSocket;

use crate::error;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Does something with each address until it works; the last error when it never does.
fn each_address<T>(
    addresses: impl ToSocketAddrs,
    mut attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut failed = None;
    for address in addresses.to_socket_addrs()? {
        match attempt(address) {
            Ok(done) => return Ok(done),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| error::invalid("no address to use")))
}
