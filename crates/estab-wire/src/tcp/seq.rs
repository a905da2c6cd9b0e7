use core::fmt;
use core::ops::{Add, AddAssign, Sub, SubAssign};

/// A sequence number: 32 bits, compared modulo 2^32 (RFC 9293 section 3.4).
///
/// It has no `Ord`, because "less" is only meaningful for numbers less than 2^31 apart; use
/// [`before`](Self::before) and its kin.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SeqNum(pub u32);

impl SeqNum {
    /// `self < other` in sequence space.
    pub const fn before(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// `self > other` in sequence space.
    pub const fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// `self <= other` in sequence space.
    pub const fn at_or_before(self, other: Self) -> bool {
        !other.before(self)
    }

    /// `self >= other` in sequence space.
    pub const fn at_or_after(self, other: Self) -> bool {
        !self.before(other)
    }

    /// Bytes from `start` up to `self`; `start` must not be after `self`.
    pub const fn since(self, start: Self) -> u32 {
        self.0.wrapping_sub(start.0)
    }

    /// Is `self` in `start..start + len`?
    pub const fn within(self, start: Self, len: u32) -> bool {
        self.since(start) < len
    }

    /// The later of the two.
    pub const fn max(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }

    /// The earlier of the two.
    pub const fn min(self, other: Self) -> Self {
        if other.before(self) { other } else { self }
    }
}

impl Add<u32> for SeqNum {
    type Output = Self;
    fn add(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }
}

impl AddAssign<u32> for SeqNum {
    fn add_assign(&mut self, n: u32) {
        *self = *self + n;
    }
}

impl Sub<u32> for SeqNum {
    type Output = Self;
    fn sub(self, n: u32) -> Self {
        Self(self.0.wrapping_sub(n))
    }
}

impl SubAssign<u32> for SeqNum {
    fn sub_assign(&mut self, n: u32) {
        *self = *self - n;
    }
}

impl fmt::Debug for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeqNum({})", self.0)
    }
}

impl fmt::Display for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
