//! Setting options.

use super::Name;
use super::value::{
    int, int_at, int_or_byte, retransmissions_to_seconds, seconds_to_retransmissions, timeval,
};
use crate::file::FileId;
use crate::{Errno, Posix};
use core::time::Duration;
use estab_stack::{Error, Linger, OptionName, SocketId, SocketOption};
use estab_tcp::{CongestionControl, Instant};

/// Linux's smallest values of `SO_SNDBUF` and `SO_RCVBUF`, as they are read.
const MIN_SEND_BUFFER: u32 = 4608;
const MIN_RECEIVE_BUFFER: u32 = 2304;
/// Longest time of `TCP_LINGER2`, seconds.
const LINGER2_MAX: i32 = 120;
/// Longest name of a congestion control.
const NAME_MAX: usize = 15;

impl Posix {
    pub(super) fn set_option(
        &mut self,
        now: Instant,
        file: FileId,
        level: i32,
        name: Name,
        value: &[u8],
    ) -> Result<(), Errno> {
        match name {
            Name::Stack(name) => {
                if self.remember(now, file, name, value)? {
                    return Ok(());
                }
                let id = self.file_socket(file)?.id;
                let option = self.option_from(id, level, name, value)?;
                self.set_stack_option(now, id, option)
            }
            Name::SendBufferForce => {
                let id = self.file_socket(file)?.id;
                let option = send_buffer(int(value)?.max(0));
                self.set_stack_option(now, id, option)
            }
            Name::ReceiveBufferForce => {
                let id = self.file_socket(file)?.id;
                let option = receive_buffer(int(value)?.max(0));
                self.set_stack_option(now, id, option)
            }
            Name::ReceiveTimeout => {
                self.file_socket_mut(file)?.receive_timeout = timeval(value)?;
                Ok(())
            }
            Name::SendTimeout => {
                self.file_socket_mut(file)?.send_timeout = timeval(value)?;
                Ok(())
            }
            Name::Type
            | Name::Domain
            | Name::Protocol
            | Name::AcceptConn
            | Name::Error
            | Name::SendLowWater
            | Name::MemInfo
            | Name::Mtu
            | Name::Info
            | Name::CongestionInfo => Err(Errno::ENOPROTOOPT),
        }
    }

    fn set_stack_option(
        &mut self,
        now: Instant,
        id: SocketId,
        option: SocketOption,
    ) -> Result<(), Errno> {
        self.stack
            .set_option(now, id, option)
            .map_err(|error| match error {
                // This kind of socket does not have it.
                Error::NotSupported => Errno::ENOPROTOOPT,
                error => error.into(),
            })
    }

