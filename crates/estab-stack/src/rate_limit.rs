use core::time::Duration;
use estab_tcp::Instant;

/// So many a second, as many at once.
#[derive(Default)]
pub(crate) struct RateLimit {
    /// When all that was allowed so far would have been, evenly spread.
    spent_until: Instant,
}

impl RateLimit {
    pub(crate) fn allows(&mut self, now: Instant, per_second: u32) -> bool {
        let Some(each) = Duration::from_secs(1).checked_div(per_second) else {
            return false;
        };
        let from = self.spent_until.max(now);
        if from.since(now) + each > Duration::from_secs(1) {
            return false;
        }
        self.spent_until = from + each;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_a_burst_and_then_the_rate() {
        let mut limit = RateLimit::default();
        let start = Instant::ZERO + Duration::from_secs(5);
        assert_eq!((0..100).filter(|_| limit.allows(start, 10)).count(), 10);
        let later = start + Duration::from_millis(350);
        assert_eq!((0..100).filter(|_| limit.allows(later, 10)).count(), 3);
        assert!(!RateLimit::default().allows(start, 0));
    }
}
