use crate::{
    Decision, Error, HostSink, Medium, MessageFlags, OptionName, PacketIn, PacketOut, Readiness,
    Request, RequestId, SocketId, SocketOption, StackEvent, UdpReceived,
};
use alloc::boxed::Box;
use alloc::string::String;
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use estab_tcp::{ConnectionError, Instant, Settings, Shutdown, State, TcpInfo};

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The address.
    pub address: IpAddr,
    /// Bits of the prefix.
    pub prefix_len: u8,
}

/// An interface of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceId(pub u16);

/// What the stack must know of a device.
#[derive(Clone, Debug)]
pub struct InterfaceConfig {
    /// A name for messages.
    pub name: String,
    /// What it carries.
    pub medium: Medium,
    /// Our Ethernet address; not used when the medium is IP.
    pub hardware_address: [u8; 6],
    /// Bytes of an IP packet that the link takes.
    pub mtu: u16,
    /// The device completes transport checksums.
    pub checksum_offload: bool,
    /// The device cuts TCP super-segments up to this payload; 0: it does not.
    pub segmentation_offload: u32,
}

/// Where packets to some addresses go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// These addresses.
    pub destination: Cidr,
    /// Through this router; `None`: they are neighbours.
    pub gateway: Option<IpAddr>,
    /// Over this interface.
    pub interface: InterfaceId,
    /// MSS announced to them and used towards them at most.
    pub mss: Option<u16>,
}

/// How a stack begins.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// Secrets (ISNs, cookies, ports, hash tables) are derived from it. The same seed and input give the same output.
    pub seed: [u8; 32],
    /// Settings by Linux's names.
    pub settings: Settings,
}

/// What is and what was counted. Nothing is dropped, limited or refused without a counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Sockets that somebody holds.
    pub sockets: u64,
    /// Full connections, orphans among them.
    pub connections: u64,
    /// Connections that no socket holds.
    pub orphans: u64,
    /// Half-open records.
    pub half_open: u64,
    /// TIME-WAIT records.
    pub time_wait: u64,
    /// Timers that are armed.
    pub timers: u64,
    /// Bytes of data in send and receive queues.
    pub buffered: u64,
}

/// A host.
pub struct Stack {
    _sink: Option<Box<dyn HostSink>>,
}

#[allow(unused_variables, missing_docs, clippy::missing_errors_doc)]
impl Stack {
    pub fn new(config: StackConfig) -> Self {
        todo!()
    }
    pub fn set_sink(&mut self, sink: Option<Box<dyn HostSink>>) {
        todo!()
    }
    pub fn settings(&self) -> &Settings {
        todo!()
    }
    pub fn settings_mut(&mut self) -> &mut Settings {
        todo!()
    }
    pub fn counters(&self) -> Counters {
        todo!()
    }

    // Interfaces, addresses, routes.
    pub fn add_interface(&mut self, config: InterfaceConfig) -> InterfaceId {
        todo!()
    }
    /// Adds an address of ours, with the route to its network.
    pub fn add_address(&mut self, interface: InterfaceId, address: Cidr) -> Result<(), Error> {
        todo!()
    }
    pub fn add_route(&mut self, route: Route) -> Result<(), Error> {
        todo!()
    }
    /// Takes packets for any destination as ours (what interceptors need).
    pub fn set_any_address(&mut self, interface: InterfaceId, on: bool) {
        todo!()
    }

    // The network and the clock tell us something.
    pub fn handle_packet(&mut self, now: Instant, interface: InterfaceId, packet: PacketIn) {
        todo!()
    }
    pub fn handle_timeout(&mut self, now: Instant) {
        todo!()
    }

