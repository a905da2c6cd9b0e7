/// An endless stream of bytes that is different for each seed and in which any place can be computed, so that a
/// receiver can check what it gets without keeping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern(u64);

impl Pattern {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The byte at this place.
    pub const fn byte(self, at: u64) -> u8 {
        let mut z = (at / 4)
            .wrapping_add(self.0)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (z >> (32 + (at % 4) * 8)) as u8
    }

    /// Bytes from this place on.
    pub fn fill(self, at: u64, out: &mut [u8]) {
        for (offset, byte) in out.iter_mut().enumerate() {
            *byte = self.byte(at + offset as u64);
        }
    }

    /// The first place that differs, if any.
    pub fn mismatch(self, at: u64, bytes: &[u8]) -> Option<u64> {
        let places = at..at + bytes.len() as u64;
        let mut compared = places.zip(bytes);
        compared
            .find(|(place, byte)| self.byte(*place) != **byte)
            .map(|(place, _)| place)
    }
}
