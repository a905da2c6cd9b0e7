use estab_tcp::Instant;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock of `gettimeofday` and of the stack: it begins at the machine's time of day, and from then on nobody can set it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: std::time::Instant,
    /// The time of day at `start`, since 1970.
    time_of_day: Duration,
}

impl Clock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the plug-in runs in real time, and this is where it reads the clock"
    )]
    pub(crate) fn start() -> Self {
        let time_of_day = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            start: std::time::Instant::now(),
            time_of_day: time_of_day.unwrap_or_default(),
        }
    }

    /// The stack's time.
    pub(crate) fn now(&self) -> Instant {
        let nanos = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Instant::from_nanos(nanos)
    }

    /// A time of the stack as `gettimeofday` would have told it.
    pub(crate) fn time_of_day(&self, at: Instant) -> Duration {
        self.time_of_day + at.since(Instant::ZERO)
    }
}
