//! Packets made by hand, for what no well-behaved host would send.

use bytes::Bytes;
use core::net::IpAddr;
use estab_wire::tcp::{CHECKSUM_OFFSET, HEADER_LEN_MAX, Header};
use estab_wire::{icmpv4, ipv4, ipv6, protocol, tcp};

/// An IP packet with a segment of TCP.
///
/// # Panics
/// When the addresses are of different families, or the payload is longer than a packet can be.
pub fn segment(src: IpAddr, dst: IpAddr, header: &Header, payload: &[u8]) -> Bytes {
    let mut bytes = [0; HEADER_LEN_MAX];
    let len = header.emit(&mut bytes);
    let mut body = bytes[..len].to_vec();
    body.extend_from_slice(payload);
    let checksum = tcp::checksum(src, dst, core::iter::once(&*body));
    body[CHECKSUM_OFFSET..CHECKSUM_OFFSET + 2].copy_from_slice(&checksum.to_be_bytes());
    let mut out = Vec::new();
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut header = ipv4::Header::new(src, dst, protocol::TCP);
            header.total_len = short(ipv4::HEADER_LEN + body.len());
            let mut bytes = [0; ipv4::HEADER_LEN];
            header.emit(&mut bytes);
            out.extend_from_slice(&bytes);
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut header = ipv6::Header::new(src, dst, protocol::TCP);
            header.payload_len = short(body.len());
            let mut bytes = [0; ipv6::HEADER_LEN];
            header.emit(&mut bytes);
            out.extend_from_slice(&bytes);
        }
        _ => panic!("addresses of one family, not {src} and {dst}"),
    }
    out.extend(body);
    out.into()
}

/// An IPv4 packet with the ICMP message that a packet could not be delivered, with this code, which quotes the packet.
///
/// # Panics
/// When the packet is not one of IPv4.
pub fn unreachable(from: core::net::Ipv4Addr, code: u8, quoted: &[u8]) -> Bytes {
    let about =
        ipv4::Header::parse(quoted).unwrap_or_else(|error| panic!("an IPv4 packet: {error}"));
    let message = icmpv4::Message::DestinationUnreachable {
        code,
        next_hop_mtu: 0,
        quoted: &quoted[..quoted.len().min(548)],
    };
    let mut body = Vec::new();
    message.emit(&mut body);
    let mut header = ipv4::Header::new(from, about.src, protocol::ICMP);
    header.total_len = short(ipv4::HEADER_LEN + body.len());
    let mut out = [0; ipv4::HEADER_LEN];
    header.emit(&mut out);
    [&out[..], &body].concat().into()
}

fn short(len: usize) -> u16 {
    u16::try_from(len).unwrap_or_else(|_| panic!("a packet of at most 64 KiB, not {len}"))
}
