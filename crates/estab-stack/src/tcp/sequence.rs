//! Initial sequence numbers.

use estab_tcp::{FourTuple, Instant, IsnGenerator, SeqNum};

/// The ISS of a connection that begins now; when an earlier incarnation ended at `after`, one that follows it.
pub(super) fn initial(
    generator: &IsnGenerator,
    now: Instant,
    tuple: &FourTuple,
    after: Option<SeqNum>,
) -> SeqNum {
    let number = generator.isn(now, tuple);
    match after {
        // Beyond the window that the earlier incarnation may have had.
        Some(after) if number.at_or_before(after + 65_536) => after + 65_537,
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, SocketAddr};

    #[test]
    fn a_new_incarnation_begins_after_the_old_one() {
        let generator = IsnGenerator::new((7, 7));
        let tuple = FourTuple {
            local: SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            remote: SocketAddr::from((Ipv4Addr::LOCALHOST, 81)),
        };
        let initial = |after| initial(&generator, Instant::ZERO, &tuple, after);
        let free = initial(None);
        for after in [free, free + 1000, free - 1000, free + 0x4000_0000] {
            assert!(initial(Some(after)).after(after));
        }
        assert_eq!(initial(Some(free - 1_000_000)), free);
    }
}
