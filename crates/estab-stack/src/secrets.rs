//! Keys for everything that must not be guessed, all derived from one seed.

use core::hash::Hasher;
use siphasher::sip::SipHasher24;

/// What a key is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    ConnectionTable = 1,
    HalfOpenTable,
    TimeWaitTable,
    RequestTable,
    UdpTable,
    ListenerGroup,
    Sequence,
    Cookie,
    CookieBase,
    PortOffset,
    PortIndex,
    Random,
    Ip,
    Resets,
}

/// The seed, from which the keys come.
pub(crate) struct Secrets([u8; 32]);

impl Secrets {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// The key for a purpose.
    pub(crate) fn key(&self, purpose: Purpose) -> (u64, u64) {
        (self.word(purpose, 0), self.word(purpose, 1))
    }

    fn word(&self, purpose: Purpose, part: u8) -> u64 {
        let (key, rest) = self.0.split_at(16);
        let mut words = key.chunks_exact(8).map(|bytes| {
            bytes
                .iter()
                .fold(0u64, |word, byte| (word << 8) | u64::from(*byte))
        });
        let mut next = || words.next().unwrap_or_default();
        let mut hasher = SipHasher24::new_with_keys(next(), next());
        hasher.write(rest);
        hasher.write_u8(purpose as u8);
        hasher.write_u8(part);
        hasher.finish()
    }
}
