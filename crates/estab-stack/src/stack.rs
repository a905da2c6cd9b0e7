use crate::ip::{Delivery, IpLayer};
use crate::report::Reporter;
use crate::secrets::{Purpose, Secrets};
use crate::settings_table::{self, SettingError};
use crate::sockets::{Kind, Socket, Sockets};
use crate::tcp::{ConnectionId, HalfOpenId, Tcp, TimeWaitId, stream_readiness};
use crate::timers::Timers;
use crate::udp::Udp;
use crate::{
    Cidr, Counters, Error, HostSink, InterfaceConfig, InterfaceId, PacketIn, PacketOut, Readiness,
    RequestId, Route, SocketId, StackEvent,
};
use alloc::boxed::Box;
use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use estab_tcp::{ConnectionError, Instant, Rng, Settings, State, TcpInfo};

/// How a stack begins.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// Secrets (ISNs, cookies, ports, hash tables) are derived from it. The same seed and input give the same output.
    pub seed: [u8; 32],
    /// Settings by Linux's names.
    pub settings: Settings,
}

/// A host: interfaces with addresses and routes, and sockets whose calls never wait.
///
/// Its methods are of five kinds.
///
/// - *The network and the clock tell us something*: [`handle_packet`](Self::handle_packet),
///   [`handle_timeout`](Self::handle_timeout).
/// - *The application asks for something*: the calls of sockets, from [`tcp_socket`](Self::tcp_socket) to [`close`](Self::close). Each
///   gives its result, or [`Error::WouldBlock`] with what to wait for.
/// - *What the driver must do next*. After any number of calls of the first two kinds:
///   [`poll_transmit`](Self::poll_transmit) until `None`, then [`poll_event`](Self::poll_event) until `None`, then
///   [`poll_timeout`](Self::poll_timeout) once: at that time call `handle_timeout`. A late or superfluous one does no harm.
/// - *Set up*: interfaces, addresses, routes, settings, the sink of events.
/// - *Look, without touching*: the rest.
///
/// Time never runs backwards from call to call. Addresses of IPv4 peers are always given as plain IPv4, also by IPv6 sockets.
pub struct Stack {
    pub(crate) settings: Settings,
    pub(crate) ip: IpLayer,
    pub(crate) reporter: Reporter,
    pub(crate) sockets: Sockets,
    pub(crate) timers: Timers<TimerKey>,
    pub(crate) tcp: Tcp,
    pub(crate) udp: Udp,
    /// Bytes in the queues of UDP sockets.
    pub(crate) udp_queued: u64,
    /// Rises when a route or a path MTU changes, so that connections look again.
    pub(crate) route_generation: u64,
    /// The time that the driver last told, for what is set up meanwhile.
    last_told: Instant,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerKey {
    Connection(ConnectionId),
    HalfOpen(HalfOpenId),
    TimeWait(TimeWaitId),
    Request(RequestId),
}

/// Set up.
impl Stack {
    /// A host without interfaces. Loopback addresses work from the start.
    pub fn new(config: StackConfig) -> Self {
        let secrets = Secrets::new(config.seed);
        let mut rng = Rng::new(secrets.key(Purpose::Random).0);
        Self {
            settings: config.settings,
            ip: IpLayer::new(secrets.key(Purpose::Ip).0),
            reporter: Reporter::default(),
            sockets: Sockets::new(),
            timers: Timers::new(),
            tcp: Tcp::new(&secrets, &mut rng),
            udp: Udp::new(&secrets, &mut rng),
            udp_queued: 0,
            route_generation: 1,
            last_told: Instant::ZERO,
        }
    }

    /// Who gets the events; `None`: nobody.
    pub fn set_sink(&mut self, sink: Option<Box<dyn HostSink>>) {
        self.reporter.sink = sink;
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings, to be changed. What is read when a connection begins counts for later ones only.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Changes a setting by its name, such as `net.ipv4.tcp_fin_timeout` or `tcp_fin_timeout`; see [`settings_table`].
    ///
    /// # Errors
    /// [`SettingError::Unknown`], [`SettingError::Value`].
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        settings_table::find(name)
            .ok_or(SettingError::Unknown)?
            .set(&mut self.settings, value)
    }

