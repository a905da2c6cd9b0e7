//! SYN cookies (RFC 4987): what a half-open record would know, kept in the sequence number and the timestamp
//! that the peer sends back.

use core::hash::{Hash, Hasher};
use core::time::Duration;
use estab_tcp::{CookieOptions, FourTuple, Instant, SeqNum};
use estab_wire::tcp::SynOptions;
use siphasher::sip::SipHasher24;

/// A cookie is good in the period in which it was made and in the next.
const PERIOD: Duration = Duration::from_secs(64);
/// How long after the last cookie one may come back.
pub(crate) const LIFE: Duration = Duration::from_secs(128);

/// The peer's MSS is rounded down to one of these.
const MSS: [u16; 8] = [64, 536, 1220, 1360, 1400, 1440, 1460, 8940];

/// The low bits of a timestamp that carry options: four of window scale, one of SACK.
const TIMESTAMP_BITS: u32 = 5;
const NO_SCALE: u32 = 15;
const SACK: u32 = 16;

/// Makes cookies and knows its own.
///
/// A cookie is a keyed hash of the tuple and the peer's sequence number, plus a word of three parts: five bits of the period,
/// three of the MSS, and 24 of a hash over all of it that only we can make.
pub(crate) struct Cookies {
    proof: SipHasher24,
    base: SipHasher24,
}

impl Cookies {
    pub(crate) fn new(proof: (u64, u64), base: (u64, u64)) -> Self {
        Self {
            proof: SipHasher24::new_with_keys(proof.0, proof.1),
            base: SipHasher24::new_with_keys(base.0, base.1),
        }
    }

    /// The ISS that answers a SYN with sequence number `irs` and this MSS.
    pub(crate) fn make(&self, now: Instant, tuple: &FourTuple, irs: SeqNum, mss: u16) -> SeqNum {
        let period = period(now);
        let index = MSS.iter().rposition(|known| *known <= mss).unwrap_or(0) as u32;
        let word =
            ((period as u32 & 31) << 27) | (index << 24) | self.proof(period, index, tuple, irs);
        SeqNum(self.base(tuple, irs)) + word
    }

    /// The peer's MSS, when `iss` is a cookie that was made for it not long ago.
    pub(crate) fn check(
        &self,
        now: Instant,
        tuple: &FourTuple,
        irs: SeqNum,
        iss: SeqNum,
    ) -> Option<u16> {
        let word = iss.since(SeqNum(self.base(tuple, irs)));
        let age = (period(now) as u32).wrapping_sub(word >> 27) & 31;
        if age > 1 {
            return None;
        }
        let made = period(now).checked_sub(u64::from(age))?;
        let index = (word >> 24) & 7;
        (word & 0xff_ffff == self.proof(made, index, tuple, irs))
            .then(|| MSS.get(index as usize).copied())
            .flatten()
    }

    fn proof(&self, period: u64, index: u32, tuple: &FourTuple, irs: SeqNum) -> u32 {
        let mut hasher = self.proof;
        (period, index, tuple, irs).hash(&mut hasher);
        hasher.finish() as u32 & 0xff_ffff
    }

    fn base(&self, tuple: &FourTuple, irs: SeqNum) -> u32 {
        let mut hasher = self.base;
        (tuple, irs).hash(&mut hasher);
        hasher.finish() as u32
    }
}

fn period(now: Instant) -> u64 {
    now.as_nanos() / PERIOD.as_nanos() as u64
}

/// The latest timestamp not after `value` whose low bits carry the options of a SYN.
pub(crate) fn hide_options(value: u32, syn: &SynOptions) -> u32 {
    let scale = syn
        .window_scale
        .map_or(NO_SCALE, |shift| u32::from(shift.min(14)));
    let hidden = scale | if syn.sack_permitted { SACK } else { 0 };
    let mask = (1 << TIMESTAMP_BITS) - 1;
    let same = (value & !mask) | hidden;
    if value & mask < hidden {
        same.wrapping_sub(1 << TIMESTAMP_BITS)
    } else {
        same
    }
}

/// The options that the timestamp brought back.
pub(crate) fn reveal_options(mss: u16, echo: Option<u32>) -> CookieOptions {
    let scale = echo.map_or(NO_SCALE, |echo| echo & 15);
    CookieOptions {
        mss,
        window_scale: (scale != NO_SCALE).then_some(scale as u8),
        sack: echo.is_some_and(|echo| echo & SACK != 0),
        timestamps: echo.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, SocketAddr};

    fn tuple(port: u16) -> FourTuple {
        FourTuple {
            local: SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            remote: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        }
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(secs)
    }

    #[test]
    fn a_cookie_is_good_for_its_own_handshake_and_time_only() {
        let cookies = Cookies::new((1, 2), (3, 4));
        let irs = SeqNum(77);
        for (mss, kept) in [
            (1, 64),
            (536, 536),
            (1300, 1220),
            (1460, 1460),
            (65_535, 8940),
        ] {
            for start in [0, 63, 64, 5000, 64 * 31, 64 * 32] {
                let cookie = cookies.make(at(start), &tuple(5), irs, mss);
                assert_eq!(
                    cookies.check(at(start + 60), &tuple(5), irs, cookie),
                    Some(kept)
                );
                assert_eq!(cookies.check(at(start + 128), &tuple(5), irs, cookie), None);
                assert_eq!(cookies.check(at(start), &tuple(6), irs, cookie), None);
                assert_eq!(cookies.check(at(start), &tuple(5), irs + 1, cookie), None);
                assert_eq!(cookies.check(at(start), &tuple(5), irs, cookie + 1), None);
            }
        }
        let other = Cookies::new((1, 3), (3, 4));
        let cookie = cookies.make(at(0), &tuple(5), irs, 1460);
        assert_eq!(other.check(at(0), &tuple(5), irs, cookie), None);
    }

    #[test]
    fn guessing_hardly_helps() {
        let cookies = Cookies::new((1, 2), (3, 4));
        let lucky = (0..1u32 << 18)
            .filter(|guess| {
                let guess = SeqNum(guess.wrapping_mul(16_411));
                cookies
                    .check(at(500), &tuple(5), SeqNum(1), guess)
                    .is_some()
            })
            .count();
        assert!(lucky <= 1, "{lucky}");
    }

    #[test]
    fn the_timestamp_carries_the_options_and_never_runs_ahead() {
        for window_scale in [None, Some(0), Some(7), Some(14)] {
            for sack_permitted in [false, true] {
                let syn = SynOptions {
                    window_scale,
                    sack_permitted,
                    ..SynOptions::default()
                };
                for value in [0, 1, 31, 32, 1_000_003, u32::MAX] {
                    let hidden = hide_options(value, &syn);
                    assert!(value.wrapping_sub(hidden) < 64);
                    let peer = reveal_options(1460, Some(hidden));
                    assert_eq!(
                        (peer.window_scale, peer.sack),
                        (window_scale, sack_permitted)
                    );
                }
            }
        }
        let bare = reveal_options(536, None);
        assert_eq!(
            (bare.window_scale, bare.sack, bare.timestamps),
            (None, false, false)
        );
    }
}
