use super::*;
use core::time::Duration;

fn tuple(local: &str, remote: &str) -> FourTuple {
    FourTuple {
        local: local.parse().expect("an address"),
        remote: remote.parse().expect("an address"),
    }
}

fn tuples() -> [FourTuple; 7] {
    [
        tuple("10.0.0.1:80", "10.0.0.2:1234"),
        tuple("10.0.0.2:1234", "10.0.0.1:80"),
        tuple("10.0.0.1:81", "10.0.0.2:1234"),
        tuple("10.0.0.1:80", "10.0.0.2:1235"),
        tuple("10.0.0.1:80", "10.0.0.3:1234"),
        tuple("[fd00::1]:80", "[fd00::2]:1234"),
        tuple("[fd00::1]:80", "[fd00::3]:1234"),
    ]
}

fn all_differ(numbers: &[u32]) -> bool {
    (1..numbers.len()).all(|i| !numbers[..i].contains(&numbers[i]))
}

/// RFC 9293 3.4.1 MUST-8: the clock ticks every 4 microseconds, and an incarnation's number is after the one before.
#[test]
fn sequence_numbers_follow_the_clock() {
    let generator = IsnGenerator::new((7, 7));
    let [tuple, ..] = tuples();
    let first = generator.isn(Instant::ZERO, &tuple);
    for (micros, ticks) in [(3, 0), (4, 1), (7, 1), (1_000_000, 250_000)] {
        let now = Instant::ZERO + Duration::from_micros(micros);
        assert_eq!(generator.isn(now, &tuple).since(first), ticks);
    }
    let day = Instant::ZERO + Duration::from_secs(86_400);
    let then = day + Duration::from_micros(4);
    assert_eq!(
        generator
            .isn(then, &tuple)
            .since(generator.isn(day, &tuple)),
        1,
        "beyond 2^32 ticks"
    );
}

/// RFC 9293 3.4.1 SHLD-1, MUST-9: each part of the four-tuple and the key count.
#[test]
fn sequence_numbers_depend_on_the_four_tuple_and_the_secret() {
    let generator = IsnGenerator::new((7, 7));
    assert!(all_differ(
        &tuples().map(|t| generator.isn(Instant::ZERO, &t).0)
    ));
    let other = IsnGenerator::new((8, 7));
    for tuple in tuples() {
        assert_ne!(
            generator.isn(Instant::ZERO, &tuple),
            other.isn(Instant::ZERO, &tuple)
        );
    }
}

#[test]
fn timestamp_offsets_depend_on_the_four_tuple_and_the_secret_too() {
    let (generator, other) = (IsnGenerator::new((7, 7)), IsnGenerator::new((7, 8)));
    assert!(all_differ(
        &tuples().map(|t| generator.timestamp_offset(&t))
    ));
    for tuple in tuples() {
        let offset = generator.timestamp_offset(&tuple);
        assert_eq!(offset, generator.timestamp_offset(&tuple));
        assert_ne!(offset, other.timestamp_offset(&tuple));
        assert_ne!(offset, generator.isn(Instant::ZERO, &tuple).0);
    }
}

#[test]
fn debug_output_keeps_the_secret() {
    let text = alloc::format!("{:?}", IsnGenerator::new((7, 7)));
    assert_eq!(text, "IsnGenerator { .. }");
}
