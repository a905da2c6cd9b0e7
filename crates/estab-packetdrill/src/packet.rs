//! Packets as they are on the wire, with absolute numbers: what is injected is built from these, what is emitted is read into them.

pub(crate) mod build;
pub(crate) mod compare;
pub(crate) mod icmp;
pub(crate) mod options;
pub(crate) mod parse;

use crate::script::{Flags, TcpOption};
use core::net::{IpAddr, SocketAddr};

/// The IP header of a packet, as far as scripts speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) tos: u8,
    pub(crate) ttl: u8,
    /// Of IPv6.
    pub(crate) flow_label: u32,
}

/// A packet that was emitted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Live {
    pub(crate) ip: Ip,
    pub(crate) body: LiveBody,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LiveBody {
    Tcp(LiveSegment),
    Udp {
        source_port: u16,
        destination_port: u16,
        len: u16,
    },
    Icmp(LiveIcmp),
    /// Something that no script speaks of: neighbour discovery, fragments, other protocols.
    Other,
}

/// A segment with absolute numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LiveSegment {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) options: Vec<TcpOption>,
    /// Bytes of payload.
    pub(crate) len: u32,
}

/// An ICMP message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LiveIcmp {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    /// The four bytes behind the checksum.
    pub(crate) rest: [u8; 4],
    /// What an error quotes, as far as it can be told.
    pub(crate) quoted: Option<Quoted>,
}

/// The beginning of a packet in an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quoted {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) transport: QuotedTransport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuotedTransport {
    /// Sequence number and bytes of payload, by the IP header.
    Tcp { seq: u32, len: u32 },
    /// Bytes of payload, by the UDP header.
    Udp { len: u16 },
}

impl Live {
    /// The subject's and the peer's end, for a packet with ports that the subject sent.
    pub(crate) fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        let (source, destination) = match &self.body {
            LiveBody::Tcp(segment) => (segment.source_port, segment.destination_port),
            LiveBody::Udp {
                source_port,
                destination_port,
                ..
            } => (*source_port, *destination_port),
            LiveBody::Icmp(_) | LiveBody::Other => return None,
        };
        Some((
            SocketAddr::new(self.ip.source, source),
            SocketAddr::new(self.ip.destination, destination),
        ))
    }
}

/// The twelve bits beside the data offset.
pub(crate) fn flag_bits(flags: Flags) -> u16 {
    let ace = flags.ace.map_or(0, u16::from) & 7;
    u16::from(flags.fin)
        | u16::from(flags.syn) << 1
        | u16::from(flags.rst) << 2
        | u16::from(flags.psh) << 3
        | u16::from(flags.ack) << 4
        | u16::from(flags.urg) << 5
        | u16::from(flags.ece) << 6
        | u16::from(flags.cwr) << 7
        | u16::from(flags.ae) << 8
        | ace << 6
}

/// Flags from the twelve bits; AccECN's field as its three flags.
pub(crate) fn flags_from_bits(bits: u16) -> Flags {
    let bit = |n: u16| bits >> n & 1 == 1;
    Flags {
        fin: bit(0),
        syn: bit(1),
        rst: bit(2),
        psh: bit(3),
        ack: bit(4),
        urg: bit(5),
        ece: bit(6),
        cwr: bit(7),
        ae: bit(8),
        ace: None,
    }
}

#[cfg(test)]
mod tests;
