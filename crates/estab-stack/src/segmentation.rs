//! Software segmentation: what a device with segmentation offload does, for those that have none.

use crate::{HeaderBuffer, Layers, Medium, PacketOut};
use core::net::IpAddr;
use estab_tcp::Chunks;
use estab_wire::checksum::{Sum, pseudo_header};
use estab_wire::tcp::{CHECKSUM_OFFSET, Flags};
use estab_wire::{protocol, tcp};

#[cfg(test)]
mod tests;

/// Cuts a TCP super-segment into wire packets with complete checksums, at its `segment_size`.
///
/// FIN and PSH go to the last packet only, CWR to the first (RFC 3168 section 6.1.2: one segment says that the window
/// was reduced); IPv4 identifications count up. The payload is shared, not copied. `None`: it is one wire packet
/// already, or not a TCP segment with its headers in `header` and nothing else there.
pub fn cut(medium: Medium, packet: &PacketOut) -> Option<Cuts> {
    let size = usize::from(packet.segment_size);
    if size == 0 || packet.payload.len() <= size {
        return None;
    }
    let layers = Layers::find(medium, &packet.header)?;
    let segment = packet.header.get(layers.transport..)?;
    let header_len = usize::from(*segment.get(12)? >> 4) * 4;
    let is_plain_tcp = layers.protocol == protocol::TCP
        && !layers.is_fragment
        && header_len >= tcp::HEADER_LEN
        && segment.len() == header_len;
    is_plain_tcp.then(|| Cuts {
        header: packet.header.clone(),
        payload: packet.payload.clone(),
        layers,
        size,
        at: 0,
        count: 0,
    })
}

/// The wire packets of a super-segment, in order.
#[derive(Clone, Debug)]
pub struct Cuts {
    header: HeaderBuffer,
    payload: Chunks,
    layers: Layers,
    size: usize,
    at: usize,
    count: u16,
}

impl Iterator for Cuts {
    type Item = PacketOut;

    fn next(&mut self) -> Option<PacketOut> {
        if self.at >= self.payload.len() {
            return None;
        }
        let end = self.payload.len().min(self.at + self.size);
        let payload = self.payload.slice(self.at, end);
        let mut header = self.header.clone();
        self.patch_ip(&mut header, payload.len());
        self.patch_tcp(&mut header, &payload);
        self.at = end;
        self.count += 1;
        Some(PacketOut {
            header,
            payload,
            checksum: None,
            segment_size: 0,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.payload.len().saturating_sub(self.at);
        let count = left.div_ceil(self.size);
        (count, Some(count))
    }
}

impl ExactSizeIterator for Cuts {}
impl core::iter::FusedIterator for Cuts {}

impl Cuts {
    /// Lengths, identification and header checksum.
    fn patch_ip(&self, header: &mut [u8], payload_len: usize) {
        let headers_len = header.len() - self.layers.network;
        let len = headers_len + payload_len;
        let Some(ip) = header.get_mut(self.layers.network..self.layers.transport) else {
            return;
        };
        match self.layers.src {
            IpAddr::V4(_) => {
                put(ip, 2, len as u16);
                let identification = word(ip, 4).wrapping_add(self.count);
                put(ip, 4, identification);
                put(ip, 10, 0);
                let mut sum = Sum::new();
                sum.add_bytes(ip);
                put(ip, 10, sum.finish());
            }
            IpAddr::V6(_) => put(ip, 4, (len - estab_wire::ipv6::HEADER_LEN) as u16),
        }
    }

    /// Sequence number, flags and checksum.
    fn patch_tcp(&self, header: &mut [u8], payload: &Chunks) {
        let Some(segment) = header.get_mut(self.layers.transport..) else {
            return;
        };
        let offset = self.at as u32;
        let seq = u32::from(word(segment, 4)) << 16 | u32::from(word(segment, 6));
        let seq = seq.wrapping_add(offset);
        put(segment, 4, (seq >> 16) as u16);
        put(segment, 6, seq as u16);
        let mut cleared = Flags::NONE;
        if self.at > 0 {
            cleared |= Flags::CWR;
        }
        if self.at + payload.len() < self.payload.len() {
            cleared |= Flags::FIN | Flags::PSH;
        }
        let flags = word(segment, 12) & !cleared.bits();
        put(segment, 12, flags);

        put(segment, CHECKSUM_OFFSET, 0);
        let (src, dst) = (self.layers.src, self.layers.dst);
        let len = segment.len() + payload.len();
        let mut sum = pseudo_header(src, dst, protocol::TCP, len as u32);
        sum.add_bytes(segment);
        for piece in payload.pieces() {
            sum.add_bytes(piece);
        }
        put(segment, CHECKSUM_OFFSET, sum.finish());
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

fn put(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(field) = bytes.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}