    /// A setting as text, by its name.
    ///
    /// # Errors
    /// [`SettingError::Unknown`].
    pub fn setting(&self, name: &str) -> Result<String, SettingError> {
        settings_table::find(name)
            .map(|setting| setting.get(&self.settings))
            .ok_or(SettingError::Unknown)
    }

    /// Adds an interface; the driver moves its packets.
    pub fn add_interface(&mut self, config: InterfaceConfig) -> InterfaceId {
        self.route_generation += 1;
        self.ip.add_interface(config)
    }

    /// Adds an address of ours, with the route to its network.
    ///
    /// # Errors
    /// [`Error::Invalid`]: no such interface, or not an address that a host can have.
    pub fn add_address(&mut self, interface: InterfaceId, address: Cidr) -> Result<(), Error> {
        self.route_generation += 1;
        let mut cx = self.reporter.ip_cx(self.last_told, &self.settings);
        self.ip.add_address(&mut cx, interface, address)
    }

    /// Takes an address away. Connections that use it stay, but nothing reaches them.
    ///
    /// # Errors
    /// [`Error::AddressNotAvailable`]: it is not there.
    pub fn remove_address(&mut self, interface: InterfaceId, address: IpAddr) -> Result<(), Error> {
        self.route_generation += 1;
        self.ip.remove_address(interface, address)
    }

    /// Our addresses, loopback left out.
    pub fn addresses(&self) -> impl Iterator<Item = (InterfaceId, Cidr)> + '_ {
        self.ip.addresses()
    }

    /// Adds a route.
    ///
    /// # Errors
    /// [`Error::Invalid`]: no such interface, or families that do not match.
    pub fn add_route(&mut self, route: Route) -> Result<(), Error> {
        self.route_generation += 1;
        self.ip.add_route(route)
    }

    /// Takes a route away.
    ///
    /// # Errors
    /// [`Error::NetworkUnreachable`]: it is not there.
    pub fn remove_route(&mut self, destination: Cidr) -> Result<(), Error> {
        self.route_generation += 1;
        self.ip.remove_route(destination)
    }

    /// Takes packets for any unicast destination as ours (what interceptors need).
    pub fn set_any_address(&mut self, interface: InterfaceId, on: bool) {
        // An interface that is not there has no packets.
        let _ = self.ip.set_any_address(interface, on);
    }
}

/// The network and the clock tell us something.
impl Stack {
    /// A packet or frame came in. It is reported before it is looked at.
    pub fn handle_packet(&mut self, now: Instant, interface: InterfaceId, packet: PacketIn) {
        let mut cx = self.reporter.ip_cx(now, &self.settings);
        if let Some(delivery) = self.ip.handle_packet(&mut cx, interface, packet) {
            self.deliver(now, delivery);
        }
    }

    fn deliver(&mut self, now: Instant, delivery: Delivery) {
        use crate::ip::Transport;
        match delivery {
            Delivery::Tcp(packet) => self.tcp_arrives(now, packet),
            Delivery::Udp(packet) => self.udp_arrives(now, &packet),
            Delivery::IcmpError(report) => match report.transport {
                Transport::Tcp => self.icmp_for_tcp(now, &report),
                Transport::Udp => self.icmp_for_udp(now, &report),
            },
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.last_told = now;
        let mut cx = self.reporter.ip_cx(now, &self.settings);
        self.ip.handle_timeout(&mut cx);
        while let Some(key) = self.timers.pop_due(now) {
            match key {
                TimerKey::Connection(id) => {
                    if let Some(kept) = self.tcp.connections.get_mut(id) {
                        let mut cx = self.reporter.cx(now, &self.settings);
                        kept.connection.handle_timeout(&mut cx);
                        self.touched(now, id);
                    }
                }
                TimerKey::HalfOpen(id) => self.half_open_timeout(now, id),
                TimerKey::TimeWait(id) => self.time_wait_timeout(now, id),
                TimerKey::Request(id) => self.request_timeout(id),
            }
        }
    }
}

/// What the driver must do next.
impl Stack {
    /// The next packet to send; call until `None`. Packets to addresses of our own are delivered on the way.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(InterfaceId, PacketOut)> {
        self.last_told = now;
        loop {
            let mut cx = self.reporter.ip_cx(now, &self.settings);
            if let Some(packet) = self.ip.poll_transmit(&mut cx) {
                return Some(packet);
            }
            if let Some(delivery) = self.ip.poll_loopback(&mut cx) {
                self.deliver(now, delivery);
            } else if let Some(report) = self.ip.poll_unreachable() {
                self.deliver(now, Delivery::IcmpError(report));
            } else if !self.transmit_next(now) {
                self.unblock_udp();
                return None;
            }
        }
    }

