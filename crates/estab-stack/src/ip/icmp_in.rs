//! ICMP messages that come in: echo answered, errors matched to what they are about (RFC 792, RFC 4443, RFC 5927).

use super::input::{Arrival, Received};
use super::interface::IPV6_MTU_MIN;
use super::output::Packet;
use super::path::plateau_below;
use super::{Cast, Delivery, IcmpReport, IpCx, IpLayer, Transport};
use crate::HostEvent;
use core::net::{IpAddr, SocketAddr};
use estab_tcp::event::DropReason;
use estab_tcp::{Chunks, IcmpErrorKind, Interest, IpMeta, SeqNum};
use estab_wire::{Error, icmpv4, icmpv6, ipv4, ipv6, protocol};

/// What an ICMP error quotes of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoted {
    pub(super) transport: Transport,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) seq: SeqNum,
    /// Bytes of the whole packet.
    pub(super) len: u32,
}

impl Quoted {
    pub(super) const fn report(self, kind: IcmpErrorKind, from: IpAddr) -> IcmpReport {
        let Self {
            transport,
            local,
            remote,
            seq,
            ..
        } = self;
        IcmpReport {
            transport,
            local,
            remote,
            seq,
            kind,
            from,
        }
    }
}

/// Reads the quoted packet: addresses, ports, and the sequence number of a TCP segment.
pub(super) fn quoted(packet: &[u8]) -> Option<Quoted> {
    let (src, dst, number, offset, len) = match packet.first()? >> 4 {
        4 => {
            let header = ipv4::Header::parse_quoted(packet).ok()?;
            if header.fragment_offset != 0 {
                return None;
            }
            let (src, dst) = (IpAddr::V4(header.src), IpAddr::V4(header.dst));
            (
                src,
                dst,
                header.protocol,
                usize::from(header.header_len),
                header.total_len.into(),
            )
        }
        _ => {
            let header = ipv6::Header::parse_quoted(packet).ok()?;
            let upper = ipv6::walk(&header, packet).ok()?;
            if upper
                .fragment
                .is_some_and(|fragment| fragment.header.fragment_offset != 0)
            {
                return None;
            }
            let (src, dst) = (IpAddr::V6(header.src), IpAddr::V6(header.dst));
            let len = ipv6::HEADER_LEN as u32 + u32::from(header.payload_len);
            (src, dst, upper.protocol, upper.offset, len)
        }
    };
    let &[a, b, c, d, e, f, g, h, ..] = packet.get(offset..)? else {
        return None;
    };
    let (transport, seq) = match number {
        protocol::TCP => (Transport::Tcp, u32::from_be_bytes([e, f, g, h])),
        protocol::UDP => (Transport::Udp, 0),
        _ => return None,
    };
    Some(Quoted {
        transport,
        local: SocketAddr::new(src, u16::from_be_bytes([a, b])),
        remote: SocketAddr::new(dst, u16::from_be_bytes([c, d])),
        seq: SeqNum(seq),
        len,
    })
}

impl IpLayer {
    pub(super) fn icmpv4_input(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        received: &Received,
    ) -> Option<Delivery> {
        use icmpv4::Message;
        let data = received.data();
        self.icmp_seen(cx, received, &data);
        let message = match Message::parse(&data) {
            Ok(message) => message,
            Err(error) => return self.icmp_unusable(cx, error),
        };
        match message {
            Message::EchoRequest {
                ident,
                seq,
                data: body,
            } => {
                // RFC 1122 3.2.2.6: a request to a group may be discarded, and then no flood can be made of it.
                if cx.settings.icmp_echo_ignore_all || received.cast != Cast::Unicast {
                    self.counters.icmp_ignored += 1;
                    return None;
                }
                let header = Message::EchoReply {
                    ident,
                    seq,
                    data: body,
                }
                .header();
                self.echo_reply(cx, arrival, received, received.dst, protocol::ICMP, &header);
                None
            }
            Message::EchoReply { ident, seq, data } => {
                self.echo_reply_came(cx.now, received, (ident, seq), data.len());
                None
            }
            Message::DestinationUnreachable {
                code,
                next_hop_mtu,
                quoted,
            } => {
                let kind = if code == icmpv4::unreachable::FRAGMENTATION_NEEDED {
                    IcmpErrorKind::PacketTooBig {
                        mtu: next_hop_mtu.into(),
                    }
                } else {
                    unreachable_v4(code)
                };
                self.icmp_error(cx, received, kind, quoted)
            }
            Message::TimeExceeded { quoted, .. } => {
                self.icmp_error(cx, received, IcmpErrorKind::TimeExceeded, quoted)
            }
            Message::ParameterProblem { quoted, .. } => {
                self.icmp_error(cx, received, IcmpErrorKind::ParameterProblem, quoted)
            }
        }
    }

