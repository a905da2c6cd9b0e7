use super::*;

/// The generator of D. Blackman and S. Vigna, seeded by splitmix64: traces depend on these numbers.
#[test]
fn numbers_are_the_same_for_ever() {
    let mut rng = Rng::new(0);
    let first = [0; 3].map(|_: u64| rng.next_u64());
    assert_eq!(
        first,
        [0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc]
    );
}

#[test]
fn seeds_and_states_differ() {
    let mut a = Rng::new(1);
    let mut b = Rng::new(2);
    let mut same = a.clone();
    for _ in 0..100 {
        let n = a.next_u64();
        assert_eq!(same.next_u64(), n);
        assert_ne!(b.next_u64(), n);
    }
}

#[test]
fn numbers_below_a_bound_cover_it_evenly() {
    let mut rng = Rng::new(3);
    let mut counts = [0u32; 6];
    for _ in 0..60_000 {
        counts[rng.below(6) as usize] += 1;
    }
    assert!(
        counts.iter().all(|n| (9_500..10_500).contains(n)),
        "{counts:?}"
    );
    assert_eq!(rng.below(1), 0);
    assert_eq!(rng.below(0), 0);
}

#[test]
fn chances_are_as_asked() {
    let mut rng = Rng::new(4);
    for (probability, range) in [(0.0, 0..1), (0.02, 1_700..2_300), (0.5, 49_000..51_000)] {
        let hits = (0..100_000).filter(|_| rng.chance(probability)).count();
        assert!(range.contains(&hits), "{hits} of 100000 at {probability}");
    }
    assert!((0..1000).all(|_| rng.chance(1.0)));
}
