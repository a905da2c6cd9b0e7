//! What was emitted, read and verified: a subject must not send anything that is not well-formed.

use super::{
    Ip, Live, LiveBody, LiveIcmp, LiveSegment, Quoted, QuotedTransport, flags_from_bits, icmp,
    options,
};
use core::net::{IpAddr, SocketAddr};
use estab_wire::checksum::{Sum, pseudo_header};
use estab_wire::{ipv4, ipv6, protocol, tcp, udp};

/// Reads a packet from its IP header on.
///
/// # Errors
/// Why it is not well-formed.
pub(crate) fn packet(bytes: &[u8]) -> Result<Live, String> {
    let (ip, number, payload) = match bytes.first().map(|byte| byte >> 4) {
        Some(4) => v4(bytes)?,
        Some(6) => v6(bytes)?,
        Some(version) => return Err(format!("IP version {version}")),
        None => return Err("an empty packet".to_owned()),
    };
    let body = match number {
        Some(protocol::TCP) => LiveBody::Tcp(segment(&ip, payload)?),
        Some(protocol::UDP) => datagram(&ip, payload)?,
        Some(protocol::ICMP) if ip.source.is_ipv4() => message(&ip, payload)?,
        Some(protocol::ICMPV6) if ip.source.is_ipv6() => message(&ip, payload)?,
        _ => LiveBody::Other,
    };
    Ok(Live { ip, body })
}

/// Header, protocol (`None` for a fragment), payload.
type Parts<'a> = (Ip, Option<u8>, &'a [u8]);

fn v4(bytes: &[u8]) -> Result<Parts<'_>, String> {
    let header = ipv4::Header::parse(bytes).map_err(|error| format!("IPv4 header: {error}"))?;
    if bytes.len() != usize::from(header.total_len) {
        let (there, told) = (bytes.len(), header.total_len);
        return Err(format!("{there} bytes, but the IPv4 header tells {told}"));
    }
    let ip = Ip {
        source: header.src.into(),
        destination: header.dst.into(),
        tos: header.tos,
        ttl: header.ttl,
        flow_label: 0,
    };
    let number = (!header.is_fragment()).then_some(header.protocol);
    Ok((ip, number, header.payload(bytes)))
}

fn v6(bytes: &[u8]) -> Result<Parts<'_>, String> {
    let header = ipv6::Header::parse(bytes).map_err(|error| format!("IPv6 header: {error}"))?;
    let told = ipv6::HEADER_LEN + usize::from(header.payload_len);
    if bytes.len() != told {
        let there = bytes.len();
        return Err(format!("{there} bytes, but the IPv6 header tells {told}"));
    }
    let ip = Ip {
        source: header.src.into(),
        destination: header.dst.into(),
        tos: header.traffic_class,
        ttl: header.hop_limit,
        flow_label: header.flow_label,
    };
    let Ok(upper) = ipv6::walk(&header, bytes) else {
        return Err("IPv6 extension headers that are not well-formed".to_owned());
    };
    let number = upper.fragment.is_none().then_some(upper.protocol);
    Ok((ip, number, bytes.get(upper.offset..).unwrap_or_default()))
}

fn segment(ip: &Ip, bytes: &[u8]) -> Result<LiveSegment, String> {
    let (header, payload_offset) =
        tcp::Header::parse(bytes).map_err(|error| format!("TCP header: {error}"))?;
    if !tcp::verify(ip.source, ip.destination, bytes) {
        return Err("wrong TCP checksum".to_owned());
    }
    let bits = header.flags.bits();
    if bits & 0xe00 != 0 {
        return Err(format!(
            "reserved bits of the TCP header are set: 0x{bits:03x}"
        ));
    }
    let option_bytes = bytes.get(tcp::HEADER_LEN..payload_offset);
    Ok(LiveSegment {
        source_port: header.src_port,
        destination_port: header.dst_port,
        seq: header.seq.0,
        ack: header.ack.0,
        flags: flags_from_bits(bits),
        window: header.window.0,
        urgent: header.urgent,
        options: options::parse(option_bytes.unwrap_or_default())?,
        len: u32::try_from(bytes.len() - payload_offset).unwrap_or(u32::MAX),
    })
}

fn datagram(ip: &Ip, bytes: &[u8]) -> Result<LiveBody, String> {
    let header = udp::Header::parse(bytes).map_err(|error| format!("UDP header: {error}"))?;
    if usize::from(header.len) != bytes.len() {
        let (there, told) = (bytes.len(), header.len);
        return Err(format!("{there} bytes, but the UDP header tells {told}"));
    }
    if !udp::verify(ip.source, ip.destination, bytes) {
        return Err("wrong UDP checksum".to_owned());
    }
    Ok(LiveBody::Udp {
        source_port: header.src_port,
        destination_port: header.dst_port,
        len: header.len - udp::HEADER_LEN as u16,
    })
}

fn message(ip: &Ip, bytes: &[u8]) -> Result<LiveBody, String> {
    let Some((&[kind, code, _, _, a, b, c, d], body)) = bytes.split_first_chunk() else {
        return Err("a truncated ICMP message".to_owned());
    };
    let v6 = ip.source.is_ipv6();
    let mut sum = if v6 {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        pseudo_header(ip.source, ip.destination, protocol::ICMPV6, len)
    } else {
        Sum::new()
    };
    sum.add_bytes(bytes);
    if !sum.is_valid() {
        return Err("wrong ICMP checksum".to_owned());
    }
    if v6 && kind > 129 {
        return Ok(LiveBody::Other);
    }
    let quoted = icmp::is_error(v6, kind).then(|| quoted(body)).flatten();
    Ok(LiveBody::Icmp(LiveIcmp {
        kind,
        code,
        rest: [a, b, c, d],
        quoted,
    }))
}

/// The ends of a quoted packet, if it is one of TCP or UDP.
fn quoted(bytes: &[u8]) -> Option<Quoted> {
    let (src, dst, number, transport, whole): (IpAddr, IpAddr, u8, &[u8], usize) =
        match bytes.first()? >> 4 {
            4 => {
                let header = ipv4::Header::parse_quoted(bytes).ok()?;
                let whole = usize::from(header.payload_len());
                let payload = header.payload(bytes);
                (
                    header.src.into(),
                    header.dst.into(),
                    header.protocol,
                    payload,
                    whole,
                )
            }
            6 => {
                let header = ipv6::Header::parse_quoted(bytes).ok()?;
                let whole = usize::from(header.payload_len);
                let payload = header.payload(bytes);
                (
                    header.src.into(),
                    header.dst.into(),
                    header.next_header,
                    payload,
                    whole,
                )
            }
            _ => return None,
        };
    let (ports, transport) = match number {
        protocol::TCP => {
            let (from, to, seq) = tcp::Header::parse_quoted(transport).ok()?;
            let offset = transport.get(12).map_or(5, |byte| byte >> 4);
            let len = whole.saturating_sub(usize::from(offset) * 4);
            let len = u32::try_from(len).ok()?;
            ((from, to), QuotedTransport::Tcp { seq: seq.0, len })
        }
        protocol::UDP => {
            let header = udp::Header::parse_quoted(transport).ok()?;
            let len = header.len.saturating_sub(udp::HEADER_LEN as u16);
            (
                (header.src_port, header.dst_port),
                QuotedTransport::Udp { len },
            )
        }
        _ => return None,
    };
    Some(Quoted {
        source: SocketAddr::new(src, ports.0),
        destination: SocketAddr::new(dst, ports.1),
        transport,
    })
}
