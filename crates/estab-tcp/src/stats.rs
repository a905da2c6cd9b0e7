use crate::{SegmentIn, SegmentOut};

/// Counts of one connection, for `TcpInfo`. In wire segments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    pub(crate) retransmits: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_acked: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_retransmitted: u64,
    pub(crate) segments_out: u64,
    pub(crate) segments_in: u64,
    pub(crate) data_segments_out: u64,
    pub(crate) data_segments_in: u64,
    pub(crate) out_of_order: u64,
}

impl Stats {
    pub(crate) fn count_in(&mut self, segment: &SegmentIn) {
        let segments = u64::from(segment.segments.max(1));
        self.segments_in += segments;
        if !segment.payload.is_empty() {
            self.data_segments_in += segments;
        }
    }

    pub(crate) fn count_out(&mut self, segment: &SegmentOut) {
        let segments = wire_segments(segment);
        self.segments_out += segments;
        if !segment.payload.is_empty() {
            self.data_segments_out += segments;
            self.bytes_sent += segment.payload.len() as u64;
        }
    }
}

/// How many wire segments a super-segment is cut into.
pub(crate) fn wire_segments(segment: &SegmentOut) -> u64 {
    (segment.payload.len() as u64)
        .div_ceil(u64::from(segment.segment_size.max(1)))
        .max(1)
}
