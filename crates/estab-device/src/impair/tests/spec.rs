use crate::impair::{ImpairConfig, Impairments, Loss, Probability};
use proptest::prelude::*;
use std::time::Duration;

fn parse(text: &str) -> ImpairConfig {
    text.parse().expect("a valid configuration")
}

fn error(text: &str) -> String {
    text.parse::<ImpairConfig>().expect_err(text).to_string()
}

const fn percent(n: u32) -> Probability {
    Probability::from_ppm(n * 10_000)
}

#[test]
fn everything_can_be_written() {
    let config = parse(
        "loss=1%,delay=20ms,jitter=5ms,reorder=2%,duplicate=0.01,corrupt=0.5%,rate=10mbit,queue=50,\
         reorder-gap=5,reorder-hold=1.5ms,seed=7",
    );
    let both = Impairments {
        loss: Loss::Random(percent(1)),
        duplicate: percent(1),
        corrupt: Probability::from_ppm(5000),
        reorder: percent(2),
        reorder_gap: 5,
        reorder_hold: Duration::from_micros(1500),
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        rate: Some(10_000_000),
        queue: 50,
    };
    assert_eq!(
        (config.inbound, config.outbound, config.seed),
        (both, both, 7)
    );
    assert_eq!(parse(""), ImpairConfig::default());
    assert_eq!(parse(" "), ImpairConfig::default());
}

#[test]
fn a_direction_alone_goes_before_both() {
    let config = parse("in:loss=5%,loss=1%,out:delay=3ms,in:rate=1gbit");
    assert_eq!(config.inbound.loss, Loss::Random(percent(5)));
    assert_eq!(config.outbound.loss, Loss::Random(percent(1)));
    assert_eq!(config.inbound.delay, Duration::ZERO);
    assert_eq!(config.outbound.delay, Duration::from_millis(3));
    assert_eq!(
        (config.inbound.rate, config.outbound.rate),
        (Some(1_000_000_000), None)
    );
}

#[test]
fn bursts_are_given_by_their_mean_or_by_all_four_numbers() {
    let config = parse("loss=10%,burst=5,in:gilbert=1%/20%/90%/0.5%");
    let outbound = Loss::GilbertElliott {
        enter: Probability::from_ppm(22_222),
        leave: percent(20),
        loss_bad: Probability::ONE,
        loss_good: Probability::ZERO,
    };
    assert_eq!(config.outbound.loss, outbound);
    let inbound = Loss::GilbertElliott {
        enter: percent(1),
        leave: percent(20),
        loss_bad: percent(90),
        loss_good: Probability::from_ppm(5000),
    };
    assert_eq!(config.inbound.loss, inbound);
    assert_eq!(
        config.to_string(),
        "in:gilbert=1%/20%/90%/0.5%,out:gilbert=2.2222%/20%/100%/0%"
    );
}

#[test]
fn errors_say_what_is_wrong_and_what_would_be_right() {
    for (text, wanted) in [
        ("los=1%", "no impairment \"los\": there are loss, burst"),
        ("loss", "\"loss\": write NAME=VALUE"),
        ("loss=1%,", "\"\": write NAME=VALUE"),
        (
            "loss=101%",
            "loss=101%: write a share from 0% to 100%, such as loss=1%",
        ),
        ("loss=-1%", "loss=-1%"),
        ("loss=nan", "loss=nan"),
        ("loss=1%,loss=2%", "\"loss\" is given twice"),
        ("seed=1,seed=2", "\"seed\" is given twice"),
        ("up:loss=1%", "\"up:\" in \"up:loss=1%\": write in: or out:"),
        ("in:seed=1", "no impairment \"seed\""),
        ("seed=x", "seed=x: write a number"),
        ("delay=20", "delay=20: write a time"),
        ("delay=20min", "such as delay=20ms"),
        ("delay=2e9s", "of up to an hour"),
        ("delay=-1ms", "delay=-1ms"),
        ("rate=0mbit", "rate=0mbit: write a rate"),
        ("rate=10", "gbit, mbit, kbit or bit, such as rate=10mbit"),
        ("queue=0", "queue=0: write at least 1"),
        ("reorder-gap=0", "reorder-gap=0: write at least 1"),
        ("burst=5", "burst needs loss"),
        ("loss=1%,burst=0.5", "burst=0.5: write at least 1"),
        (
            "loss=90%,burst=2",
            "bursts of 2 packets cannot make up a loss of 90%",
        ),
        (
            "gilbert=1%",
            "gilbert=1%: write four probabilities, such as gilbert=1%/20%",
        ),
        ("gilbert=1%/2%/3%/x", "gilbert=x"),
        ("loss=1%,gilbert=1%/2%/3%/4%", "leave out loss and burst"),
    ] {
        let error = error(text);
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

fn probability() -> impl Strategy<Value = Probability> {
    (0..=1_000_000_u32).prop_map(Probability::from_ppm)
}

fn impairments() -> impl Strategy<Value = Impairments> {
    let loss = prop_oneof![
        Just(Loss::None),
        (1..=1_000_000_u32).prop_map(|ppm| Loss::Random(Probability::from_ppm(ppm))),
        [probability(), probability(), probability(), probability()].prop_map(
            |[enter, leave, loss_bad, loss_good]| Loss::GilbertElliott {
                enter,
                leave,
                loss_bad,
                loss_good
            }
        ),
    ];
    let time = || (0..3_600_000_000_000_u64).prop_map(Duration::from_nanos);
    (
        (loss, probability(), probability(), probability()),
        (1..100_u32, time(), time(), time()),
        (proptest::option::of(1..100_000_000_000_u64), 1..1000_u32),
    )
        .prop_map(|(chances, times, (rate, queue))| Impairments {
            loss: chances.0,
            duplicate: chances.1,
            corrupt: chances.2,
            reorder: chances.3,
            reorder_gap: times.0,
            reorder_hold: times.1,
            delay: times.2,
            jitter: times.3,
            rate,
            queue,
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        inbound in impairments(),
        outbound in impairments(),
        same in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let outbound = if same { inbound } else { outbound };
        let config = ImpairConfig { inbound, outbound, seed };
        let text = config.to_string();
        prop_assert_eq!(parse(&text), config, "{}", text);
    }

    #[test]
    fn no_text_panics(text in "[a-z:=,.%0-9/-]{0,40}") {
        let _ = text.parse::<ImpairConfig>();
    }
}
