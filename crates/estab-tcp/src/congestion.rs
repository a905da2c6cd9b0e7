//! Congestion control: how much may be in flight (RFC 5681). One file an algorithm.

mod reno;

use crate::{CongestionControl, Settings};
use reno::Reno;

/// The window, and the algorithm that moves it. Bytes throughout.
#[derive(Debug)]
pub(crate) struct Congestion {
    /// cwnd.
    window: u32,
    /// ssthresh.
    threshold: u32,
    mss: u32,
    algorithm: Algorithm,
}

#[derive(Debug)]
enum Algorithm {
    Reno(Reno),
}

/// No algorithm lets more than this be in flight.
const WINDOW_MAX: u32 = 1 << 30;

impl Congestion {
    pub(crate) fn new(choice: CongestionControl, mss: u32, settings: &Settings) -> Self {
        let algorithm = match choice {
            CongestionControl::Reno => Algorithm::Reno(Reno::default()),
        };
        let window = settings
            .tcp_init_cwnd
            .saturating_mul(mss)
            .clamp(mss, WINDOW_MAX);
        Self {
            window,
            threshold: u32::MAX,
            mss,
            algorithm,
        }
    }

    pub(crate) fn window(&self) -> u32 {
        self.window
    }

    pub(crate) fn threshold(&self) -> u32 {
        self.threshold
    }

    pub(crate) fn in_slow_start(&self) -> bool {
        self.window < self.threshold
    }

    /// The algorithm may be chosen anew at any time; the window stays.
    pub(crate) fn choose(&mut self, choice: CongestionControl) {
        self.algorithm = match choice {
            CongestionControl::Reno => Algorithm::Reno(Reno::default()),
        };
    }

    /// The segment size changed: windows that count segments keep their count in flight below it.
    pub(crate) fn set_mss(&mut self, mss: u32) {
        self.mss = mss;
        self.window = self.window.max(mss);
    }

    /// A handshake that lost its SYN begins with one segment (RFC 5681).
    pub(crate) fn syn_was_resent(&mut self) {
        self.window = self.mss;
    }

    /// New data was acknowledged outside of recovery, while the window was what limited the sender.
    pub(crate) fn acknowledged(&mut self, bytes: u32) {
        let left = if self.in_slow_start() {
            self.slow_start(bytes)
        } else {
            bytes
        };
        if left > 0 {
            let growth = match &mut self.algorithm {
                Algorithm::Reno(reno) => reno.avoidance(left, self.window, self.mss),
            };
            self.window = self.window.saturating_add(growth).min(WINDOW_MAX);
        }
    }

    /// Grows by what was acknowledged (RFC 3465), up to the threshold; what is beyond it is returned.
    fn slow_start(&mut self, bytes: u32) -> u32 {
        let room = self.threshold - self.window;
        let growth = bytes.min(room);
        self.window = self.window.saturating_add(growth).min(WINDOW_MAX);
        bytes - growth
    }

    /// A loss was detected by duplicate acknowledgements: RFC 5681, step 2.
    pub(crate) fn lost(&mut self, in_flight: u32) {
        self.reduce(in_flight);
        self.window = self.threshold;
    }

    // RFC 9293 3.8.2 MUST-19.
    /// The retransmission timer fired: RFC 5681, and the loss window of one segment. The threshold
    /// falls once for a loss, not for each further expiry.
    pub(crate) fn timed_out(&mut self, in_flight: u32, first: bool) {
        if first {
            self.reduce(in_flight);
        }
        self.window = self.mss;
    }

    fn reduce(&mut self, in_flight: u32) {
        let threshold = match &self.algorithm {
            Algorithm::Reno(reno) => reno.threshold(in_flight),
        };
        self.threshold = threshold.max(2 * self.mss);
    }

    /// NewReno's arithmetic during fast recovery (RFC 5681, steps 3, 4; RFC 6582).
    pub(crate) fn inflate(&mut self, bytes: u32) {
        self.window = self.window.saturating_add(bytes).min(WINDOW_MAX);
    }

    /// A partial acknowledgement takes out what left the network, and puts one segment back (RFC 6582).
    pub(crate) fn deflate(&mut self, acknowledged: u32) {
        self.window = self.window.saturating_sub(acknowledged).max(self.mss);
        if acknowledged >= self.mss {
            self.inflate(self.mss);
        }
    }

    /// Fast recovery is over: at most the threshold, and no burst beyond what is in flight (RFC 6582).
    pub(crate) fn recovered(&mut self, in_flight: u32) {
        let burst_limit = in_flight.max(self.mss).saturating_add(self.mss);
        self.window = self.threshold.min(burst_limit).max(self.mss);
    }

    /// Nothing was sent for longer than a time-out: restart from the initial window (RFC 5681 section 4.1).
    pub(crate) fn restart_after_idle(&mut self, settings: &Settings) {
        let restart = settings
            .tcp_init_cwnd
            .saturating_mul(self.mss)
            .max(self.mss);
        self.window = self.window.min(restart);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reno() -> Congestion {
        Congestion::new(CongestionControl::Reno, 1000, &Settings::default())
    }

    #[test]
    fn slow_start_doubles_then_avoidance_adds_a_segment_a_window() {
        let mut congestion = reno();
        assert_eq!(congestion.window(), 10_000);
        congestion.acknowledged(10_000);
        assert_eq!(congestion.window(), 20_000);
        congestion.lost(20_000);
        assert_eq!(
            (congestion.window(), congestion.threshold()),
            (10_000, 10_000)
        );
        for _ in 0..10 {
            congestion.acknowledged(1000);
        }
        assert_eq!(congestion.window(), 11_000);
    }

    #[test]
    fn the_threshold_falls_once_for_repeated_time_outs() {
        let mut congestion = reno();
        congestion.timed_out(10_000, true);
        congestion.timed_out(10_000, false);
        assert_eq!((congestion.window(), congestion.threshold()), (1000, 5000));
    }

    #[test]
    fn slow_start_ends_at_the_threshold() {
        let mut congestion = reno();
        congestion.timed_out(10_000, true);
        congestion.acknowledged(4500);
        // 4000 in slow start; the remaining 500 are not yet a window's worth.
        assert_eq!(congestion.window(), 5000);
    }
}
