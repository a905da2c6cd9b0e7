use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// The control bits of a segment, with the reserved ones beside them (RFC 9293 section 3.1).
///
/// Prints as tcpdump does: `S`, `S.`, `P.`, `F.`, `R`, `.`, `SEW`, and `none` when nothing is set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    /// No more data from sender.
    pub const FIN: Self = Self(0x001);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x002);
    /// Reset the connection.
    pub const RST: Self = Self(0x004);
    /// Push function.
    pub const PSH: Self = Self(0x008);
    /// Acknowledgement field is significant.
    pub const ACK: Self = Self(0x010);
    /// Urgent pointer field is significant.
    pub const URG: Self = Self(0x020);
    /// ECN echo (RFC 3168).
    pub const ECE: Self = Self(0x040);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(0x080);
    /// Accurate ECN (RFC 9768), once the nonce sum.
    pub const AE: Self = Self(0x100);
    /// No bit at all.
    pub const NONE: Self = Self(0);

    /// From the twelve bits beside the data offset.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0xfff)
    }

    /// The twelve bits, reserved ones included.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Are all bits of `other` set?
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Is any bit of `other` set?
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// `self` without the bits of `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Is [`SYN`](Self::SYN) set?
    pub const fn syn(self) -> bool {
        self.contains(Self::SYN)
    }

    /// Is [`ACK`](Self::ACK) set?
    pub const fn ack(self) -> bool {
        self.contains(Self::ACK)
    }

    /// Is [`FIN`](Self::FIN) set?
    pub const fn fin(self) -> bool {
        self.contains(Self::FIN)
    }

    /// Is [`RST`](Self::RST) set?
    pub const fn rst(self) -> bool {
        self.contains(Self::RST)
    }

    /// Is [`URG`](Self::URG) set?
    pub const fn urg(self) -> bool {
        self.contains(Self::URG)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: [(Flags, &str); 9] = [
            (Flags::FIN, "F"),
            (Flags::SYN, "S"),
            (Flags::RST, "R"),
            (Flags::PSH, "P"),
            (Flags::ACK, "."),
            (Flags::URG, "U"),
            (Flags::ECE, "E"),
            (Flags::CWR, "W"),
            (Flags::AE, "e"),
        ];
        if self.0 & 0x1ff == 0 {
            return f.pad("none");
        }
        let mut text = arrayvec::ArrayString::<9>::new();
        for (flag, letter) in LETTERS {
            if self.contains(flag) {
                text.push_str(letter);
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({self})")
    }
}
