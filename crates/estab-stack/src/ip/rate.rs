//! The limit on ICMP errors.

use core::time::Duration;
use estab_tcp::{Instant, Rng};

/// Errors that may be sent at once after a pause.
const BURST: u32 = 50;

/// A bucket of tokens. A token stands for one ICMP error; they come back at the rate of the setting.
///
/// Now and then an error costs more than one token, drawn by lot: an exact, global limit would let an off-path host
/// count the errors that others caused, and so find open ports (CVE-2020-25705).
#[derive(Debug)]
pub(super) struct TokenBucket {
    tokens: u32,
    filled: Instant,
    rng: Rng,
}

impl TokenBucket {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            tokens: BURST,
            filled: Instant::ZERO,
            rng: Rng::new(seed),
        }
    }

    /// May one be sent now? `rate` is errors a second.
    pub(super) fn take(&mut self, now: Instant, rate: u32) -> bool {
        self.fill(now, rate);
        if rate == 0 || self.tokens == 0 {
            return false;
        }
        let cost = 1 + self.rng.below(8) / 7;
        self.tokens = self.tokens.saturating_sub(cost);
        true
    }

    fn fill(&mut self, now: Instant, rate: u32) {
        if rate == 0 {
            return;
        }
        let interval = 1_000_000_000 / u64::from(rate).min(1_000_000_000);
        let passed = now.as_nanos().saturating_sub(self.filled.as_nanos());
        let earned = passed / interval.max(1);
        let burst = BURST.min(rate);
        if u64::from(self.tokens) + earned >= u64::from(burst) {
            self.tokens = burst;
            self.filled = now;
        } else {
            self.tokens += earned as u32;
            self.filled += Duration::from_nanos(earned * interval);
        }
    }
}
