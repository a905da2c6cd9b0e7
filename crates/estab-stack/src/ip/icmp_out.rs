//! ICMP errors that we send, and when we must not (RFC 1122 section 3.2.2, RFC 4443).

use super::address::is_possible_source;
use super::input::{Arrival, Received};
use super::output::Packet;
use super::{Delivery, IpCx, IpLayer, LOOPBACK};
use crate::InterfaceId;
use bytes::Bytes;
use core::net::IpAddr;
use estab_tcp::event::DropReason;
use estab_tcp::{Chunks, IcmpErrorKind, IpMeta};
use estab_wire::icmpv6::parameter_problem;
use estab_wire::{icmpv4, icmpv6, ipv4, ipv6, protocol};

/// Bytes of an IPv4 packet that every host takes (RFC 791): an error is not longer.
const ERROR_LEN_V4: usize = 576;
/// The same for IPv6 (RFC 4443).
const ERROR_LEN_V6: usize = 1280;

/// An error to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorMessage {
    /// One that a transport or the program asks for.
    Kind(IcmpErrorKind),
    /// IPv6 only.
    ParameterProblem {
        code: u8,
        pointer: u32,
        even_to_group: bool,
    },
    ReassemblyTimeout,
}

/// What must be known of a packet to answer it with an error.
struct Offender {
    src: IpAddr,
    dst: IpAddr,
    /// Where in it the transport is announced (IPv6).
    announced_at: usize,
}

impl IpLayer {
    /// Answers a packet with an ICMP error, unless the rules or the rate limit forbid it. `original` is
    /// [`TransportIn::original`](super::TransportIn::original).
    pub(crate) fn send_icmp_error(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        original: &Bytes,
        kind: IcmpErrorKind,
    ) {
        self.send_error(cx, interface, original, ErrorMessage::Kind(kind));
    }

    pub(super) fn protocol_unreachable(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        received: &Received,
    ) -> Option<Delivery> {
        let message = ErrorMessage::Kind(IcmpErrorKind::ProtocolUnreachable);
        self.send_error(cx, arrival.interface, &received.packet, message);
        self.discard(cx, |c| &mut c.unknown_protocol, DropReason::Address)
    }

    pub(super) fn send_error(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        original: &Bytes,
        message: ErrorMessage,
    ) {
        let even_to_group = matches!(
            message,
            ErrorMessage::ParameterProblem {
                even_to_group: true,
                ..
            }
        );
        let Some(offender) = self.offender(interface, original, even_to_group) else {
            return;
        };
        let Ok(hop) = self.reply_hop(cx.now, offender.src, interface) else {
            self.counters.no_route += 1;
            return;
        };
        if !self.icmp_bucket.take(cx.now, cx.settings.icmp_msgs_per_sec) {
            self.counters.icmp_rate_limited += 1;
            cx.drop(DropReason::RateLimited);
            return;
        }
        let own = self.error_source(interface, &offender, message);
        let (header, number, quote_max) = match (own, offender.src) {
            (IpAddr::V4(_), _) => {
                let room = ERROR_LEN_V4 - ipv4::HEADER_LEN - icmpv4::HEADER_LEN;
                let quoted = &original[..original.len().min(room)];
                let Some(message) = message_v4(message, quoted) else {
                    return;
                };
                (message.header(), protocol::ICMP, room)
            }
            (IpAddr::V6(own), IpAddr::V6(to)) => {
                let room = ERROR_LEN_V6 - ipv6::HEADER_LEN - icmpv6::HEADER_LEN;
                let quoted = &original[..original.len().min(room)];
                let message = message_v6(message, offender.announced_at, quoted);
                let Some(header) = message.header(own, to).first_chunk().copied() else {
                    return;
                };
                (header, protocol::ICMPV6, room)
            }
            _ => return,
        };
        let packet = Packet {
            hop,
            src: own,
            dst: offender.src,
            protocol: number,
            meta: IpMeta::default(),
            header: &header,
            payload: Chunks::from(original.slice(..original.len().min(quote_max))),
            segment_size: 0,
            mac: None,
        };
        if self.emit(cx, packet).is_ok() {
            self.icmp_sent(cx, offender.src, &header);
        }
    }

    /// May the packet be answered with an error?
    fn offender(
        &self,
        interface: InterfaceId,
        packet: &[u8],
        even_to_group: bool,
    ) -> Option<Offender> {
        let offender = match packet.first()? >> 4 {
            4 => {
                let header = ipv4::Header::parse_quoted(packet).ok()?;
                let body = packet.get(header.header_len.into()..)?;
                if header.fragment_offset != 0
                    || header.protocol == protocol::ICMP && !is_query_v4(body)
                {
                    return None;
                }
                let (src, dst) = (IpAddr::V4(header.src), IpAddr::V4(header.dst));
                Offender {
                    src,
                    dst,
                    announced_at: 0,
                }
            }
            _ => {
                let header = ipv6::Header::parse_quoted(packet).ok()?;
                // When the headers are what is wrong, the walk ends there, and no ICMP message was recognised.
                let upper = ipv6::walk(&header, packet).ok();
                let is_error = upper.is_some_and(|upper| {
                    upper.protocol == protocol::ICMPV6
                        && !packet.get(upper.offset..).is_some_and(is_query_v6)
                });
                if is_error {
                    return None;
                }
                let announced_at = upper.map_or(0, |upper| upper.announced_at);
                let (src, dst) = (IpAddr::V6(header.src), IpAddr::V6(header.dst));
                Offender {
                    src,
                    dst,
                    announced_at,
                }
            }
        };
        let group = offender.dst.is_multicast() || self.is_broadcast(offender.dst);
        let single = is_possible_source(offender.src) && !self.is_broadcast(offender.src)
            || interface == LOOPBACK;
        (single && (!group || even_to_group)).then_some(offender)
    }

