use super::support::{MS, at_ms, drain, number_of, numbered, run, segment, unverified, verifies};
use crate::carry;
use crate::impair::{Impairer, Impairments, Loss, Probability, Verdict, WirePacket, nth};
use estab_stack::{Checksum, ChecksumOffload, Medium, PacketIn, PacketOut};
use estab_tcp::{Flags, Instant};
use std::time::Duration;

fn impairer(settings: Impairments) -> Impairer {
    Impairer::new(Medium::Ip, settings, 7)
}

const fn percent(n: u32) -> Probability {
    Probability::from_ppm(n * 10_000)
}

const DEFAULT: fn() -> Impairments = Impairments::default;

#[test]
fn a_perfect_link_passes_all_at_once_and_whole() {
    let mut link = impairer(DEFAULT());
    assert!(link.is_perfect());
    for n in 0..2 {
        let coalesced = PacketIn {
            segments: 3,
            segment_size: 1000,
            ..numbered(n, 3000)
        };
        link.push(at_ms(5), coalesced);
    }
    for n in 0..2 {
        let packet = link.pop(at_ms(5)).expect("at once");
        assert_eq!((number_of(&packet), packet.segments), (n, 3));
    }
    assert!(link.pop(at_ms(5)).is_none());
    assert_eq!(link.counters().packets, 6);
}

#[test]
fn the_same_seed_gives_the_same_and_another_seed_something_else() {
    let settings = Impairments {
        loss: Loss::bursts(percent(5), 3.0).expect("possible"),
        duplicate: percent(5),
        reorder: percent(10),
        delay: 20 * MS,
        jitter: 10 * MS,
        rate: Some(10_000_000),
        ..DEFAULT()
    };
    let result = |seed| run(&mut Impairer::new(Medium::Ip, settings, seed), 2000, 500);
    assert_eq!(result(1), result(1));
    assert_ne!(result(1), result(2));
}

#[test]
fn random_loss_loses_its_share() {
    let mut link = impairer(Impairments {
        loss: Loss::Random(percent(10)),
        ..DEFAULT()
    });
    let arrived = run(&mut link, 20_000, 100).len() as u64;
    let lost = link.counters().lost;
    assert_eq!(arrived + lost, 20_000);
    assert!((1850..2150).contains(&lost), "{lost}");
}

#[test]
fn bursts_have_their_mean_length_and_share() {
    let mut link = impairer(Impairments {
        loss: Loss::bursts(percent(5), 8.0).expect("possible"),
        ..DEFAULT()
    });
    let arrived = run(&mut link, 100_000, 100);
    let lost = link.counters().lost;
    assert!((4000..6000).contains(&lost), "{lost}");
    let gaps = arrived.windows(2).filter(|pair| pair[1].0 - pair[0].0 > 1);
    let mean = lost as f64 / gaps.count() as f64;
    assert!((7.0..9.0).contains(&mean), "{mean}");
}

#[test]
fn a_link_that_is_never_good_again_loses_all_from_then_on() {
    let mut link = impairer(Impairments {
        loss: Loss::GilbertElliott {
            enter: percent(1),
            leave: Probability::ZERO,
            loss_bad: Probability::ONE,
            loss_good: Probability::ZERO,
        },
        ..DEFAULT()
    });
    let arrived = run(&mut link, 2000, 100);
    let numbers: Vec<u32> = arrived.iter().map(|(n, _)| *n).collect();
    assert!(numbers.len() < 2000);
    assert_eq!(numbers, (0..numbers.len() as u32).collect::<Vec<_>>());
}

#[test]
fn duplicates_come_right_behind_each_other() {
    let mut link = impairer(Impairments {
        duplicate: percent(20),
        ..DEFAULT()
    });
    let arrived = run(&mut link, 5000, 100);
    let duplicated = link.counters().duplicated as usize;
    assert_eq!(arrived.len(), 5000 + duplicated);
    assert!((900..1100).contains(&duplicated), "{duplicated}");
    let pairs = arrived.windows(2).filter(|pair| pair[0] == pair[1]);
    assert_eq!(pairs.count(), duplicated);
    assert!(arrived.is_sorted());
}

