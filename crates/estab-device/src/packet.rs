//! Helpers on whole packets that several devices share.

use estab_stack::{Checksum, ChecksumOffload, Medium, PacketIn, PacketOut};
use estab_wire::checksum::Sum;

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
        field.copy_from_slice(&transport_checksum(sum).to_be_bytes());
    }
}

/// The checksum to write. UDP reserves zero for "none" (RFC 768), and TCP takes either form of zero.
pub(crate) const fn transport_checksum(sum: Sum) -> u16 {
    match sum.finish() {
        0 => 0xffff,
        checksum => checksum,
    }
}
