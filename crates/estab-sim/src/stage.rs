//! What a scenario of the lab is played on: two hosts and the cable between them.
//!
//! A scenario calls the verbs of [`Lab`] and nothing else, so that the same one can be played on the simulator
//! ([`Simulated`]) and, in real time, against another TCP at host `b`. The verbs are those of sockets that never wait,
//! and [`Lab::advance`], which lets time pass. [`Stage`] adds what scenarios want to say: open a connection, send all of
//! this, wait for that.

mod expect;
mod simulated;

pub use expect::{Expectation, Expectations, Sent, Trace};
pub use simulated::{Simulated, SinkMaker};

use crate::{End, Network, Rule};
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use estab_stack::{Error, Readiness, SocketOption};
use estab_tcp::{ConnectionError, Instant, Settings, Shutdown, State};

/// A socket of one of the hosts of a [`Lab`], by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Socket(pub usize);

/// What a scenario finds when it begins.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Time from one host to the other.
    pub delay: Duration,
    /// MTU of `a`'s and `b`'s interface.
    pub mtu: [u16; 2],
    /// Settings of `a` and `b`; another TCP at `b` takes those that it has.
    pub settings: [Settings; 2],
    /// Addresses are of IPv6.
    pub v6: bool,
}

impl Default for Setup {
    /// 10 ms, 1500 bytes, default settings.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            mtu: [1500; 2],
            settings: [Settings::default(), Settings::default()],
            v6: false,
        }
    }
}

/// Two hosts, `a` and `b`, joined by a cable. Host `a` is always estab's. Errors are those that estab's stack gives.
///
/// Calls never wait: those that cannot be completed give [`Error::WouldBlock`]; what they cause is sent at once.
pub trait Lab {
    /// Time since the scenario began.
    fn now(&self) -> Instant;

    /// Lets time pass until something happened, at most until then. `false`: it is then.
    fn advance(&mut self, until: Instant) -> bool;

    /// A host's address.
    fn address(&self, host: End) -> IpAddr;

    /// Makes a TCP socket.
    ///
    /// # Errors
    /// The host has no room for one.
    fn tcp_socket(&mut self, host: End) -> Result<Socket, Error>;

    /// Makes a UDP socket.
    ///
    /// # Errors
    /// The host has no room for one.
    fn udp_socket(&mut self, host: End) -> Result<Socket, Error>;

    /// Sets an option.
    ///
    /// # Errors
    /// The socket has no such option, or not such a value.
    fn set_option(&mut self, socket: Socket, option: SocketOption) -> Result<(), Error>;

    /// Binds to a port of the host's address; 0 takes any.
    ///
    /// # Errors
    /// The port is in use.
    fn bind(&mut self, socket: Socket, port: u16) -> Result<(), Error>;

    /// Listens.
    ///
    /// # Errors
    /// The socket cannot.
    fn listen(&mut self, socket: Socket, backlog: u32) -> Result<(), Error>;

    /// Takes a connection from a listener.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] when there is none.
    fn accept(&mut self, socket: Socket) -> Result<Socket, Error>;

    /// Begins to connect; the socket becomes writable when it is decided. Given up after `timeout`.
    ///
    /// # Errors
    /// It cannot even begin. That it is in progress is no error here.
    fn connect(
        &mut self,
        socket: Socket,
        to: SocketAddr,
        timeout: Option<Duration>,
    ) -> Result<(), Error>;

    /// Queues bytes; how many were taken. `urgent`: the last one is urgent (`MSG_OOB`).
    ///
    /// # Errors
    /// As `send`.
    fn send(&mut self, socket: Socket, data: &[u8], urgent: bool) -> Result<usize, Error>;

    /// Takes bytes; 0 is the end of file. `urgent`: the urgent byte.
    ///
    /// # Errors
    /// As `recv`.
    fn receive(&mut self, socket: Socket, buffer: &mut [u8], urgent: bool) -> Result<usize, Error>;

    /// Sends a datagram.
    ///
    /// # Errors
    /// As `sendto`.
    fn send_to(&mut self, socket: Socket, data: &[u8], to: SocketAddr) -> Result<(), Error>;

    /// Takes a datagram; its length and sender.
    ///
    /// # Errors
    /// As `recvfrom`.
    fn receive_from(
        &mut self,
        socket: Socket,
        buffer: &mut [u8],
    ) -> Result<(usize, SocketAddr), Error>;

    /// Ends one direction, or both.
    ///
    /// # Errors
    /// The socket is not connected.
    fn shutdown(&mut self, socket: Socket, how: Shutdown) -> Result<(), Error>;

