use super::SeqNum;
use arrayvec::ArrayVec;

/// Value and echo of the timestamps option (RFC 7323).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamps {
    /// TSval.
    pub value: u32,
    /// TSecr; meaningful only when the segment has ACK.
    pub echo: u32,
}

/// One block of a SACK option: `left..right` (RFC 2018). As it came; may be nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SackBlock {
    /// First sequence number of the block.
    pub left: SeqNum,
    /// The sequence number after its last.
    pub right: SeqNum,
}

/// At most four blocks fit in a header.
pub type SackBlocks = ArrayVec<SackBlock, 4>;

/// Options of a segment with SYN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SynOptions {
    /// Maximum segment size (RFC 9293 3.7.1).
    pub mss: Option<u16>,
    /// Window scale shift as sent, may exceed 14 (RFC 7323).
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018).
    pub sack_permitted: bool,
    /// Timestamps (RFC 7323).
    pub timestamps: Option<Timestamps>,
}

/// Options of a segment without SYN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentOptions {
    /// Timestamps (RFC 7323).
    pub timestamps: Option<Timestamps>,
    /// Selective acknowledgements, D-SACK first where there is one (RFC 2018, 2883).
    pub sack: SackBlocks,
}

/// Options by kind of segment, so that an MSS cannot be read from a data segment.
// RFC 9293 3.2 MUST-65: nor be sent in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Options {
    /// Of a segment with SYN.
    Syn(SynOptions),
    /// Of any other segment.
    Segment(SegmentOptions),
}

impl Options {
    /// No options, for a segment without SYN.
    pub const NONE: Self = Self::Segment(SegmentOptions {
        timestamps: None,
        sack: ArrayVec::new_const(),
    });

    /// The timestamps, which stand in segments of any kind.
    pub fn timestamps(&self) -> Option<Timestamps> {
        match self {
            Self::Syn(options) => options.timestamps,
            Self::Segment(options) => options.timestamps,
        }
    }
}
