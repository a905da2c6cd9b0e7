use crate::{FourTuple, Instant};
use core::hash::Hasher;
use core::net::IpAddr;
use estab_wire::tcp::SeqNum;
use siphasher::sip::SipHasher24;

#[cfg(test)]
mod tests;

/// Numbers of a connection that an outsider must not guess, from one secret: its initial sequence number and the offset of its
/// timestamps.
///
/// Each is a keyed hash. The function is SipHash-2-4, not the faster 1-3: the numbers are seen by every peer, so the key
/// has to stand against somebody who gathers them, and one hash a connection costs next to nothing.
#[derive(Clone)]
pub struct IsnGenerator {
    keyed: SipHasher24,
}

/// What a hash is for, so that equal inputs give unrelated numbers.
#[derive(Clone, Copy)]
enum Domain {
    SequenceNumber = 1,
    Timestamp,
}

impl IsnGenerator {
    /// From a key of 128 bits, which must come from the system's random numbers, and stay secret.
    pub fn new(key: (u64, u64)) -> Self {
        let keyed = SipHasher24::new_with_keys(key.0, key.1);
        Self { keyed }
    }

    /// The initial sequence number of a connection that begins now (RFC 6528).
    ///
    /// RFC 9293 3.4.1 MUST-8: a clock of 4 microseconds. SHLD-1, MUST-9: plus a hash of the four-tuple under a secret
    /// key. A later incarnation of the same connection has a later number.
    pub fn isn(&self, now: Instant, tuple: &FourTuple) -> SeqNum {
        let clock = (now.as_nanos() / 4_000) as u32;
        SeqNum(self.hash(Domain::SequenceNumber, tuple)) + clock
    }

    /// What is added to the clock in our timestamps (RFC 7323): the same for each incarnation of a connection, so that its
    /// timestamps rise from one to the next.
    pub fn timestamp_offset(&self, tuple: &FourTuple) -> u32 {
        self.hash(Domain::Timestamp, tuple)
    }

    fn hash(&self, domain: Domain, tuple: &FourTuple) -> u32 {
        let mut hasher = self.keyed;
        hasher.write(&[domain as u8]);
        for end in [tuple.local, tuple.remote] {
            match end.ip() {
                IpAddr::V4(address) => hasher.write(&address.octets()),
                IpAddr::V6(address) => hasher.write(&address.octets()),
            }
            hasher.write(&end.port().to_le_bytes());
        }
        hasher.finish() as u32
    }
}

impl core::fmt::Debug for IsnGenerator {
    /// Without the keys.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("IsnGenerator").finish_non_exhaustive()
    }
}