    pub(super) fn icmpv6_input(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        received: &Received,
    ) -> Option<Delivery> {
        use icmpv6::Message;
        let (IpAddr::V6(src), IpAddr::V6(dst)) = (received.src, received.dst) else {
            return None;
        };
        let data = received.data();
        self.icmp_seen(cx, received, &data);
        let message = match Message::parse(src, dst, &data) {
            Ok(message) => message,
            Err(error) => return self.icmp_unusable(cx, error),
        };
        if message.is_ndp() {
            // RFC 4861: from this link only; RFC 6980: not in fragments.
            let ethernet = self
                .interface(arrival.interface)
                .is_some_and(|entry| entry.is_ethernet());
            let trusted = received.meta.hop_limit == icmpv6::NDP_HOP_LIMIT && !arrival.reassembled;
            if !trusted || !ethernet {
                return self.discard(cx, |c| &mut c.neighbour_ignored, DropReason::Address);
            }
            self.ndp_input(cx, arrival.ndp_from(src), message);
            return None;
        }
        if src.is_unspecified() {
            return self.discard(cx, |c| &mut c.bad_source, DropReason::Address);
        }
        match message {
            Message::EchoRequest {
                ident,
                seq,
                data: body,
            } => {
                if cx.settings.icmp_echo_ignore_all {
                    self.counters.icmp_ignored += 1;
                    return None;
                }
                // RFC 4443: a request to a group is answered from an address of the interface.
                let own = match received.cast {
                    Cast::Unicast => dst,
                    _ => self.link_source_v6(arrival.interface),
                };
                if own.is_unspecified() {
                    return None;
                }
                let header = Message::EchoReply {
                    ident,
                    seq,
                    data: body,
                }
                .header(own, src);
                self.echo_reply(cx, arrival, received, own.into(), protocol::ICMPV6, &header);
                None
            }
            Message::DestinationUnreachable { code, quoted } => {
                self.icmp_error(cx, received, unreachable_v6(code), quoted)
            }
            Message::PacketTooBig { mtu, quoted } => {
                self.icmp_error(cx, received, IcmpErrorKind::PacketTooBig { mtu }, quoted)
            }
            Message::TimeExceeded { quoted, .. } => {
                self.icmp_error(cx, received, IcmpErrorKind::TimeExceeded, quoted)
            }
            Message::ParameterProblem { quoted, .. } => {
                self.icmp_error(cx, received, IcmpErrorKind::ParameterProblem, quoted)
            }
            Message::EchoReply { ident, seq, data } => {
                self.echo_reply_came(cx.now, received, (ident, seq), data.len());
                None
            }
            _ => {
                self.counters.icmp_ignored += 1;
                None
            }
        }
    }

    fn icmp_seen(&mut self, cx: &mut IpCx<'_>, received: &Received, data: &[u8]) {
        self.counters.icmp_in += 1;
        if let &[kind, code, ..] = data {
            let remote = received.src;
            cx.report(Interest::SEGMENT, || HostEvent::Icmp {
                sent: false,
                remote,
                kind,
                code,
            });
        }
    }

    /// RFC 1122 3.2.2: unknown types are silently discarded. RFC 9293 3.9.2.2 MUST-55: source quench is among them.
    fn icmp_unusable(&mut self, cx: &mut IpCx<'_>, error: Error) -> Option<Delivery> {
        match error {
            Error::Checksum => self.discard(cx, |c| &mut c.bad_checksum, DropReason::Checksum),
            Error::Unsupported => {
                self.counters.icmp_ignored += 1;
                None
            }
            Error::Truncated | Error::Malformed => {
                self.discard(cx, |c| &mut c.malformed, DropReason::Malformed)
            }
        }
    }

