//! The text form of a configuration.

use super::{ImpairConfig, Impairments, Loss, Probability};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Why a text is not a configuration of impairments; says what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError(String);

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}

/// What can be written for one direction.
const KEYS: [(&str, &str); 12] = [
    ("loss", "1%"),
    ("burst", "5 (mean length of bursts of loss, in packets)"),
    (
        "gilbert",
        "1%/20%/100%/0% (into bursts/out of them/loss in them/loss between)",
    ),
    ("duplicate", "1%"),
    ("corrupt", "1%"),
    ("reorder", "2%"),
    ("reorder-gap", "3 (packets)"),
    ("reorder-hold", "10ms"),
    ("delay", "20ms"),
    ("jitter", "5ms"),
    ("rate", "10mbit"),
    ("queue", "100 (packets)"),
];
const UNITS_OF_TIME: [(&str, u64); 4] = [
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
const UNITS_OF_RATE: [(&str, u64); 4] = [
    ("gbit", 1_000_000_000),
    ("mbit", 1_000_000),
    ("kbit", 1_000),
    ("bit", 1),
];
/// Longer times are mistakes.
const TIME_MAX: Duration = Duration::from_secs(3600);

/// What was written for one direction, by the places of [`KEYS`].
type Written<'a> = [Option<&'a str>; KEYS.len()];

impl FromStr for ImpairConfig {
    type Err = SpecError;

    /// A list such as `loss=1%,delay=20ms,jitter=5ms,in:rate=10mbit,seed=7`. What begins with `in:` is for packets that
    /// the device receives, `out:` for those that it sends, all else for both. The empty text is a perfect link.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (mut both, mut inbound, mut outbound) = Default::default();
        let mut seed = None;
        for item in text.split(',').map(str::trim) {
            if item.is_empty() && text.trim().is_empty() {
                break;
            }
            let (key, value) = item
                .split_once('=')
                .ok_or_else(|| SpecError(format!("\"{item}\": write NAME=VALUE; {}", known())))?;
            let (written, name): (&mut Written<'_>, _) = match key.split_once(':') {
                Some(("in", name)) => (&mut inbound, name),
                Some(("out", name)) => (&mut outbound, name),
                Some((other, _)) => {
                    return Err(SpecError(format!(
                        "\"{other}:\" in \"{item}\": write in: or out:"
                    )));
                }
                None => (&mut both, key),
            };
            let is_new = if key == "seed" {
                seed.replace(value).is_none()
            } else {
                let place = KEYS.iter().position(|(known, _)| *known == name);
                let place = place
                    .ok_or_else(|| SpecError(format!("no impairment \"{name}\": {}", known())))?;
                written[place].replace(value).is_none()
            };
            if !is_new {
                return Err(SpecError(format!("\"{key}\" is given twice")));
            }
        }
        Ok(Self {
            inbound: direction(&both, &inbound)?,
            outbound: direction(&both, &outbound)?,
            seed: seed.map_or(Ok(0), |text| number("seed", text))?,
        })
    }
}

fn known() -> String {
    let mut text = "there are".to_owned();
    for (name, _) in KEYS {
        text += &format!(" {name},");
    }
    text + " each with in: or out: before it or for both ways, and seed"
}

/// One direction: what was written for it alone goes before what was written for both.
fn direction(both: &Written<'_>, own: &Written<'_>) -> Result<Impairments, SpecError> {
    let find = |name: &str| {
        let place = KEYS.iter().position(|(known, _)| *known == name)?;
        own[place].or(both[place])
    };
    // The model of Gilbert and Elliott stands in the place of loss and burst.
    let is_own = |name: &str| {
        KEYS.iter()
            .zip(own)
            .any(|((k, _), v)| *k == name && v.is_some())
    };
    let own_gilbert = is_own("gilbert");
    let own_loss = is_own("loss") || is_own("burst");
    let unless = |other: bool, name: &str| find(name).filter(|_| !other || is_own(name));
    let mut to = Impairments {
        loss: loss(
            unless(own_gilbert, "loss"),
            unless(own_gilbert, "burst"),
            unless(own_loss, "gilbert"),
        )?,
        ..Impairments::default()
    };
    let chances = [
        ("duplicate", &mut to.duplicate),
        ("corrupt", &mut to.corrupt),
        ("reorder", &mut to.reorder),
    ];
    for (name, field) in chances {
        if let Some(text) = find(name) {
            *field = probability(name, text)?;
        }
    }
    let times = [
        ("reorder-hold", &mut to.reorder_hold),
        ("delay", &mut to.delay),
        ("jitter", &mut to.jitter),
    ];
    for (name, field) in times {
        if let Some(text) = find(name) {
            *field = duration(name, text)?;
        }
    }
    let counts = [
        ("reorder-gap", &mut to.reorder_gap),
        ("queue", &mut to.queue),
    ];
    for (name, field) in counts {
        if let Some(text) = find(name) {
            *field = number(name, text)?;
            if *field == 0 {
                return Err(bad(name, text, "at least 1"));
            }
        }
    }
    if let Some(text) = find("rate") {
        to.rate = Some(rate(text)?);
    }
    Ok(to)
}

