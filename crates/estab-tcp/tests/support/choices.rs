//! Where a random test takes its decisions from: a seed, or the bytes that a fuzzer found.
#![allow(
    unreachable_pub,
    dead_code,
    reason = "included by several tests and by the fuzz targets"
)]

use estab_tcp::Rng;

/// Decisions, one after another.
pub enum Choices<'a> {
    /// So many steps of a seeded generator.
    Seeded(Rng, u32),
    /// A fuzzer's input. Used up, it decides everything with 0.
    Bytes(&'a [u8]),
}

impl Choices<'_> {
    /// Is there another step?
    pub fn go_on(&mut self) -> bool {
        match self {
            Self::Seeded(_, steps) => {
                let more = *steps > 0;
                *steps = steps.saturating_sub(1);
                more
            }
            Self::Bytes(bytes) => !bytes.is_empty(),
        }
    }

    /// A number in `0..bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        match self {
            Self::Seeded(rng, _) => rng.below(bound),
            Self::Bytes(bytes) => {
                let len = if bound <= 256 { 1 } else { 4 };
                let (now, later) = bytes.split_at(len.min(bytes.len()));
                *bytes = later;
                let number = now.iter().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
                number.checked_rem(bound).unwrap_or(0)
            }
        }
    }

    /// Any 32 bits.
    pub fn any(&mut self) -> u32 {
        match self {
            Self::Seeded(rng, _) => rng.next_u32(),
            Self::Bytes(_) => self.below(u32::MAX),
        }
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == times - 1
    }

    /// One of these.
    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }

    /// A number beside an edge: it, its neighbours, somewhat before and behind it, half the number space away.
    pub fn near(&mut self, edges: &[u32]) -> u32 {
        let edge = self.of(edges);
        match self.below(16) {
            0..8 => edge,
            8 => edge.wrapping_add(1),
            9 => edge.wrapping_sub(1),
            10 => edge.wrapping_add(self.below(5000)),
            11 => edge.wrapping_sub(self.below(5000)),
            12 => edge.wrapping_add(1 << 31),
            13 => edge.wrapping_add((1 << 31) - 1),
            14 => edge.wrapping_sub((1 << 31) - 1),
            _ => self.any(),
        }
    }
}

/// The seeds to run: those of `ESTAB_SEED` (`17` or `17..90`), else the first `count`.
pub fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("ESTAB_SEED") {
        Ok(seeds) => match seeds.split_once("..") {
            Some((first, end)) => {
                (first.parse().expect("a number")..end.parse().expect("a number")).collect()
            }
            None => vec![seeds.parse().expect("a number, or two as in 1..9")],
        },
        Err(_) => (0..count).collect(),
    }
}

/// Runs a check with each seed, and says which one failed.
pub fn with_seeds(command: &str, count: u64, steps: u32, check: fn(Choices<'_>)) {
    for seed in seeds(count) {
        let choices = Choices::Seeded(Rng::new(seed), steps);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(choices)));
        assert!(result.is_ok(), "replay: ESTAB_SEED={seed} {command}");
    }
}