#[test]
fn delay_is_exact_and_jitter_stays_in_bounds_and_in_order() {
    let mut link = impairer(Impairments {
        delay: 20 * MS,
        ..DEFAULT()
    });
    for (n, at) in run(&mut link, 100, 100) {
        assert_eq!(at, at_ms(u64::from(n) + 20));
    }
    // In steps of 100 us, so that no packet has to wait for the one before it, and then so that many have to.
    let step = MS / 10;
    for (jitter, delays) in [
        (4 * step, 196 * step..=204 * step),
        (5 * MS, 15 * MS..=25 * MS),
    ] {
        let mut link = impairer(Impairments {
            delay: 20 * MS,
            jitter,
            ..DEFAULT()
        });
        let arrived = run(&mut link, 2000, 100);
        assert_eq!(arrived.len(), 2000);
        assert!(arrived.is_sorted() && arrived.is_sorted_by_key(|(_, at)| *at));
        let taken = arrived.iter().map(|(n, at)| *at - at_ms(u64::from(*n)));
        assert!(taken.clone().all(|time| delays.contains(&time)));
        assert!(taken.clone().max() > Some(*delays.end() - step));
        assert!(jitter > MS || taken.min() < Some(*delays.start() + step));
    }
}

#[test]
fn jitter_larger_than_the_delay_never_goes_back_in_time() {
    let mut link = impairer(Impairments {
        jitter: 5 * MS,
        ..DEFAULT()
    });
    for (n, at) in run(&mut link, 1000, 100) {
        assert!(at >= at_ms(n.into()) && at <= at_ms(u64::from(n) + 5));
    }
}

#[test]
fn some_are_overtaken_by_at_most_the_gap_and_none_is_lost() {
    let mut link = impairer(Impairments {
        reorder: percent(5),
        reorder_hold: Duration::from_secs(1),
        ..DEFAULT()
    });
    let arrived = run(&mut link, 5000, 100);
    let reordered = link.counters().reordered;
    assert!((200..300).contains(&reordered), "{reordered}");
    let mut sorted: Vec<u32> = arrived.iter().map(|(n, _)| *n).collect();
    let late = |(place, n): (usize, &u32)| place as u32 > *n;
    assert!(sorted.iter().enumerate().any(late));
    // Two may be held at once, each for a gap of three packets that pass.
    let furthest = sorted
        .iter()
        .enumerate()
        .map(|(place, n)| (place as u32).abs_diff(*n));
    let furthest = furthest.max();
    assert!((Some(3)..=Some(8)).contains(&furthest), "{furthest:?}");
    sorted.sort_unstable();
    assert_eq!(sorted, (0..5000).collect::<Vec<_>>());
}

#[test]
fn a_packet_that_nobody_overtakes_is_let_go_in_the_end() {
    let mut link = impairer(Impairments {
        reorder: Probability::ONE,
        delay: 5 * MS,
        ..DEFAULT()
    });
    link.push(at_ms(0), numbered(0, 100));
    assert_eq!(link.deadline(), Some(at_ms(15)));
    assert!(link.pop(at_ms(14)).is_none());
    assert!(link.pop(at_ms(15)).is_some());
}

/// A link that has held back one packet of 1000 bytes, sent at 0, and holds back no more.
fn with_one_held(seed: u64) -> Impairer {
    let settings = Impairments {
        rate: Some(8_000_000),
        ..DEFAULT()
    };
    let mut link = Impairer::new(Medium::Ip, settings, seed);
    link.set_impairments(Impairments {
        reorder: Probability::ONE,
        ..settings
    });
    link.push(at_ms(0), numbered(0, 1000));
    link.set_impairments(settings);
    link
}

