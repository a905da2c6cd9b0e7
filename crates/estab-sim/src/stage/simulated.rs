use super::{Lab, Setup, Socket};
use crate::{End, HostId, LinkConfig, LinkId, Network, Rule};
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use estab_stack::{Error, HostSink, MessageFlags, Readiness, SocketId, SocketOption, Stack};
use estab_tcp::{ConnectionError, Instant, Settings, Shutdown, State};
use estab_trace::{Collector, Environment, HostRecord, Record, Tee};
use std::sync::Arc;

/// Makes a further sink for the host with this name, if it wants one.
pub type SinkMaker = Arc<dyn Fn(&str) -> Option<Box<dyn HostSink>> + Send + Sync>;

/// The lab on the simulator: `a` is 10.0.0.1 or fd00::1, `b` is 10.0.0.2 or fd00::2.
pub struct Simulated {
    network: Network,
    hosts: [HostId; 2],
    link: LinkId,
    sockets: Vec<(End, SocketId)>,
    v6: bool,
    collector: Collector,
}

impl Simulated {
    /// Two hosts whose events go to the collector, and to the sinks that are made for them.
    pub fn new(seed: u64, setup: Setup, collector: &Collector, sinks: Option<SinkMaker>) -> Self {
        let mut network = Network::new(seed);
        let [settings_a, settings_b]: [Settings; 2] = setup.settings;
        let a = network.add_host(End::A.name(), settings_a);
        let b = network.add_host(End::B.name(), settings_b);
        for (host, end) in [(a, End::A), (b, End::B)] {
            let (collector, sinks) = (collector.clone(), sinks.clone());
            network.set_sink(host, move || {
                let collects = collector.sink(end.name());
                match sinks.as_ref().and_then(|sinks| sinks(end.name())) {
                    Some(more) => Box::new(Tee::new().with(collects).with(more)),
                    None => collects,
                }
            });
        }
        let config = LinkConfig {
            mtu: setup.mtu,
            ..LinkConfig::default().delay(setup.delay)
        };
        let (at_a, at_b) = if setup.v6 {
            ("fd00::1/64", "fd00::2/64")
        } else {
            ("10.0.0.1/24", "10.0.0.2/24")
        };
        let link = network.join(a, at_a, b, at_b, config);
        Self {
            network,
            hosts: [a, b],
            link,
            sockets: Vec::new(),
            v6: setup.v6,
            collector: collector.clone(),
        }
    }

    /// The network.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The network.
    pub const fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// One of the two hosts.
    pub const fn host(&self, end: End) -> HostId {
        self.hosts[end as usize]
    }

    /// The socket in the host's stack.
    pub fn socket_id(&self, socket: Socket) -> SocketId {
        self.sockets
            .get(socket.0)
            .map_or_else(SocketId::default, |(_, id)| *id)
    }

    /// Makes a socket of a host's stack known here.
    pub fn adopt(&mut self, host: End, socket: SocketId) -> Socket {
        self.sockets.push((host, socket));
        Socket(self.sockets.len() - 1)
    }

    /// What was recorded so far.
    pub fn records(&self) -> Vec<Record> {
        self.collector.records()
    }

    /// Puts a router with a small link into the middle of the cable.
    pub fn narrow(&mut self, mtu: u16) {
        self.network.narrow(self.link, Some(mtu));
    }

    /// Puts a packet in front of a host, as if somebody had sent it.
    pub fn inject(&mut self, to: End, packet: Bytes) {
        self.network.inject(self.link, to, packet);
    }

    fn call<T>(
        &mut self,
        socket: Socket,
        call: impl FnOnce(&mut Stack, Instant, SocketId) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let &(host, id) = self.sockets.get(socket.0).ok_or(Error::BadSocket)?;
        self.network
            .call(self.hosts[host as usize], |stack, now| call(stack, now, id))
    }

    fn look<T>(&self, socket: Socket, look: impl FnOnce(&Stack, SocketId) -> T) -> Option<T> {
        let &(host, id) = self.sockets.get(socket.0)?;
        Some(look(self.network.stack(self.hosts[host as usize]), id))
    }

    fn tell(&self, host: End, what: Environment) {
        self.collector.push(Record {
            time: self.network.now(),
            host: host.name().into(),
            event: HostRecord::Environment(what),
        });
    }
}

const fn flags(urgent: bool) -> MessageFlags {
    MessageFlags {
        peek: false,
        urgent,
        more: false,
        end_of_record: false,
        truncate: false,
    }
}

impl Lab for Simulated {
    fn now(&self) -> Instant {
        self.network.now()
    }

    fn advance(&mut self, until: Instant) -> bool {
        self.network.step(until)
    }

