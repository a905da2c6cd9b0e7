//! IPv4 packets that come in (RFC 791, RFC 1122 section 3.2.1).

use super::address::{ALL_HOSTS, is_possible_source};
use super::input::{Arrival, Received, ecn, meta};
use super::reassembly::{Fragment, Key, Whole};
use super::{Cast, Delivery, IpCx, IpLayer};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, Ipv4Addr};
use estab_tcp::event::DropReason;
use estab_wire::{Error, ipv4, protocol, tcp};

impl IpLayer {
    pub(super) fn ipv4_input(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        packet: Bytes,
    ) -> Option<Delivery> {
        let header = match ipv4::Header::parse(&packet) {
            Ok(header) => header,
            Err(Error::Checksum) => {
                return self.discard(cx, |c| &mut c.bad_checksum, DropReason::Checksum);
            }
            Err(_) => return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed),
        };
        let packet = packet.slice(..usize::from(header.total_len));
        if !self.is_source_v4(arrival, header.src) {
            return self.discard(cx, |c| &mut c.bad_source, DropReason::Address);
        }
        let Some(cast) = self.cast_v4(arrival, header.dst) else {
            return self.discard(cx, |c| &mut c.not_for_us, DropReason::Address);
        };
        // RFC 9293 3.9.2 MUST-50: other options are ignored.
        let options = packet
            .get(ipv4::HEADER_LEN..header.header_len.into())
            .unwrap_or_default();
        if has_source_route(options) {
            return self.discard(cx, |c| &mut c.source_routed, DropReason::Address);
        }
        if header.is_fragment() {
            return self.fragment_v4(cx, arrival, header, packet);
        }
        let received = Received {
            src: IpAddr::V4(header.src),
            dst: IpAddr::V4(header.dst),
            cast,
            meta: meta(header.tos, header.ttl, header.dont_fragment),
            protocol: header.protocol,
            packet,
            offset: header.header_len.into(),
        };
        self.demultiplex(cx, arrival, received)
    }

    /// RFC 9293 3.9.2.3 MUST-63: a source that cannot be is ignored here, for all transports.
    fn is_source_v4(&self, arrival: Arrival, src: Ipv4Addr) -> bool {
        let Some(interface) = self.interface(arrival.interface) else {
            return arrival.is_looped();
        };
        !interface.is_broadcast(src)
            && is_possible_source(IpAddr::V4(src))
            && !self.is_configured(IpAddr::V4(src))
    }

    /// Whom is it for? `None`: not for us.
    fn cast_v4(&self, arrival: Arrival, dst: Ipv4Addr) -> Option<Cast> {
        if arrival.is_looped() || self.is_configured(IpAddr::V4(dst)) {
            return Some(Cast::Unicast);
        }
        let interface = self.interface(arrival.interface)?;
        if dst.is_multicast() {
            return (dst == ALL_HOSTS).then_some(Cast::Multicast);
        }
        if interface.is_broadcast(dst) {
            return Some(Cast::Broadcast);
        }
        (interface.any_address && is_possible_source(IpAddr::V4(dst))).then_some(Cast::Unicast)
    }

    fn fragment_v4(
        &mut self,
        cx: &mut IpCx<'_>,
        arrival: Arrival,
        header: ipv4::Header,
        packet: Bytes,
    ) -> Option<Delivery> {
        self.counters.fragments_in += 1;
        let len = usize::from(header.payload_len());
        let start = usize::from(header.fragment_offset);
        // RFC 1858: fragments so small that a TCP header would be in two of them are made to fool filters.
        let tiny = header.protocol == protocol::TCP
            && (start == 0 && len < tcp::HEADER_LEN || start > 0 && start < tcp::HEADER_LEN);
        let uneven = header.more_fragments && !len.is_multiple_of(8);
        let too_long = start + len + usize::from(header.header_len) > usize::from(u16::MAX);
        if len == 0 || tiny || uneven || too_long {
            return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed);
        }
        let key = Key {
            src: IpAddr::V4(header.src),
            dst: IpAddr::V4(header.dst),
            identification: header.identification.into(),
            protocol: header.protocol,
        };
        let fragment = Fragment {
            interface: arrival.interface,
            packet: &packet,
            data_offset: header.header_len.into(),
            start,
            more: header.more_fragments,
            ecn: ecn(header.tos),
        };
        let (arrival, packet) = self.reassemble(cx, arrival, key, &fragment, rebuild)?;
        self.ipv4_input(cx, arrival, packet)
    }
}

/// Loose or strict source route (RFC 791 section 3.1). A malformed option ends the search: nothing in it is obeyed.
fn has_source_route(mut options: &[u8]) -> bool {
    const END: u8 = 0;
    const NOP: u8 = 1;
    const LOOSE: u8 = 131;
    const STRICT: u8 = 137;
    loop {
        match *options {
            [] | [END, ..] => return false,
            [NOP, ref rest @ ..] => options = rest,
            [LOOSE | STRICT, ..] => return true,
            [_, len, ..] if len >= 2 => match options.get(usize::from(len)..) {
                Some(rest) => options = rest,
                None => return false,
            },
            _ => return false,
        }
    }
}

/// The packet as it was before it was cut; options are dropped, since nobody looks at them any more.
fn rebuild(whole: &Whole) -> Option<Bytes> {
    let first = ipv4::Header::parse_quoted(&whole.first).ok()?;
    let total_len = u16::try_from(ipv4::HEADER_LEN + whole.len).ok()?;
    let header = ipv4::Header {
        more_fragments: false,
        fragment_offset: 0,
        total_len,
        tos: first.tos & !3 | whole.ecn as u8,
        ..first
    };
    let mut out = [0; ipv4::HEADER_LEN];
    header.emit(&mut out);
    let mut packet = Vec::with_capacity(total_len.into());
    packet.extend_from_slice(&out);
    for piece in &whole.pieces {
        packet.extend_from_slice(&piece.data);
    }
    Some(packet.into())
}
