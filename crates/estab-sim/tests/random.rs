//! Simulations drawn from seeds.
//!
//! `ESTAB_SEED=N cargo test -p estab-sim --test random` runs one seed and prints all that happened.
//! `ESTAB_SEEDS=N` runs so many, `ESTAB_SEED_BASE=N` begins elsewhere.

use estab_sim::checkers::Violation;
use estab_sim::swarm::{Plan, Run};
use estab_tcp::Interest;
use estab_trace::{Json, Text};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}"))
    })
}

/// Runs a seed; a panic of a stack is a violation, too.
fn check(seed: u64) -> Result<(), String> {
    let run = std::panic::catch_unwind(|| Run::check(seed).map(|_| ()));
    match run {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Violation(what))) => Err(what),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
            Err(format!("panic: {}", text.unwrap_or_default()))
        }
    }
}

/// Runs seeds and tells those that failed, with how to run them again.
fn check_all(seeds: impl Iterator<Item = u64>) {
    let failed: Vec<_> = seeds
        .filter_map(|seed| Some((seed, check(seed).err()?)))
        .collect();
    let told: String = failed
        .iter()
        .take(10)
        .map(|(seed, what)| format!("\nseed {seed}: {what}\n  ESTAB_SEED={seed} cargo test -p estab-sim --test random one_seed -- --nocapture"))
        .collect();
    assert!(failed.is_empty(), "{} seeds failed:{told}", failed.len());
}

#[test]
fn random_seeds() {
    let base = number("ESTAB_SEED_BASE").unwrap_or(0);
    let count = number("ESTAB_SEEDS").unwrap_or(200);
    check_all(base..base + count);
}

/// Seeds that found a bug once.
#[test]
fn seeds_of_old_bugs() {
    let lines = include_str!("seeds.txt").lines();
    let seeds = lines.filter_map(|line| line.split('#').next()?.trim().parse().ok());
    check_all(seeds);
}

/// The seed in `ESTAB_SEED`, with all that happened.
#[test]
fn one_seed() {
    let Some(seed) = number("ESTAB_SEED") else {
        return;
    };
    let plan = Plan::draw(seed);
    println!("{plan:#?}");
    let mut run = Run::new(plan, Interest::ALL);
    let result = run.go();
    println!("{}", Text::print(&run.collector().records()));
    assert_eq!(result, Ok(()));
}

#[test]
fn the_same_seed_gives_the_same_events() {
    let all = |seed| {
        let mut run = Run::new(Plan::draw(seed), Interest::ALL);
        run.go().expect("a run that holds");
        Json::print(&run.collector().records())
    };
    assert_eq!(all(3), all(3));
}
