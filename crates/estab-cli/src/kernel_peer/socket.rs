//! Sockets of the kernel that never wait.

use estab_stack::Readiness;
use estab_tcp::{Shutdown, State};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// A socket. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// A TCP socket, or one of UDP.
    pub(crate) fn new(v6: bool, kind: SocketType) -> io::Result<Self> {
        let family = if v6 {
            AddressFamily::INET6
        } else {
            AddressFamily::INET
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = net::socket_with(family, kind, flags, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        Ok(Self(socket))
    }

    pub(crate) fn bind(&self, address: SocketAddr) -> io::Result<()> {
        Ok(net::bind(&self.0, &address)?)
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        Ok(net::listen(
            &self.0,
            i32::try_from(backlog).unwrap_or(i32::MAX),
        )?)
    }

    /// Begins to connect.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        match net::connect(&self.0, &address) {
            Err(Errno::INPROGRESS) => Ok(()),
            result => Ok(result?),
        }
    }

    /// A connection that waits to be accepted, if there is one.
    pub(crate) fn accept(&self) -> io::Result<Option<Self>> {
        match net::accept_with(&self.0, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            Ok(socket) => Ok(Some(Self(socket))),
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// `urgent`: the last byte is (`MSG_OOB`).
    pub(crate) fn send(&self, data: &[u8], urgent: bool) -> io::Result<usize> {
        let oob = if urgent {
            SendFlags::OOB
        } else {
            SendFlags::empty()
        };
        Ok(net::send(&self.0, data, SendFlags::NOSIGNAL | oob)?)
    }

    pub(crate) fn send_to(&self, data: &[u8], address: SocketAddr) -> io::Result<usize> {
        Ok(net::sendto(&self.0, data, SendFlags::NOSIGNAL, &address)?)
    }

    /// `urgent`: the urgent byte.
    pub(crate) fn receive(&self, buffer: &mut [u8], urgent: bool) -> io::Result<usize> {
        let flags = if urgent {
            RecvFlags::OOB
        } else {
            RecvFlags::empty()
        };
        Ok(net::recv(&self.0, buffer, flags)?.0)
    }

    pub(crate) fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, _, from) = net::recvfrom(&self.0, buffer, RecvFlags::empty())?;
        let from = from.ok_or(io::ErrorKind::NotConnected)?;
        Ok((len, from.try_into()?))
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => net::Shutdown::Read,
            Shutdown::Write => net::Shutdown::Write,
            Shutdown::Both => net::Shutdown::Both,
        };
        Ok(net::shutdown(&self.0, how)?)
    }

    /// `SO_LINGER`.
    pub(crate) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(&self.0, linger)?)
    }

    /// `SO_ERROR`, once.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(sockopt::socket_error(&self.0)?.err().map(io::Error::from))
    }

    pub(crate) fn local_address(&self) -> io::Result<SocketAddr> {
        Ok(net::getsockname(&self.0)?.try_into()?)
    }

    pub(crate) fn remote_address(&self) -> io::Result<SocketAddr> {
        net::getpeername(&self.0)?
            .map(SocketAddr::try_from)
            .ok_or(io::ErrorKind::NotConnected)?
            .map_err(io::Error::from)
    }

    /// What it is ready for.
    pub(crate) fn readiness(&self) -> Readiness {
        let kinds = [
            (PollFlags::IN, Readiness::READABLE),
            (PollFlags::OUT, Readiness::WRITABLE),
            (PollFlags::RDHUP, Readiness::READ_CLOSED),
            (PollFlags::HUP, Readiness::HANG_UP),
            (PollFlags::ERR, Readiness::ERROR),
            (PollFlags::PRI, Readiness::PRIORITY),
        ];
        let wanted = kinds
            .iter()
            .fold(PollFlags::empty(), |all, (flag, _)| all | *flag);
        let mut fds = [PollFd::new(&self.0, wanted)];
        // It fails only when interrupted or out of memory; then nothing is known to be ready.
        if poll(&mut fds, Some(&Timespec::default())).is_err() {
            return Readiness::NONE;
        }
        let found = fds[0].revents();
        let ready = kinds.iter().filter(|(flag, _)| found.contains(*flag));
        ready.fold(Readiness::NONE, |all, (_, kind)| all.with(*kind))
    }

    /// The state, as the kernel tells it.
    pub(crate) fn state(&self) -> io::Result<State> {
        let mut state = 0_u8;
        let mut len = size_of_val(&state) as libc::socklen_t;
        // SAFETY: `state` and `len` outlive the call, and `len` is the size of `state`. The kernel writes no more of
        // `struct tcp_info` than fits; its first byte is tcpi_state.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut state).cast(),
                &raw mut len,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        state_of(state).ok_or_else(|| io::Error::other(format!("unknown state {state}")))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The kernel's numbers of the states (`include/net/tcp_states.h`).
fn state_of(number: u8) -> Option<State> {
    Some(match number {
        1 => State::Established,
        2 => State::SynSent,
        3 | 12 => State::SynReceived,
        4 => State::FinWait1,
        5 => State::FinWait2,
        6 => State::TimeWait,
        7 => State::Closed,
        8 => State::CloseWait,
        9 => State::LastAck,
        10 => State::Listen,
        11 => State::Closing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Socket;
    use estab_tcp::{Shutdown, State};
    use rustix::net::SocketType;
    use std::time::Duration;

    #[test]
    fn the_kernel_tells_the_states_of_its_sockets() {
        let tcp = || Socket::new(false, SocketType::STREAM).unwrap();
        let listener = tcp();
        assert_eq!(listener.state().unwrap(), State::Closed);
        listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        listener.listen(1).unwrap();
        assert_eq!(listener.state().unwrap(), State::Listen);
        let client = tcp();
        client.connect(listener.local_address().unwrap()).unwrap();
        assert_eq!(client.state().unwrap(), State::Established);
        let server = listener.accept().unwrap().expect("a connection");
        assert_eq!(
            client.remote_address().unwrap(),
            listener.local_address().unwrap()
        );
        client.shutdown(Shutdown::Write).unwrap();
        // The ACK of the FIN may be delayed.
        assert!(matches!(
            client.state().unwrap(),
            State::FinWait1 | State::FinWait2
        ));
        assert_eq!(server.state().unwrap(), State::CloseWait);
        assert_eq!(server.receive(&mut [0; 8], false).unwrap(), 0);
        server.set_linger(Some(Duration::ZERO)).unwrap();
        drop(server);
        assert_eq!(client.state().unwrap(), State::Closed);
        let error = client.take_error().unwrap().expect("a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}
