use crate::Errno;
use core::net::SocketAddr;

/// A socket address as the calls take and give it: the bytes of a `sockaddr_in` or `sockaddr_in6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Vec<u8>);

impl Address {
    /// The bytes of a `sockaddr`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// An address as a socket of this family shows it: IPv4 addresses are mapped for an IPv6 socket.
    pub fn new(_address: SocketAddr, _v6_socket: bool) -> Self {
        todo!()
    }

    /// Reads the bytes of a `sockaddr`.
    ///
    /// # Errors
    /// `EINVAL`: too short for its family. `EAFNOSUPPORT`: another family.
    pub fn parse(_bytes: &[u8]) -> Result<SocketAddr, Errno> {
        todo!()
    }
}
