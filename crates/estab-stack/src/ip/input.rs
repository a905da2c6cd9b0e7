//! The way in: frames, and what both versions of IP have in common.

use super::ndp::NdpFrom;
use super::reassembly::{Fragment, Key, Outcome, Whole};
use super::{Cast, Delivery, IpCounters, IpCx, IpLayer, LOOPBACK, TransportIn};
use crate::{Checksum, HostEvent, InterfaceId, PacketIn};
use bytes::Bytes;
use core::net::IpAddr;
use estab_tcp::event::DropReason;
use estab_tcp::{Ecn, Interest, IpMeta};
use estab_wire::ethernet::{self, EtherType};
use estab_wire::{Error, protocol};

/// What is known of a packet beside its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) interface: InterfaceId,
    pub(super) checksum: Checksum,
    pub(super) segments: u16,
    pub(super) segment_size: u16,
    /// It came in a link-layer broadcast or multicast.
    pub(super) group_frame: bool,
    /// It was put together from fragments.
    pub(super) reassembled: bool,
}

impl Arrival {
    pub(super) fn is_looped(&self) -> bool {
        self.interface == LOOPBACK
    }

    pub(super) const fn ndp_from(&self, src: core::net::Ipv6Addr) -> NdpFrom {
        NdpFrom {
            interface: self.interface,
            src,
        }
    }
}

/// The IP header of a packet for us, whatever its version, and what follows it.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) cast: Cast,
    pub(super) meta: IpMeta,
    pub(super) protocol: u8,
    /// The whole IP packet.
    pub(super) packet: Bytes,
    /// Where in it the protocol's header begins.
    pub(super) offset: usize,
}

impl Received {
    pub(super) fn data(&self) -> Bytes {
        self.packet.slice(self.offset..)
    }
}

/// The IP byte that holds TOS or traffic class, as transports see it.
pub(super) const fn meta(tos: u8, hop_limit: u8, dont_fragment: bool) -> IpMeta {
    IpMeta {
        ecn: ecn(tos),
        tos: tos & !3,
        hop_limit,
        dont_fragment,
    }
}

pub(super) const fn ecn(tos: u8) -> Ecn {
    match tos & 3 {
        0 => Ecn::NotEct,
        1 => Ecn::Ect1,
        2 => Ecn::Ect0,
        _ => Ecn::Ce,
    }
}

