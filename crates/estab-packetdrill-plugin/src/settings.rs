//! The stack's settings from `/proc/sys/net` of the process' network namespace, so that what a script sets by `sysctl` counts.

#[cfg(test)]
mod tests;

use estab_stack::settings_table::{self, Setting};
use estab_tcp::Settings;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where the kernel shows its own.
pub(crate) const KERNEL: &str = "/proc/sys";
/// The kernel counts `tcp_mem` in pages.
const PAGE: u64 = 4096;

/// The settings as the kernel has them, and estab's defaults for those that it has not. `complaints` takes a line for each
/// value that estab cannot have.
pub(crate) fn read(root: &Path, complaints: &mut BTreeSet<String>) -> Settings {
    let mut settings = Settings::default();
    for setting in settings_table::TABLE {
        let (path, translate) = source(setting);
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        let taken = translate(text.trim()).and_then(|text| {
            let result = setting.set(&mut settings, &text);
            result.map_err(|error| error.to_string())
        });
        if let Err(reason) = taken {
            complaints.insert(format!("{} = {}: {reason}", setting.name, text.trim()));
        }
    }
    settings
}

/// The kernel's text to estab's.
type Translate = fn(&str) -> Result<String, String>;

/// Where the kernel has a setting, and how its text becomes estab's.
fn source(setting: &Setting) -> (String, Translate) {
    let (path, translate): (&str, Translate) = match setting.name {
        "net.ipv4.tcp_rto_min" => ("net.ipv4.tcp_rto_min_us", millis_of_micros),
        "net.ipv4.tcp_rto_max" => ("net.ipv4.tcp_rto_max_ms", same),
        "net.ipv4.min_pmtu" => ("net.ipv4.route.min_pmtu", same),
        "net.ipv4.tcp_rmem" => (setting.name, receive_buffer),
        "net.ipv4.tcp_wmem" => (setting.name, send_buffer),
        "net.ipv4.tcp_mem" => (setting.name, bytes_of_pages),
        // 2 is for loopback only, and nothing here is over loopback.
        "net.ipv4.tcp_tw_reuse" => (setting.name, |text| Ok(u8::from(text == "1").to_string())),
        // 2 leaves out the random offset, and estab has no such difference to make.
        "net.ipv4.tcp_timestamps" => (setting.name, |text| Ok(u8::from(text != "0").to_string())),
        "net.ipv4.tcp_orphan_retries" => (setting.name, orphan_retries),
        _ => (setting.name, same),
    };
    (path.replace('.', "/"), translate)
}

fn same(text: &str) -> Result<String, String> {
    Ok(text.into())
}

fn millis_of_micros(text: &str) -> Result<String, String> {
    let micros: u32 = text.parse().map_err(|_| "expected a number")?;
    Ok((f64::from(micros) / 1000.0).to_string())
}

/// Linux reads 0 as 8.
fn orphan_retries(text: &str) -> Result<String, String> {
    Ok(if text == "0" { "8" } else { text }.into())
}

/// "min default max" of Linux counts each packet's overhead: it offers half of the first size as window, and takes the scale from the
/// largest as it stands.
fn receive_buffer(text: &str) -> Result<String, String> {
    let [_, first, largest] = three(text)?;
    let first = (first / 2).max(1);
    Ok(format!("{first} {}", largest.max(first)))
}

/// Linux raises the first size to what the initial window needs as soon as there is a connection, so estab's own is the least.
fn send_buffer(text: &str) -> Result<String, String> {
    let [_, first, largest] = three(text)?;
    let first = first.max(Settings::default().tcp_wmem.0);
    Ok(format!("{first} {}", largest.max(first)))
}

fn bytes_of_pages(text: &str) -> Result<String, String> {
    let [_, _, most] = three(text)?;
    Ok(u64::from(most).saturating_mul(PAGE).to_string())
}

fn three(text: &str) -> Result<[u32; 3], String> {
    let numbers: Result<Vec<u32>, _> = text.split_whitespace().map(str::parse).collect();
    let three = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    three.ok_or_else(|| "expected three numbers".into())
}
