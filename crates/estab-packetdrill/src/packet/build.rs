//! Packets to bytes, with right checksums.

use super::{Ip, LiveSegment, Quoted, QuotedTransport, flag_bits, options};
use core::net::IpAddr;
use estab_wire::checksum::{Sum, pseudo_header};
use estab_wire::{ipv4, ipv6, protocol, tcp, udp};

/// Longest packet: what the length field of IPv4 can tell.
pub(crate) const PACKET_MAX: usize = 65_535;

/// The TCP packet of a segment, with a payload of zeros.
pub(crate) fn tcp(ip: &Ip, segment: &LiveSegment) -> Vec<u8> {
    let mut out = tcp_header(segment);
    out.resize(out.len() + segment.len as usize, 0);
    let sum = tcp::checksum(ip.source, ip.destination, [&out[..]].into_iter());
    store(&mut out, tcp::CHECKSUM_OFFSET, sum);
    in_ip(ip, protocol::TCP, &out)
}

fn tcp_header(segment: &LiveSegment) -> Vec<u8> {
    let options = options::emit_all(&segment.options);
    let words = (tcp::HEADER_LEN + options.len()).div_ceil(4);
    let mut out = Vec::with_capacity(words * 4 + segment.len as usize);
    out.extend_from_slice(&segment.source_port.to_be_bytes());
    out.extend_from_slice(&segment.destination_port.to_be_bytes());
    out.extend_from_slice(&segment.seq.to_be_bytes());
    out.extend_from_slice(&segment.ack.to_be_bytes());
    let offset = u16::try_from(words & 0xf).unwrap_or(0);
    out.extend_from_slice(&(offset << 12 | flag_bits(segment.flags)).to_be_bytes());
    out.extend_from_slice(&segment.window.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&segment.urgent.to_be_bytes());
    out.extend_from_slice(&options);
    out.resize(words * 4, 0);
    out
}

/// A datagram with a payload of zeros.
pub(crate) fn udp(ip: &Ip, source_port: u16, destination_port: u16, len: u16) -> Vec<u8> {
    let total = len.saturating_add(udp::HEADER_LEN as u16);
    let mut header = [0; udp::HEADER_LEN];
    udp::Header {
        src_port: source_port,
        dst_port: destination_port,
        len: total,
    }
    .emit(&mut header);
    let mut out = header.to_vec();
    out.resize(usize::from(total), 0);
    let sum = udp::checksum(ip.source, ip.destination, [&out[..]].into_iter());
    store(&mut out, udp::CHECKSUM_OFFSET, sum);
    in_ip(ip, protocol::UDP, &out)
}

/// An ICMP message: type, code, the four bytes behind the checksum, and what follows.
pub(crate) fn icmp(ip: &Ip, kind: u8, code: u8, rest: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, code, 0, 0];
    out.extend_from_slice(&rest);
    out.extend_from_slice(body);
    let v6 = ip.source.is_ipv6();
    let mut sum = if v6 {
        let len = u32::try_from(out.len()).unwrap_or(u32::MAX);
        pseudo_header(ip.source, ip.destination, protocol::ICMPV6, len)
    } else {
        Sum::new()
    };
    sum.add_bytes(&out);
    store(&mut out, 2, sum.finish());
    let number = if v6 { protocol::ICMPV6 } else { protocol::ICMP };
    in_ip(ip, number, &out)
}

/// What an ICMP error quotes: the IP header of a packet, and the first of its transport header.
pub(crate) fn quoted(quoted: &Quoted) -> Vec<u8> {
    let (number, transport, whole) = match quoted.transport {
        QuotedTransport::Tcp { seq, len } => {
            let header = tcp_header(&LiveSegment {
                source_port: quoted.source.port(),
                destination_port: quoted.destination.port(),
                seq,
                flags: super::flags_from_bits(0x10),
                ..LiveSegment::default()
            });
            let whole = header.len() + len as usize;
            (protocol::TCP, header, whole)
        }
        QuotedTransport::Udp { len } => {
            let total = len.saturating_add(udp::HEADER_LEN as u16);
            let mut header = [0; udp::HEADER_LEN];
            udp::Header {
                src_port: quoted.source.port(),
                dst_port: quoted.destination.port(),
                len: total,
            }
            .emit(&mut header);
            (protocol::UDP, header.to_vec(), usize::from(total))
        }
    };
    let ip = Ip {
        source: quoted.source.ip(),
        destination: quoted.destination.ip(),
        tos: 0,
        ttl: 64,
        flow_label: 0,
    };
    let mut out = ip_header(&ip, number, whole);
    out.extend_from_slice(&transport);
    out
}

fn in_ip(ip: &Ip, number: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = ip_header(ip, number, payload.len());
    out.extend_from_slice(payload);
    out
}

/// Both addresses are of one family; of two a header of zeros is made, which nobody takes.
fn ip_header(ip: &Ip, number: u8, payload_len: usize) -> Vec<u8> {
    match (ip.source, ip.destination) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut out = [0; ipv4::HEADER_LEN];
            let total = ipv4::HEADER_LEN + payload_len;
            ipv4::Header {
                tos: ip.tos,
                ttl: ip.ttl,
                total_len: u16::try_from(total).unwrap_or(u16::MAX),
                ..ipv4::Header::new(src, dst, number)
            }
            .emit(&mut out);
            out.to_vec()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut out = [0; ipv6::HEADER_LEN];
            ipv6::Header {
                traffic_class: ip.tos,
                hop_limit: ip.ttl,
                flow_label: ip.flow_label,
                payload_len: u16::try_from(payload_len).unwrap_or(u16::MAX),
                ..ipv6::Header::new(src, dst, number)
            }
            .emit(&mut out);
            out.to_vec()
        }
        _ => vec![0; ipv4::HEADER_LEN],
    }
}

fn store(bytes: &mut [u8], offset: usize, checksum: u16) {
    if let Some(field) = bytes.get_mut(offset..offset + 2) {
        field.copy_from_slice(&checksum.to_be_bytes());
    }
}