    // What the driver must do next; call until `None`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(InterfaceId, PacketOut)> {
        todo!()
    }
    pub fn poll_timeout(&self) -> Option<Instant> {
        todo!()
    }
    pub fn poll_event(&mut self) -> Option<StackEvent> {
        todo!()
    }

    // Sockets. None of these waits.
    pub fn tcp_socket(&mut self, v6: bool) -> Result<SocketId, Error> {
        todo!()
    }
    pub fn udp_socket(&mut self, v6: bool) -> Result<SocketId, Error> {
        todo!()
    }
    pub fn bind(&mut self, socket: SocketId, address: SocketAddr) -> Result<(), Error> {
        todo!()
    }
    pub fn listen(&mut self, now: Instant, socket: SocketId, backlog: u32) -> Result<(), Error> {
        todo!()
    }
    /// A listener for any address and any port; `undecided_max` requests may wait for a decision.
    pub fn intercept(&mut self, now: Instant, undecided_max: u32) -> Result<SocketId, Error> {
        todo!()
    }
    pub fn next_request(&mut self, socket: SocketId) -> Result<Request, Error> {
        todo!()
    }
    pub fn decide(
        &mut self,
        now: Instant,
        request: RequestId,
        decision: Decision,
    ) -> Result<Option<SocketId>, Error> {
        todo!()
    }
    pub fn connect(
        &mut self,
        now: Instant,
        socket: SocketId,
        remote: SocketAddr,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        todo!()
    }
    pub fn accept(
        &mut self,
        now: Instant,
        socket: SocketId,
    ) -> Result<(SocketId, SocketAddr), Error> {
        todo!()
    }
    pub fn send(
        &mut self,
        now: Instant,
        socket: SocketId,
        data: &[u8],
        flags: MessageFlags,
    ) -> Result<usize, Error> {
        todo!()
    }
    /// Queues owned bytes without a copy; all of them or nothing is taken, up to the room there is.
    pub fn send_bytes(
        &mut self,
        now: Instant,
        socket: SocketId,
        data: &mut Bytes,
    ) -> Result<usize, Error> {
        todo!()
    }
    pub fn receive(
        &mut self,
        now: Instant,
        socket: SocketId,
        buffer: &mut [u8],
        flags: MessageFlags,
    ) -> Result<usize, Error> {
        todo!()
    }
    pub fn send_to(
        &mut self,
        now: Instant,
        socket: SocketId,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<usize, Error> {
        todo!()
    }
    pub fn receive_from(
        &mut self,
        now: Instant,
        socket: SocketId,
        buffer: &mut [u8],
        flags: MessageFlags,
    ) -> Result<UdpReceived, Error> {
        todo!()
    }
    pub fn shutdown(&mut self, now: Instant, socket: SocketId, how: Shutdown) -> Result<(), Error> {
        todo!()
    }
    /// Ends the socket. With a lingering `SO_LINGER` and `may_wait`, gives `WouldBlock(Closed)` until it is over; call it again then.
    pub fn close(&mut self, now: Instant, socket: SocketId, may_wait: bool) -> Result<(), Error> {
        todo!()
    }
    pub fn abort(&mut self, now: Instant, socket: SocketId) -> Result<(), Error> {
        todo!()
    }
    pub fn set_option(
        &mut self,
        now: Instant,
        socket: SocketId,
        option: SocketOption,
    ) -> Result<(), Error> {
        todo!()
    }
    pub fn option(&self, socket: SocketId, name: OptionName) -> Result<SocketOption, Error> {
        todo!()
    }
    pub fn readiness(&self, socket: SocketId) -> Readiness {
        todo!()
    }
    /// `SO_ERROR`: the pending error, once.
    pub fn take_error(&mut self, socket: SocketId) -> Result<Option<ConnectionError>, Error> {
        todo!()
    }
    pub fn local_address(&self, socket: SocketId) -> Result<SocketAddr, Error> {
        todo!()
    }
    pub fn remote_address(&self, socket: SocketId) -> Result<SocketAddr, Error> {
        todo!()
    }
    pub fn state(&self, socket: SocketId) -> Result<State, Error> {
        todo!()
    }
    pub fn info(&self, socket: SocketId) -> Result<TcpInfo, Error> {
        todo!()
    }
}
