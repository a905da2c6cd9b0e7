use crate::Instant;
use crate::event::Timer;

/// The deadlines of a connection: a fixed table, so that arming and stopping cost a store.
#[derive(Debug)]
pub(crate) struct Timers([Instant; Timer::COUNT]);

/// Stands for "not armed"; no clock gets there.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

impl Timers {
    pub(crate) const fn new() -> Self {
        Self([NEVER; Timer::COUNT])
    }

    pub(crate) fn arm(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = at;
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = NEVER;
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn is_armed(&self, timer: Timer) -> bool {
        self.0[timer as usize] != NEVER
    }

    /// The nearest deadline of all.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().copied().min().filter(|at| *at != NEVER)
    }

    /// Takes the first timer whose time has come, in the order of the enum.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Timer> {
        let timer = Timer::ALL
            .into_iter()
            .find(|timer| self.0[*timer as usize] <= now)?;
        self.stop(timer);
        Some(timer)
    }
}
