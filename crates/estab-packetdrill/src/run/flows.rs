//! All flows of a script, and which of them a line or a packet belongs to.

mod delivery;

use super::flow::{Arrived, Flow, Protocol, Stage};
use crate::subject::Network;
use core::net::SocketAddr;
use std::collections::VecDeque;

/// Ports of the peers that connect without a port in the script count up from here.
const FIRST_PEER_PORT: u16 = 40_001;
/// The peer's initial sequence numbers: each flow has one of its own, far from the others'.
const PEER_ISN_STEP: u32 = 0x3779_b9b5;
/// Most flows of a script.
pub(crate) const FLOWS_MAX: usize = 10_000;
/// Most packets that wait for a line that expects them.
pub(crate) const WAITING_MAX: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Flows {
    network: Network,
    bind_port: u16,
    connect_port: u16,
    flows: Vec<Flow>,
    /// The flow that lines without ports are about.
    current: Option<usize>,
    peers: u16,
    /// Messages of no flow that the script may still expect, such as echo replies.
    pub(crate) stray: VecDeque<Arrived>,
    waiting: usize,
}

/// Whose an emitted packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Flow(usize),
    Stray,
    /// Nothing that the script speaks of.
    Nobody,
}

impl Flows {
    pub(crate) fn new(network: Network, bind_port: u16, connect_port: u16) -> Self {
        Self {
            network,
            bind_port,
            connect_port,
            flows: Vec::new(),
            current: None,
            peers: 0,
            stray: VecDeque::new(),
            waiting: 0,
        }
    }

    pub(crate) fn get(&self, index: usize) -> &Flow {
        &self.flows[index]
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut Flow {
        &mut self.flows[index]
    }

    /// More than one with a peer: then lines are shown with ports.
    pub(crate) fn several(&self) -> bool {
        let peers = self.flows.iter().filter(|flow| flow.stage == Stage::Peer);
        peers.count() > 1
    }

    /// The descriptor of the socket under test: that of the current flow.
    pub(crate) fn current_fd(&self) -> Option<i32> {
        let current = self.current.map(|index| &self.flows[index]);
        current.and_then(|flow| flow.fd)
    }

    fn add(&mut self, protocol: Protocol) -> usize {
        let index = self.flows.len();
        let step = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let local = SocketAddr::new(self.network.local_ip, 0);
        self.flows
            .push(Flow::new(protocol, local, PEER_ISN_STEP.wrapping_mul(step)));
        index
    }

    fn of_fd(&self, fd: i32) -> Option<usize> {
        self.flows.iter().rposition(|flow| flow.fd == Some(fd))
    }
}

/// Calls of the script.
impl Flows {
    pub(crate) fn socket(&mut self, fd: i32, protocol: Protocol) {
        if self.flows.len() < FLOWS_MAX {
            let index = self.add(protocol);
            self.flows[index].fd = Some(fd);
            self.current = Some(index);
        }
    }

    pub(crate) fn bound(&mut self, fd: i32, port: u16) {
        if let Some(index) = self.of_fd(fd) {
            self.flows[index].local.set_port(port);
            self.flows[index].bound_port = port;
        }
    }

    pub(crate) fn listening(&mut self, fd: i32) {
        if let Some(index) = self.of_fd(fd) {
            self.flows[index].stage = Stage::Listening;
        }
    }

    /// Before the call is made, so that its SYN finds its flow.
    pub(crate) fn connecting(&mut self, fd: i32, remote: SocketAddr) {
        if let Some(index) = self.of_fd(fd)
            && matches!(self.flows[index].stage, Stage::Fresh | Stage::Peer)
        {
            // A second call only asks how the first one goes.
            let flow = &mut self.flows[index];
            if flow.remote != Some(remote) || flow.local_space.is_none() || flow.is_over() {
                flow.restart(remote);
            }
        }
    }

    /// Data goes there.
    pub(crate) fn sending_to(&mut self, fd: i32, remote: SocketAddr) {
        let Some(index) = self.of_fd(fd) else {
            return;
        };
        let flow = &mut self.flows[index];
        if flow.remote == Some(remote) || flow.stage == Stage::Listening {
            return;
        }
        if flow.remote.is_none() {
            // A datagram socket's first peer; over TCP this is Fast Open.
            flow.restart(remote);
        } else if flow.protocol == Protocol::Udp {
            self.another_peer(index, remote);
        }
    }

    /// A datagram socket speaks with one more.
    fn another_peer(&mut self, index: usize, remote: SocketAddr) {
        let (fd, local) = (self.flows[index].fd, self.flows[index].local);
        let bound_port = self.flows[index].bound_port;
        if self.flows.len() < FLOWS_MAX {
            let index = self.add(Protocol::Udp);
            let flow = &mut self.flows[index];
            (flow.fd, flow.local, flow.bound_port) = (fd, local, bound_port);
            flow.remote = Some(remote);
            flow.stage = Stage::Peer;
            self.current = Some(index);
        }
    }

    /// A connection was accepted. Is it one that the script opened?
    pub(crate) fn accepted(&mut self, fd: i32, peer: SocketAddr) -> bool {
        let found = self.flows.iter().rposition(|flow| {
            flow.protocol == Protocol::Tcp
                && flow.fd.is_none()
                && flow.remote.is_some_and(|remote| same(remote, peer))
        });
        if let Some(index) = found {
            self.flows[index].fd = Some(fd);
            self.current = Some(index);
        }
        found.is_some()
    }

