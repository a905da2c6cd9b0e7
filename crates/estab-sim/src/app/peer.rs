use super::{App, Pattern};
use core::net::SocketAddr;
use core::time::Duration;
use estab_stack::{Error, Linger, MessageFlags, Readiness, SocketId, SocketOption, Stack, Wait};
use estab_tcp::{ConnectionError, Instant, Rng, Shutdown};
use std::sync::{Arc, Mutex, PoisonError};

/// How a [`Peer`] ends its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Shuts its sending side down, reads to the end of file, closes.
    ShutdownThenRead,
    /// Reads to the end of file first, then closes.
    ReadThenClose,
    /// Shuts its sending side down, reads to the end, and closes with a linger time.
    Linger(Duration),
    /// Closes when all is sent, whether or not the peer still sends.
    CloseAtOnce,
    /// Aborts when all is handed to the socket.
    Abort,
}

impl Ending {
    /// Does all that was sent arrive?
    pub const fn is_orderly(self) -> bool {
        !matches!(self, Self::CloseAtOnce | Self::Abort)
    }
}

/// What a [`Peer`] does.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// Bytes that it sends.
    pub send: u64,
    /// What it sends.
    pub sends: Pattern,
    /// What it must get.
    pub gets: Pattern,
    /// Most bytes in one call that sends.
    pub write_max: u32,
    /// Most bytes in one call that receives.
    pub read_max: u32,
    /// Time that it does nothing after each call that received; zero: none.
    pub think: Duration,
    /// How it ends.
    pub ending: Ending,
    /// Options of its socket.
    pub options: Vec<SocketOption>,
    /// Sizes of its calls are drawn from this.
    pub seed: u64,
}

impl Default for PeerConfig {
    /// Sends nothing, reads all.
    fn default() -> Self {
        Self {
            send: 0,
            sends: Pattern::new(1),
            gets: Pattern::new(2),
            write_max: 64 << 10,
            read_max: 64 << 10,
            think: Duration::ZERO,
            ending: Ending::ShutdownThenRead,
            options: Vec::new(),
            seed: 0,
        }
    }
}

/// What became of a [`Peer`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerReport {
    /// Bytes that the socket took.
    pub sent: u64,
    /// Bytes that came.
    pub received: u64,
    /// The first place where they were not what they had to be.
    pub mismatch: Option<u64>,
    /// The peer's end of file came.
    pub end_of_file: bool,
    /// Why it failed.
    pub error: Option<Error>,
    /// The socket is closed.
    pub closed: bool,
    /// When the last byte or the end of file came.
    pub last_received_at: Instant,
}

impl PeerReport {
    /// Did the connection fail with this?
    pub fn failed_with(&self, error: ConnectionError) -> bool {
        self.error == Some(Error::Connection(error))
    }
}

/// The report of a [`Peer`], which it shares with whoever wants to know.
#[derive(Clone, Debug, Default)]
pub struct Reporter(Arc<Mutex<PeerReport>>);

impl Reporter {
    /// As it is now.
    pub fn now(&self) -> PeerReport {
        self.look(PeerReport::clone)
    }

    fn look<T>(&self, look: impl FnOnce(&PeerReport) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut PeerReport)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// One end of a connection that sends a pattern and checks what it gets, in calls of random sizes.
pub struct Peer {
    config: PeerConfig,
    socket: Option<SocketId>,
    /// To connect to; `None` when the socket was accepted.
    connect_to: Option<SocketAddr>,
    rng: Rng,
    /// Connecting is decided.
    connected: bool,
    shut: bool,
    thinks_until: Option<Instant>,
    report: Reporter,
}

impl Peer {
    /// Connects, and goes on when that is done.
    pub fn connect(to: SocketAddr, config: PeerConfig) -> (Self, Reporter) {
        Self::new(None, Some(to), config)
    }

    /// Uses a socket that is connected.
    pub fn accepted(socket: SocketId, config: PeerConfig) -> (Self, Reporter) {
        Self::new(Some(socket), None, config)
    }

    fn new(
        socket: Option<SocketId>,
        connect_to: Option<SocketAddr>,
        config: PeerConfig,
    ) -> (Self, Reporter) {
        let report = Reporter::default();
        let peer = Self {
            rng: Rng::new(config.seed),
            config,
            socket,
            connect_to,
            connected: false,
            shut: false,
            thinks_until: None,
            report: report.clone(),
        };
        (peer, report)
    }

