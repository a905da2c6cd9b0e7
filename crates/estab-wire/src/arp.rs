//! ARP for IPv4 on Ethernet (RFC 826).

use crate::Error;
use crate::ethernet::{Address, EtherType};
use core::net::Ipv4Addr;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Length of a packet.
pub const PACKET_LEN: usize = 28;

const HARDWARE_ETHERNET: u16 = 1;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Who has the target's protocol address?
    Request,
    /// The sender has the sender's.
    Reply,
}

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Request or reply.
    pub operation: Operation,
    /// The sender's hardware address.
    pub sender_hardware: Address,
    /// The sender's protocol address; unspecified in a probe (RFC 5227).
    pub sender_protocol: Ipv4Addr,
    /// The target's hardware address; of no meaning in a request.
    pub target_hardware: Address,
    /// The target's protocol address.
    pub target_protocol: Ipv4Addr,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    hardware: U16,
    protocol: U16,
    hardware_len: u8,
    protocol_len: u8,
    operation: U16,
    sender_hardware: [u8; 6],
    sender_protocol: [u8; 4],
    target_hardware: [u8; 6],
    target_protocol: [u8; 4],
}

impl Packet {
    /// Reads a packet; what follows it is padding.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::Unsupported`] for other hardware, protocols and operations;
    /// [`Error::Malformed`] when the lengths of addresses are not those of Ethernet and IPv4.
    pub fn parse(packet: &[u8]) -> Result<Self, Error> {
        let Ok((raw, _)) = Layout::ref_from_prefix(packet) else {
            return Err(Error::Truncated);
        };
        if raw.hardware.get() != HARDWARE_ETHERNET || raw.protocol.get() != EtherType::IPV4.0 {
            return Err(Error::Unsupported);
        }
        if raw.hardware_len != 6 || raw.protocol_len != 4 {
            return Err(Error::Malformed);
        }
        Ok(Self {
            operation: match raw.operation.get() {
                1 => Operation::Request,
                2 => Operation::Reply,
                _ => return Err(Error::Unsupported),
            },
            sender_hardware: Address(raw.sender_hardware),
            sender_protocol: raw.sender_protocol.into(),
            target_hardware: Address(raw.target_hardware),
            target_protocol: raw.target_protocol.into(),
        })
    }

    /// Writes the packet.
    pub fn emit(&self, out: &mut [u8; PACKET_LEN]) {
        *out = zerocopy::transmute!(Layout {
            hardware: HARDWARE_ETHERNET.into(),
            protocol: EtherType::IPV4.0.into(),
            hardware_len: 6,
            protocol_len: 4,
            operation: match self.operation {
                Operation::Request => 1,
                Operation::Reply => 2,
            }
            .into(),
            sender_hardware: self.sender_hardware.0,
            sender_protocol: self.sender_protocol.octets(),
            target_hardware: self.target_hardware.0,
            target_protocol: self.target_protocol.octets(),
        });
    }
}
