//! IPv6 headers (RFC 8200 section 3) and the extension headers behind them (section 4).

mod extension;

pub use extension::{
    EXTENSION_HEADERS_MAX, Fragment, FragmentHeader, ParameterProblem, Upper, WalkError, walk,
};

use crate::Error;
use core::net::Ipv6Addr;
use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Length of the fixed header.
pub const HEADER_LEN: usize = 40;

/// A packet's fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The whole byte: DSCP, and ECN in the two lowest bits (RFC 3168 section 5).
    pub traffic_class: u8,
    /// 20 bits.
    pub flow_label: u32,
    /// Length of what follows, extension headers included, in bytes.
    pub payload_len: u16,
    /// What follows: one of [`protocol`](crate::protocol).
    pub next_header: u8,
    /// Hops that are left.
    pub hop_limit: u8,
    /// From whom.
    pub src: Ipv6Addr,
    /// To whom.
    pub dst: Ipv6Addr,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    version_class_flow: U32,
    payload_len: U16,
    next_header: u8,
    hop_limit: u8,
    src: [u8; 16],
    dst: [u8; 16],
}

impl Header {
    /// A header of an empty packet with a hop limit of 64.
    pub const fn new(src: Ipv6Addr, dst: Ipv6Addr, next_header: u8) -> Self {
        Self {
            traffic_class: 0,
            flow_label: 0,
            payload_len: 0,
            next_header,
            hop_limit: 64,
            src,
            dst,
        }
    }

    /// Reads the fixed header of a packet. After it the packet may be longer than `payload_len` (padding of the
    /// link), never shorter.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], also when `payload_len` is more than there is; [`Error::Unsupported`] when the version
    /// is not 6.
    pub fn parse(packet: &[u8]) -> Result<Self, Error> {
        let header = Self::parse_quoted(packet)?;
        if packet.len() - HEADER_LEN < header.payload_len.into() {
            return Err(Error::Truncated);
        }
        Ok(header)
    }

    /// Reads a header that an ICMP message quotes: `payload_len` may be more than there is.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse).
    pub fn parse_quoted(packet: &[u8]) -> Result<Self, Error> {
        let Ok((layout, _)) = Layout::ref_from_prefix(packet) else {
            return Err(Error::Truncated);
        };
        let version_class_flow = layout.version_class_flow.get();
        if version_class_flow >> 28 != 6 {
            return Err(Error::Unsupported);
        }
        Ok(Self {
            traffic_class: (version_class_flow >> 20) as u8,
            flow_label: version_class_flow & 0xf_ffff,
            payload_len: layout.payload_len.get(),
            next_header: layout.next_header,
            hop_limit: layout.hop_limit,
            src: layout.src.into(),
            dst: layout.dst.into(),
        })
    }

    /// Writes the header.
    pub fn emit(&self, out: &mut [u8; HEADER_LEN]) {
        let version_class_flow =
            6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label & 0xf_ffff;
        *out = zerocopy::transmute!(Layout {
            version_class_flow: version_class_flow.into(),
            payload_len: self.payload_len.into(),
            next_header: self.next_header,
            hop_limit: self.hop_limit,
            src: self.src.octets(),
            dst: self.dst.octets(),
        });
    }

    /// What follows the fixed header in `packet`, from which the header was parsed; as much of it as there is.
    pub fn payload<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let end = packet.len().min(HEADER_LEN + usize::from(self.payload_len));
        packet.get(HEADER_LEN..end).unwrap_or_default()
    }
}

/// The multicast group that a neighbour with this address listens to (RFC 4291).
pub const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b] = address.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | a & 0xff, b)
}

/// Is it a group that [`solicited_node`] gives?
pub fn is_solicited_node(address: Ipv6Addr) -> bool {
    let [.., a, b] = address.segments();
    address == Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, a, b) && a >> 8 == 0xff
}
