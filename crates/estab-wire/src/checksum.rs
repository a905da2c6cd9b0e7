//! The Internet checksum (RFC 1071), used by IPv4, ICMP, UDP and TCP.
//!
//! It is the complement of the ones-complement sum of all 16-bit words. That sum may be taken in any order, over
//! words of any width, and in either byte order as long as the result is swapped; [`Sum`] uses all three.

use core::net::IpAddr;

/// A ones-complement sum that grows.
///
/// ```
/// use estab_wire::checksum::Sum;
///
/// let mut whole = Sum::new();
/// whole.add_bytes(&[1, 2, 3, 4, 5]);
/// let mut pieces = Sum::new();
/// pieces.add_bytes(&[1]);
/// pieces.add_bytes(&[2, 3, 4]);
/// pieces.add_bytes(&[5]);
/// assert_eq!(whole.finish(), pieces.finish());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Of 16-bit words as this machine reads them from memory; carries are still in the upper bits.
    native: u64,
    /// The next byte is the second one of its word.
    odd: bool,
}

impl Sum {
    /// Of nothing.
    pub const fn new() -> Self {
        Self {
            native: 0,
            odd: false,
        }
    }

    /// Adds what follows. A piece of odd length is not padded: the next one goes on in the middle of the word.
    #[inline]
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.add_native(fold(sum_native(bytes)));
        self.odd ^= bytes.len() % 2 == 1;
    }

    /// Adds two bytes in network order.
    #[inline]
    pub fn add_u16(&mut self, value: u16) {
        self.add_native(value.to_be());
    }

    /// Adds four bytes in network order.
    #[inline]
    pub fn add_u32(&mut self, value: u32) {
        self.add_native(fold(u64::from(value.to_be())));
    }

    /// The sum as it is, not complemented: what devices that complete a checksum want in its field.
    pub const fn folded(&self) -> u16 {
        u16::from_be(fold(self.native))
    }

    /// The checksum: the complement of the sum. To be stored in network order.
    pub const fn finish(self) -> u16 {
        !self.folded()
    }

    /// Is it the sum of something that carries its right checksum?
    pub const fn is_valid(&self) -> bool {
        self.folded() == 0xffff
    }

    #[inline]
    fn add_native(&mut self, word: u16) {
        let word = if self.odd { word.swap_bytes() } else { word };
        // 2^48 additions would have to come before this overflows.
        self.native += u64::from(word);
    }
}

/// The sum over a pseudo-header: both addresses, the protocol and the length of what the checksum covers
/// (RFC 9293 section 3.1, RFC 8200 section 8.1).
///
/// The version is that of the addresses. They must be of one version; a v4-mapped IPv6 address stays what it is.
pub fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: u32) -> Sum {
    let mut sum = Sum::new();
    for address in [src, dst] {
        match address {
            IpAddr::V4(v4) => sum.add_bytes(&v4.octets()),
            IpAddr::V6(v6) => sum.add_bytes(&v6.octets()),
        }
    }
    // The fields have other widths in IPv4, but zero bytes add nothing.
    sum.add_u16(protocol.into());
    sum.add_u32(len);
    sum
}

/// The checksum over a pseudo-header and the pieces of a packet.
pub(crate) fn of_pieces<'a>(
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> u16 {
    // The length stands in front, but is known when all pieces were seen; the order does not matter as long as the
    // pieces' parity is their own.
    let mut sum = Sum::new();
    let mut len = 0;
    for piece in pieces {
        sum.add_bytes(piece);
        len += piece.len();
    }
    let mut whole = pseudo_header(src, dst, protocol, len as u32);
    whole.add_u16(sum.folded());
    whole.finish()
}

/// Adds carries back in until 16 bits are left. Not 0 unless `sum` is.
const fn fold(sum: u64) -> u16 {
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    sum as u16
}

/// The sum of 32-bit halves in four lanes, which compilers turn into vector code; a lane takes 2^32 of them.
#[inline]
fn sum_native(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut lanes = [0; 4];
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane += halves(*word);
        }
    }
    let (words, rest) = rest.as_chunks::<8>();
    lanes.iter().sum::<u64>() + words.iter().copied().map(halves).sum::<u64>() + sum_tail(rest)
}

#[inline]
const fn halves(word: [u8; 8]) -> u64 {
    let word = u64::from_ne_bytes(word);
    (word >> 32) + (word & 0xffff_ffff)
}

/// Of less than 8 bytes: no loop, since headers are short and often end here.
#[inline]
fn sum_tail(mut rest: &[u8]) -> u64 {
    let mut sum = 0;
    if let Some((word, after)) = rest.split_first_chunk() {
        sum += u64::from(u32::from_ne_bytes(*word));
        rest = after;
    }
    if let Some((word, after)) = rest.split_first_chunk() {
        sum += u64::from(u16::from_ne_bytes(*word));
        rest = after;
    }
    if let [last, ..] = *rest {
        sum += u64::from(u16::from_ne_bytes([last, 0]));
    }
    sum
}
