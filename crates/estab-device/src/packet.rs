//! Helpers on whole packets that several devices share.

use estab_stack::{
    Checksum, ChecksumOffload, HeaderBuffer, Layers, Medium, PacketIn, PacketOut, segmentation,
};
use estab_tcp::Chunks;
use estab_wire::checksum::{Sum, pseudo_header};
use estab_wire::{protocol, tcp, udp};
use smallvec::{SmallVec, smallvec};

/// Length of an Ethernet header.
pub(crate) const ETHERNET_HEADER_LEN: usize = 14;

/// Bytes before the IP packet.
pub(crate) const fn link_header_len(medium: Medium) -> usize {
    match medium {
        Medium::Ip => 0,
        Medium::Ethernet => ETHERNET_HEADER_LEN,
    }
}

/// How many wire segments a packet is.
pub(crate) fn segment_count(payload_len: usize, segment_size: u16) -> u16 {
    match usize::from(segment_size) {
        0 => 1,
        size => u16::try_from(payload_len.div_ceil(size))
            .unwrap_or(u16::MAX)
            .max(1),
    }
}

/// The first bytes of a packet, as far as there are any.
pub(crate) fn copy_prefix(packet: &PacketOut, out: &mut [u8]) {
    let pieces = packet.payload.pieces().iter().map(|piece| &piece[..]);
    let bytes = std::iter::once(&packet.header[..]).chain(pieces).flatten();
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
}

/// The packet as it arrives at the other end of a link in memory: one copy into one piece, none when it is in one
/// already. A link with offloads keeps partial checksums and vouches for them; any other completes them.
pub fn carry(packet: &PacketOut, offloads: bool) -> PacketIn {
    let segments = segment_count(packet.payload.len(), packet.segment_size);
    let data = match (packet.payload.pieces(), packet.checksum) {
        ([piece], None) if packet.header.is_empty() => piece.clone(),
        (_, Some(checksum)) if !offloads => {
            let mut data = join(packet);
            complete_checksum(&mut data, checksum);
            data.into()
        }
        _ => join(packet).into(),
    };
    PacketIn {
        data,
        checksum: match packet.checksum {
            Some(_) if offloads => Checksum::Valid,
            _ => Checksum::Unverified,
        },
        segments,
        segment_size: if segments > 1 { packet.segment_size } else { 0 },
    }
}

fn join(packet: &PacketOut) -> Vec<u8> {
    let mut data = Vec::with_capacity(packet.len());
    data.extend_from_slice(&packet.header);
    for piece in packet.payload.pieces() {
        data.extend_from_slice(piece);
    }
    data
}

/// Finishes a partial checksum: sums from `start` to the end, where the field holds the sum of the pseudo-header.
/// One that lies outside of the packet is left alone.
pub(crate) fn complete_checksum(packet: &mut [u8], checksum: ChecksumOffload) {
    let start = usize::from(checksum.start);
    let field = start + usize::from(checksum.offset);
    let Some(covered) = packet.get(start..) else {
        return;
    };
    let mut sum = Sum::new();
    sum.add_bytes(covered);
    if let Some(field) = packet.get_mut(field..field + 2) {
        let is_udp = usize::from(checksum.offset) == udp::CHECKSUM_OFFSET;
        field.copy_from_slice(&transport_checksum(sum, is_udp).to_be_bytes());
    }
}

/// The checksum to write. UDP reserves zero for "none" and writes the other form of it (RFC 768); for TCP that form would
/// look wrong to those who compare instead of adding up.
const fn transport_checksum(sum: Sum, is_udp: bool) -> u16 {
    match sum.finish() {
        0 if is_udp => 0xffff,
        checksum => checksum,
    }
}

/// Computes the checksum of a TCP segment or UDP datagram anew; whatever else the packet is, it stays. For packets
/// that are vouched for, whose checksum may be partial.
pub(crate) fn complete_transport_checksum(medium: Medium, packet: &mut [u8]) {
    let Some(layers) = Layers::find(medium, packet) else {
        return;
    };
    let offset = match layers.protocol {
        _ if layers.is_fragment => return,
        protocol::TCP => tcp::CHECKSUM_OFFSET,
        protocol::UDP => udp::CHECKSUM_OFFSET,
        _ => return,
    };
    let end = layers.end.min(packet.len());
    let Some(segment) = packet.get_mut(layers.transport..end) else {
        return;
    };
    let Some(field) = segment.get_mut(offset..offset + 2) else {
        return;
    };
    if layers.protocol == protocol::UDP && *field == [0, 0] {
        // The sender wanted none.
        return;
    }
    field.fill(0);
    let len = u32::try_from(segment.len()).unwrap_or(u32::MAX);
    let mut sum = pseudo_header(layers.src, layers.dst, layers.protocol, len);
    sum.add_bytes(segment);
    if let Some(field) = segment.get_mut(offset..offset + 2) {
        let is_udp = layers.protocol == protocol::UDP;
        field.copy_from_slice(&transport_checksum(sum, is_udp).to_be_bytes());
    }
}

