//! What the sockets of both layers share: a socket of the stack, and the host that it belongs to.

use crate::driver::Patience;
use crate::error;
use crate::host::Handle;
use estab_stack::{
    Error, Linger, MessageFlags, OptionName, Readiness, SocketId, SocketOption, Stack, UdpReceived,
    Wait,
};
use estab_tcp::{Instant, Shutdown, State, TcpInfo};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Bytes copied under the lock in one call, at most.
const COPY_MAX: usize = 256 << 10;

/// An open socket. Dropping it closes it without waiting.
pub(crate) struct Socket {
    host: Handle,
    id: SocketId,
    nonblocking: AtomicBool,
    /// Nanoseconds; 0: none.
    read_timeout: AtomicU64,
    write_timeout: AtomicU64,
}

impl Socket {
    /// Opens one.
    pub(crate) fn open(
        host: &Handle,
        open: impl FnOnce(&mut Stack, Instant) -> Result<SocketId, Error>,
    ) -> io::Result<Self> {
        let id = host.call(|core, now| {
            let opened = core.check_up().and_then(|()| open(&mut core.stack, now));
            if let Ok(id) = opened {
                core.sockets.insert(id, ());
            }
            core.outcome(opened)
        })?;
        Ok(Self::adopt(host, id))
    }

    /// Takes over one that the stack gave; it is registered already.
    pub(crate) fn adopt(host: &Handle, id: SocketId) -> Self {
        Self {
            host: host.clone(),
            id,
            nonblocking: AtomicBool::new(false),
            read_timeout: AtomicU64::new(0),
            write_timeout: AtomicU64::new(0),
        }
    }

    pub(crate) fn tcp(host: &Handle, v6: bool) -> io::Result<Self> {
        Self::open(host, |stack, _| stack.tcp_socket(v6))
    }

    pub(crate) fn udp(host: &Handle, v6: bool) -> io::Result<Self> {
        Self::open(host, |stack, _| stack.udp_socket(v6))
    }

    pub(crate) fn host(&self) -> &Handle {
        &self.host
    }

    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    /// Makes a call that does not wait.
    pub(crate) fn call<T>(
        &self,
        call: impl FnOnce(&mut Stack, Instant, SocketId) -> Result<T, Error>,
    ) -> io::Result<T> {
        self.host.call(|core, now| {
            let up = core.check_up();
            let result = up.and_then(|()| call(&mut core.stack, now, self.id));
            core.outcome(result)
        })
    }

    /// Looks at something that sends nothing.
    pub(crate) fn look<T>(
        &self,
        look: impl FnOnce(&mut Stack, SocketId) -> Result<T, Error>,
    ) -> io::Result<T> {
        self.host.look(|core, _| {
            let result = look(&mut core.stack, self.id);
            core.outcome(result)
        })
    }

    /// Makes a call that may wait, in a thread.
    pub(crate) fn block<T>(
        &self,
        patience: Patience,
        mut call: impl FnMut(&mut Stack, Instant, SocketId) -> Result<T, Error>,
    ) -> io::Result<T> {
        self.host.block(self.id, patience, |core, now| {
            core.check_up()?;
            call(&mut core.stack, now, self.id)
        })
    }

    /// How long calls that read wait: not at all, for the time-out, or endlessly.
    pub(crate) fn read_patience(&self) -> Patience {
        self.patience(&self.read_timeout)
    }

    pub(crate) fn write_patience(&self) -> Patience {
        self.patience(&self.write_timeout)
    }

    fn patience(&self, timeout: &AtomicU64) -> Patience {
        if self.nonblocking.load(Ordering::Relaxed) {
            return Patience::None;
        }
        match timeout.load(Ordering::Relaxed) {
            0 => Patience::Endless,
            nanos => Patience::Until(self.host.now() + Duration::from_nanos(nanos)),
        }
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) {
        self.nonblocking.store(nonblocking, Ordering::Relaxed);
    }

    pub(crate) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.read_timeout
            .store(timeout_nanos(timeout)?, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.write_timeout
            .store(timeout_nanos(timeout)?, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn read_timeout(&self) -> Option<Duration> {
        nanos_timeout(self.read_timeout.load(Ordering::Relaxed))
    }

    pub(crate) fn write_timeout(&self) -> Option<Duration> {
        nanos_timeout(self.write_timeout.load(Ordering::Relaxed))
    }

    pub(crate) fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.call(|stack, _, id| stack.bind(id, address))
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        self.call(|stack, now, id| stack.listen(now, id, backlog))
    }

    pub(crate) fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        let how = match how {
            std::net::Shutdown::Read => Shutdown::Read,
            std::net::Shutdown::Write => Shutdown::Write,
            std::net::Shutdown::Both => Shutdown::Both,
        };
        self.call(|stack, now, id| stack.shutdown(now, id, how))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.look(|stack, id| stack.local_address(id))
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.look(|stack, id| stack.remote_address(id))
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let error = self.look(|stack, id| stack.take_error(id))?;
        Ok(error.map(error::connection_error))
    }

    pub(crate) fn state(&self) -> io::Result<State> {
        self.look(|stack, id| stack.state(id))
    }

    pub(crate) fn info(&self) -> io::Result<TcpInfo> {
        self.look(|stack, id| stack.info(id))
    }

