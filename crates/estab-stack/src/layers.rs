use crate::Medium;
use core::net::IpAddr;
use estab_wire::ethernet::{self, EtherType};
use estab_wire::{ipv4, ipv6};

/// Where the layers of an IP packet begin, for those who change packets without being their destination: cutters,
/// recorders, impairments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// Where the IP header begins: the length of the link's header.
    pub network: usize,
    /// Where the transport header begins.
    pub transport: usize,
    /// Where the packet ends by its own lengths; the link may have padded it. More than the number of bytes that were
    /// looked at when these were the headers only.
    pub end: usize,
    /// What the transport header is of: one of [`estab_wire::protocol`].
    pub protocol: u8,
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// It is a part of a packet: behind a later part's `transport` stands no header.
    pub is_fragment: bool,
}

impl Layers {
    /// Finds the layers in the first bytes of a packet. `None`: it is not IP, or its headers are malformed.
    pub fn find(medium: Medium, packet: &[u8]) -> Option<Self> {
        let network = match medium {
            Medium::Ip => 0,
            Medium::Ethernet => {
                let header = ethernet::Header::parse(packet).ok()?;
                let is_ip = [EtherType::IPV4, EtherType::IPV6].contains(&header.ethertype);
                is_ip.then_some(ethernet::HEADER_LEN)?
            }
        };
        let ip = packet.get(network..)?;
        match ip.first()? >> 4 {
            4 => Self::find_v4(network, ip),
            6 => Self::find_v6(network, ip),
            _ => None,
        }
    }

    fn find_v4(network: usize, ip: &[u8]) -> Option<Self> {
        let header = ipv4::Header::parse_quoted(ip).ok()?;
        Some(Self {
            network,
            transport: network + usize::from(header.header_len),
            end: network + usize::from(header.total_len),
            protocol: header.protocol,
            src: header.src.into(),
            dst: header.dst.into(),
            is_fragment: header.is_fragment(),
        })
    }

    fn find_v6(network: usize, ip: &[u8]) -> Option<Self> {
        let header = ipv6::Header::parse_quoted(ip).ok()?;
        let upper = ipv6::walk(&header, ip).ok()?;
        let is_fragment = |fragment: ipv6::Fragment| !fragment.header.is_atomic();
        Some(Self {
            network,
            transport: network + upper.offset,
            end: network + ipv6::HEADER_LEN + usize::from(header.payload_len),
            protocol: upper.protocol,
            src: header.src.into(),
            dst: header.dst.into(),
            is_fragment: upper.fragment.is_some_and(is_fragment),
        })
    }
}
