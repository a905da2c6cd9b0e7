//! Socket options by Linux's levels and numbers.

mod get;
mod set;
mod value;

use crate::socket::Socket;
use crate::{Errno, Posix};
use estab_stack::OptionName;
use estab_tcp::Instant;

/// What an option is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// One of the stack's.
    Stack(OptionName),
    /// Those that only this layer knows.
    Type,
    Domain,
    Protocol,
    AcceptConn,
    Error,
    SendLowWater,
    SendBufferForce,
    ReceiveBufferForce,
    ReceiveTimeout,
    SendTimeout,
    MemInfo,
    Mtu,
    Info,
    CongestionInfo,
}

const SO_MEMINFO: i32 = 55;
const SO_RCVTIMEO_NEW: i32 = 66;
const SO_SNDTIMEO_NEW: i32 = 67;
const TCP_CC_INFO: i32 = 26;
const TCP_NOTSENT_LOWAT: i32 = 25;
const TCP_USER_TIMEOUT: i32 = 18;

/// All options: level, number, what it is. What is not here is `ENOPROTOOPT`.
const TABLE: &[(i32, i32, Name)] = &[
    (
        libc::SOL_SOCKET,
        libc::SO_REUSEADDR,
        Name::Stack(OptionName::ReuseAddress),
    ),
    (libc::SOL_SOCKET, libc::SO_TYPE, Name::Type),
    (libc::SOL_SOCKET, libc::SO_ERROR, Name::Error),
    (
        libc::SOL_SOCKET,
        libc::SO_BROADCAST,
        Name::Stack(OptionName::Broadcast),
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_SNDBUF,
        Name::Stack(OptionName::SendBuffer),
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_RCVBUF,
        Name::Stack(OptionName::ReceiveBuffer),
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_SNDBUFFORCE,
        Name::SendBufferForce,
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_RCVBUFFORCE,
        Name::ReceiveBufferForce,
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_KEEPALIVE,
        Name::Stack(OptionName::Keepalive),
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_OOBINLINE,
        Name::Stack(OptionName::OobInline),
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_LINGER,
        Name::Stack(OptionName::Linger),
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_REUSEPORT,
        Name::Stack(OptionName::ReusePort),
    ),
    (
        libc::SOL_SOCKET,
        libc::SO_RCVLOWAT,
        Name::Stack(OptionName::ReceiveLowWater),
    ),
    (libc::SOL_SOCKET, libc::SO_SNDLOWAT, Name::SendLowWater),
    (libc::SOL_SOCKET, libc::SO_RCVTIMEO, Name::ReceiveTimeout),
    (libc::SOL_SOCKET, libc::SO_SNDTIMEO, Name::SendTimeout),
    (libc::SOL_SOCKET, SO_RCVTIMEO_NEW, Name::ReceiveTimeout),
    (libc::SOL_SOCKET, SO_SNDTIMEO_NEW, Name::SendTimeout),
    (libc::SOL_SOCKET, libc::SO_ACCEPTCONN, Name::AcceptConn),
    (libc::SOL_SOCKET, libc::SO_PROTOCOL, Name::Protocol),
    (libc::SOL_SOCKET, libc::SO_DOMAIN, Name::Domain),
    (libc::SOL_SOCKET, SO_MEMINFO, Name::MemInfo),
    (libc::SOL_IP, libc::IP_TOS, Name::Stack(OptionName::Tos)),
    (
        libc::SOL_IP,
        libc::IP_TTL,
        Name::Stack(OptionName::HopLimit),
    ),
    (libc::SOL_IP, libc::IP_MTU, Name::Mtu),
    (
        libc::SOL_IPV6,
        libc::IPV6_UNICAST_HOPS,
        Name::Stack(OptionName::HopLimit),
    ),
    (
        libc::SOL_IPV6,
        libc::IPV6_V6ONLY,
        Name::Stack(OptionName::V6Only),
    ),
    (
        libc::SOL_IPV6,
        libc::IPV6_TCLASS,
        Name::Stack(OptionName::Tos),
    ),
    (libc::SOL_IPV6, libc::IPV6_MTU, Name::Mtu),
    (
        libc::SOL_TCP,
        libc::TCP_NODELAY,
        Name::Stack(OptionName::NoDelay),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_MAXSEG,
        Name::Stack(OptionName::MaxSegment),
    ),
    (libc::SOL_TCP, libc::TCP_CORK, Name::Stack(OptionName::Cork)),
    (
        libc::SOL_TCP,
        libc::TCP_KEEPIDLE,
        Name::Stack(OptionName::KeepaliveIdle),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_KEEPINTVL,
        Name::Stack(OptionName::KeepaliveInterval),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_KEEPCNT,
        Name::Stack(OptionName::KeepaliveCount),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_SYNCNT,
        Name::Stack(OptionName::SynRetries),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_LINGER2,
        Name::Stack(OptionName::Linger2),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_DEFER_ACCEPT,
        Name::Stack(OptionName::DeferAccept),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_WINDOW_CLAMP,
        Name::Stack(OptionName::WindowClamp),
    ),
    (libc::SOL_TCP, libc::TCP_INFO, Name::Info),
    (
        libc::SOL_TCP,
        libc::TCP_QUICKACK,
        Name::Stack(OptionName::QuickAck),
    ),
    (
        libc::SOL_TCP,
        libc::TCP_CONGESTION,
        Name::Stack(OptionName::Congestion),
    ),
    (
        libc::SOL_TCP,
        TCP_USER_TIMEOUT,
        Name::Stack(OptionName::UserTimeout),
    ),
    (
        libc::SOL_TCP,
        TCP_NOTSENT_LOWAT,
        Name::Stack(OptionName::NotSentLowWater),
    ),
    (libc::SOL_TCP, TCP_CC_INFO, Name::CongestionInfo),
];

