//! Where random choices come from.

use std::borrow::Cow;

/// Choices made from bytes. When these have come to an end, each choice is the first, so that what is made ends too.
#[derive(Clone, Debug)]
pub struct Choices<'a> {
    bytes: Cow<'a, [u8]>,
    at: usize,
}

impl<'a> Choices<'a> {
    /// Choices made from these bytes.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self {
            bytes: Cow::Borrowed(bytes),
            at: 0,
        }
    }

    /// Choices made from a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut state = seed;
        let bytes = (0..SEEDED_WORDS)
            .flat_map(|_| next_word(&mut state).to_le_bytes())
            .collect();
        Self { bytes, at: 0 }
    }

    fn byte(&mut self) -> u32 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at = self.at.saturating_add(1);
        byte.into()
    }

    /// Whether there is nothing left to choose from.
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Any number, small ones and those near to a limit more often than others.
    pub fn number(&mut self) -> u32 {
        match self.byte() {
            small @ 0..128 => small,
            near @ 128..144 => u32::MAX - (near - 128),
            near @ 144..160 => (1 << 31) - 8 + (near - 144),
            near @ 160..176 => 65535 - 8 + (near - 160),
            _ => u32::from_le_bytes(
                [self.byte(), self.byte(), self.byte(), self.byte()].map(|byte| byte as u8),
            ),
        }
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: u32) -> u32 {
        let number = if limit <= 256 {
            self.byte()
        } else {
            self.number()
        };
        number % limit.max(1)
    }

    /// Heads or tails.
    pub fn flip(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// One of these.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len() as u32) as usize]
    }

    /// A few things, at most `max`.
    pub fn many<T>(&mut self, max: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut things = Vec::new();
        while things.len() < max && !self.byte().is_multiple_of(8) {
            things.push(make(self));
        }
        things
    }
}

/// How many words a seed is good for.
const SEEDED_WORDS: usize = 512;

/// SplitMix64: the next of a sequence of numbers that look random.
fn next_word(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