#[test]
fn a_packet_is_overtaken_by_one_to_three_others() {
    let mut places = [0; 5];
    for seed in 0..100 {
        let mut link = with_one_held(seed);
        for n in 1..5 {
            link.push(at_ms(0), numbered(n, 1000));
        }
        let arrived = drain(&mut link);
        let place = arrived
            .iter()
            .position(|(_, packet)| number_of(packet) == 0);
        let place = place.expect("not lost");
        // With the one that it let pass last.
        assert_eq!(arrived[place].0, arrived[place - 1].0);
        places[place] += 1;
    }
    let [first, rest @ .., last] = places;
    assert_eq!((first, last), (0, 0));
    assert!(rest.iter().all(|count| *count > 20), "{rest:?}");
}

#[test]
fn no_packet_waits_longer_for_others_than_it_is_held_back() {
    for seed in 0..10 {
        let mut link = with_one_held(seed);
        // These arrive at 61, 121 and 181 ms.
        for n in 1..4 {
            link.push(at_ms(0), numbered(n, 60_000));
        }
        let arrived = drain(&mut link);
        assert_eq!(number_of(&arrived[0].1), 0);
        assert_eq!(arrived[0].0, at_ms(11));
    }
}

#[test]
fn only_so_many_are_held_back_at_once() {
    let mut link = impairer(Impairments {
        reorder: Probability::ONE,
        ..DEFAULT()
    });
    for n in 0..1000 {
        link.push(at_ms(0), numbered(n, 20));
    }
    // Each of the others overtakes all that are held, so that places become free.
    let reordered = link.counters().reordered;
    assert!((256..1000).contains(&reordered), "{reordered}");
    assert_eq!(drain(&mut link).len(), 1000);
}

#[test]
fn the_rate_spaces_packets_and_the_queue_drops_at_its_tail() {
    let mut link = impairer(Impairments {
        rate: Some(8_000_000),
        queue: 10,
        ..DEFAULT()
    });
    // At 8 Mbit/s, 1000 bytes take a millisecond.
    for n in 0..30 {
        link.push(at_ms(0), numbered(n, 1000));
    }
    let arrived = drain(&mut link);
    let numbers: Vec<_> = arrived
        .iter()
        .map(|(at, packet)| (number_of(packet), *at))
        .collect();
    let expected: Vec<_> = (0..10).map(|n| (n, at_ms(u64::from(n) + 1))).collect();
    assert_eq!(numbers, expected);
    assert_eq!(link.counters().queue_full, 20);
    // The queue is empty again, and an idle link is not faster later.
    link.push(at_ms(100), numbered(0, 500));
    assert_eq!(link.deadline(), Some(Instant::from_nanos(100_500_000)));
}

#[test]
fn corruption_flips_one_bit_that_the_checksums_notice() {
    let mut link = impairer(Impairments {
        corrupt: Probability::ONE,
        ..DEFAULT()
    });
    for n in 0..500 {
        let original = carry(&segment(Flags::ACK, n, 200), false);
        assert!(verifies(&original));
        let vouched = PacketIn {
            checksum: Checksum::Valid,
            ..original.clone()
        };
        link.push(at_ms(0), vouched);
        let corrupted = link.pop(at_ms(0)).expect("corrupted, not lost");
        let bits = original.data.iter().zip(&corrupted.data);
        let flipped: u32 = bits.map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!(flipped, 1);
        assert!(unverified(&corrupted) && !verifies(&corrupted));
    }
    assert_eq!(link.counters().corrupted, 500);
}

