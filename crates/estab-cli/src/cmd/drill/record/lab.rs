//! Scenarios of the lab, with what their applications do.

use crate::exit::Failure;
use anyhow::{Context, Result};
use estab_packetdrill::record::{Called, Host, RecordError, Verb, from_records};
use estab_packetdrill::script::Script;
use estab_sim::lab::{self, Scenario};
use estab_sim::stage::{Lab, Simulated, Socket};
use estab_sim::{End, Rule};
use estab_stack::{Error, Readiness, SocketOption};
use estab_tcp::{ConnectionError, Instant, Interest, Shutdown, State};
use estab_trace::Collector;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// As many records as a scenario may have.
const RECORDS_MAX: usize = 1_000_000;
/// The seed of the lab.
const SEED: u64 = 1;

/// Plays a scenario; its title, and the script of what host a did and saw.
///
/// # Errors
/// There is no such scenario. The inner one: something happened that no script can say.
pub(super) fn record(name: &str) -> Result<(&'static str, Result<Script, RecordError>)> {
    let scenario = lab::find(name)
        .with_context(|| {
            format!("there is no scenario {name:?}: `estab lab list` shows which there are")
        })
        .context(Failure::Usage)?;
    Ok((scenario.title, play(scenario)))
}

fn play(scenario: &'static Scenario) -> Result<Script, RecordError> {
    let setup = (scenario.setup)();
    let collector = Collector::with(Interest::ALL, RECORDS_MAX);
    let simulated = Simulated::new(SEED, setup.clone(), &collector, None);
    let mut watched = Watched {
        host: Host {
            name: End::A.name().to_owned(),
            address: simulated.address(End::A),
            mtu: setup.mtu[End::A as usize],
            settings: setup.settings[End::A as usize].clone(),
        },
        simulated,
        collector: collector.clone(),
        sockets: Vec::new(),
        calls: Vec::new(),
        problem: None,
    };
    lab::play(scenario, &mut watched, &collector);
    match watched.problem {
        Some(problem) => Err(RecordError::new(problem)),
        None => from_records(&watched.host, &collector.take(), &watched.calls),
    }
}

/// The simulated lab, with somebody who writes down what is asked of host a.
struct Watched {
    host: Host,
    simulated: Simulated,
    collector: Collector,
    /// Sockets of host a, in the order in which they were made.
    sockets: Vec<Socket>,
    calls: Vec<Called>,
    problem: Option<&'static str>,
}

impl Watched {
    /// The number of a socket, if it is host a's.
    fn number(&self, socket: Socket) -> Option<usize> {
        self.sockets.iter().position(|own| *own == socket)
    }

    /// Makes a call, and writes it down when it is host a's.
    fn call<T>(
        &mut self,
        socket: Socket,
        verb: Verb,
        count: fn(&T) -> usize,
        call: impl FnOnce(&mut Simulated) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (time, after) = (self.simulated.now(), self.collector.look(<[_]>::len));
        let result = call(&mut self.simulated);
        if let Some(socket) = self.number(socket) {
            let result = result.as_ref().map(count).map_err(|error| *error);
            self.calls.push(Called {
                time,
                after,
                socket,
                verb,
                result,
            });
        }
        result
    }

    fn made(&mut self, host: End, socket: Socket, verb: Verb) {
        if host == End::A {
            let socket_number = self.sockets.len();
            self.sockets.push(socket);
            self.calls.push(Called {
                time: self.simulated.now(),
                after: self.collector.look(<[_]>::len),
                socket: socket_number,
                verb,
                result: Ok(0),
            });
        }
    }
}

impl Lab for Watched {
    fn now(&self) -> Instant {
        self.simulated.now()
    }

    fn advance(&mut self, until: Instant) -> bool {
        self.simulated.advance(until)
    }

    fn address(&self, host: End) -> IpAddr {
        self.simulated.address(host)
    }

    fn tcp_socket(&mut self, host: End) -> Result<Socket, Error> {
        let socket = self.simulated.tcp_socket(host)?;
        self.made(host, socket, Verb::Socket { udp: false });
        Ok(socket)
    }

    fn udp_socket(&mut self, host: End) -> Result<Socket, Error> {
        let socket = self.simulated.udp_socket(host)?;
        self.made(host, socket, Verb::Socket { udp: true });
        Ok(socket)
    }

    fn set_option(&mut self, socket: Socket, option: SocketOption) -> Result<(), Error> {
        let verb = Verb::Option(option.clone());
        self.call(socket, verb, |()| 0, |lab| lab.set_option(socket, option))
    }