fn loss(loss: Option<&str>, burst: Option<&str>, gilbert: Option<&str>) -> Result<Loss, SpecError> {
    if let Some(text) = gilbert {
        if loss.is_some() || burst.is_some() {
            let message = "gilbert says all of the loss: leave out loss and burst";
            return Err(SpecError(message.into()));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let [enter, leave, bad_loss, good_loss] = parts[..] else {
            return Err(bad("gilbert", text, "four probabilities"));
        };
        return Ok(Loss::GilbertElliott {
            enter: probability("gilbert", enter)?,
            leave: probability("gilbert", leave)?,
            loss_bad: probability("gilbert", bad_loss)?,
            loss_good: probability("gilbert", good_loss)?,
        });
    }
    let mean = loss.map(|text| probability("loss", text)).transpose()?;
    match (mean, burst) {
        (None, None) | (Some(Probability::ZERO), _) => Ok(Loss::None),
        (Some(mean), None) => Ok(Loss::Random(mean)),
        (None, Some(_)) => Err(SpecError("burst needs loss=PERCENT, the mean".into())),
        (Some(mean), Some(text)) => {
            let len = number::<f64>("burst", text)?;
            if len.is_nan() || len < 1.0 {
                return Err(bad("burst", text, "at least 1"));
            }
            Loss::bursts(mean, len).ok_or_else(|| {
                let loss = loss.unwrap_or_default();
                SpecError(format!(
                    "bursts of {text} packets cannot make up a loss of {loss}: make them longer"
                ))
            })
        }
    }
}

fn bad(name: &str, text: &str, wanted: &str) -> SpecError {
    let example = KEYS.iter().find(|(known, _)| *known == name);
    let example = example.map_or_else(String::new, |(_, example)| {
        format!(", such as {name}={example}")
    });
    SpecError(format!("{name}={text}: write {wanted}{example}"))
}

fn number<T: FromStr>(name: &str, text: &str) -> Result<T, SpecError> {
    text.parse().map_err(|_| bad(name, text, "a number"))
}

fn probability(name: &str, text: &str) -> Result<Probability, SpecError> {
    let (digits, scale) = match text.strip_suffix('%') {
        Some(digits) => (digits, 0.01),
        None => (text, 1.0),
    };
    let value = digits.parse::<f64>().ok();
    value
        .and_then(|value| Probability::from_fraction(value * scale))
        .ok_or_else(|| bad(name, text, "a share from 0% to 100%"))
}

fn duration(name: &str, text: &str) -> Result<Duration, SpecError> {
    let nanos = with_unit(text, &UNITS_OF_TIME).map(Duration::from_nanos);
    let nanos = nanos.filter(|time| *time <= TIME_MAX);
    nanos.ok_or_else(|| bad(name, text, "a time of up to an hour with s, ms, us or ns"))
}

fn rate(text: &str) -> Result<u64, SpecError> {
    let rate = with_unit(text, &UNITS_OF_RATE).filter(|rate| *rate > 0);
    rate.ok_or_else(|| bad("rate", text, "a rate with gbit, mbit, kbit or bit"))
}

/// A number with one of the units, in the smallest unit.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (digits, unit) = text.split_at(at);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    let value = digits.parse::<f64>().ok()? * *scale as f64;
    let is_valid = (0.0..=1e18).contains(&value);
    is_valid.then(|| value.round() as u64)
}

impl fmt::Display for ImpairConfig {
    /// As [`from_str`](Self::from_str) reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (inbound, outbound) = (items(&self.inbound), items(&self.outbound));
        let mut out = Vec::new();
        for ((key, _), (inbound, outbound)) in KEYS.iter().zip(inbound.iter().zip(&outbound)) {
            let mut add = |prefix: &str, value: &Option<String>| {
                out.extend(value.as_ref().map(|value| format!("{prefix}{key}={value}")));
            };
            if inbound == outbound {
                add("", inbound);
            } else {
                add("in:", inbound);
                add("out:", outbound);
            }
        }
        if self.seed != 0 {
            out.push(format!("seed={}", self.seed));
        }
        f.write_str(&out.join(","))
    }
}

/// The values to write for one direction, by the places of [`KEYS`].
fn items(from: &Impairments) -> [Option<String>; KEYS.len()] {
    let default = Impairments::default();
    let (loss, gilbert) = match from.loss {
        Loss::None => (None, None),
        Loss::Random(mean) => (Some(percent(mean)), None),
        Loss::GilbertElliott {
            enter,
            leave,
            loss_bad,
            loss_good,
        } => {
            let parts = [enter, leave, loss_bad, loss_good].map(percent);
            (None, Some(parts.join("/")))
        }
    };
    let chance = |value: Probability| (value != Probability::ZERO).then(|| percent(value));
    let time = |value: Duration, default: Duration| (value != default).then(|| time_text(value));
    let count = |value: u32, default: u32| (value != default).then(|| value.to_string());
    [
        loss,
        None,
        gilbert,
        chance(from.duplicate),
        chance(from.corrupt),
        chance(from.reorder),
        count(from.reorder_gap, default.reorder_gap),
        time(from.reorder_hold, default.reorder_hold),
        time(from.delay, default.delay),
        time(from.jitter, default.jitter),
        from.rate.map(|rate| largest_unit(rate, &UNITS_OF_RATE)),
        count(from.queue, default.queue),
    ]
}

fn percent(value: Probability) -> String {
    let (whole, parts) = (value.ppm() / 10_000, value.ppm() % 10_000);
    let text = format!("{whole}.{parts:04}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

fn time_text(value: Duration) -> String {
    let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
    largest_unit(nanos, &UNITS_OF_TIME)
}

/// The number in the largest unit in which it is whole.
fn largest_unit(value: u64, units: &[(&str, u64)]) -> String {
    let whole = |(_, scale): &&(&str, u64)| value != 0 && value.is_multiple_of(*scale);
    match units.iter().find(whole).or_else(|| units.last()) {
        Some((name, scale)) => format!("{}{name}", value / scale),
        None => value.to_string(),
    }
}
