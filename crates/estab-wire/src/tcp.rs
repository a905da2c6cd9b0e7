//! TCP segments (RFC 9293 section 3.1).

mod flags;
mod options;
mod seq;

pub use flags::Flags;
pub use options::{Options, SackBlock, SackBlocks, SegmentOptions, SynOptions, Timestamps};
pub use seq::SeqNum;

/// Length of a header without options.
pub const HEADER_LEN: usize = 20;

/// A window as it stands in a header: not yet shifted by the window scale.
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
