//! What passes between the IP layer and the transports.

use crate::{Checksum, Error, HostEvent, HostSink, InterfaceId};
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};
use estab_tcp::event::DropReason;
use estab_tcp::{Chunks, IcmpErrorKind, Instant, Interest, IpMeta, SeqNum, Settings};

/// Goes to every verb of the layer: the time, the stack's settings, and where packets and drops are reported.
pub(crate) struct IpCx<'a> {
    pub(crate) now: Instant,
    pub(crate) settings: &'a Settings,
    pub(crate) sink: Option<&'a mut (dyn HostSink + 'static)>,
}

impl IpCx<'_> {
    /// Reports that a packet is not used.
    pub(crate) fn drop(&mut self, reason: DropReason) {
        self.report(Interest::DROP, || HostEvent::Drop { reason });
    }

    /// Reports an event; it is built only when somebody wants it.
    pub(crate) fn report<'e>(&mut self, kind: Interest, event: impl FnOnce() -> HostEvent<'e>) {
        if let Some(sink) = self.sink.as_mut()
            && sink.interest().contains(kind)
        {
            sink.event(self.now, &event());
        }
    }
}

/// The transports above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

/// How packets get to a destination now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Over this interface; [`super::LOOPBACK`] when the destination is ours.
    pub(crate) interface: InterfaceId,
    /// To this neighbour: a router, or the destination.
    pub(crate) next_hop: IpAddr,
    /// Our address for it (RFC 6724); `None` when no address of ours fits, which matters only to those who have none yet.
    pub(crate) source: Option<IpAddr>,
    /// Bytes of an IP packet that get there unfragmented, as far as known.
    pub(crate) mtu: u16,
    /// The route's limit on the MSS.
    pub(crate) mss: Option<u16>,
    /// The device completes transport checksums.
    pub(crate) checksum_offload: bool,
    /// The device cuts super-segments up to this payload; 0: they are cut here.
    pub(crate) segmentation_offload: u32,
}

impl Path {
    /// Our address for it.
    pub(crate) fn source(&self) -> Result<IpAddr, Error> {
        self.source.ok_or(Error::AddressNotAvailable)
    }
}

/// Whom a packet was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    Unicast,
    Broadcast,
    Multicast,
}

/// A segment or datagram for a transport.
#[derive(Clone, Debug)]
pub(crate) struct TransportIn {
    /// Over this interface.
    pub(crate) interface: InterfaceId,
    pub(crate) src: IpAddr,
    /// In any-address mode this need not be an address of ours.
    pub(crate) dst: IpAddr,
    /// Always `Unicast` for TCP.
    pub(crate) cast: Cast,
    pub(crate) meta: IpMeta,
    /// Transport header and text: a slice of what the device gave. Its checksum is not verified yet.
    pub(crate) data: Bytes,
    /// State of the transport checksum.
    pub(crate) checksum: Checksum,
    /// Wire segments it was made of, at least 1.
    pub(crate) segments: u16,
    /// Payload of each of them but the last; 0 when `segments` is 1.
    pub(crate) segment_size: u16,
    /// The whole IP packet, to be quoted by [`super::IpLayer::send_icmp_error`].
    pub(crate) original: Bytes,
}

/// An ICMP error about something we sent, or the like of it from our own neighbour resolution. The addresses are
/// matched to be ours; TCP still must check the sequence number (RFC 5927).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IcmpReport {
    pub(crate) transport: Transport,
    /// Our end of what is quoted.
    pub(crate) local: SocketAddr,
    /// The peer's.
    pub(crate) remote: SocketAddr,
    /// SEG.SEQ of a quoted TCP segment, zero for UDP.
    pub(crate) seq: SeqNum,
    /// `PacketTooBig` carries the MTU to believe: guessed when the message had none, never below the floor.
    pub(crate) kind: IcmpErrorKind,
    /// Who says so.
    pub(crate) from: IpAddr,
}

/// What `handle_packet` leaves to the transports.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    Tcp(TransportIn),
    Udp(TransportIn),
    /// For a `PacketTooBig` that the transport believes, call [`super::IpLayer::learn_path_mtu`].
    IcmpError(IcmpReport),
}

/// What a transport sends.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) transport: Transport,
    /// Need not be ours: an interceptor answers in the name of others.
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    /// Over this interface whatever the routes say: scope ids, and link-local peers.
    pub(crate) interface: Option<InterfaceId>,
    /// `hop_limit` 0 is the default. `dont_fragment` for TCP.
    pub(crate) meta: IpMeta,
    /// The transport header, its checksum field zero: it is filled in here or by the device.
    pub(crate) header: &'a [u8],
    pub(crate) payload: Chunks,
    /// TCP payload of one wire segment; 0, or not less than the payload: it is one segment.
    pub(crate) segment_size: u16,
}
