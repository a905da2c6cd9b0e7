//! IPv4 headers (RFC 791 section 3.1). Options are skipped when they come and never sent.

use crate::Error;
use crate::checksum::Sum;
use core::net::Ipv4Addr;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Length of a header without options.
pub const HEADER_LEN: usize = 20;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_MASK: u16 = 0x1fff;

/// A packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// From whom.
    pub src: Ipv4Addr,
    /// To whom.
    pub dst: Ipv4Addr,
    /// What follows: one of [`protocol`](crate::protocol).
    pub protocol: u8,
    /// The whole byte: DSCP, and ECN in the two lowest bits (RFC 3168 section 5).
    pub tos: u8,
    /// Hops that are left.
    pub ttl: u8,
    /// Tells the fragments of one packet from those of others.
    pub identification: u16,
    /// DF: must not be fragmented on its way.
    pub dont_fragment: bool,
    /// MF: a fragment, and not the last.
    pub more_fragments: bool,
    /// Where in the whole packet's payload this one's belongs, in bytes; a multiple of 8.
    pub fragment_offset: u16,
    /// Length of the header with its options, in bytes; always written as [`HEADER_LEN`].
    pub header_len: u16,
    /// Length of header and payload, in bytes.
    pub total_len: u16,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    version_ihl: u8,
    tos: u8,
    total_len: U16,
    identification: U16,
    flags_offset: U16,
    ttl: u8,
    protocol: u8,
    checksum: U16,
    src: [u8; 4],
    dst: [u8; 4],
}

impl Header {
    /// A header of an empty packet that may be fragmented, with a TTL of 64.
    pub const fn new(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8) -> Self {
        Self {
            src,
            dst,
            protocol,
            tos: 0,
            ttl: 64,
            identification: 0,
            dont_fragment: false,
            more_fragments: false,
            fragment_offset: 0,
            header_len: HEADER_LEN as u16,
            total_len: HEADER_LEN as u16,
        }
    }

    /// Reads the header of a packet. After it the packet may be longer than `total_len` (padding of the link),
    /// never shorter.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], also when `total_len` is more than there is; [`Error::Unsupported`] when the version
    /// is not 4; [`Error::Malformed`] when the lengths contradict each other; [`Error::Checksum`].
    pub fn parse(packet: &[u8]) -> Result<Self, Error> {
        let header = Self::parse_quoted(packet)?;
        if packet.len() < header.total_len.into() {
            return Err(Error::Truncated);
        }
        let mut sum = Sum::new();
        sum.add_bytes(packet.get(..header.header_len.into()).unwrap_or_default());
        if !sum.is_valid() {
            return Err(Error::Checksum);
        }
        Ok(header)
    }

    /// Reads a header that an ICMP message quotes: `total_len` may be more than there is, and the checksum is not
    /// verified, since hosts on the way may have changed the header without it.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse) but [`Error::Checksum`].
    pub fn parse_quoted(packet: &[u8]) -> Result<Self, Error> {
        let Ok((layout, _)) = Layout::ref_from_prefix(packet) else {
            return Err(Error::Truncated);
        };
        if layout.version_ihl >> 4 != 4 {
            return Err(Error::Unsupported);
        }
        let header = layout.header();
        if header.header_len < HEADER_LEN as u16 || header.total_len < header.header_len {
            return Err(Error::Malformed);
        }
        if packet.len() < header.header_len.into() {
            return Err(Error::Truncated);
        }
        Ok(header)
    }

    /// Writes the header, without options and with its checksum. Of `fragment_offset` the three lowest bits are
    /// lost.
    pub fn emit(&self, out: &mut [u8; HEADER_LEN]) {
        let mut flags_offset = self.fragment_offset / 8;
        if self.dont_fragment {
            flags_offset |= DONT_FRAGMENT;
        }
        if self.more_fragments {
            flags_offset |= MORE_FRAGMENTS;
        }
        let mut layout = Layout {
            version_ihl: 0x45,
            tos: self.tos,
            total_len: self.total_len.into(),
            identification: self.identification.into(),
            flags_offset: flags_offset.into(),
            ttl: self.ttl,
            protocol: self.protocol,
            checksum: 0.into(),
            src: self.src.octets(),
            dst: self.dst.octets(),
        };
        let mut sum = Sum::new();
        sum.add_bytes(layout.as_bytes());
        layout.checksum = sum.finish().into();
        *out = zerocopy::transmute!(layout);
    }

    /// Is it a part of a packet only?
    pub const fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }

    /// Length of what follows the header, in bytes.
    pub const fn payload_len(&self) -> u16 {
        self.total_len.saturating_sub(self.header_len)
    }

    /// What follows the header in `packet`, from which the header was parsed; as much of it as there is.
    pub fn payload<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let end = packet.len().min(self.total_len.into());
        packet.get(self.header_len.into()..end).unwrap_or_default()
    }
}

impl Layout {
    fn header(&self) -> Header {
        let flags_offset = self.flags_offset.get();
        Header {
            src: self.src.into(),
            dst: self.dst.into(),
            protocol: self.protocol,
            tos: self.tos,
            ttl: self.ttl,
            identification: self.identification.get(),
            dont_fragment: flags_offset & DONT_FRAGMENT != 0,
            more_fragments: flags_offset & MORE_FRAGMENTS != 0,
            fragment_offset: (flags_offset & OFFSET_MASK) * 8,
            header_len: u16::from(self.version_ihl & 0xf) * 4,
            total_len: self.total_len.get(),
        }
    }
}
