use crate::{FourTuple, Instant};
use core::hash::Hasher;
use core::net::{IpAddr, SocketAddr};
use estab_wire::tcp::SeqNum;
use siphasher::sip::SipHasher24;

#[cfg(test)]
mod tests;

/// Numbers that an outsider must not guess, from one secret: initial sequence numbers, timestamp offsets, ports, cookies.
///
/// Each is a keyed hash. The function is SipHash-2-4, not the faster 1-3: the numbers are seen by every peer, so the key
/// has to stand against somebody who gathers them, and one hash a connection costs next to nothing.
#[derive(Clone)]
pub struct IsnGenerator {
    /// For what is computed here.
    own: SipHasher24,
    /// For [`hash`](Self::hash).
    other: SipHasher24,
}

/// What a hash is for, so that equal inputs give unrelated numbers.
#[derive(Clone, Copy)]
enum Domain {
    SequenceNumber = 1,
    Timestamp,
    Port,
}

impl IsnGenerator {
    /// From a seed, which must come from the system's random numbers, and stay secret.
    pub fn new(seed: &[u8; 32]) -> Self {
        let [own, other] = [0, 16].map(|at| {
            let mut key = [0; 16];
            key.copy_from_slice(&seed[at..at + 16]);
            SipHasher24::new_with_key(&key)
        });
        Self { own, other }
    }

    /// The initial sequence number of a connection that begins now (RFC 6528).
    ///
    /// RFC 9293 3.4.1 MUST-8: a clock of 4 microseconds. SHLD-1, MUST-9: plus a hash of the four-tuple under a secret
    /// key. A later incarnation of the same connection has a later number.
    pub fn isn(&self, now: Instant, tuple: &FourTuple) -> SeqNum {
        let clock = (now.as_nanos() / 4_000) as u32;
        SeqNum(self.own(Domain::SequenceNumber, tuple) as u32) + clock
    }

    /// What is added to the clock in our timestamps (RFC 7323): the same for each incarnation of a connection, so that its
    /// timestamps rise from one to the next.
    pub fn timestamp_offset(&self, tuple: &FourTuple) -> u32 {
        self.own(Domain::Timestamp, tuple) as u32
    }

    /// Where the search for a free port begins for this destination (RFC 6056, algorithm 3).
    pub fn port_offset(&self, local: IpAddr, remote: SocketAddr) -> u32 {
        let local = SocketAddr::new(local, 0);
        self.own(Domain::Port, &FourTuple { local, remote }) as u32
    }

    /// A hash of bytes for a purpose of the caller's own, whose number is `domain`: SYN cookies. Unrelated to the numbers
    /// above.
    pub fn hash(&self, domain: u64, bytes: &[u8]) -> u64 {
        let mut hasher = self.other;
        hasher.write(&domain.to_le_bytes());
        hasher.write(bytes);
        hasher.finish()
    }

    fn own(&self, domain: Domain, tuple: &FourTuple) -> u64 {
        let mut hasher = self.own;
        hasher.write(&[domain as u8]);
        for end in [tuple.local, tuple.remote] {
            match end.ip() {
                IpAddr::V4(address) => hasher.write(&address.octets()),
                IpAddr::V6(address) => hasher.write(&address.octets()),
            }
            hasher.write(&end.port().to_le_bytes());
        }
        hasher.finish()
    }
}

impl core::fmt::Debug for IsnGenerator {
    /// Without the keys.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("IsnGenerator").finish_non_exhaustive()
    }
}
