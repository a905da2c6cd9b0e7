use crate::Errno;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Bytes of a `sockaddr_in`.
const IN_LEN: usize = 16;
/// Bytes of a `sockaddr_in6`.
const IN6_LEN: usize = 28;
/// Linux takes an IPv6 address without its scope, as RFC 2133 had it.
const IN6_SHORT_LEN: usize = 24;
/// Bytes of a `sockaddr_storage`: no address is longer.
const STORAGE_LEN: usize = 128;

const UNSPEC: u16 = libc::AF_UNSPEC as u16;
const INET: u16 = libc::AF_INET as u16;
const INET6: u16 = libc::AF_INET6 as u16;

/// A socket address as the calls take and give it: the bytes of a `sockaddr_in` or `sockaddr_in6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Vec<u8>);

impl Address {
    /// The bytes of a `sockaddr`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// An address as a socket of this family shows it: IPv4 addresses are mapped for an IPv6 socket.
    pub fn new(address: SocketAddr, v6_socket: bool) -> Self {
        match address {
            SocketAddr::V4(v4) if v6_socket => {
                let ip = v4.ip().to_ipv6_mapped();
                Self::v6(SocketAddrV6::new(ip, v4.port(), 0, 0))
            }
            SocketAddr::V4(v4) => Self::v4(v4),
            SocketAddr::V6(v6) => Self::v6(v6),
        }
    }

    fn v4(address: SocketAddrV4) -> Self {
        let mut bytes = Vec::with_capacity(IN_LEN);
        bytes.extend(INET.to_ne_bytes());
        bytes.extend(address.port().to_be_bytes());
        bytes.extend(address.ip().octets());
        bytes.resize(IN_LEN, 0);
        Self(bytes)
    }

    fn v6(address: SocketAddrV6) -> Self {
        let mut bytes = Vec::with_capacity(IN6_LEN);
        bytes.extend(INET6.to_ne_bytes());
        bytes.extend(address.port().to_be_bytes());
        bytes.extend(address.flowinfo().to_ne_bytes());
        bytes.extend(address.ip().octets());
        bytes.extend(address.scope_id().to_ne_bytes());
        Self(bytes)
    }

    /// Reads the bytes of a `sockaddr`.
    ///
    /// # Errors
    /// `EINVAL`: too short for its family. `EAFNOSUPPORT`: another family.
    pub fn parse(bytes: &[u8]) -> Result<SocketAddr, Errno> {
        match family(bytes)? {
            INET => parse_v4(bytes).map(SocketAddr::V4),
            INET6 => parse_v6(bytes).map(SocketAddr::V6),
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }
}

/// What a call makes of an address that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Address(SocketAddr),
    /// `AF_UNSPEC`.
    Unspecified,
}

/// The socket that an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct For {
    pub(crate) v6: bool,
    pub(crate) stream: bool,
}

/// The address of `bind`.
pub(crate) fn for_bind(bytes: &[u8], socket: For) -> Result<SocketAddr, Errno> {
    check_storage(bytes)?;
    if socket.v6 {
        return of_family(bytes, INET6, IN6_SHORT_LEN);
    }
    if bytes.len() >= IN_LEN && family(bytes)? == UNSPEC {
        // As Linux does for old programs.
        let address = parse_v4(bytes)?;
        return match address.ip().is_unspecified() {
            true => Ok(address.into()),
            false => Err(Errno::EAFNOSUPPORT),
        };
    }
    of_family(bytes, INET, IN_LEN)
}

/// The address of `connect`.
pub(crate) fn for_connect(bytes: &[u8], socket: For) -> Result<Given, Errno> {
    check_storage(bytes)?;
    if family(bytes)? == UNSPEC {
        return Ok(Given::Unspecified);
    }
    // IPv6 sockets for datagrams take plain IPv4 addresses, those for streams do not.
    let address = match socket.v6 {
        true if !socket.stream && family(bytes)? == INET => of_family(bytes, INET, IN_LEN),
        true => of_family(bytes, INET6, IN6_SHORT_LEN),
        false => of_family(bytes, INET, IN_LEN),
    };
    address.map(Given::Address)
}

/// The address of `sendto` on a socket for datagrams.
pub(crate) fn for_send(bytes: &[u8], v6: bool) -> Result<Given, Errno> {
    check_storage(bytes)?;
    if !v6 {
        if bytes.len() < IN_LEN {
            return Err(Errno::EINVAL);
        }
        return match family(bytes)? {
            // Linux takes it for an IPv4 address.
            UNSPEC | INET => parse_v4(bytes).map(|v4| Given::Address(v4.into())),
            _ => Err(Errno::EAFNOSUPPORT),
        };
    }
    match family(bytes)? {
        UNSPEC => Ok(Given::Unspecified),
        INET => of_family(bytes, INET, IN_LEN).map(Given::Address),
        INET6 => of_family(bytes, INET6, IN6_SHORT_LEN).map(Given::Address),
        _ => Err(Errno::EINVAL),
    }
}

/// No address is longer than the largest one.
pub(crate) fn check_storage(bytes: &[u8]) -> Result<(), Errno> {
    match bytes.len() <= STORAGE_LEN {
        true => Ok(()),
        false => Err(Errno::EINVAL),
    }
}

fn of_family(bytes: &[u8], wanted: u16, least: usize) -> Result<SocketAddr, Errno> {
    if bytes.len() < least {
        return Err(Errno::EINVAL);
    }
    if family(bytes)? != wanted {
        return Err(Errno::EAFNOSUPPORT);
    }
    Address::parse(bytes)
}

fn family(bytes: &[u8]) -> Result<u16, Errno> {
    array(bytes, 0).map(u16::from_ne_bytes)
}

fn parse_v4(bytes: &[u8]) -> Result<SocketAddrV4, Errno> {
    if bytes.len() < IN_LEN {
        return Err(Errno::EINVAL);
    }
    let port = u16::from_be_bytes(array(bytes, 2)?);
    let ip = Ipv4Addr::from(array::<4>(bytes, 4)?);
    Ok(SocketAddrV4::new(ip, port))
}

fn parse_v6(bytes: &[u8]) -> Result<SocketAddrV6, Errno> {
    if bytes.len() < IN6_SHORT_LEN {
        return Err(Errno::EINVAL);
    }
    let port = u16::from_be_bytes(array(bytes, 2)?);
    let flow = u32::from_ne_bytes(array(bytes, 4)?);
    let ip = Ipv6Addr::from(array::<16>(bytes, 8)?);
    let scope = array(bytes, 24).map_or(0, u32::from_ne_bytes);
    Ok(SocketAddrV6::new(ip, port, flow, scope))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Errno> {
    let bytes = bytes.get(at..at + N).ok_or(Errno::EINVAL)?;
    bytes.try_into().map_err(|_| Errno::EINVAL)
}