#[test]
fn corruption_completes_a_partial_checksum_first() {
    let mut link = impairer(DEFAULT());
    link.add_rule(|_: &WirePacket<'_>| Verdict::Corrupt);
    let whole = segment(Flags::ACK, 1, 200);
    let mut partial = whole.clone();
    partial.header[36..38].copy_from_slice(&[0x12, 0x34]);
    partial.checksum = Some(ChecksumOffload {
        start: 20,
        offset: 16,
    });
    link.push(at_ms(0), carry(&partial, true));
    let corrupted = link.pop(at_ms(0)).expect("a packet");
    let bits = corrupted.data.iter().zip(carry(&whole, false).data);
    let flipped: u32 = bits.map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!(flipped, 1);
}

#[test]
fn frames_that_no_checksum_guards_are_lost_rather_than_corrupted() {
    let mut link = Impairer::new(
        Medium::Ethernet,
        Impairments {
            corrupt: Probability::ONE,
            ..DEFAULT()
        },
        1,
    );
    let mut arp = vec![0; 42];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    link.push(at_ms(0), bytes::Bytes::from(arp).into());
    assert_eq!(link.under_way(), 0);
    assert_eq!(link.counters().corrupted, 1);
}

#[test]
fn super_segments_are_cut_so_that_loss_is_by_wire_packet() {
    let mut link = impairer(Impairments {
        loss: Loss::Random(percent(30)),
        ..DEFAULT()
    });
    let large = PacketOut {
        segment_size: 100,
        checksum: Some(ChecksumOffload {
            start: 20,
            offset: 16,
        }),
        ..segment(Flags::ACK | Flags::PSH, 0, 5000)
    };
    link.push(at_ms(0), carry(&large, true));
    let arrived = drain(&mut link);
    let lost = link.counters().lost;
    assert_eq!(arrived.len() as u64 + lost, 50);
    assert!((8..25).contains(&lost), "{lost}");
    for (_, packet) in &arrived {
        assert_eq!(packet.data.len(), 140);
        assert_eq!(packet.segments, 1);
        assert!(verifies(packet));
    }
}

#[test]
fn cutting_does_not_heal_a_wrong_checksum() {
    let mut link = impairer(Impairments {
        delay: MS,
        ..DEFAULT()
    });
    for (damage, expected) in [(0, 5), (1, 1)] {
        let mut large = segment(Flags::ACK, 0, 500);
        large.header[30] ^= damage;
        large.segment_size = 100;
        link.push(at_ms(0), carry(&large, true));
        let arrived = drain(&mut link);
        assert_eq!(arrived.len(), expected);
        assert!(
            arrived
                .iter()
                .all(|(_, packet)| verifies(packet) == (damage == 0))
        );
    }
}

#[test]
fn rules_decide_before_chance_and_the_first_that_decides_wins() {
    let mut link = impairer(DEFAULT());
    let is_fin =
        |packet: &WirePacket<'_>| packet.tcp().is_some_and(|(header, _)| header.flags.fin());
    link.add_rule(nth(1, Verdict::Drop, is_fin));
    link.add_rule(nth(0, Verdict::Duplicate, is_fin));
    link.add_rule(|packet: &WirePacket<'_>| match packet.index {
        3 => Verdict::Delay(4 * MS),
        _ => Verdict::Pass,
    });
    assert!(!link.is_perfect());
    let kinds = [Flags::ACK, Flags::FIN, Flags::FIN, Flags::ACK, Flags::FIN];
    for (n, flags) in kinds.into_iter().enumerate() {
        link.push(at_ms(n as u64), carry(&segment(flags, n as u32, 0), false));
    }
    let arrived = drain(&mut link);
    let seqs: Vec<_> = arrived.iter().map(|(_, packet)| packet.data[27]).collect();
    assert_eq!(seqs, [0, 1, 1, 4, 3]);
    assert_eq!(arrived[4].0, at_ms(7));
    let counters = link.counters();
    assert_eq!(
        (counters.ruled_out, counters.duplicated, counters.delayed),
        (1, 1, 1)
    );
}

#[test]
fn what_is_under_way_is_bounded() {
    let mut link = impairer(Impairments {
        delay: Duration::from_secs(1),
        ..DEFAULT()
    });
    for n in 0..70_000 {
        link.push(at_ms(0), numbered(n, 20));
    }
    assert_eq!(link.under_way(), 65_536);
    assert_eq!(link.counters().overflow, 70_000 - 65_536);
    assert_eq!(drain(&mut link).len(), 65_536);
    let large = numbered(0, 60_000);
    for _ in 0..5000 {
        link.push(at_ms(0), large.clone());
    }
    assert_eq!(link.under_way(), (256 << 20) / 60_000);
}
