//! IPv6 packets that come in (RFC 8200).

use super::address::{ALL_NODES, is_possible_source};
use super::icmp_out::ErrorMessage;
use super::input::{Arrival, Received, ecn, meta};
use super::reassembly::{Fragment, Key, Whole};
use super::{Cast, Delivery, IpCx, IpLayer};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, Ipv6Addr};
use estab_tcp::event::DropReason;
use estab_wire::icmpv6::parameter_problem;
use estab_wire::ipv6::{self, FragmentHeader, ParameterProblem, Upper, WalkError};
use estab_wire::{Error, icmpv6, protocol, tcp, udp};

/// Where the fixed header has its payload length.
const PAYLOAD_LEN_AT: usize = 4;

impl IpLayer {
    pub(super) fn ipv6_input(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        packet: Bytes,
    ) -> Option<Delivery> {
        let Ok(header) = ipv6::Header::parse(&packet) else {
            return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed);
        };
        let packet = packet.slice(..ipv6::HEADER_LEN + usize::from(header.payload_len));
        if !self.is_source_v6(arrival, &header) {
            return self.discard(cx, |c| &mut c.bad_source, DropReason::Address);
        }
        let Some(cast) = self.cast_v6(arrival, header.dst) else {
            return self.discard(cx, |c| &mut c.not_for_us, DropReason::Address);
        };
        let upper = match ipv6::walk(&header, &packet) {
            Ok(upper) => upper,
            Err(WalkError::Discard(_)) => {
                return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed);
            }
            Err(WalkError::Parameter(problem)) => {
                self.parameter_problem(cx, arrival, &packet, problem);
                return self.discard(cx, |c| &mut c.unknown_option, DropReason::Malformed);
            }
        };
        if upper
            .fragment
            .is_some_and(|fragment| !fragment.header.is_atomic())
        {
            return self.fragment_v6(cx, arrival, &header, upper, packet);
        }
        if upper.protocol == protocol::NO_NEXT_HEADER {
            return None;
        }
        let received = Received {
            src: IpAddr::V6(header.src),
            dst: IpAddr::V6(header.dst),
            cast,
            meta: meta(header.traffic_class, header.hop_limit, true),
            protocol: upper.protocol,
            packet,
            offset: upper.offset,
        };
        // RFC 6980: neighbour discovery never comes in fragments; ICMP's input looks at this.
        let arrival = Arrival {
            reassembled: arrival.reassembled || upper.fragment.is_some(),
            ..arrival
        };
        self.demultiplex(cx, arrival, received)
    }

    fn is_source_v6(&self, arrival: Arrival, header: &ipv6::Header) -> bool {
        let src = IpAddr::V6(header.src);
        // Who has no address yet may still ask for routers and neighbours.
        let nobody = header.src.is_unspecified() && header.next_header == protocol::ICMPV6;
        arrival.is_looped() || nobody || is_possible_source(src) && !self.is_configured(src)
    }

    /// Whom is it for? `None`: not for us.
    fn cast_v6(&self, arrival: Arrival, dst: Ipv6Addr) -> Option<Cast> {
        if arrival.is_looped() {
            return Some(Cast::Unicast);
        }
        let interface = self.interface(arrival.interface)?;
        if dst.is_multicast() {
            let member = dst == ALL_NODES || interface.is_solicited_node(dst);
            return member.then_some(Cast::Multicast);
        }
        // Link-local addresses are ours on their own link only.
        let ours = if dst.is_unicast_link_local() {
            interface.has(IpAddr::V6(dst))
        } else {
            self.is_configured(IpAddr::V6(dst))
                || interface.any_address && is_possible_source(IpAddr::V6(dst))
        };
        ours.then_some(Cast::Unicast)
    }

    fn fragment_v6(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        header: &ipv6::Header,
        upper: Upper,
        packet: Bytes,
    ) -> Option<Delivery> {
        self.counters.fragments_in += 1;
        let fragment = upper.fragment?;
        let start = usize::from(fragment.header.fragment_offset);
        if let Err(problem) = check_fragment(&upper, &packet) {
            self.parameter_problem(cx, arrival, &packet, problem);
            return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed);
        }
        if packet.len() <= upper.offset {
            return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed);
        }
        let key = Key {
            src: IpAddr::V6(header.src),
            dst: IpAddr::V6(header.dst),
            identification: fragment.header.identification,
            protocol: 0,
        };
        let part = Fragment {
            interface: arrival.interface,
            packet: &packet,
            data_offset: upper.offset,
            start,
            more: fragment.header.more_fragments,
            ecn: ecn(header.traffic_class),
        };
        let (arrival, packet) = self.reassemble(cx, arrival, key, &part, rebuild)?;
        self.ipv6_input(cx, arrival, packet)
    }

    pub(super) fn parameter_problem(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        packet: &Bytes,
        problem: ParameterProblem,
    ) {
        let message = ErrorMessage::ParameterProblem {
            code: problem.code,
            pointer: problem.pointer,
            even_to_group: problem.even_to_multicast,
        };
        self.send_error(cx, arrival.interface, packet, message);
    }
}

