//! Settings as Linux has them: a few have other names, other units, more numbers.

#[cfg(test)]
mod tests;

use super::SettingError;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

/// Names that are not the same: estab's, Linux's.
const NAMES: [(&str, &str); 3] = [
    ("net.ipv4.tcp_rto_min", "net.ipv4.tcp_rto_min_us"),
    ("net.ipv4.tcp_rto_max", "net.ipv4.tcp_rto_max_ms"),
    ("net.ipv4.min_pmtu", "net.ipv4.route.min_pmtu"),
];
/// Linux counts `tcp_mem` in pages.
const PAGE: u64 = 4096;

/// Linux's name of a setting of estab, if Linux has it.
pub fn linux_name(name: &'static str) -> &'static str {
    let other = NAMES.iter().find(|(ours, _)| *ours == name);
    other.map_or(name, |(_, linux)| linux)
}

/// The name and the value that estab has for a setting of Linux. What is the same in both, or unknown, stays as it is.
///
/// - `tcp_rmem`: Linux counts overhead; it takes half of the first size as window, in whole segments, and the scale from the
///   largest as it stands.
/// - `tcp_wmem`: Linux's default grows as soon as there is a connection, before anything is sent; estab's is that size from the start.
///
/// # Errors
/// [`SettingError::Value`]: it is no value that Linux has.
pub fn from_linux(name: &str, value: &str) -> Result<(String, String), SettingError> {
    let value = value.trim();
    let ours = NAMES.iter().find(|(_, linux)| *linux == name);
    let ours = ours.map_or(name, |(ours, _)| ours);
    let value = match ours {
        "net.ipv4.tcp_rto_min" if ours != name => millis_of_micros(value)?,
        "net.ipv4.tcp_rmem" => sizes(value, first_window)?,
        "net.ipv4.tcp_wmem" => sizes(value, first_send_buffer)?,
        "net.ipv4.tcp_mem" => match three(value)? {
            Some([_, _, most]) => most.saturating_mul(PAGE).to_string(),
            None => value.to_owned(),
        },
        // 2 is for loopback only.
        "net.ipv4.tcp_tw_reuse" if value == "2" => "0".to_owned(),
        // 2 is without an offset of its own for each connection, which estab's always have.
        "net.ipv4.tcp_timestamps" if value == "2" => "1".to_owned(),
        // 0 is read as 8.
        "net.ipv4.tcp_orphan_retries" if value == "0" => "8".to_owned(),
        _ => value.to_owned(),
    };
    Ok((ours.to_owned(), value))
}

fn millis_of_micros(text: &str) -> Result<String, SettingError> {
    let micros: u32 = text.parse().map_err(|_| expected("a number"))?;
    Ok((f64::from(micros) / 1000.0).to_string())
}

/// "least first largest" to estab's "first largest".
fn sizes(text: &str, first_of: fn(u64) -> u64) -> Result<String, SettingError> {
    Ok(match three(text)? {
        Some([_, first, largest]) => format!("{} {largest}", first_of(first).min(largest)),
        None => text.to_owned(),
    })
}

fn first_window(buffer: u64) -> u64 {
    const SEGMENT: u64 = 1460;
    let half = (buffer / 2).max(1);
    match half > SEGMENT {
        true => half / SEGMENT * SEGMENT,
        false => half,
    }
}

fn first_send_buffer(buffer: u64) -> u64 {
    const LINUX_DEFAULT: u64 = 16_384;
    match buffer {
        LINUX_DEFAULT => 64 << 10,
        other => other.max(1),
    }
}

/// Three numbers; `None` when it is another number of them.
fn three(text: &str) -> Result<Option<[u64; 3]>, SettingError> {
    let words = text.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let mut numbers = [0; 3];
    let mut count = 0;
    for word in words {
        let number = word.parse().map_err(|_| expected("three numbers"))?;
        if let Some(place) = numbers.get_mut(count) {
            *place = number;
        }
        count += 1;
    }
    Ok((count == 3).then_some(numbers))
}

fn expected(what: &str) -> SettingError {
    SettingError::Value {
        expected: what.to_owned(),
    }
}