    /// Closes. With `SO_LINGER` it would wait: [`Error::WouldBlock`] until that is over; call it again.
    ///
    /// # Errors
    /// What lingering found.
    fn close(&mut self, socket: Socket) -> Result<(), Error>;

    /// Aborts: what is queued is dropped, a RST is sent.
    ///
    /// # Errors
    /// There is no such socket.
    fn abort(&mut self, socket: Socket) -> Result<(), Error>;

    /// What the socket is ready for.
    fn readiness(&self, socket: Socket) -> Readiness;

    /// Its state.
    fn state(&self, socket: Socket) -> State;

    /// Its local address.
    ///
    /// # Errors
    /// There is no such socket.
    fn local_address(&self, socket: Socket) -> Result<SocketAddr, Error>;

    /// The pending error, once (`SO_ERROR`).
    fn take_error(&mut self, socket: Socket) -> Option<ConnectionError>;

    /// Adds a rule to the cable.
    fn add_rule(&mut self, rule: Rule);

    /// Cuts the cable, or mends it.
    fn cut(&mut self, cut: bool);

    /// Crashes a host and starts it again: its connections are forgotten, and it says nothing to anybody.
    fn reboot(&mut self, host: End);

    /// The network that simulates this, for what only a simulation can do; `None` when it is a real one.
    fn simulated(&mut self) -> Option<&mut Simulated>;
}

/// Why a scenario did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Problem {}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// Time after which something that must happen has not happened.
const PATIENCE: Duration = Duration::from_secs(10);

/// A [`Lab`] with the sentences that scenarios are written in, and the expectations that they have while they are played.
pub struct Stage<'a> {
    /// The verbs.
    pub lab: &'a mut dyn Lab,
    /// What was expected so far.
    pub expect: &'a mut Expectations,
}

