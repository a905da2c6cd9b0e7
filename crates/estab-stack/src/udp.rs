//! UDP sockets (RFC 768).

mod input;

use crate::ip::{Outgoing, Transport};
use crate::ports::{Claim, Ephemeral, Ports};
use crate::receivers::Receivers;
use crate::secrets::{Purpose, Secrets};
use crate::sockets::Kind;
use crate::table::{TupleHash, TupleTable};
use crate::tcp::canonical;
use crate::{
    Error, HostEvent, InterfaceId, MessageFlags, Queues, Readiness, SocketId, Stack, UdpReceived,
    Wait,
};
use alloc::collections::VecDeque;
use bytes::Bytes;
use core::net::SocketAddr;
use estab_tcp::{Chunks, ConnectionError, FourTuple, Instant, IpMeta, Rng, Shutdown};
use estab_wire::udp::{HEADER_LEN, Header};

/// What a datagram costs in a receive queue beside its bytes, so that empty ones fill it too.
const OVERHEAD: usize = 128;
/// Datagrams larger than this are kept as slices of the device's buffer, smaller ones are copied out of it.
const COPY_MAX: usize = 16 << 10;

slotmap::new_key_type! {
    /// A connected UDP socket in the table.
    pub(crate) struct PeerId;
}

/// All of UDP's state.
pub(crate) struct Udp {
    pub(crate) ports: Ports,
    /// Sockets without a peer.
    pub(crate) receivers: Receivers,
    /// Sockets with a peer; no two have the same ends.
    peers: TupleTable<PeerId, SocketId>,
    /// Sockets that could not send because the way out was full.
    blocked: VecDeque<SocketId>,
}

impl Udp {
    pub(crate) fn new(secrets: &Secrets, rng: &mut Rng) -> Self {
        let key = |purpose| secrets.key(purpose);
        let ephemeral = Ephemeral::new(key(Purpose::PortOffset), key(Purpose::PortIndex), rng);
        Self {
            ports: Ports::new(
                key(Purpose::UdpTable).1,
                Rng::new(rng.next_u64()),
                ephemeral,
            ),
            receivers: Receivers::new(key(Purpose::ListenerGroup)),
            peers: TupleTable::new(TupleHash::fold(key(Purpose::UdpTable))),
            blocked: VecDeque::new(),
        }
    }
}

/// A UDP socket.
#[derive(Default)]
pub(crate) struct UdpSocket {
    /// Both ends, when it is connected.
    pub(crate) tuple: Option<FourTuple>,
    peer: Option<PeerId>,
    interface: Option<InterfaceId>,
    queue: VecDeque<Datagram>,
    /// Bytes in the queue, overhead counted.
    queued: usize,
    pub(crate) error: Option<ConnectionError>,
    read_shut: bool,
    write_shut: bool,
    blocked: bool,
}

struct Datagram {
    from: SocketAddr,
    to: SocketAddr,
    data: Bytes,
}

impl UdpSocket {
    pub(crate) fn queues(&self) -> Queues {
        Queues {
            readable: self.queue.front().map_or(0, |datagram| datagram.data.len()),
            datagrams: self.queue.len(),
            ..Queues::default()
        }
    }

    pub(crate) fn readiness(&self) -> Readiness {
        let readable = !self.queue.is_empty() || self.error.is_some() || self.read_shut;
        let hang_up = self.read_shut && self.write_shut;
        Readiness::READABLE
            .when(readable)
            .with(Readiness::WRITABLE.when(!self.blocked))
            .with(Readiness::ERROR.when(self.error.is_some()))
            .with(Readiness::READ_CLOSED.when(self.read_shut))
            .with(Readiness::HANG_UP.when(hang_up))
    }
}

