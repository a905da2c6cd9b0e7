use core::time::Duration;
use estab_tcp::{Instant, Rng};

/// At most so many a second, and as many at once.
///
/// Now and then one counts double, drawn by lot: an exact limit that all share would let an off-path host count the answers that
/// packets with forged addresses had, and so find the ports of others' connections (as in CVE-2016-5696 and CVE-2020-25705).
pub(crate) struct RateLimit {
    /// When all that was allowed so far would have been, evenly spread.
    spent_until: Instant,
    rng: Rng,
}

impl RateLimit {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            spent_until: Instant::ZERO,
            rng: Rng::new(seed),
        }
    }

    pub(crate) fn allows(&mut self, now: Instant, per_second: u32) -> bool {
        let Some(each) = Duration::from_secs(1).checked_div(per_second) else {
            return false;
        };
        let from = self.spent_until.max(now);
        if from.since(now) + each > Duration::from_secs(1) {
            return false;
        }
        let cost = 1 + self.rng.below(8) / 7;
        self.spent_until = from + each * cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_a_burst_and_then_the_rate() {
        let mut limit = RateLimit::new(1);
        let start = Instant::ZERO + Duration::from_secs(5);
        let burst = (0..5000).filter(|_| limit.allows(start, 1000)).count();
        assert!((800..=1000).contains(&burst), "{burst}");
        let later = start + Duration::from_millis(350);
        let more = (0..5000).filter(|_| limit.allows(later, 1000)).count();
        assert!((250..=350).contains(&more), "{more}");
        assert!(!RateLimit::new(1).allows(start, 0));
    }

    #[test]
    fn nobody_can_count_what_others_used() {
        let start = Instant::ZERO + Duration::from_secs(5);
        let counts = (0..20).map(|seed| {
            let mut limit = RateLimit::new(seed);
            (0..5000).filter(|_| limit.allows(start, 1000)).count()
        });
        let different: alloc::collections::BTreeSet<usize> = counts.collect();
        assert!(different.len() > 5, "{different:?}");
    }
}