/// The error conditions of RFC 8200 section 4.5.
fn check_fragment(upper: &Upper, packet: &[u8]) -> Result<(), ParameterProblem> {
    let problem = |code, pointer: usize| ParameterProblem {
        code,
        pointer: pointer as u32,
        even_to_multicast: false,
    };
    let Some(fragment) = upper.fragment else {
        return Ok(());
    };
    let len = packet.len() - upper.offset;
    if fragment.header.more_fragments && !len.is_multiple_of(8) {
        return Err(problem(parameter_problem::HEADER_FIELD, PAYLOAD_LEN_AT));
    }
    let before = fragment.offset - ipv6::HEADER_LEN;
    let start = usize::from(fragment.header.fragment_offset);
    if before + start + len > usize::from(u16::MAX) {
        return Err(problem(
            parameter_problem::HEADER_FIELD,
            fragment.offset + 2,
        ));
    }
    if start == 0 && !has_whole_chain(upper, packet) {
        return Err(problem(parameter_problem::INCOMPLETE_CHAIN, 0));
    }
    Ok(())
}

/// Does the first fragment hold all headers up to that of the transport (RFC 7112)?
fn has_whole_chain(upper: &Upper, packet: &[u8]) -> bool {
    // Behind the fragment header there may be extension headers again: walk them as if they were the packet.
    let rest = packet.get(upper.offset..).unwrap_or_default();
    let mut copy = Vec::with_capacity(ipv6::HEADER_LEN + rest.len());
    copy.resize(ipv6::HEADER_LEN, 0);
    copy.extend_from_slice(rest);
    let header = ipv6::Header {
        payload_len: rest.len() as u16,
        ..ipv6::Header::new(Ipv6Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED, upper.protocol)
    };
    let last = match ipv6::walk(&header, &copy) {
        Ok(last) => last,
        Err(WalkError::Discard(Error::Truncated)) => return false,
        // What else is wrong with it is told when the packet is whole.
        Err(_) => return true,
    };
    let needed = match last.protocol {
        protocol::TCP => tcp::HEADER_LEN,
        protocol::UDP => udp::HEADER_LEN,
        protocol::ICMPV6 => icmpv6::HEADER_LEN,
        _ => 0,
    };
    copy.len() >= last.offset + needed
}

/// The packet as it was before it was cut: the headers of the first fragment without the fragment header.
fn rebuild(whole: &Whole) -> Option<Bytes> {
    let mut header = ipv6::Header::parse_quoted(&whole.first).ok()?;
    let upper = ipv6::walk(&header, &whole.first).ok()?;
    let fragment = upper.fragment?;
    let len = fragment.offset + whole.len;
    let mut packet = Vec::with_capacity(len);
    packet.extend_from_slice(whole.first.get(..fragment.offset)?);
    *packet.get_mut(fragment.announced_at)? = fragment.header.next_header;
    header.next_header = *packet.get(6)?;
    header.payload_len = u16::try_from(len - ipv6::HEADER_LEN).ok()?;
    header.traffic_class = header.traffic_class & !3 | whole.ecn as u8;
    header.emit(packet.first_chunk_mut()?);
    for piece in &whole.pieces {
        packet.extend_from_slice(&piece.data);
    }
    debug_assert_eq!(whole.data_offset, fragment.offset + FragmentHeader::LEN);
    Some(packet.into())
}
