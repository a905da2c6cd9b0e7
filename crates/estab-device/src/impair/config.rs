use super::Loss;
use estab_tcp::Rng;
use std::time::Duration;

/// What happens to packets, each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImpairConfig {
    /// To what the device receives.
    pub inbound: Impairments,
    /// To what it sends.
    pub outbound: Impairments,
    /// Where the random numbers begin; each direction has its own.
    pub seed: u64,
}

impl From<Impairments> for ImpairConfig {
    /// The same both ways.
    fn from(both: Impairments) -> Self {
        Self {
            inbound: both,
            outbound: both,
            seed: 0,
        }
    }
}

/// What happens to packets one way. The default is a perfect link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impairments {
    /// Packets are lost.
    pub loss: Loss,
    /// A packet arrives twice.
    pub duplicate: Probability,
    /// A bit of an IP packet is flipped; frames that carry no IP are lost instead, as they have no checksum of their own.
    pub corrupt: Probability,
    /// A packet is held back until others have overtaken it.
    pub reorder: Probability,
    /// At most how many overtake it, at least 1.
    pub reorder_gap: u32,
    /// After which time it is let go even so.
    pub reorder_hold: Duration,
    /// Time that a packet takes.
    pub delay: Duration,
    /// The time varies by so much up and down, evenly distributed; packets do not overtake each other by it.
    pub jitter: Duration,
    /// Bits per second of whole packets as the device sees them.
    pub rate: Option<u64>,
    /// Packets that wait for their turn at that rate, at least 1; more are dropped.
    pub queue: u32,
}

impl Default for Impairments {
    fn default() -> Self {
        Self {
            loss: Loss::None,
            duplicate: Probability::ZERO,
            corrupt: Probability::ZERO,
            reorder: Probability::ZERO,
            reorder_gap: 3,
            reorder_hold: Duration::from_millis(10),
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            rate: None,
            queue: 100,
        }
    }
}

impl Impairments {
    /// Nothing happens to any packet.
    pub fn is_perfect(&self) -> bool {
        self.loss == Loss::None
            && [self.duplicate, self.corrupt, self.reorder] == [Probability::ZERO; 3]
            && self.delay.is_zero()
            && self.jitter.is_zero()
            && self.rate.is_none()
    }
}

/// A probability in steps of one in a million, so that it means the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probability(u32);

impl Probability {
    const MILLION: u32 = 1_000_000;

    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(Self::MILLION);

    /// From parts per million; more than a million are a million.
    pub const fn from_ppm(ppm: u32) -> Self {
        if ppm > Self::MILLION {
            Self::ONE
        } else {
            Self(ppm)
        }
    }

    /// From a fraction of 1, rounded; `None` when it is not in 0 to 1.
    pub fn from_fraction(fraction: f64) -> Option<Self> {
        let is_valid = (0.0..=1.0).contains(&fraction);
        is_valid.then(|| Self((fraction * f64::from(Self::MILLION)).round() as u32))
    }

    /// Parts per million.
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// As a fraction of 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::MILLION)
    }

    /// Draws; a probability of zero draws no number.
    pub(super) fn draw(self, rng: &mut Rng) -> bool {
        self.0 != 0 && rng.below(Self::MILLION) < self.0
    }
}