    /// The address that the packet was sent to; but that a host or network cannot be reached is said by somebody else.
    fn error_source(
        &self,
        interface: InterfaceId,
        offender: &Offender,
        message: ErrorMessage,
    ) -> IpAddr {
        let about_others = matches!(
            message,
            ErrorMessage::Kind(
                IcmpErrorKind::HostUnreachable
                    | IcmpErrorKind::NetUnreachable
                    | IcmpErrorKind::Prohibited
                    | IcmpErrorKind::TimeExceeded
            )
        );
        if self.is_local(offender.dst) || !about_others && !offender.dst.is_multicast() {
            return offender.dst;
        }
        let v6 = offender.dst.is_ipv6();
        let own = self.interface(interface).and_then(|entry| {
            entry
                .addresses
                .iter()
                .map(|cidr| cidr.address)
                .find(|own| own.is_ipv6() == v6)
        });
        own.unwrap_or(offender.dst)
    }
}

/// ICMP messages that are no errors, and so may be answered by one.
fn is_query_v4(message: &[u8]) -> bool {
    matches!(message.first(), Some(0 | 8 | 9 | 10 | 13..=18))
}

/// RFC 4443: neither errors nor redirects.
fn is_query_v6(message: &[u8]) -> bool {
    const REDIRECT: u8 = 137;
    matches!(message.first(), Some(&kind) if kind >= 128 && kind != REDIRECT)
}

fn message_v4(message: ErrorMessage, quoted: &[u8]) -> Option<icmpv4::Message<'_>> {
    use icmpv4::{Message, time_exceeded, unreachable};
    let unreachable = |code, next_hop_mtu| Message::DestinationUnreachable {
        code,
        next_hop_mtu,
        quoted,
    };
    Some(match message {
        ErrorMessage::Kind(kind) => match kind {
            IcmpErrorKind::NetUnreachable => unreachable(unreachable::NET, 0),
            IcmpErrorKind::HostUnreachable => unreachable(unreachable::HOST, 0),
            IcmpErrorKind::ProtocolUnreachable => unreachable(unreachable::PROTOCOL, 0),
            IcmpErrorKind::PortUnreachable => unreachable(unreachable::PORT, 0),
            IcmpErrorKind::Prohibited => unreachable(unreachable::PROHIBITED, 0),
            IcmpErrorKind::PacketTooBig { mtu } => unreachable(
                unreachable::FRAGMENTATION_NEEDED,
                u16::try_from(mtu).unwrap_or(u16::MAX),
            ),
            IcmpErrorKind::TimeExceeded => Message::TimeExceeded {
                code: time_exceeded::TTL,
                quoted,
            },
            IcmpErrorKind::ParameterProblem => Message::ParameterProblem {
                code: 0,
                pointer: 0,
                quoted,
            },
        },
        ErrorMessage::ReassemblyTimeout => Message::TimeExceeded {
            code: time_exceeded::REASSEMBLY,
            quoted,
        },
        ErrorMessage::ParameterProblem { .. } => return None,
    })
}

fn message_v6(message: ErrorMessage, announced_at: usize, quoted: &[u8]) -> icmpv6::Message<'_> {
    use icmpv6::{Message, time_exceeded, unreachable};
    let unreachable = |code| Message::DestinationUnreachable { code, quoted };
    match message {
        ErrorMessage::Kind(kind) => match kind {
            IcmpErrorKind::NetUnreachable => unreachable(unreachable::NO_ROUTE),
            IcmpErrorKind::HostUnreachable => unreachable(unreachable::ADDRESS),
            IcmpErrorKind::PortUnreachable => unreachable(unreachable::PORT),
            IcmpErrorKind::Prohibited => unreachable(unreachable::PROHIBITED),
            IcmpErrorKind::PacketTooBig { mtu } => Message::PacketTooBig { mtu, quoted },
            IcmpErrorKind::TimeExceeded => Message::TimeExceeded {
                code: time_exceeded::HOP_LIMIT,
                quoted,
            },
            IcmpErrorKind::ProtocolUnreachable => Message::ParameterProblem {
                code: parameter_problem::NEXT_HEADER,
                pointer: announced_at as u32,
                quoted,
            },
            IcmpErrorKind::ParameterProblem => Message::ParameterProblem {
                code: parameter_problem::HEADER_FIELD,
                pointer: 0,
                quoted,
            },
        },
        ErrorMessage::ReassemblyTimeout => Message::TimeExceeded {
            code: time_exceeded::REASSEMBLY,
            quoted,
        },
        ErrorMessage::ParameterProblem { code, pointer, .. } => Message::ParameterProblem {
            code,
            pointer,
            quoted,
        },
    }
}