/// Splits a packet into headers and payload, sharing the payload. The checksum must be complete.
pub(crate) fn into_packet_out(medium: Medium, packet: PacketIn) -> PacketOut {
    let headers = Layers::find(medium, &packet.data).map_or(0, |layers| {
        let transport_header = match layers.protocol {
            _ if layers.is_fragment => 0,
            protocol::TCP => {
                let data_offset = packet.data.get(layers.transport + 12).copied();
                usize::from(data_offset.unwrap_or(0) >> 4) * 4
            }
            protocol::UDP => udp::HEADER_LEN,
            _ => 0,
        };
        layers.transport + transport_header
    });
    let mut header = HeaderBuffer::new();
    let split = headers
        .max(link_header_len(medium))
        .min(packet.data.len())
        .min(header.capacity());
    let (start, _) = packet.data.split_at(split);
    header.extend(start.iter().copied());
    PacketOut {
        header,
        payload: Chunks::from(packet.data.slice(split..)),
        checksum: None,
        segment_size: packet.segment_size,
    }
}

/// The wire packets that a packet was made of, with complete checksums when it was of several. One that is not vouched
/// for and whose checksum is wrong stays whole, since cutting it would make the checksums right.
pub(crate) fn into_wire_packets(medium: Medium, packet: PacketIn) -> SmallVec<[PacketIn; 1]> {
    let checksum = packet.checksum;
    if packet.segments <= 1 || (checksum == Checksum::Unverified && !has_right_sum(medium, &packet))
    {
        return smallvec![packet];
    }
    let whole = into_packet_out(medium, packet.clone());
    match segmentation::cut(medium, &whole) {
        Some(cuts) => cuts
            .map(|cut| PacketIn {
                checksum,
                ..carry(&cut, false)
            })
            .collect(),
        None => smallvec![packet],
    }
}

fn has_right_sum(medium: Medium, packet: &PacketIn) -> bool {
    Layers::find(medium, &packet.data).is_some_and(|layers| {
        let end = layers.end.min(packet.data.len());
        let segment = packet.data.get(layers.transport..end);
        segment.is_some_and(|segment| tcp::verify(layers.src, layers.dst, segment))
    })
}

#[cfg(test)]
mod tests {
    use super::{complete_checksum, complete_transport_checksum};
    use core::net::Ipv4Addr;
    use estab_stack::{ChecksumOffload, Medium};
    use estab_wire::{ipv4, protocol, tcp, udp};

    /// A packet with a transport header of zeros and a word behind it.
    fn packet(number: u8, header_len: usize, word: u16) -> Vec<u8> {
        let (src, dst) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let len = header_len + 2;
        let mut header = [0; ipv4::HEADER_LEN];
        ipv4::Header {
            total_len: (ipv4::HEADER_LEN + len) as u16,
            ..ipv4::Header::new(src, dst, number)
        }
        .emit(&mut header);
        let mut packet = header.to_vec();
        packet.resize(ipv4::HEADER_LEN + header_len, 0);
        packet.extend_from_slice(&word.to_be_bytes());
        packet
    }

    #[test]
    fn a_checksum_of_zero_is_written_as_ones_for_udp_only() {
        let all = [
            (protocol::TCP, tcp::HEADER_LEN, tcp::CHECKSUM_OFFSET, 0),
            (protocol::UDP, udp::HEADER_LEN, udp::CHECKSUM_OFFSET, 0xffff),
        ];
        for (number, header_len, offset, wanted) in all {
            let field = ipv4::HEADER_LEN + offset;
            let read = |packet: &[u8]| u16::from_be_bytes([packet[field], packet[field + 1]]);
            let fill = |word| {
                let mut packet = packet(number, header_len, word);
                // UDP's zero would mean that there is none.
                packet[field] = 1;
                complete_transport_checksum(Medium::Ip, &mut packet);
                packet
            };
            // The word that brings the sum to all ones.
            let word = read(&fill(0));
            assert_eq!(read(&fill(word)), wanted, "whole, protocol {number}");

            let mut partial = packet(number, header_len, word);
            let rest: u32 = u32::from(!word) % 0xffff;
            partial[field..field + 2].copy_from_slice(&(rest as u16).to_be_bytes());
            let offload = ChecksumOffload {
                start: ipv4::HEADER_LEN as u16,
                offset: offset as u16,
            };
            complete_checksum(&mut partial, offload);
            assert_eq!(read(&partial), wanted, "partial, protocol {number}");
        }
    }
}
