//! What a host reports: the events of its connections, and those of the layers around them.

use crate::{InterfaceId, PacketIn, PacketOut};
use core::net::SocketAddr;
use estab_tcp::event::{DropReason, Event};
use estab_tcp::{FourTuple, Instant, Interest};

/// Receives what a host reports.
pub trait HostSink: Send {
    /// Which kinds to report.
    fn interest(&self) -> Interest;
    /// One event.
    fn event(&mut self, now: Instant, event: &HostEvent<'_>);
}

/// An event of a host. Between a [`PacketIn`](Self::PacketIn) and the next packet event stands what that packet caused;
/// events just before a [`PacketOut`](Self::PacketOut) that follow no `PacketIn` caused that packet.
#[derive(Clone, Debug)]
pub enum HostEvent<'a> {
    /// An event of a TCP connection, listener, half-open or TIME-WAIT record.
    Tcp {
        /// Its ends. A listener's remote end is unspecified.
        connection: FourTuple,
        /// What happened.
        event: Event<'a>,
    },
    /// A packet came in, and will now be looked at. One for each `handle_packet`.
    PacketIn {
        /// Over this interface.
        interface: InterfaceId,
        /// The packet.
        packet: &'a PacketIn,
    },
    /// A packet is handed out. One for each packet that `poll_transmit` returns.
    PacketOut {
        /// Over this interface.
        interface: InterfaceId,
        /// The packet.
        packet: &'a PacketOut,
    },
    /// A packet that is not TCP's, or that never reached it, is not used.
    Drop {
        /// Why.
        reason: DropReason,
    },
    /// A datagram of UDP.
    Udp {
        /// Sent, or received.
        sent: bool,
        /// Our end.
        local: SocketAddr,
        /// The peer's.
        remote: SocketAddr,
        /// Bytes of payload.
        len: usize,
    },
    /// An ICMP message.
    Icmp {
        /// Sent, or received.
        sent: bool,
        /// The other host.
        remote: core::net::IpAddr,
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
}

impl HostEvent<'_> {
    /// The kind, for the test against a sink's interest.
    pub const fn kind(&self) -> Interest {
        match self {
            Self::Tcp { event, .. } => event.kind(),
            Self::PacketIn { .. } | Self::PacketOut { .. } => Interest::PACKET,
            Self::Drop { .. } => Interest::DROP,
            Self::Udp { .. } | Self::Icmp { .. } => Interest::SEGMENT,
        }
    }
}