    /// When [`Self::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ours = self.timers.next();
        let ip = self.ip.poll_timeout();
        ours.into_iter().chain(ip).min()
    }

    /// What whoever waits should know; call until `None`. Each socket stands in the queue at most once.
    pub fn poll_event(&mut self) -> Option<StackEvent> {
        self.sockets.poll_event()
    }
}

/// Sockets of any kind.
impl Stack {
    /// A TCP socket. An IPv6 one serves IPv4 too, until `IPV6_V6ONLY` is set.
    ///
    /// # Errors
    /// None yet.
    pub fn tcp_socket(&mut self, v6: bool) -> Result<SocketId, Error> {
        Ok(self.add_socket(Socket::new(v6, Kind::Fresh)))
    }

    /// A UDP socket. An IPv6 one serves IPv4 too, until `IPV6_V6ONLY` is set.
    ///
    /// # Errors
    /// None yet.
    pub fn udp_socket(&mut self, v6: bool) -> Result<SocketId, Error> {
        Ok(self.add_socket(Socket::new(v6, Kind::Udp(Box::default()))))
    }

    fn add_socket(&mut self, socket: Socket) -> SocketId {
        self.sockets.add(socket)
    }

    /// What a socket is ready for now; nothing when there is no such socket.
    pub fn readiness(&self, socket: SocketId) -> Readiness {
        self.readiness_now(socket)
    }

    pub(crate) fn readiness_now(&self, socket: SocketId) -> Readiness {
        const OVER: Readiness = Readiness::WRITABLE.with(Readiness::HANG_UP);
        let Ok(state) = self.sockets.get(socket) else {
            return Readiness::NONE;
        };
        match &state.kind {
            // As in Linux.
            Kind::Fresh => OVER.with(Readiness::ERROR.when(state.error.is_some())),
            Kind::Listener(listener) => Readiness::READABLE.when(!listener.queue.is_empty()),
            Kind::Interceptor(state) => Readiness::READABLE.when(state.has_new()),
            Kind::Accepting(_) => Readiness::NONE,
            Kind::Failed(_, error) => OVER
                .with(Readiness::READABLE)
                .with(Readiness::READ_CLOSED)
                .with(Readiness::ERROR.when(error.is_some())),
            Kind::Stream(id) => self
                .tcp
                .connections
                .get(*id)
                .map_or(Readiness::NONE, |kept| stream_readiness(kept)),
            Kind::Udp(udp) => udp.readiness(),
        }
    }

    /// With `on` every arrival is told by [`StackEvent::Ready`], also when what came before was not taken yet: what edge
    /// triggering needs.
    ///
    /// # Errors
    /// [`Error::BadSocket`].
    pub fn tell_arrivals(&mut self, socket: SocketId, on: bool) -> Result<(), Error> {
        self.sockets.get_mut(socket)?.tell_arrivals = on;
        Ok(())
    }

    /// The readiness of a socket may have changed.
    pub(crate) fn refresh(&mut self, socket: SocketId) {
        let ready = self.readiness_now(socket);
        self.sockets.set_readiness(socket, ready);
    }

    /// `SO_ERROR`: the pending error, once.
    ///
    /// # Errors
    /// [`Error::BadSocket`].
    pub fn take_error(&mut self, socket: SocketId) -> Result<Option<ConnectionError>, Error> {
        let state = self.sockets.get_mut(socket)?;
        let error = match &mut state.kind {
            Kind::Fresh => state.error.take(),
            Kind::Stream(id) => self
                .tcp
                .connections
                .get_mut(*id)
                .and_then(|kept| kept.connection.take_error()),
            Kind::Failed(_, error) => error.take(),
            Kind::Udp(udp) => udp.error.take(),
            _ => None,
        };
        self.refresh(socket);
        Ok(error)
    }

