/// RFC 5681 with appropriate byte counting (RFC 3465).
#[derive(Debug, Default)]
pub(super) struct Reno {
    /// Bytes acknowledged towards the next segment of growth.
    counted: u32,
}

impl Reno {
    /// Growth in congestion avoidance: one segment for each window that was acknowledged.
    pub(super) fn avoidance(&mut self, acknowledged: u32, window: u32, mss: u32) -> u32 {
        self.counted = self.counted.saturating_add(acknowledged);
        let mut growth = 0;
        // At most twice: an acknowledgement covers no more than what was in flight.
        while self.counted >= window {
            self.counted -= window;
            growth += mss;
        }
        growth
    }

    /// RFC 5681, before its lower bound.
    pub(super) fn threshold(&self, in_flight: u32) -> u32 {
        in_flight / 2
    }
}
