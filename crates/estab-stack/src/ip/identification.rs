//! Identification of packets that may be fragmented.

use alloc::boxed::Box;
use core::hash::Hasher;
use core::net::IpAddr;
use estab_tcp::Rng;
use siphasher::sip::SipHasher13;

const BUCKETS: usize = 256;

/// Counters, one for each of the groups into which a keyed hash puts pairs of addresses: numbers repeat as late as
/// possible (RFC 6864), and tell others neither how much we send nor what comes next (RFC 7739).
pub(super) struct Identifications {
    counters: Box<[u32; BUCKETS]>,
    key: (u64, u64),
}

impl Identifications {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut counters = Box::new([0; BUCKETS]);
        for counter in counters.iter_mut() {
            *counter = rng.next_u32();
        }
        Self {
            counters,
            key: (rng.next_u64(), rng.next_u64()),
        }
    }

    /// The next one for packets between these; the lower half is for IPv4.
    pub(super) fn next(&mut self, src: IpAddr, dst: IpAddr, protocol: u8) -> u32 {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        for address in [src, dst] {
            match address {
                IpAddr::V4(v4) => hasher.write_u32(v4.to_bits()),
                IpAddr::V6(v6) => hasher.write_u128(v6.to_bits()),
            }
        }
        hasher.write_u8(protocol);
        let hash = hasher.finish();
        let counter = &mut self.counters[hash as usize % BUCKETS];
        *counter = counter.wrapping_add(1);
        counter.wrapping_add((hash >> 32) as u32)
    }
}
