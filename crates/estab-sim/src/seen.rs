//! A packet on a link, as much of it as rules ask for.

use core::net::IpAddr;
use estab_stack::Medium;
use estab_wire::{ethernet, ipv4, ipv6, protocol, tcp, udp};

/// A packet on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its source.
    pub src: IpAddr,
    /// Its destination.
    pub dst: IpAddr,
    /// Bytes of the IP packet.
    pub len: usize,
    /// What it carries.
    pub transport: Transport,
}

/// What a packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A segment of TCP.
    Tcp {
        /// Its header.
        header: tcp::Header,
        /// Bytes of its payload.
        len: usize,
    },
    /// A datagram of UDP.
    Udp {
        /// Source port.
        src_port: u16,
        /// Destination port.
        dst_port: u16,
        /// Bytes of its payload.
        len: usize,
    },
    /// An ICMP message.
    Icmp {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
    /// Something else, or a fragment.
    Other,
}

impl Seen {
    /// Reads a packet, or a frame. `None`: not IP (ARP), or not well-formed.
    pub fn parse(medium: Medium, data: &[u8]) -> Option<Self> {
        let packet = match medium {
            Medium::Ip => data,
            Medium::Ethernet => data.get(ethernet::HEADER_LEN..)?,
        };
        match packet.first()? >> 4 {
            4 => {
                let header = ipv4::Header::parse(packet).ok()?;
                let number = if header.is_fragment() {
                    protocol::NO_NEXT_HEADER
                } else {
                    header.protocol
                };
                Some(Self {
                    src: header.src.into(),
                    dst: header.dst.into(),
                    len: usize::from(header.total_len),
                    transport: Transport::parse(number, header.payload(packet)),
                })
            }
            6 => {
                let header = ipv6::Header::parse(packet).ok()?;
                let upper = ipv6::walk(&header, packet).ok()?;
                let end = ipv6::HEADER_LEN + usize::from(header.payload_len);
                let payload = packet.get(upper.offset..end.min(packet.len()))?;
                let number = if upper.fragment.is_some() {
                    protocol::NO_NEXT_HEADER
                } else {
                    upper.protocol
                };
                Some(Self {
                    src: header.src.into(),
                    dst: header.dst.into(),
                    len: end,
                    transport: Transport::parse(number, payload),
                })
            }
            _ => None,
        }
    }

    /// The segment's header and payload length, if it is one.
    pub fn tcp(&self) -> Option<(&tcp::Header, usize)> {
        match &self.transport {
            Transport::Tcp { header, len } => Some((header, *len)),
            _ => None,
        }
    }
}

impl Transport {
    fn parse(number: u8, payload: &[u8]) -> Self {
        match number {
            protocol::TCP => tcp::Header::parse(payload).map_or(Self::Other, |(header, offset)| {
                let len = payload.len() - offset;
                Self::Tcp { header, len }
            }),
            protocol::UDP => udp::Header::parse(payload).map_or(Self::Other, |header| Self::Udp {
                src_port: header.src_port,
                dst_port: header.dst_port,
                len: header.payload(payload).len(),
            }),
            protocol::ICMP | protocol::ICMPV6 => match payload {
                [kind, code, ..] => Self::Icmp {
                    kind: *kind,
                    code: *code,
                },
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}
