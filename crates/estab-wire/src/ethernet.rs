//! Ethernet II frames, without preamble and frame check sequence.

use crate::Error;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Length of a header.
pub const HEADER_LEN: usize = 14;

/// A hardware address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(pub [u8; 6]);

impl Address {
    /// Every station.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Is it [`BROADCAST`](Self::BROADCAST)?
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// Has it the group bit? Broadcast has it too.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Can it be the address of one station: neither group nor all zeros?
    pub fn is_unicast(self) -> bool {
        !self.is_multicast() && self != Self::default()
    }

    /// Where packets to an IPv4 multicast group go (RFC 1112): 25 fixed bits and the group's lower 23.
    pub const fn for_ipv4_multicast(group: Ipv4Addr) -> Self {
        let [_, b, c, d] = group.octets();
        Self([0x01, 0x00, 0x5e, b & 0x7f, c, d])
    }

    /// Where packets to an IPv6 multicast group go (RFC 2464): `33:33` and the group's lower 32 bits.
    /// That of a neighbour to be solicited is the one for [`solicited_node`](crate::ipv6::solicited_node).
    pub const fn for_ipv6_multicast(group: Ipv6Addr) -> Self {
        let [.., a, b, c, d] = group.octets();
        Self([0x33, 0x33, a, b, c, d])
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// What a frame carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
}

impl fmt::Debug for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EtherType({:#06x})", self.0)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// To whom.
    pub dst: Address,
    /// From whom.
    pub src: Address,
    /// What follows.
    pub ethertype: EtherType,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    dst: [u8; 6],
    src: [u8; 6],
    ethertype: U16,
}

impl Header {
    /// Reads the header; the payload begins at [`HEADER_LEN`], and padding may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::Unsupported`] when the type field is an IEEE 802.3 length.
    pub fn parse(frame: &[u8]) -> Result<Self, Error> {
        let Ok((raw, _)) = Layout::ref_from_prefix(frame) else {
            return Err(Error::Truncated);
        };
        let ethertype = raw.ethertype.get();
        if ethertype < 0x600 {
            return Err(Error::Unsupported);
        }
        Ok(Self {
            dst: Address(raw.dst),
            src: Address(raw.src),
            ethertype: EtherType(ethertype),
        })
    }

    /// Writes the header.
    pub fn emit(&self, out: &mut [u8; HEADER_LEN]) {
        *out = zerocopy::transmute!(Layout {
            dst: self.dst.0,
            src: self.src.0,
            ethertype: self.ethertype.0.into(),
        });
    }
}