    fn bind(&mut self, socket: Socket, port: u16) -> Result<(), Error> {
        self.call(
            socket,
            Verb::Bind(port),
            |()| 0,
            |lab| lab.bind(socket, port),
        )
    }

    fn listen(&mut self, socket: Socket, backlog: u32) -> Result<(), Error> {
        self.call(
            socket,
            Verb::Listen(backlog),
            |()| 0,
            |lab| lab.listen(socket, backlog),
        )
    }

    fn accept(&mut self, socket: Socket) -> Result<Socket, Error> {
        let accepted = self.simulated.accept(socket)?;
        if let Some(listener) = self.number(socket) {
            self.made(End::A, accepted, Verb::Accept(listener));
        }
        Ok(accepted)
    }

    fn connect(
        &mut self,
        socket: Socket,
        to: SocketAddr,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        let is_own = self.number(socket).is_some();
        if is_own && timeout.is_some() {
            self.problem = Some("host a connects with a time limit of its own, which no call has");
        }
        let (time, after) = (self.simulated.now(), self.collector.look(<[_]>::len));
        let result = self.simulated.connect(socket, to, timeout);
        if let Some(socket) = self.number(socket) {
            // Of TCP that is in progress, which the lab takes for success.
            let is_tcp = self
                .calls
                .iter()
                .any(|call| call.socket == socket && call.verb == Verb::Socket { udp: false });
            let result = match result {
                Ok(()) if is_tcp => Err(Error::InProgress),
                result => result.map(|()| 0),
            };
            self.calls.push(Called {
                time,
                after,
                socket,
                verb: Verb::Connect(to),
                result,
            });
        }
        result
    }

    fn send(&mut self, socket: Socket, data: &[u8], urgent: bool) -> Result<usize, Error> {
        let verb = Verb::Send {
            len: data.len(),
            urgent,
            more: false,
        };
        self.call(
            socket,
            verb,
            |len| *len,
            |lab| lab.send(socket, data, urgent),
        )
    }

    fn receive(&mut self, socket: Socket, buffer: &mut [u8], urgent: bool) -> Result<usize, Error> {
        let verb = Verb::Receive {
            room: buffer.len(),
            urgent,
        };
        self.call(
            socket,
            verb,
            |len| *len,
            |lab| lab.receive(socket, buffer, urgent),
        )
    }

    fn send_to(&mut self, socket: Socket, data: &[u8], to: SocketAddr) -> Result<(), Error> {
        let verb = Verb::SendTo {
            len: data.len(),
            to,
        };
        self.call(socket, verb, |()| 0, |lab| lab.send_to(socket, data, to))
    }

    fn receive_from(
        &mut self,
        socket: Socket,
        buffer: &mut [u8],
    ) -> Result<(usize, SocketAddr), Error> {
        let verb = Verb::Receive {
            room: buffer.len(),
            urgent: false,
        };
        self.call(
            socket,
            verb,
            |(len, _)| *len,
            |lab| lab.receive_from(socket, buffer),
        )
    }

    fn shutdown(&mut self, socket: Socket, how: Shutdown) -> Result<(), Error> {
        self.call(
            socket,
            Verb::Shutdown(how),
            |()| 0,
            |lab| lab.shutdown(socket, how),
        )
    }

    fn close(&mut self, socket: Socket) -> Result<(), Error> {
        self.call(socket, Verb::Close, |()| 0, |lab| lab.close(socket))
    }

    fn abort(&mut self, socket: Socket) -> Result<(), Error> {
        self.call(socket, Verb::Abort, |()| 0, |lab| lab.abort(socket))
    }

    fn readiness(&self, socket: Socket) -> Readiness {
        self.simulated.readiness(socket)
    }

    fn state(&self, socket: Socket) -> State {
        self.simulated.state(socket)
    }

    fn local_address(&self, socket: Socket) -> Result<SocketAddr, Error> {
        self.simulated.local_address(socket)
    }

    fn take_error(&mut self, socket: Socket) -> Option<ConnectionError> {
        let (time, after) = (self.simulated.now(), self.collector.look(<[_]>::len));
        let error = self.simulated.take_error(socket)?;
        if let Some(socket) = self.number(socket) {
            self.calls.push(Called {
                time,
                after,
                socket,
                verb: Verb::TakeError(error),
                result: Ok(0),
            });
        }
        Some(error)
    }

    fn add_rule(&mut self, rule: Rule) {
        self.simulated.add_rule(rule);
    }

    fn cut(&mut self, cut: bool) {
        self.simulated.cut(cut);
    }

    fn reboot(&mut self, host: End) {
        self.simulated.reboot(host);
    }

    fn simulated(&mut self) -> Option<&mut Simulated> {
        Some(&mut self.simulated)
    }
}