    /// Options of which this layer keeps the value. False when the stack does.
    fn remember(
        &mut self,
        now: Instant,
        file: FileId,
        name: OptionName,
        value: &[u8],
    ) -> Result<bool, Errno> {
        let socket = self.file_socket_mut(file)?;
        let (id, datagram) = (socket.id, !socket.stream);
        let kept = &mut socket.remembered;
        match name {
            OptionName::Linger => {
                let (on, seconds) = (int(value)? != 0, int_at(value, 4)?);
                kept.linger = (on, if on { seconds } else { kept.linger.1 });
                if datagram {
                    return Ok(true);
                }
                let linger = match on {
                    true => Linger::Wait(Duration::from_secs(u64::from(seconds as u32))),
                    false => Linger::Off,
                };
                self.set_stack_option(now, id, SocketOption::Linger(linger))?;
            }
            OptionName::DeferAccept => {
                let count = seconds_to_retransmissions(int(value)?);
                kept.defer_accept = count;
                let time = Duration::from_secs(u64::from(retransmissions_to_seconds(count)));
                match self
                    .stack
                    .set_option(now, id, SocketOption::DeferAccept(time))
                {
                    // It has done its work once there is a connection.
                    Err(Error::NotSupported) => {}
                    result => result?,
                }
            }
            OptionName::QuickAck if !datagram => {
                kept.slow_acks = int(value)? == 0;
                let quick = !kept.slow_acks;
                self.set_stack_option(now, id, SocketOption::QuickAck(quick))?;
            }
            OptionName::Keepalive if datagram => kept.keepalive = int(value)? != 0,
            OptionName::OobInline if datagram => kept.oob_inline = int(value)? != 0,
            OptionName::Broadcast if !datagram => kept.broadcast = int(value)? != 0,
            OptionName::ReceiveLowWater if datagram => {
                let bytes = int(value)?;
                let bytes = if bytes < 0 { i32::MAX } else { bytes.max(1) };
                kept.receive_low_water = Some(bytes);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A value in the stack's terms.
    fn option_from(
        &self,
        id: SocketId,
        level: i32,
        name: OptionName,
        value: &[u8],
    ) -> Result<SocketOption, Errno> {
        let number = match level {
            libc::SOL_IP => Ok(int_or_byte(value)),
            _ => int(value),
        };
        let on = || number.map(|number| number != 0);
        Ok(match name {
            OptionName::ReuseAddress => SocketOption::ReuseAddress(on()?),
            OptionName::ReusePort => SocketOption::ReusePort(on()?),
            OptionName::Keepalive => SocketOption::Keepalive(on()?),
            OptionName::Broadcast => SocketOption::Broadcast(on()?),
            OptionName::OobInline => SocketOption::OobInline(on()?),
            OptionName::NoDelay => SocketOption::NoDelay(on()?),
            OptionName::Cork => SocketOption::Cork(on()?),
            OptionName::V6Only => SocketOption::V6Only(on()?),
            OptionName::SendBuffer => send_buffer(number?),
            OptionName::ReceiveBuffer => receive_buffer(number?),
            OptionName::ReceiveLowWater => SocketOption::ReceiveLowWater(number? as u32),
            OptionName::MaxSegment => SocketOption::MaxSegment(small(number?)?),
            OptionName::KeepaliveIdle => SocketOption::KeepaliveIdle(seconds(number?)?),
            OptionName::KeepaliveInterval => SocketOption::KeepaliveInterval(seconds(number?)?),
            OptionName::KeepaliveCount => SocketOption::KeepaliveCount(small(number?)?),
            OptionName::SynRetries => SocketOption::SynRetries(small(number?)?),
            OptionName::Linger2 => SocketOption::Linger2(self.linger2(number?)),
            OptionName::UserTimeout => {
                let milliseconds = u64::try_from(number?).map_err(|_| Errno::EINVAL)?;
                SocketOption::UserTimeout(Duration::from_millis(milliseconds))
            }
            OptionName::WindowClamp => self.window_clamp(id, number?)?,
            OptionName::NotSentLowWater => match number? as u32 {
                0 => SocketOption::NotSentLowWater(u32::MAX),
                bytes => SocketOption::NotSentLowWater(bytes),
            },
            OptionName::Congestion => SocketOption::Congestion(congestion(value)?),
            OptionName::Tos => SocketOption::Tos(tos(level, number?)?),
            OptionName::HopLimit => SocketOption::HopLimit(self.hop_limit(level, value)?),
            OptionName::Linger | OptionName::DeferAccept | OptionName::QuickAck => {
                return Err(Errno::ENOPROTOOPT);
            }
        })
    }

    /// Zero is the setting's time, a negative one none.
    fn linger2(&self, number: i32) -> Duration {
        match number {
            0 => self.stack.settings().tcp_fin_timeout,
            number => seconds(number.min(LINGER2_MAX)).unwrap_or_default(),
        }
    }

    fn window_clamp(&self, id: SocketId, number: i32) -> Result<SocketOption, Errno> {
        let connected = self.stack.info(id).is_ok() || self.is_listening(id);
        match number {
            0 if connected => Err(Errno::EINVAL),
            0 => Ok(SocketOption::WindowClamp(0)),
            number => Ok(SocketOption::WindowClamp(
                u32::try_from(number)
                    .unwrap_or(0)
                    .max(MIN_RECEIVE_BUFFER / 2),
            )),
        }
    }

    fn hop_limit(&self, level: i32, value: &[u8]) -> Result<u8, Errno> {
        if value.is_empty() {
            return Err(Errno::EINVAL);
        }
        let number = match level {
            libc::SOL_IP => int_or_byte(value),
            _ => int(value)?,
        };
        match number {
            -1 => Ok(self.stack.settings().ip_default_ttl),
            number => small(number),
        }
    }
}

fn send_buffer(number: i32) -> SocketOption {
    // A negative one is a very large one.
    let bytes = (number as u32).min(1 << 30);
    SocketOption::SendBuffer(bytes.max(MIN_SEND_BUFFER / 2))
}

fn receive_buffer(number: i32) -> SocketOption {
    let bytes = (number as u32).min(1 << 30);
    SocketOption::ReceiveBuffer(bytes.max(MIN_RECEIVE_BUFFER / 2))
}

fn small<T: TryFrom<i32>>(number: i32) -> Result<T, Errno> {
    T::try_from(number).map_err(|_| Errno::EINVAL)
}

fn seconds(number: i32) -> Result<Duration, Errno> {
    small(number).map(Duration::from_secs)
}

/// IPv4 takes what fits a byte from any number, IPv6 takes only a byte, or -1 for zero.
fn tos(level: i32, number: i32) -> Result<u8, Errno> {
    match number {
        number if level == libc::SOL_IP => Ok(number as u8),
        -1 => Ok(0),
        number => small(number),
    }
}

fn congestion(value: &[u8]) -> Result<CongestionControl, Errno> {
    if value.is_empty() {
        return Err(Errno::EINVAL);
    }
    let name = value.get(..NAME_MAX).unwrap_or(value);
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    match name {
        b"reno" => Ok(CongestionControl::Reno),
        _ => Err(Errno::ENOENT),
    }
}
