//! TCP segments (RFC 9293 section 3.1).

mod emit;
mod flags;
mod options;
mod parse;
mod seq;

use crate::checksum::pseudo_header;
use crate::protocol;
use core::net::IpAddr;
use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

pub use flags::Flags;
pub use options::{Options, SackBlock, SackBlocks, SegmentOptions, SynOptions, Timestamps};
pub use seq::SeqNum;

/// Length of a header without options.
pub const HEADER_LEN: usize = 20;

/// Length of the longest header: that which the four bits of the data offset can tell.
pub const HEADER_LEN_MAX: usize = 60;

/// Where in the header the checksum stands.
pub const CHECKSUM_OFFSET: usize = 16;

/// Kinds of options and their lengths.
mod kind {
    pub(super) const END: u8 = 0;
    pub(super) const NOP: u8 = 1;
    pub(super) const MSS: u8 = 2;
    pub(super) const WINDOW_SCALE: u8 = 3;
    pub(super) const SACK_PERMITTED: u8 = 4;
    pub(super) const SACK: u8 = 5;
    pub(super) const TIMESTAMPS: u8 = 8;
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    src_port: U16,
    dst_port: U16,
    seq: U32,
    ack: U32,
    /// Data offset in the four upper bits, then control bits.
    offset_flags: U16,
    window: U16,
    checksum: U16,
    urgent: U16,
}

/// A window as it stands in a header: not yet shifted by the window scale.
// RFC 9293 3.1 MUST-1: unsigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnscaledWindow(pub u16);

/// A parsed header. Checksum and data offset are not part of it: parse verifies them, emit computes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// SEG.SEQ.
    pub seq: SeqNum,
    /// SEG.ACK; meaningful only with [`Flags::ACK`].
    pub ack: SeqNum,
    /// Control bits.
    pub flags: Flags,
    /// SEG.WND as transmitted.
    pub window: UnscaledWindow,
    /// SEG.UP; meaningful only with [`Flags::URG`].
    pub urgent: u16,
    /// The options that may stand in a segment of this kind.
    pub options: Options,
}

/// The checksum of a segment, whose checksum field must be 0 in the pieces. To be stored in network order at
/// [`CHECKSUM_OFFSET`].
// RFC 9293 3.1 MUST-2: with the pseudo-header, an odd last byte padded.
pub fn checksum<'a>(
    src: IpAddr,
    dst: IpAddr,
    segment_pieces: impl Iterator<Item = &'a [u8]>,
) -> u16 {
    crate::checksum::of_pieces(src, dst, protocol::TCP, segment_pieces)
}

/// Is the checksum of a segment right?
// RFC 9293 3.1 MUST-3.
pub fn verify(src: IpAddr, dst: IpAddr, segment: &[u8]) -> bool {
    let mut sum = pseudo_header(src, dst, protocol::TCP, segment.len() as u32);
    sum.add_bytes(segment);
    sum.is_valid()
}