    pub(crate) fn closed(&mut self, fd: i32) {
        for flow in &mut self.flows {
            if flow.fd == Some(fd) {
                flow.fd = None;
                if flow.stage == Stage::Listening {
                    flow.stage = Stage::Fresh;
                }
            }
        }
    }
}

/// Lines of the script.
impl Flows {
    /// The flow into which a packet of the script goes; made when there is none. Ports are source and destination.
    ///
    /// Without ports it is the newest with a peer, but that a SYN (`opens`) to a new listener comes from somebody new.
    pub(crate) fn inbound(
        &mut self,
        protocol: Protocol,
        ports: Option<(u16, u16)>,
        opens: bool,
    ) -> Option<usize> {
        let index = match ports {
            Some((remote, local)) => self.by_ports(protocol, local, remote),
            None => self.with_peer(protocol, opens),
        };
        if let Some(index) = index {
            return Some(index);
        }
        if self.flows.len() >= FLOWS_MAX {
            return None;
        }
        let index = match (protocol, ports) {
            (Protocol::Udp, None) => self.datagram_peer(),
            _ => self.new_peer(protocol, ports),
        };
        self.current = Some(index);
        Some(index)
    }

    fn with_peer(&self, protocol: Protocol, opens: bool) -> Option<usize> {
        let has_peer = |flow: &Flow| flow.protocol == protocol && flow.stage == Stage::Peer;
        let current = self.current.map(|index| (index, &self.flows[index]));
        match current {
            Some((index, flow)) if has_peer(flow) => Some(index),
            Some((_, flow)) if opens && flow.stage == Stage::Listening => None,
            // A datagram socket of its own has a peer of its own.
            Some((_, flow)) if protocol == Protocol::Udp && flow.protocol == protocol => None,
            _ => self.flows.iter().rposition(has_peer),
        }
    }

    /// Somebody opens a connection to us, or sends us something.
    fn new_peer(&mut self, protocol: Protocol, ports: Option<(u16, u16)>) -> usize {
        let local_port = match (ports, self.current.map(|index| &self.flows[index])) {
            (Some((_, local)), _) => local,
            (None, Some(flow)) if flow.protocol == protocol && flow.bound_port != 0 => {
                flow.bound_port
            }
            _ => self.bind_port,
        };
        let remote_port = ports.map_or_else(
            || {
                self.peers += 1;
                FIRST_PEER_PORT + (self.peers - 1) % 20_000
            },
            |(remote, _)| remote,
        );
        let index = self.add(protocol);
        let flow = &mut self.flows[index];
        flow.stage = Stage::Peer;
        flow.local.set_port(local_port);
        flow.bound_port = local_port;
        flow.remote = Some(SocketAddr::new(self.network.remote_ip, remote_port));
        flow.script_ports = ports.map(|(remote, local)| (local, remote));
        index
    }

    /// A datagram comes from the peer that a socket without one would send to.
    fn datagram_peer(&mut self) -> usize {
        let peer = SocketAddr::new(self.network.remote_ip, self.connect_port);
        let fresh = self.current.filter(|index| {
            let flow = &self.flows[*index];
            flow.protocol == Protocol::Udp && flow.stage == Stage::Fresh
        });
        let index = fresh.unwrap_or_else(|| self.add(Protocol::Udp));
        let flow = &mut self.flows[index];
        flow.stage = Stage::Peer;
        flow.remote = Some(peer);
        if flow.local.port() == 0 {
            flow.local.set_port(self.bind_port);
        }
        index
    }

    /// The flow of which a line expects a packet. Ports are source and destination.
    pub(crate) fn outbound(
        &mut self,
        protocol: Protocol,
        ports: Option<(u16, u16)>,
    ) -> Option<usize> {
        match ports {
            Some((local, remote)) => self.by_ports(protocol, local, remote),
            None => {
                let of_protocol = |flow: &Flow| flow.protocol == protocol;
                self.with_peer(protocol, false)
                    .or_else(|| self.flows.iter().rposition(of_protocol))
            }
        }
    }

    fn by_ports(&mut self, protocol: Protocol, local: u16, remote: u16) -> Option<usize> {
        let is_peer = |flow: &&mut Flow| flow.protocol == protocol && flow.stage == Stage::Peer;
        let flows = || 0..self.flows.len();
        let exact = flows().rev().find(|index| {
            let flow = &self.flows[*index];
            flow.protocol == protocol && flow.script_ports == Some((local, remote))
        });
        if exact.is_some() {
            return exact;
        }
        // Active opens: the script gives a name to a port that the subject chose.
        let candidates = self.flows.iter_mut().enumerate();
        let mut candidates = candidates.filter(|(_, flow)| is_peer(flow));
        let (index, flow) = candidates.find(|(_, flow)| {
            let fits = flow.bound_port == 0 || flow.bound_port == local;
            let peer = flow.remote.is_some_and(|peer| peer.port() == remote);
            flow.script_ports.is_none() && fits && peer
        })?;
        flow.script_ports = Some((local, remote));
        Some(index)
    }

    /// The newest flow of any protocol, for messages that name no flow.
    pub(crate) const fn any(&self) -> Option<usize> {
        self.current
    }
}

/// The same end, whether or not an IPv4 address is mapped.
fn same(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
}
