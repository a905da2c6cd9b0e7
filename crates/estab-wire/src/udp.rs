//! UDP (RFC 768).

use crate::checksum::{Sum, pseudo_header};
use crate::{Error, protocol};
use core::net::IpAddr;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Length of a header.
pub const HEADER_LEN: usize = 8;

/// Where in the header the checksum stands.
pub const CHECKSUM_OFFSET: usize = 6;

/// A datagram's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Source port; 0 when no answer is expected.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Length of header and payload, in bytes.
    pub len: u16,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    src_port: U16,
    dst_port: U16,
    len: U16,
    checksum: U16,
}

impl Header {
    /// Reads the header of a datagram and checks its length, which may be less than what is there. The checksum is
    /// not looked at: see [`verify`].
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::Malformed`] when the length is less than that of the header.
    pub fn parse(datagram: &[u8]) -> Result<Self, Error> {
        let header = Self::parse_quoted(datagram)?;
        if usize::from(header.len) < HEADER_LEN {
            return Err(Error::Malformed);
        }
        if datagram.len() < header.len.into() {
            return Err(Error::Truncated);
        }
        Ok(header)
    }

    /// Reads a header that an ICMP message quotes, of which no more than these 8 bytes need be there.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    pub fn parse_quoted(datagram: &[u8]) -> Result<Self, Error> {
        let Ok((layout, _)) = Layout::ref_from_prefix(datagram) else {
            return Err(Error::Truncated);
        };
        Ok(Self {
            src_port: layout.src_port.get(),
            dst_port: layout.dst_port.get(),
            len: layout.len.get(),
        })
    }

    /// Writes the header with a checksum of 0, to be replaced at [`CHECKSUM_OFFSET`].
    pub fn emit(&self, out: &mut [u8; HEADER_LEN]) {
        *out = zerocopy::transmute!(Layout {
            src_port: self.src_port.into(),
            dst_port: self.dst_port.into(),
            len: self.len.into(),
            checksum: 0.into(),
        });
    }

    /// What follows the header in `datagram`, from which the header was parsed; as much of it as there is.
    pub fn payload<'a>(&self, datagram: &'a [u8]) -> &'a [u8] {
        let end = datagram.len().min(self.len.into());
        datagram.get(HEADER_LEN..end).unwrap_or_default()
    }
}

/// The checksum of a datagram, whose checksum field must be 0 in the pieces. Never 0, which would say that there
/// is none: a sum of 0 is sent as its other form, all ones.
pub fn checksum<'a>(src: IpAddr, dst: IpAddr, pieces: impl Iterator<Item = &'a [u8]>) -> u16 {
    match crate::checksum::of_pieces(src, dst, protocol::UDP, pieces) {
        0 => 0xffff,
        checksum => checksum,
    }
}

/// Is the checksum of `datagram` right? What follows the length that its header tells is not counted.
///
/// A checksum of 0 means that the sender computed none, which is allowed over IPv4 and forbidden over IPv6
/// (RFC 8200 section 8.1).
pub fn verify(src: IpAddr, dst: IpAddr, datagram: &[u8]) -> bool {
    let Ok((layout, _)) = Layout::ref_from_prefix(datagram) else {
        return false;
    };
    let len = layout.len.get();
    let Some(datagram) = datagram.get(..len.into()) else {
        return false;
    };
    if layout.checksum == 0 {
        return src.is_ipv4();
    }
    let mut sum: Sum = pseudo_header(src, dst, protocol::UDP, len.into());
    sum.add_bytes(datagram);
    sum.is_valid()
}
