use crate::Settings;
use core::time::Duration;

/// Round-trip time and the retransmission time-out made from it (RFC 6298). Times in microseconds, which fit 32 bits for
/// an hour and keep the record small.
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    srtt_us: u32,
    rttvar_us: u32,
    backoff: u8,
    /// The shortest measurement, zero before the first one.
    min_us: u32,
}

impl RttEstimator {
    pub(crate) const fn new() -> Self {
        Self {
            srtt_us: 0,
            rttvar_us: 0,
            backoff: 0,
            min_us: 0,
        }
    }

    /// RFC 6298: a measurement ends the back-off (Karn's algorithm, MUST-18, is the caller's: it
    /// measures nothing that was sent twice, unless timestamps tell the two apart).
    pub(crate) fn measured(&mut self, rtt: Duration) {
        self.backoff = 0;
        let rtt_us = u32::try_from(rtt.as_micros())
            .unwrap_or(u32::MAX)
            .clamp(1, u32::MAX >> 3);
        self.min_us = if self.min_us == 0 {
            rtt_us
        } else {
            self.min_us.min(rtt_us)
        };
        if self.srtt_us == 0 {
            self.srtt_us = rtt_us;
            self.rttvar_us = rtt_us / 2;
        } else {
            let error = self.srtt_us.abs_diff(rtt_us);
            self.rttvar_us = self.rttvar_us - self.rttvar_us / 4 + error / 4;
            self.srtt_us = self.srtt_us - self.srtt_us / 8 + rtt_us / 8;
            self.srtt_us = self.srtt_us.max(1);
        }
    }

    /// The time-out now: measured, or initial, doubled by every expiry (RFC 6298), within the settings' bounds.
    pub(crate) fn rto(&self, settings: &Settings) -> Duration {
        let base = if self.srtt_us == 0 {
            settings.tcp_rto_initial
        } else {
            // As Linux: the variance term is at least the minimum, which keeps the time-out above the round trip by it.
            let variance = Duration::from_micros(u64::from(self.rttvar_us) * 4);
            self.srtt() + variance.max(settings.tcp_rto_min)
        };
        let factor = 1u32 << self.backoff.min(16);
        base.saturating_mul(factor).min(settings.tcp_rto_max)
    }

    /// An expiry of the timer.
    pub(crate) fn back_off(&mut self) {
        self.backoff = self.backoff.saturating_add(1);
    }

    /// There is another reason to begin anew.
    pub(crate) fn end_back_off(&mut self) {
        self.backoff = 0;
    }

    /// RFC 6298 5.7: the SYN was lost, so the first data starts with 3 s when nothing was measured.
    pub(crate) fn syn_was_resent(&mut self) {
        if self.srtt_us == 0 {
            self.srtt_us = 1_000_000;
            self.rttvar_us = 500_000;
        }
    }

    pub(crate) fn backoff(&self) -> u8 {
        self.backoff
    }

    pub(crate) fn min(&self) -> Duration {
        Duration::from_micros(u64::from(self.min_us))
    }

    pub(crate) fn srtt(&self) -> Duration {
        Duration::from_micros(u64::from(self.srtt_us))
    }

    pub(crate) fn rttvar(&self) -> Duration {
        Duration::from_micros(u64::from(self.rttvar_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_measurement_sets_both() {
        let mut rtt = RttEstimator::new();
        let settings = Settings::default();
        assert_eq!(rtt.rto(&settings), Duration::from_secs(1));
        rtt.measured(Duration::from_millis(100));
        assert_eq!(rtt.srtt(), Duration::from_millis(100));
        assert_eq!(rtt.rttvar(), Duration::from_millis(50));
        assert_eq!(rtt.rto(&settings), Duration::from_millis(300));
    }

    #[test]
    fn backs_off_to_the_maximum_and_recovers() {
        let mut rtt = RttEstimator::new();
        let settings = Settings::default();
        let timeouts: [u64; 9] = core::array::from_fn(|_| {
            let rto = rtt.rto(&settings).as_secs();
            rtt.back_off();
            rto
        });
        assert_eq!(timeouts, [1, 2, 4, 8, 16, 32, 64, 120, 120]);
        rtt.end_back_off();
        assert_eq!(rtt.rto(&settings), Duration::from_secs(1));
    }

    #[test]
    fn syn_resent_gives_three_seconds() {
        let mut rtt = RttEstimator::new();
        rtt.syn_was_resent();
        assert_eq!(rtt.rto(&Settings::default()), Duration::from_secs(3));
    }
}