impl Stage<'_> {
    /// Lets time pass.
    pub fn wait(&mut self, duration: Duration) {
        let until = self.lab.now() + duration;
        while self.lab.advance(until) {}
    }

    /// Lets time pass until something holds.
    ///
    /// # Errors
    /// It does not hold after `limit`.
    pub fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut(&mut dyn Lab) -> bool,
    ) -> Result<(), Problem> {
        let until = self.lab.now() + limit;
        loop {
            if holds(self.lab) {
                return Ok(());
            }
            if !self.lab.advance(until) {
                let late = Problem(format!("still waiting after {limit:?}: {what}"));
                return if holds(self.lab) { Ok(()) } else { Err(late) };
            }
        }
    }

    /// Waits until a socket is in this state, at most ten seconds.
    ///
    /// # Errors
    /// It is not.
    pub fn wait_state(&mut self, socket: Socket, state: State) -> Result<(), Problem> {
        let what = format!("{state}");
        self.wait_until(&what, PATIENCE, |lab| lab.state(socket) == state)
    }

    /// Waits until a call on a socket does not have to wait any more.
    fn retry<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut call: impl FnMut(&mut dyn Lab) -> Result<T, Error>,
    ) -> Result<T, Problem> {
        let mut result = None;
        self.wait_until(what, limit, |lab| match call(lab) {
            Err(Error::WouldBlock(_) | Error::InProgress) => false,
            done => {
                result = Some(done);
                true
            }
        })?;
        match result {
            Some(done) => done.map_err(|error| Problem(format!("{what}: {error}"))),
            None => Err(Problem(format!("{what}: nothing"))),
        }
    }

    /// The address of a port of a host.
    pub fn at(&self, host: End, port: u16) -> SocketAddr {
        SocketAddr::new(self.lab.address(host), port)
    }

    /// A listener at a port, with a backlog of 8.
    ///
    /// # Errors
    /// The port is in use.
    pub fn listen(&mut self, host: End, port: u16) -> Result<Socket, Problem> {
        self.listen_with(host, port, 8, &[])
    }

    /// A listener with options, which its connections inherit.
    ///
    /// # Errors
    /// The port is in use, or an option does not exist.
    pub fn listen_with(
        &mut self,
        host: End,
        port: u16,
        backlog: u32,
        options: &[SocketOption],
    ) -> Result<Socket, Problem> {
        let socket = self.lab.tcp_socket(host)?;
        for option in options {
            self.lab.set_option(socket, option.clone())?;
        }
        self.lab.bind(socket, port)?;
        self.lab.listen(socket, backlog)?;
        Ok(socket)
    }

    /// Begins to connect to a port of the other host.
    ///
    /// # Errors
    /// It cannot even begin.
    pub fn connect(&mut self, host: End, port: u16) -> Result<Socket, Problem> {
        self.connect_with(host, port, &[])
    }

    /// Begins to connect, with options.
    ///
    /// # Errors
    /// It cannot even begin, or an option does not exist.
    pub fn connect_with(
        &mut self,
        host: End,
        port: u16,
        options: &[SocketOption],
    ) -> Result<Socket, Problem> {
        let socket = self.lab.tcp_socket(host)?;
        for option in options {
            self.lab.set_option(socket, option.clone())?;
        }
        let to = self.at(host.other(), port);
        self.lab.connect(socket, to, None)?;
        Ok(socket)
    }

    /// Waits for a connection to be accepted.
    ///
    /// # Errors
    /// None came.
    pub fn accept(&mut self, listener: Socket) -> Result<Socket, Problem> {
        self.retry("accept", PATIENCE, |lab| lab.accept(listener))
    }

    /// Opens a connection from `a` to a port of `b`; both ends.
    ///
    /// # Errors
    /// It did not come to that.
    pub fn open(&mut self, port: u16) -> Result<(Socket, Socket), Problem> {
        self.open_with(port, &[], &[])
    }

    /// Opens a connection from `a` to a port of `b`, with options of the client and of the listener; both ends.
    ///
    /// # Errors
    /// It did not come to that.
    pub fn open_with(
        &mut self,
        port: u16,
        client: &[SocketOption],
        listener: &[SocketOption],
    ) -> Result<(Socket, Socket), Problem> {
        let listener = self.listen_with(End::B, port, 8, listener)?;
        let client = self.connect_with(End::A, port, client)?;
        let server = self.accept(listener)?;
        Ok((client, server))
    }

    /// Sends all of this, waiting for room.
    ///
    /// # Errors
    /// The connection failed.
    pub fn send(&mut self, socket: Socket, data: &[u8]) -> Result<(), Problem> {
        let mut rest = data;
        while !rest.is_empty() {
            let taken = self.retry("send", PATIENCE, |lab| lab.send(socket, rest, false))?;
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Receives this many bytes, waiting for them.
    ///
    /// # Errors
    /// The connection failed, or ended before.
    pub fn receive(&mut self, socket: Socket, len: usize) -> Result<Vec<u8>, Problem> {
        let mut out = vec![0; len];
        let mut at = 0;
        while at < len {
            let room = &mut out[at..];
            match self.retry("receive", PATIENCE, |lab| lab.receive(socket, room, false))? {
                0 => return Err(Problem(format!("end of file after {at} of {len} bytes"))),
                got => at += got,
            }
        }
        Ok(out)
    }

    /// Receives until the end of file.
    ///
    /// # Errors
    /// The connection failed.
    pub fn receive_to_end(&mut self, socket: Socket) -> Result<Vec<u8>, Problem> {
        let mut out = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let call = |lab: &mut dyn Lab| lab.receive(socket, &mut buffer, false);
            match self.retry("receive", PATIENCE, call)? {
                0 => return Ok(out),
                got => out.extend_from_slice(&buffer[..got]),
            }
        }
    }

    /// Waits until a connection failed, at most so long; how.
    ///
    /// # Errors
    /// It did not fail.
    pub fn failure(&mut self, socket: Socket, limit: Duration) -> Result<ConnectionError, Problem> {
        let mut error = None;
        self.wait_until("an error", limit, |lab| {
            error = lab.take_error(socket);
            error.is_some()
        })?;
        error.ok_or_else(|| Problem("no error".into()))
    }

    /// Shuts the sending side down.
    ///
    /// # Errors
    /// The socket is not connected.
    pub fn shutdown_write(&mut self, socket: Socket) -> Result<(), Problem> {
        Ok(self.lab.shutdown(socket, Shutdown::Write)?)
    }

    /// Closes; a lingering close is waited for.
    ///
    /// # Errors
    /// What lingering found, or it took more than ten seconds.
    pub fn close(&mut self, socket: Socket) -> Result<(), Problem> {
        self.retry("close", PATIENCE, |lab| lab.close(socket))
    }

    /// The simulated network, in scenarios that are not for real ones.
    ///
    /// # Errors
    /// It is a real one.
    pub fn network(&mut self) -> Result<&mut Network, Problem> {
        Ok(self.simulated()?.network_mut())
    }

    /// The simulation, in scenarios that are not for real networks.
    ///
    /// # Errors
    /// It is a real one.
    pub fn simulated(&mut self) -> Result<&mut Simulated, Problem> {
        let real = || Problem("only a simulated network can do this".into());
        self.lab.simulated().ok_or_else(real)
    }
}