impl Stack {
    /// Sends a datagram, to `to` or to the peer. All of it or nothing is sent; it is fragmented when the path demands it. A socket
    /// without a port gets one.
    ///
    /// # Errors
    /// `WouldBlock(Writable)` when the way out is full; [`Error::MessageTooLong`]; [`Error::DestinationRequired`];
    /// [`Error::Denied`] for broadcast without `SO_BROADCAST`; [`Error::NetworkUnreachable`]; [`Error::BrokenPipe`] after
    /// `shutdown`; [`Error::Connection`] with what an ICMP error said about an earlier datagram, once.
    pub fn send_to(
        &mut self,
        now: Instant,
        socket: SocketId,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<usize, Error> {
        let state = self.udp_socket_mut(socket)?;
        if let Some(error) = state.error.take() {
            self.refresh(socket);
            return Err(error.into());
        }
        if state.write_shut {
            return Err(Error::BrokenPipe);
        }
        let peer = state.tuple.map(|tuple| (tuple.remote, state.interface));
        let (remote, interface) = match to {
            Some(to) => self.destination(socket, to)?,
            None => peer.ok_or(Error::DestinationRequired)?,
        };
        let most = if remote.is_ipv4() { 65_507 } else { 65_527 };
        if data.len() > most {
            return Err(Error::MessageTooLong);
        }
        if self.ip.is_broadcast(remote.ip()) && !self.sockets.get(socket)?.broadcast {
            return Err(Error::Denied);
        }
        self.udp_auto_bind(socket)?;
        let local = self.udp_local(now, socket, remote, interface)?;
        self.emit(now, socket, local, remote, interface, data)
    }

    /// The local end of a datagram.
    fn udp_local(
        &self,
        now: Instant,
        socket: SocketId,
        remote: SocketAddr,
        interface: Option<InterfaceId>,
    ) -> Result<SocketAddr, Error> {
        let state = self.sockets.get(socket)?;
        if let Kind::Udp(udp) = &state.kind
            && let Some(tuple) = udp.tuple
            && tuple.remote == remote
        {
            return Ok(tuple.local);
        }
        let port = state.hold.as_ref().map_or(0, |hold| hold.port);
        let source = self.source(socket, remote.ip(), || {
            self.ip.route(now, remote.ip(), interface)?.source()
        })?;
        let source = match source.is_multicast() || self.ip.is_broadcast(source) {
            // Bound to a group: datagrams still come from us.
            true => self.ip.route(now, remote.ip(), interface)?.source()?,
            false => source,
        };
        Ok(SocketAddr::new(source, port))
    }

    fn emit(
        &mut self,
        now: Instant,
        socket: SocketId,
        local: SocketAddr,
        remote: SocketAddr,
        interface: Option<InterfaceId>,
        data: &[u8],
    ) -> Result<usize, Error> {
        let options = &self.sockets.get(socket)?.options;
        let meta = IpMeta {
            tos: options.tos,
            hop_limit: options.hop_limit.unwrap_or(0),
            ..IpMeta::default()
        };
        let mut header = [0; HEADER_LEN];
        Header {
            src_port: local.port(),
            dst_port: remote.port(),
            len: u16::try_from(HEADER_LEN + data.len()).map_err(|_| Error::MessageTooLong)?,
        }
        .emit(&mut header);
        let outgoing = Outgoing {
            transport: Transport::Udp,
            src: local.ip(),
            dst: remote.ip(),
            interface,
            meta,
            header: &header,
            payload: Chunks::from(Bytes::copy_from_slice(data)),
            segment_size: 0,
        };
        let mut cx = self.reporter.ip_cx(now, &self.settings);
        match self.ip.send(&mut cx, outgoing) {
            Ok(()) => {}
            Err(Error::NoBuffers) => {
                self.udp_blocked(socket);
                return Err(Error::WouldBlock(Wait::Writable));
            }
            Err(error) => return Err(error),
        }
        self.reporter.counters.udp_out += 1;
        let len = data.len();
        let event = HostEvent::Udp {
            sent: true,
            local,
            remote,
            len,
        };
        self.reporter.host(now, &event);
        Ok(len)
    }

    fn udp_blocked(&mut self, socket: SocketId) {
        if let Ok(state) = self.udp_socket_mut(socket)
            && !core::mem::replace(&mut state.blocked, true)
        {
            self.udp.blocked.push_back(socket);
        }
        self.refresh(socket);
    }

    /// The way out is free again.
    pub(crate) fn unblock_udp(&mut self) {
        for socket in core::mem::take(&mut self.udp.blocked) {
            if let Ok(state) = self.udp_socket_mut(socket) {
                state.blocked = false;
                self.refresh(socket);
            }
        }
    }

    /// Takes the oldest datagram; what does not fit in `buffer` is lost, unless `peek` is given.
    ///
    /// # Errors
    /// `WouldBlock(Readable)`; [`Error::Connection`] with what an ICMP error said about an earlier datagram, once.
    pub fn receive_from(
        &mut self,
        _now: Instant,
        socket: SocketId,
        buffer: &mut [u8],
        flags: MessageFlags,
    ) -> Result<UdpReceived, Error> {
        let Kind::Udp(state) = &mut self.sockets.get_mut(socket)?.kind else {
            return Err(Error::NotSupported);
        };
        if let Some(error) = state.error.take() {
            self.refresh(socket);
            return Err(error.into());
        }
        let Some(datagram) = state.queue.front() else {
            let tuple = state.tuple;
            if state.read_shut
                && let Some(FourTuple { local, remote }) = tuple
            {
                return Ok(UdpReceived {
                    from: remote,
                    to: local,
                    len: 0,
                    datagram_len: 0,
                });
            }
            return Err(Error::WouldBlock(Wait::Readable));
        };
        let len = datagram.data.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..len), datagram.data.get(..len)) {
            to.copy_from_slice(from);
        }
        let received = UdpReceived {
            from: datagram.from,
            to: datagram.to,
            len,
            datagram_len: datagram.data.len(),
        };
        if !flags.peek {
            state.queued -= datagram.data.len() + OVERHEAD;
            self.udp_queued -= datagram.data.len() as u64;
            state.queue.pop_front();
        }
        self.refresh(socket);
        Ok(received)
    }

    /// Sets the peer of a UDP socket: it receives from nobody else.
    pub(crate) fn udp_connect(
        &mut self,
        now: Instant,
        socket: SocketId,
        remote: SocketAddr,
    ) -> Result<(), Error> {
        if self.ip.is_broadcast(remote.ip()) && !self.sockets.get(socket)?.broadcast {
            return Err(Error::Denied);
        }
        let (remote, interface) = self.destination(socket, remote)?;
        self.udp_disconnect(socket)?;
        self.udp_auto_bind(socket)?;
        let local = self.udp_local(now, socket, remote, interface)?;
        let local = canonical(local, None);
        let tuple = FourTuple { local, remote };
        if self.udp.peers.find(&tuple).is_some() {
            return Err(Error::AddressInUse);
        }
        let peer = self.udp.peers.insert_with_key(tuple, |_| socket);
        let state = self.sockets.get_mut(socket)?;
        if let Some(hold) = &state.hold {
            self.udp.receivers.remove(hold.scope, hold.port, socket);
        }
        let state = self.udp_socket_mut(socket)?;
        state.tuple = Some(tuple);
        state.peer = Some(peer);
        state.interface = interface;
        Ok(())
    }

    /// Takes the peer away, if there is one.
    pub(crate) fn udp_disconnect(&mut self, socket: SocketId) -> Result<(), Error> {
        let state = self.udp_socket_mut(socket)?;
        let (tuple, peer) = (state.tuple.take(), state.peer.take());
        if let Some(peer) = peer {
            self.udp.peers.remove(peer);
        }
        if tuple.is_some()
            && let Some(hold) = &self.sockets.get(socket)?.hold
        {
            self.udp.receivers.add(hold.scope, hold.port, socket);
        }
        Ok(())
    }

    fn udp_auto_bind(&mut self, socket: SocketId) -> Result<(), Error> {
        let state = self.sockets.get(socket)?;
        if state.hold.is_some() {
            return Ok(());
        }
        let scope = state.any();
        let range = self.settings.ip_local_port_range;
        let ports = &mut self.udp.ports;
        let port = ports.free(scope, range).ok_or(Error::AddressNotAvailable)?;
        let claim = Claim {
            reuse_address: state.reuse_address,
            reuse_port: state.reuse_port,
            ..Claim::default()
        };
        let hold = ports.hold(scope, port, claim);
        self.udp.receivers.add(scope, port, socket);
        self.sockets.get_mut(socket)?.hold = Some(hold);
        Ok(())
    }

    pub(crate) fn udp_shutdown(&mut self, socket: SocketId, how: Shutdown) -> Result<(), Error> {
        let state = self.udp_socket_mut(socket)?;
        if state.tuple.is_none() {
            return Err(Error::NotConnected);
        }
        state.read_shut |= how != Shutdown::Write;
        state.write_shut |= how != Shutdown::Read;
        self.refresh(socket);
        Ok(())
    }

    /// Takes a UDP socket out of UDP's tables.
    pub(crate) fn end_udp(&mut self, socket: SocketId) {
        // A socket that is not there has nothing to be taken out.
        let _ = self.udp_disconnect(socket);
        let Ok(state) = self.sockets.get(socket) else {
            return;
        };
        if let Some(hold) = &state.hold {
            self.udp.receivers.remove(hold.scope, hold.port, socket);
        }
        if let Kind::Udp(udp) = &state.kind {
            let bytes: usize = udp.queue.iter().map(|datagram| datagram.data.len()).sum();
            self.udp_queued -= bytes as u64;
        }
    }

    fn udp_socket_mut(&mut self, socket: SocketId) -> Result<&mut UdpSocket, Error> {
        match &mut self.sockets.get_mut(socket)?.kind {
            Kind::Udp(udp) => Ok(udp),
            _ => Err(Error::NotSupported),
        }
    }
}