    pub(crate) fn set_option(&self, option: SocketOption) -> io::Result<()> {
        self.call(|stack, now, id| stack.set_option(now, id, option))
    }

    pub(crate) fn option(&self, name: OptionName) -> io::Result<SocketOption> {
        self.look(|stack, id| stack.option(id, name))
    }

    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        match self.option(OptionName::Linger)? {
            SocketOption::Linger(Linger::Abort) => Ok(Some(Duration::ZERO)),
            SocketOption::Linger(Linger::Wait(time)) => Ok(Some(time)),
            _ => Ok(None),
        }
    }

    pub(crate) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.set_option(SocketOption::Linger(match linger {
            None => Linger::Off,
            Some(Duration::ZERO) => Linger::Abort,
            Some(time) => Linger::Wait(time),
        }))
    }

    /// One attempt to receive.
    pub(crate) fn receive_once(
        &self,
        stack: &mut Stack,
        now: Instant,
        buffer: &mut [u8],
        flags: MessageFlags,
    ) -> Result<usize, Error> {
        let len = buffer.len().min(COPY_MAX);
        stack.receive(now, self.id, &mut buffer[..len], flags)
    }

    /// One attempt to receive into several buffers.
    pub(crate) fn receive_vectored_once(
        &self,
        stack: &mut Stack,
        now: Instant,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<usize, Error> {
        let mut total = 0;
        for buffer in buffers.iter_mut().filter(|buffer| !buffer.is_empty()) {
            match self.receive_once(stack, now, buffer, MessageFlags::default()) {
                Ok(count) => {
                    total += count;
                    if count < buffer.len() || total >= COPY_MAX {
                        break;
                    }
                }
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// One attempt to send. What is not taken the caller offers again.
    pub(crate) fn send_once(
        &self,
        stack: &mut Stack,
        now: Instant,
        data: &[u8],
        flags: MessageFlags,
    ) -> Result<usize, Error> {
        let len = data.len().min(COPY_MAX);
        let more = MessageFlags {
            more: flags.more || len < data.len(),
            ..flags
        };
        stack.send(now, self.id, &data[..len], more)
    }

    /// One attempt to send several pieces; they leave in the same segments.
    pub(crate) fn send_vectored_once(
        &self,
        stack: &mut Stack,
        now: Instant,
        pieces: &[IoSlice<'_>],
    ) -> Result<usize, Error> {
        let mut total = 0;
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            match self.send_once(stack, now, piece, MessageFlags::default()) {
                Ok(count) => {
                    total += count;
                    if count < piece.len() || total >= COPY_MAX {
                        break;
                    }
                }
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// One attempt to find out how opening a connection ended.
    pub(crate) fn connected_once(&self, stack: &mut Stack) -> Result<(), Error> {
        let over = Readiness::WRITABLE
            .with(Readiness::ERROR)
            .with(Readiness::HANG_UP);
        if !stack.readiness(self.id).intersects(over) {
            return Err(Error::WouldBlock(Wait::Writable));
        }
        match stack.take_error(self.id)? {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Begins to open a connection.
    pub(crate) fn start_connect(
        &self,
        remote: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        self.call(
            |stack, now, id| match stack.connect(now, id, remote, timeout) {
                Err(Error::InProgress) => Ok(()),
                other => other,
            },
        )
    }

    pub(crate) fn send_to_once(
        &self,
        stack: &mut Stack,
        now: Instant,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<usize, Error> {
        stack.send_to(now, self.id, data, to)
    }

    pub(crate) fn receive_from_once(
        &self,
        stack: &mut Stack,
        now: Instant,
        buffer: &mut [u8],
        peek: bool,
    ) -> Result<UdpReceived, Error> {
        let flags = MessageFlags {
            peek,
            ..MessageFlags::default()
        };
        stack.receive_from(now, self.id, buffer, flags)
    }

    pub(crate) fn abort(&self) -> io::Result<()> {
        self.host.call(|core, now| {
            let up = core.check_up();
            let result = up.and_then(|()| core.stack.abort(now, self.id));
            // Whoever waits in a clone has to hear of it.
            core.forget(self.id);
            core.outcome(result)
        })
    }

    /// Closes the socket and waits as far as `SO_LINGER` says so.
    pub(crate) fn close(self) -> io::Result<()> {
        if self.nonblocking.load(Ordering::Relaxed) {
            return self.close_now();
        }
        self.block(Patience::Endless, |stack, now, id| {
            stack.close(now, id, true)
        })
    }

    /// Closes the socket and waits for nothing: what is queued is still sent.
    pub(crate) fn close_now(self) -> io::Result<()> {
        self.call(|stack, now, id| stack.close(now, id, false))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut core = self.host.lock();
        let now = self.host.now();
        if !core.down {
            // It may be closed already by `close`. A shutdown of the host has closed it, and may still linger.
            let _ = core.stack.close(now, self.id, false);
        }
        core.forget(self.id);
        self.host.finish(core, now);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .field("state", &self.state().ok())
            .finish()
    }
}

fn timeout_nanos(timeout: Option<Duration>) -> io::Result<u64> {
    match timeout {
        None => Ok(0),
        Some(Duration::ZERO) => Err(error::invalid("a time-out of zero")),
        Some(time) => Ok(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
    }
}

fn nanos_timeout(nanos: u64) -> Option<Duration> {
    (nanos != 0).then(|| Duration::from_nanos(nanos))
}