    fn echo_reply(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        received: &Received,
        own: IpAddr,
        number: u8,
        header: &[u8],
    ) {
        let Ok(hop) = self.reply_hop(cx.now, received.src, arrival.interface) else {
            self.counters.no_route += 1;
            return;
        };
        let data = received.data();
        let packet = Packet {
            hop,
            src: own,
            dst: received.src,
            protocol: number,
            meta: IpMeta {
                tos: received.meta.tos,
                ..IpMeta::default()
            },
            header,
            payload: Chunks::from(data.slice(icmpv4::HEADER_LEN..)),
            segment_size: 0,
            mac: None,
        };
        if self.emit(cx, packet).is_ok() {
            self.counters.echo_replies += 1;
            self.icmp_sent(cx, received.src, header);
        }
    }

    pub(super) fn icmp_sent(&mut self, cx: &mut IpCx<'_>, remote: IpAddr, header: &[u8]) {
        self.counters.icmp_out += 1;
        if let &[kind, code, ..] = header {
            cx.report(Interest::SEGMENT, || HostEvent::Icmp {
                sent: true,
                remote,
                kind,
                code,
            });
        }
    }

    /// RFC 9293 3.9.2.2 MUST-54: an error goes to whom it is about. It must have been sent to the address that the
    /// quoted packet came from, which is one of ours.
    fn icmp_error(
        &mut self,
        cx: &mut IpCx<'_>,
        received: &Received,
        kind: IcmpErrorKind,
        quoted_packet: &[u8],
    ) -> Option<Delivery> {
        let quote = quoted(quoted_packet)
            .filter(|quote| quote.local.ip() == received.dst && received.cast == Cast::Unicast);
        let Some(quote) = quote else {
            return self.discard(cx, |c| &mut c.icmp_not_ours, DropReason::Address);
        };
        let kind = match kind {
            IcmpErrorKind::PacketTooBig { mtu } => {
                let v6 = received.dst.is_ipv6();
                // What is quoted may be a super-segment that a device cut: no packet was longer than the link allows.
                let link = self.hop(cx.now, quote.remote.ip(), None).ok();
                let link = link.and_then(|hop| self.interface(hop.interface));
                let len = quote
                    .len
                    .min(link.map_or(u32::MAX, |entry| entry.mtu(v6).into()));
                // RFC 5927: an MTU that the packet would have fit says nothing. RFC 8201: nor does one that no IPv6 link has.
                if mtu >= len || (v6 && mtu < IPV6_MTU_MIN.into()) {
                    return self.discard(cx, |c| &mut c.icmp_not_ours, DropReason::Address);
                }
                let floor = if v6 {
                    IPV6_MTU_MIN
                } else {
                    cx.settings.min_pmtu
                };
                let guess = u16::try_from(len).map_or(u16::MAX, plateau_below);
                let told = if mtu == 0 { guess.into() } else { mtu };
                IcmpErrorKind::PacketTooBig {
                    mtu: told.max(floor.into()),
                }
            }
            other => other,
        };
        Some(Delivery::IcmpError(quote.report(kind, received.src)))
    }
}

fn unreachable_v4(code: u8) -> IcmpErrorKind {
    use icmpv4::unreachable::*;
    match code {
        NET | NET_UNKNOWN | NET_TOS | SOURCE_ROUTE_FAILED => IcmpErrorKind::NetUnreachable,
        PROTOCOL => IcmpErrorKind::ProtocolUnreachable,
        PORT => IcmpErrorKind::PortUnreachable,
        NET_PROHIBITED | HOST_PROHIBITED | PROHIBITED | PRECEDENCE_VIOLATION
        | PRECEDENCE_CUTOFF => IcmpErrorKind::Prohibited,
        _ => IcmpErrorKind::HostUnreachable,
    }
}

fn unreachable_v6(code: u8) -> IcmpErrorKind {
    use icmpv6::unreachable::*;
    match code {
        NO_ROUTE => IcmpErrorKind::NetUnreachable,
        PORT => IcmpErrorKind::PortUnreachable,
        PROHIBITED | SOURCE_POLICY | REJECT_ROUTE => IcmpErrorKind::Prohibited,
        _ => IcmpErrorKind::HostUnreachable,
    }
}