    fn start(&mut self, stack: &mut Stack, now: Instant) -> Result<SocketId, Error> {
        let to = match (self.socket, self.connect_to.take()) {
            (Some(socket), _) => return Ok(socket),
            (None, Some(to)) => to,
            (None, None) => return Err(Error::BadSocket),
        };
        let socket = stack.tcp_socket(to.is_ipv6())?;
        self.socket = Some(socket);
        for option in &self.config.options {
            stack.set_option(now, socket, option.clone())?;
        }
        match stack.connect(now, socket, to, None) {
            Ok(()) | Err(Error::InProgress) => Ok(socket),
            Err(error) => Err(error),
        }
    }

    fn go_on(&mut self, stack: &mut Stack, now: Instant) -> Result<(), Error> {
        let socket = self.start(stack, now)?;
        if !self.connected {
            if !stack.readiness(socket).contains(Readiness::WRITABLE) {
                return Ok(());
            }
            self.connected = true;
        }
        self.write(stack, now, socket)?;
        self.read(stack, now, socket)?;
        self.end(stack, now, socket)
    }

    fn write(&mut self, stack: &mut Stack, now: Instant, socket: SocketId) -> Result<(), Error> {
        let mut sent = self.report.look(|report| report.sent);
        while sent < self.config.send {
            let most = u64::from(self.config.write_max).min(self.config.send - sent);
            let len = 1 + u64::from(self.rng.below(most as u32));
            let mut data = vec![0; len as usize];
            self.config.sends.fill(sent, &mut data);
            match stack.send(now, socket, &data, MessageFlags::default()) {
                Ok(taken) => {
                    sent += taken as u64;
                    self.report.change(|report| report.sent = sent);
                }
                Err(Error::WouldBlock(_) | Error::InProgress) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&mut self, stack: &mut Stack, now: Instant, socket: SocketId) -> Result<(), Error> {
        let mut buffer = vec![0; self.config.read_max as usize];
        while !self.report.look(|report| report.end_of_file) {
            if self.thinks_until.is_some_and(|until| now < until) {
                return Ok(());
            }
            self.thinks_until = None;
            let len = 1 + self.rng.below(self.config.read_max) as usize;
            let room = &mut buffer[..len];
            match stack.receive(now, socket, room, MessageFlags::default()) {
                Ok(got) => self.took(now, &buffer[..got]),
                Err(Error::WouldBlock(_) | Error::InProgress) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn took(&mut self, now: Instant, bytes: &[u8]) {
        let gets = self.config.gets;
        self.report.change(|report| {
            let mismatch = gets.mismatch(report.received, bytes);
            report.mismatch = report.mismatch.or(mismatch);
            report.received += bytes.len() as u64;
            report.end_of_file = bytes.is_empty();
            report.last_received_at = now;
        });
        if !self.config.think.is_zero() && !bytes.is_empty() {
            self.thinks_until = Some(now + self.config.think);
        }
    }

    fn end(&mut self, stack: &mut Stack, now: Instant, socket: SocketId) -> Result<(), Error> {
        let report = &self.report;
        let end_of_file = report.look(|report| report.end_of_file);
        if report.look(|report| report.sent) < self.config.send {
            return Ok(());
        }
        if !self.config.ending.is_orderly() {
            self.report.change(|report| report.closed = true);
            self.socket = None;
            return match self.config.ending {
                Ending::Abort => stack.abort(now, socket),
                _ => stack.close(now, socket, false),
            };
        }
        if !self.shut && self.config.ending != Ending::ReadThenClose {
            self.shut = true;
            stack.shutdown(now, socket, Shutdown::Write)?;
            if let Ending::Linger(time) = self.config.ending {
                let linger = SocketOption::Linger(Linger::Wait(time));
                stack.set_option(now, socket, linger)?;
            }
        }
        if !end_of_file {
            return Ok(());
        }
        match stack.close(now, socket, true) {
            Err(Error::WouldBlock(Wait::Closed)) => Ok(()),
            result => {
                self.report.change(|report| report.closed = true);
                self.socket = None;
                result
            }
        }
    }

    fn fail(&mut self, stack: &mut Stack, now: Instant, mut error: Error) {
        if let Some(socket) = self.socket.take() {
            let pending = stack.take_error(socket).ok().flatten();
            error = pending.map_or(error, Error::Connection);
            // The connection is gone; what closing it says is known already.
            let _ = stack.close(now, socket, false);
        }
        self.report.change(|report| {
            report.error = Some(error);
            report.closed = true;
        });
    }
}

impl App for Peer {
    fn poll(&mut self, stack: &mut Stack, now: Instant) {
        if !self.is_done()
            && let Err(error) = self.go_on(stack, now)
        {
            self.fail(stack, now, error);
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        self.thinks_until.filter(|_| !self.is_done())
    }

    fn is_done(&self) -> bool {
        self.report.look(|report| report.closed)
    }
}
