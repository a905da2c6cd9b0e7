//! A packet on a link, read as far as an onlooker wants.

use core::net::IpAddr;
use estab_stack::{Layers, Medium};
use estab_wire::{protocol, tcp, udp};

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
        let layers = Layers::find(medium, data)?;
        let end = layers.end.min(data.len());
        let payload = data.get(layers.transport..end)?;
        let transport = if layers.is_fragment {
            Transport::Other
        } else {
            Transport::parse(layers.protocol, payload)
        };
        Some(Self {
            src: layers.src,
            dst: layers.dst,
            len: layers.end - layers.network,
            transport,
        })
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
