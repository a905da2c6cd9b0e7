//! Socket options of estab on the kernel's sockets.

use super::socket::Socket;
use estab_stack::{Linger, SocketOption};
use rustix::io::Errno;
use rustix::net::sockopt;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// Sets one. Times are whole seconds where the kernel counts them so.
///
/// # Errors
/// The kernel refuses, or the option is not one that a scenario can set here.
pub(crate) fn set(socket: &Socket, option: &SocketOption) -> io::Result<()> {
    let fd = socket.as_fd();
    let bytes = |bytes: u32| bytes as usize;
    match *option {
        SocketOption::ReuseAddress(on) => sockopt::set_socket_reuseaddr(fd, on),
        SocketOption::ReusePort(on) => sockopt::set_socket_reuseport(fd, on),
        SocketOption::Keepalive(on) => sockopt::set_socket_keepalive(fd, on),
        SocketOption::OobInline(on) => sockopt::set_socket_oobinline(fd, on),
        SocketOption::Broadcast(on) => sockopt::set_socket_broadcast(fd, on),
        SocketOption::Linger(Linger::Off) => sockopt::set_socket_linger(fd, None),
        SocketOption::Linger(Linger::Abort) => sockopt::set_socket_linger(fd, Some(Duration::ZERO)),
        // The kernel doubles these for its bookkeeping; half of that is for data.
        SocketOption::SendBuffer(size) => sockopt::set_socket_send_buffer_size(fd, bytes(size)),
        SocketOption::ReceiveBuffer(size) => sockopt::set_socket_recv_buffer_size(fd, bytes(size)),
        SocketOption::NoDelay(on) => sockopt::set_tcp_nodelay(fd, on),
        SocketOption::Cork(on) => sockopt::set_tcp_cork(fd, on),
        SocketOption::QuickAck(on) => sockopt::set_tcp_quickack(fd, on),
        SocketOption::KeepaliveIdle(time) => sockopt::set_tcp_keepidle(fd, time),
        SocketOption::KeepaliveInterval(time) => sockopt::set_tcp_keepintvl(fd, time),
        SocketOption::KeepaliveCount(count) => sockopt::set_tcp_keepcnt(fd, count.into()),
        SocketOption::UserTimeout(time) => {
            let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
            sockopt::set_tcp_user_timeout(fd, millis)
        }
        SocketOption::Tos(tos) => sockopt::set_ip_tos(fd, tos),
        SocketOption::HopLimit(ttl) => sockopt::set_ip_ttl(fd, ttl.into()),
        SocketOption::V6Only(on) => sockopt::set_ipv6_v6only(fd, on),
        _ => Err(Errno::NOPROTOOPT),
    }?;
    Ok(())
}