/// What a socket's option of this level and number is.
fn find(socket: &Socket, level: i32, name: i32) -> Result<Name, Errno> {
    let has = match level {
        libc::SOL_TCP => socket.stream,
        libc::SOL_IPV6 => socket.v6,
        _ => true,
    };
    TABLE
        .iter()
        .find(|(of, number, _)| has && (*of, *number) == (level, name))
        .map(|(_, _, name)| *name)
        .ok_or(Errno::ENOPROTOOPT)
}

impl Posix {
    /// The value of an option, cut to `room` bytes as Linux does.
    ///
    /// # Errors
    /// `EBADF`, `ENOTSOCK`. `ENOPROTOOPT`: not implemented, or not for such a socket. `EOPNOTSUPP`: an IPv4 socket has no such level.
    /// `ENOTCONN`: `IP_MTU` without a connection.
    pub fn getsockopt(
        &mut self,
        now: Instant,
        fd: i32,
        level: i32,
        name: i32,
        room: usize,
    ) -> Result<Vec<u8>, Errno> {
        let file = self.table.file(fd)?;
        let socket = self.file_socket(file)?;
        let name = find(socket, level, name).map_err(|errno| match level {
            libc::SOL_SOCKET | libc::SOL_IP | libc::SOL_UDP => errno,
            libc::SOL_TCP if socket.stream => errno,
            // As Linux answers for levels that an IPv4 socket does not have; setting is another matter.
            _ if !socket.v6 => Errno::EOPNOTSUPP,
            _ => errno,
        })?;
        let mut value = self.get_option(now, file, name)?;
        // IPv4's options that fit a byte are one when there is no room for more.
        if level == libc::SOL_IP && (1..4).contains(&room) && value.iter().skip(1).all(|b| *b == 0)
        {
            value.truncate(1);
        }
        value.truncate(room);
        Ok(value)
    }

    /// Sets an option. Its value is what Linux takes; an `int` for most.
    ///
    /// # Errors
    /// `EBADF`, `ENOTSOCK`. `ENOPROTOOPT`: not implemented, or not to be set, or not for such a socket. `EINVAL`: too short, or no value that
    /// it can have. `EDOM`: no time of day. `ENOENT`: no such congestion control.
    pub fn setsockopt(
        &mut self,
        now: Instant,
        fd: i32,
        level: i32,
        name: i32,
        value: &[u8],
    ) -> Result<(), Errno> {
        let file = self.table.file(fd)?;
        let socket = self.file_socket(file)?;
        let found = find(socket, level, name);
        // As in Linux these levels want an int before they look at the name.
        let text = found == Ok(Name::Stack(OptionName::Congestion));
        let wants_int = level == libc::SOL_SOCKET || (level == libc::SOL_TCP && socket.stream);
        if wants_int && !text && value.len() < 4 {
            return Err(Errno::EINVAL);
        }
        self.set_option(now, file, level, found?, value)
    }
}

#[cfg(test)]
mod tests;
