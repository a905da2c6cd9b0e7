use super::Impairments;
use estab_tcp::{Instant, Rng};
use std::collections::VecDeque;
use std::time::Duration;

/// Rate, queue, delay and jitter: when a packet arrives.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When each packet in the queue has left it; the last one says when the link is free.
    departures: VecDeque<Instant>,
    /// When the last packet arrives, which no later one does before.
    last: Instant,
}

impl Pace {
    /// When a packet of this length arrives; `None`: the queue is full.
    pub(super) fn arrival(
        &mut self,
        now: Instant,
        len: usize,
        settings: &Impairments,
        rng: &mut Rng,
    ) -> Option<Instant> {
        let departure = match settings.rate {
            Some(rate) => self.departure(now, len, rate, settings.queue)?,
            None => now,
        };
        let arrival = departure + jittered(settings.delay, settings.jitter, rng);
        self.last = self.last.max(arrival);
        Some(self.last)
    }

    fn departure(&mut self, now: Instant, len: usize, rate: u64, queue: u32) -> Option<Instant> {
        while self.departures.front().is_some_and(|&left| left <= now) {
            self.departures.pop_front();
        }
        if self.departures.len() >= queue.max(1) as usize {
            return None;
        }
        let free = self.departures.back().copied().unwrap_or(now);
        let departure = free + transmission_time(len, rate);
        self.departures.push_back(departure);
        Some(departure)
    }
}

fn transmission_time(len: usize, rate: u64) -> Duration {
    let nanos = len as u128 * 8 * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn jittered(delay: Duration, jitter: Duration, rng: &mut Rng) -> Duration {
    if jitter.is_zero() {
        return delay;
    }
    let range = u64::try_from(jitter.as_nanos().saturating_mul(2)).unwrap_or(u64::MAX - 1);
    let drawn = Duration::from_nanos(rng.next_u64() % (range + 1));
    delay.saturating_add(drawn).saturating_sub(jitter)
}