    /// The soft ICMP error that a connection remembers, once: it has ended nothing, and is forgotten when the peer is heard
    /// (RFC 9293 3.9.1.8 MUST-47).
    ///
    /// # Errors
    /// [`Error::BadSocket`].
    pub fn take_soft_error(&mut self, socket: SocketId) -> Result<Option<ConnectionError>, Error> {
        let Kind::Stream(id) = self.sockets.get(socket)?.kind else {
            return Ok(None);
        };
        let kept = self.tcp.connections.get_mut(id);
        Ok(kept.and_then(|kept| kept.connection.take_soft_error()))
    }

    /// Our end. Unspecified where it is not bound; a plain IPv4 address for an IPv4 peer.
    ///
    /// # Errors
    /// [`Error::BadSocket`].
    pub fn local_address(&self, socket: SocketId) -> Result<SocketAddr, Error> {
        let state = self.sockets.get(socket)?;
        let tuple = match &state.kind {
            Kind::Stream(id) => self.tcp.connections.tuple(*id),
            Kind::Accepting(id) => self.tcp.half_open.tuple(*id),
            Kind::Failed(tuple, _) => Some(*tuple),
            Kind::Udp(udp) => udp.tuple,
            _ => None,
        };
        if let Some(tuple) = tuple {
            return Ok(tuple.local);
        }
        Ok(match &state.hold {
            Some(hold) => SocketAddr::new(hold.scope.shown(), hold.port),
            None if state.v6 => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
            None => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        })
    }

    /// The peer's end; a plain IPv4 address for an IPv4 peer.
    ///
    /// # Errors
    /// [`Error::NotConnected`], also while the connection is being opened.
    pub fn remote_address(&self, socket: SocketId) -> Result<SocketAddr, Error> {
        let tuple = match &self.sockets.get(socket)?.kind {
            Kind::Stream(id) => match self.tcp.connections.get(*id) {
                Some(kept) if kept.connection.state() == State::SynSent => None,
                Some(kept) => Some(*kept.connection.tuple()),
                None => None,
            },
            Kind::Accepting(id) => self.tcp.half_open.tuple(*id),
            Kind::Failed(tuple, _) => Some(*tuple),
            Kind::Udp(udp) => udp.tuple,
            _ => None,
        };
        tuple.map(|tuple| tuple.remote).ok_or(Error::NotConnected)
    }

    /// The state of a TCP socket (RFC 9293 3.10.6).
    ///
    /// # Errors
    /// [`Error::NotSupported`]: not a TCP socket.
    pub fn state(&self, socket: SocketId) -> Result<State, Error> {
        Ok(match &self.sockets.get(socket)?.kind {
            Kind::Fresh | Kind::Failed(..) => State::Closed,
            Kind::Listener(_) | Kind::Interceptor(_) => State::Listen,
            Kind::Accepting(_) => State::SynReceived,
            Kind::Stream(id) => self.connection_state(*id),
            Kind::Udp(_) => return Err(Error::NotSupported),
        })
    }

    /// What a connection tells of itself (`TCP_INFO`).
    ///
    /// # Errors
    /// [`Error::NotConnected`]: the socket has no connection.
    pub fn info(&self, socket: SocketId) -> Result<TcpInfo, Error> {
        match &self.sockets.get(socket)?.kind {
            Kind::Stream(id) => self
                .tcp
                .connections
                .get(*id)
                .map(|kept| TcpInfo {
                    state: self.connection_state(*id),
                    ..kept.connection.info(&self.settings)
                })
                .ok_or(Error::NotConnected),
            _ => Err(Error::NotConnected),
        }
    }

    /// What is and what was counted.
    pub fn counters(&self) -> Counters {
        let tcp = &self.tcp;
        Counters {
            sockets: self.sockets.len() as u64,
            connections: tcp.connections.len() as u64,
            orphans: tcp.orphans as u64,
            half_open: tcp.half_open.len() as u64,
            time_wait: tcp.time_wait.len() as u64,
            requests: tcp.requests.len() as u64,
            ports: (tcp.ports.len() + self.udp.ports.len()) as u64,
            timers: self.timers.armed() as u64,
            buffered: tcp.buffered + self.udp_queued,
            ip: self.ip.counters().clone(),
            ..self.reporter.counters.clone()
        }
    }
}