    fn address(&self, host: End) -> IpAddr {
        match (self.v6, host) {
            (false, End::A) => IpAddr::from([10, 0, 0, 1]),
            (false, End::B) => IpAddr::from([10, 0, 0, 2]),
            (true, End::A) => IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1]),
            (true, End::B) => IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 2]),
        }
    }

    fn tcp_socket(&mut self, host: End) -> Result<Socket, Error> {
        let v6 = self.v6;
        let id = self
            .network
            .call(self.host(host), |stack, _| stack.tcp_socket(v6))?;
        Ok(self.adopt(host, id))
    }

    fn udp_socket(&mut self, host: End) -> Result<Socket, Error> {
        let v6 = self.v6;
        let id = self
            .network
            .call(self.host(host), |stack, _| stack.udp_socket(v6))?;
        Ok(self.adopt(host, id))
    }

    fn set_option(&mut self, socket: Socket, option: SocketOption) -> Result<(), Error> {
        self.call(socket, |stack, now, id| stack.set_option(now, id, option))
    }

    fn bind(&mut self, socket: Socket, port: u16) -> Result<(), Error> {
        let &(host, _) = self.sockets.get(socket.0).ok_or(Error::BadSocket)?;
        let address = SocketAddr::new(self.address(host), port);
        self.call(socket, |stack, _, id| stack.bind(id, address))
    }

    fn listen(&mut self, socket: Socket, backlog: u32) -> Result<(), Error> {
        self.call(socket, |stack, now, id| stack.listen(now, id, backlog))
    }

    fn accept(&mut self, socket: Socket) -> Result<Socket, Error> {
        let &(host, _) = self.sockets.get(socket.0).ok_or(Error::BadSocket)?;
        let (accepted, _) = self.call(socket, |stack, now, id| stack.accept(now, id))?;
        Ok(self.adopt(host, accepted))
    }

    fn connect(
        &mut self,
        socket: Socket,
        to: SocketAddr,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        match self.call(socket, |stack, now, id| stack.connect(now, id, to, timeout)) {
            Err(Error::InProgress) => Ok(()),
            result => result,
        }
    }

    fn send(&mut self, socket: Socket, data: &[u8], urgent: bool) -> Result<usize, Error> {
        self.call(socket, |stack, now, id| {
            stack.send(now, id, data, flags(urgent))
        })
    }

    fn receive(&mut self, socket: Socket, buffer: &mut [u8], urgent: bool) -> Result<usize, Error> {
        self.call(socket, |stack, now, id| {
            stack.receive(now, id, buffer, flags(urgent))
        })
    }

    fn send_to(&mut self, socket: Socket, data: &[u8], to: SocketAddr) -> Result<(), Error> {
        self.call(socket, |stack, now, id| {
            stack.send_to(now, id, data, Some(to))
        })?;
        Ok(())
    }

    fn receive_from(
        &mut self,
        socket: Socket,
        buffer: &mut [u8],
    ) -> Result<(usize, SocketAddr), Error> {
        let got = self.call(socket, |stack, now, id| {
            stack.receive_from(now, id, buffer, flags(false))
        })?;
        Ok((got.len, got.from))
    }

    fn shutdown(&mut self, socket: Socket, how: Shutdown) -> Result<(), Error> {
        self.call(socket, |stack, now, id| stack.shutdown(now, id, how))
    }

    fn close(&mut self, socket: Socket) -> Result<(), Error> {
        self.call(socket, |stack, now, id| stack.close(now, id, true))
    }

    fn abort(&mut self, socket: Socket) -> Result<(), Error> {
        self.call(socket, |stack, now, id| stack.abort(now, id))
    }

    fn readiness(&self, socket: Socket) -> Readiness {
        self.look(socket, |stack, id| stack.readiness(id))
            .unwrap_or_default()
    }

    fn state(&self, socket: Socket) -> State {
        let state = self.look(socket, |stack, id| stack.state(id).ok());
        state.flatten().unwrap_or(State::Closed)
    }

    fn local_address(&self, socket: Socket) -> Result<SocketAddr, Error> {
        let address = self.look(socket, |stack, id| stack.local_address(id));
        address.unwrap_or(Err(Error::BadSocket))
    }

    fn take_error(&mut self, socket: Socket) -> Option<ConnectionError> {
        self.call(socket, |stack, _, id| stack.take_error(id))
            .ok()
            .flatten()
    }

    fn add_rule(&mut self, rule: Rule) {
        self.network.add_rule(self.link, rule);
    }

    fn cut(&mut self, cut: bool) {
        self.tell(
            End::A,
            if cut {
                Environment::CableCut
            } else {
                Environment::CableMended
            },
        );
        self.network.cut(self.link, cut);
    }

    fn reboot(&mut self, host: End) {
        self.tell(host, Environment::Reboot);
        self.network.reboot(self.host(host));
    }

    fn simulated(&mut self) -> Option<&mut Simulated> {
        Some(self)
    }
}