impl IpLayer {
    /// A packet or frame came in. What is for a transport comes back, the rest is done here.
    pub(crate) fn handle_packet(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        packet: PacketIn,
    ) -> Option<Delivery> {
        self.counters.packets_in += 1;
        cx.report(Interest::PACKET, || HostEvent::PacketIn {
            interface,
            packet: &packet,
        });
        let Some(entry) = self.interface(interface) else {
            return self.discard(cx, |c| &mut c.not_for_us, DropReason::Address);
        };
        let mut arrival = Arrival {
            interface,
            checksum: packet.checksum,
            segments: packet.segments.max(1),
            segment_size: packet.segment_size,
            group_frame: false,
            reassembled: false,
        };
        if !entry.is_ethernet() {
            return self.ip_input(cx, arrival, packet.data);
        }
        let own = entry.mac();
        let header = match ethernet::Header::parse(&packet.data) {
            Ok(header) => header,
            Err(Error::Unsupported) => {
                return self.discard(cx, |c| &mut c.unknown_ether_type, DropReason::Malformed);
            }
            Err(_) => return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed),
        };
        if header.dst != own && !header.dst.is_multicast() {
            return self.discard(cx, |c| &mut c.not_for_us, DropReason::Address);
        }
        arrival.group_frame = header.dst.is_multicast();
        let payload = packet.data.slice(ethernet::HEADER_LEN..);
        match header.ethertype {
            EtherType::IPV4 | EtherType::IPV6 => self.ip_input(cx, arrival, payload),
            EtherType::ARP => self.arp_input(cx, interface, &payload),
            _ => self.discard(cx, |c| &mut c.unknown_ether_type, DropReason::Malformed),
        }
    }

    /// The next packet from ourselves to ourselves. Call until `None`.
    pub(crate) fn poll_loopback(&mut self, cx: &mut IpCx<'_>) -> Option<Delivery> {
        // Each packet may be answered by another (an echo by its reply), never by more; what a transport must see ends
        // the loop.
        while let Some(packet) = self.looped.pop_front() {
            let arrival = Arrival {
                interface: LOOPBACK,
                checksum: packet.checksum,
                segments: packet.segments,
                segment_size: packet.segment_size,
                group_frame: false,
                reassembled: false,
            };
            if let Some(delivery) = self.ip_input(cx, arrival, packet.data) {
                return Some(delivery);
            }
        }
        None
    }

    /// An IP packet of either version; the version field decides, whatever the frame said.
    pub(super) fn ip_input(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        packet: Bytes,
    ) -> Option<Delivery> {
        match packet.first().map(|byte| byte >> 4) {
            Some(4) => self.ipv4_input(cx, arrival, packet),
            Some(6) => self.ipv6_input(cx, arrival, packet),
            _ => self.discard(cx, |c| &mut c.malformed, DropReason::Malformed),
        }
    }

    /// To the transport, or to ICMP.
    pub(super) fn demultiplex(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        received: Received,
    ) -> Option<Delivery> {
        // RFC 1122 3.3.6: a unicast packet has no business in a broadcast frame.
        if arrival.group_frame && received.cast == Cast::Unicast {
            return self.discard(cx, |c| &mut c.bad_destination, DropReason::Address);
        }
        match received.protocol {
            // RFC 9293 3.9.2.3 MUST-57: TCP to a broadcast or multicast address is discarded silently, SYN or not.
            protocol::TCP if received.cast != Cast::Unicast => {
                self.discard(cx, |c| &mut c.bad_destination, DropReason::Address)
            }
            protocol::TCP => Some(Delivery::Tcp(transport_in(arrival, received))),
            protocol::UDP => Some(Delivery::Udp(transport_in(arrival, received))),
            protocol::ICMP if received.dst.is_ipv4() => self.icmpv4_input(cx, arrival, &received),
            protocol::ICMPV6 if received.dst.is_ipv6() => self.icmpv6_input(cx, arrival, &received),
            _ => self.protocol_unreachable(cx, arrival, &received),
        }
    }

    /// Keeps a fragment; when it was the last that was missing, the packet, which arrives now.
    pub(super) fn reassemble(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        key: Key,
        fragment: &Fragment<'_>,
        rebuild: impl FnOnce(&Whole) -> Option<Bytes>,
    ) -> Option<(Arrival, Bytes)> {
        let outcome = self.reassembly.insert(cx.now, key, fragment);
        self.count_fragment(cx, &outcome);
        let Outcome::Whole(whole) = outcome else {
            return None;
        };
        let Some(packet) = rebuild(&whole) else {
            self.discard(cx, |c| &mut c.malformed, DropReason::Malformed);
            return None;
        };
        let arrival = Arrival {
            reassembled: true,
            checksum: Checksum::Unverified,
            segments: 1,
            segment_size: 0,
            ..arrival
        };
        Some((arrival, packet))
    }

    /// Does a reassembled packet go on, and if not, why?
    fn count_fragment(&mut self, cx: &mut IpCx<'_>, outcome: &Outcome) {
        self.counters.reassembly_overflows += core::mem::take(&mut self.reassembly.evicted);
        let reason = match outcome {
            Outcome::Kept => return,
            Outcome::Whole(_) => {
                self.counters.reassembled += 1;
                return;
            }
            Outcome::Bad => {
                self.counters.reassembly_overlaps += 1;
                DropReason::Malformed
            }
            Outcome::Full => {
                self.counters.reassembly_overflows += 1;
                DropReason::NoRoom
            }
            Outcome::Duplicate => DropReason::Duplicate,
        };
        cx.drop(reason);
    }

    /// Counts and reports a packet that is not used.
    pub(super) fn discard(
        &mut self,
        cx: &mut IpCx<'_>,
        counter: impl FnOnce(&mut IpCounters) -> &mut u64,
        reason: DropReason,
    ) -> Option<Delivery> {
        *counter(&mut self.counters) += 1;
        cx.drop(reason);
        None
    }
}

fn transport_in(arrival: Arrival, received: Received) -> TransportIn {
    TransportIn {
        interface: arrival.interface,
        src: received.src,
        dst: received.dst,
        cast: received.cast,
        meta: received.meta,
        data: received.data(),
        checksum: arrival.checksum,
        segments: arrival.segments,
        segment_size: arrival.segment_size,
        original: received.packet,
    }
}
