//! Reading options.

use super::Name;
use super::value::{retransmissions_to_seconds, timeval_bytes};
use crate::file::FileId;
use crate::socket::Socket;
use crate::{Errno, Posix, tcp_info};
use core::time::Duration;
use estab_stack::{OptionName, SocketId, SocketOption};
use estab_tcp::{CongestionControl, Instant, State};

/// Bytes of a congestion control's name.
const NAME_LEN: usize = 16;
/// MSS of a connection that knows no better.
const DEFAULT_MSS: u32 = 536;

impl Posix {
    pub(super) fn get_option(
        &mut self,
        now: Instant,
        file: FileId,
        name: Name,
    ) -> Result<Vec<u8>, Errno> {
        let socket = self.file_socket(file)?;
        let id = socket.id;
        Ok(match name {
            Name::Stack(name) => return self.stack_option(socket, name),
            Name::Type if socket.stream => int(libc::SOCK_STREAM),
            Name::Type => int(libc::SOCK_DGRAM),
            Name::Domain if socket.v6 => int(libc::AF_INET6),
            Name::Domain => int(libc::AF_INET),
            Name::Protocol if socket.stream => int(libc::IPPROTO_TCP),
            Name::Protocol => int(libc::IPPROTO_UDP),
            Name::AcceptConn => int(i32::from(self.is_listening(id))),
            Name::SendLowWater => int(1),
            Name::ReceiveTimeout => timeval_bytes(socket.receive_timeout),
            Name::SendTimeout => timeval_bytes(socket.send_timeout),
            Name::MemInfo => self.memory(id)?,
            Name::Mtu => int(self.mtu(id)?),
            Name::Info => tcp_info::bytes(self, now, id)?,
            Name::CongestionInfo => Vec::new(),
            Name::Error => int(self.pending_error(id)?),
            Name::SendBufferForce | Name::ReceiveBufferForce => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// `SO_ERROR`: what ended the connection, or else what stood in its way lately; each once.
    fn pending_error(&mut self, id: SocketId) -> Result<i32, Errno> {
        let error = match self.stack.take_error(id)? {
            None => self.stack.take_soft_error(id)?,
            error => error,
        };
        Ok(error.map_or(0, |error| Errno::from(error).0))
    }

    /// An option that the stack has.
    fn stack_option(&self, socket: &Socket, name: OptionName) -> Result<Vec<u8>, Errno> {
        if let Some(value) = remembered(socket, name) {
            return Ok(value);
        }
        let option = self.stack.option(socket.id, name);
        let option = option.map_err(|_| Errno::ENOPROTOOPT)?;
        Ok(match option {
            SocketOption::ReuseAddress(on)
            | SocketOption::ReusePort(on)
            | SocketOption::Keepalive(on)
            | SocketOption::Broadcast(on)
            | SocketOption::OobInline(on)
            | SocketOption::NoDelay(on)
            | SocketOption::Cork(on)
            | SocketOption::V6Only(on) => int(i32::from(on)),
            // Linux counts what the data costs, which it takes to be twice the data.
            SocketOption::SendBuffer(bytes) | SocketOption::ReceiveBuffer(bytes) => {
                unsigned(bytes.saturating_mul(2))
            }
            SocketOption::ReceiveLowWater(bytes) | SocketOption::WindowClamp(bytes) => {
                unsigned(bytes)
            }
            // Zero is the setting's, which is none.
            SocketOption::NotSentLowWater(u32::MAX) => unsigned(0),
            SocketOption::NotSentLowWater(bytes) => unsigned(bytes),
            SocketOption::MaxSegment(bytes) => unsigned(self.max_segment(socket, bytes)),
            SocketOption::KeepaliveIdle(time) | SocketOption::KeepaliveInterval(time) => {
                seconds(time)
            }
            SocketOption::KeepaliveCount(n) | SocketOption::SynRetries(n) => int(i32::from(n)),
            SocketOption::Linger2(Duration::ZERO) => int(-1),
            SocketOption::Linger2(time) => seconds(time),
            SocketOption::UserTimeout(time) => {
                unsigned(u32::try_from(time.as_millis()).unwrap_or(u32::MAX))
            }
            SocketOption::Congestion(control) => text(control),
            SocketOption::Tos(value) | SocketOption::HopLimit(value) => int(i32::from(value)),
            SocketOption::Linger(_) | SocketOption::DeferAccept(_) | SocketOption::QuickAck(_) => {
                return Err(Errno::ENOPROTOOPT);
            }
        })
    }

    /// `TCP_MAXSEG`: what was set while there is no connection, then what is sent.
    fn max_segment(&self, socket: &Socket, set: u16) -> u32 {
        let connection = self.stack.info(socket.id).ok();
        match connection.filter(|info| info.state != State::Closed) {
            Some(info) => info.snd_mss,
            None if set == 0 => DEFAULT_MSS,
            None => u32::from(set),
        }
    }

    fn mtu(&self, id: SocketId) -> Result<i32, Errno> {
        let info = self.stack.info(id).map_err(|_| Errno::ENOTCONN)?;
        i32::try_from(info.path_mtu).map_err(|_| Errno::ENOTCONN)
    }

    /// `SO_MEMINFO`: nine numbers of bytes. estab counts data, not what it costs.
    fn memory(&self, id: SocketId) -> Result<Vec<u8>, Errno> {
        let queues = self.stack.queues(id)?;
        let buffer = |name| match self.stack.option(id, name) {
            Ok(SocketOption::SendBuffer(bytes) | SocketOption::ReceiveBuffer(bytes)) => {
                bytes.saturating_mul(2)
            }
            _ => 0,
        };
        let bytes = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
        let words = [
            bytes(queues.readable),
            buffer(OptionName::ReceiveBuffer),
            0,
            buffer(OptionName::SendBuffer),
            0,
            bytes(queues.unacknowledged),
            0,
            0,
            0,
        ];
        Ok(words.iter().flat_map(|word| word.to_ne_bytes()).collect())
    }
}

/// The value of an option that this layer keeps.
fn remembered(socket: &Socket, name: OptionName) -> Option<Vec<u8>> {
    let kept = &socket.remembered;
    let datagram = !socket.stream;
    Some(match name {
        OptionName::Linger => [int(i32::from(kept.linger.0)), int(kept.linger.1)].concat(),
        OptionName::DeferAccept => unsigned(retransmissions_to_seconds(kept.defer_accept)),
        OptionName::QuickAck if !datagram => int(i32::from(!kept.slow_acks)),
        OptionName::Keepalive if datagram => int(i32::from(kept.keepalive)),
        OptionName::OobInline if datagram => int(i32::from(kept.oob_inline)),
        OptionName::ReceiveLowWater if datagram => int(kept.receive_low_water.unwrap_or(1)),
        OptionName::Broadcast if socket.stream => int(i32::from(kept.broadcast)),
        _ => return None,
    })
}

fn int(value: i32) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

fn unsigned(value: u32) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

fn seconds(time: Duration) -> Vec<u8> {
    unsigned(u32::try_from(time.as_secs()).unwrap_or(u32::MAX))
}

fn text(control: CongestionControl) -> Vec<u8> {
    let mut bytes = match control {
        CongestionControl::Reno => b"reno".to_vec(),
    };
    bytes.resize(NAME_LEN, 0);
    bytes
}
