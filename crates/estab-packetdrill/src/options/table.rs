//! One line for each option: its name, what it takes, what it is without, what it does.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use core::time::Duration;

use crate::subject::IpVersion;

use super::{CodeFormat, DEFINE, ScriptOptions};

/// An option that a script or a command line may give.
pub struct OptionSpec {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// What its value is; empty for those that are on or off.
    pub value: &'static str,
    /// What it is when nobody gives it; empty for nothing.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
    apply: Apply,
}

/// Takes a value into the options, or says what is wrong with it.
type Apply = fn(&mut ScriptOptions, &str) -> Result<(), String>;

impl OptionSpec {
    /// Whether it is on or off, and on when it has no value.
    pub fn is_switch(&self) -> bool {
        self.value.is_empty()
    }

    /// Takes the option's value into the options.
    pub(super) fn set(
        &self,
        options: &mut ScriptOptions,
        value: Option<&str>,
    ) -> Result<(), String> {
        match value {
            Some(value) => (self.apply)(options, value),
            None if self.is_switch() => (self.apply)(options, "true"),
            None => Err(format!(
                "a value is missing, `--{}={}`",
                self.name, self.value
            )),
        }
    }
}

impl fmt::Debug for OptionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionSpec")
            .field("name", &self.name)
            .field("value", &self.value)
            .field("default", &self.default)
            .finish_non_exhaustive()
    }
}

const fn option(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
    apply: Apply,
) -> OptionSpec {
    OptionSpec {
        name,
        value,
        default,
        help,
        apply,
    }
}

/// All options there are.
#[rustfmt::skip] // a table: one option to a few lines
pub const OPTIONS: &[OptionSpec] = &[
    option("ip_version", "ipv4|ipv6|ipv4-mapped-ipv6", "ipv4", "family of the sockets and of the packets",
        |options, value| put(&mut options.ip_version, ip_version(value))),
    option("local_ip", "ADDRESS", "", "address of the stack",
        |options, value| put(&mut options.local_ip, address(value).map(Some))),
    option("remote_ip", "ADDRESS", "", "address of the peer that the script plays",
        |options, value| put(&mut options.remote_ip, address(value).map(Some))),
    option("gateway_ip", "ADDRESS", "", "address of the router",
        |options, value| put(&mut options.gateway_ip, address(value).map(Some))),
    option("netmask_ip", "ADDRESS", "", "mask of the local network, such as 255.255.0.0",
        |options, value| put(&mut options.prefix_len, prefix_len(value).map(Some))),
    option("bind_port", "PORT", "8080", "port to which bind binds",
        |options, value| put(&mut options.bind_port, number(value, 1, u16::MAX))),
    option("connect_port", "PORT", "8080", "port to which connect connects",
        |options, value| put(&mut options.connect_port, number(value, 1, u16::MAX))),
    option("mtu", "BYTES", "1500", "MTU of the interface",
        |options, value| put(&mut options.mtu, number(value, 68, u16::MAX).map(Some))),
    option("mss", "BYTES", "", "size in which large injected segments are cut",
        |options, value| put(&mut options.mss, number(value, 1, u16::MAX).map(Some))),
    option("speed", "MBIT", "", "speed of the interface; estab does not depend on it",
        |options, value| put(&mut options.speed, number(value, 0, u32::MAX).map(Some))),
    option("tolerance_usecs", "MICROSECONDS", "4000", "how far from its time something may happen, at least",
        |options, value| put(&mut options.tolerance, micros(value, 0))),
    option("tolerance_percent", "PERCENT", "12.5", "the same, in percent of the time since the last event",
        |options, value| put(&mut options.tolerance_percent, percent(value))),
    option("tcp_ts_tick_usecs", "MICROSECONDS", "", "a tick of the timestamps' clock; without it their values are not compared",
        |options, value| put(&mut options.tcp_ts_tick, micros(value, 1).map(Some))),
    option("strict_segments", "", "", "an expected segment is not put together from several",
        |options, value| put(&mut options.strict_segments, switch(value))),
    option("non_fatal", "packet,syscall", "", "what may differ without an end of the run",
        non_fatal),
    option(DEFINE, "NAME=VALUE", "", "a name that stands for a word, a number, a string or a command",
        |options, value| options.defines.add(value)),
    option("init_scripts", "FILES", "", "shell scripts that are run before the script, between commas",
        |options, value| put(&mut options.init_scripts, Ok(list(value)))),
    option("verbose", "", "", "tells each event as it happens",
        |options, value| put(&mut options.verbose, switch(value))),
    option("dry_run", "", "", "the script is read, not run",
        |options, value| put(&mut options.dry_run, switch(value))),
    option("code_command", "COMMAND", "python3", "what runs the script's code",
        |options, value| put(&mut options.code_command, not_empty(value))),
    option("code_format", "python|pretty", "python", "how variables are written for the script's code",
        |options, value| put(&mut options.code_format, code_format(value))),
    option("code_sockopt", "NAME", "TCP_INFO", "socket option from which the script's code takes its variables",
        |options, value| put(&mut options.code_sockopt, not_empty(value))),
];

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn ip_version(value: &str) -> Result<IpVersion, String> {
    IpVersion::from_name(value)
        .ok_or_else(|| format!("`{value}` is not `ipv4`, `ipv6` or `ipv4-mapped-ipv6`"))
}

fn address(value: &str) -> Result<IpAddr, String> {
    value
        .parse()
        .map_err(|_| format!("`{value}` is not an IP address"))
}

/// The ones at the beginning of a mask.
fn prefix_len(value: &str) -> Result<u8, String> {
    let (ones, zeros, bits) = match address(value)? {
        IpAddr::V4(mask) => (
            mask.to_bits().leading_ones(),
            mask.to_bits().trailing_zeros(),
            32,
        ),
        IpAddr::V6(mask) => (
            mask.to_bits().leading_ones(),
            mask.to_bits().trailing_zeros(),
            128,
        ),
    };
    if ones + zeros == bits {
        return Ok(ones as u8);
    }
    Err(format!("`{value}` is not a mask"))
}

fn number<T: FromStr + PartialOrd + fmt::Display>(
    value: &str,
    min: T,
    max: T,
) -> Result<T, String> {
    match value.parse() {
        Ok(number) if number >= min && number <= max => Ok(number),
        _ => Err(format!("`{value}` is not a number from {min} to {max}")),
    }
}

fn micros(value: &str, min: u32) -> Result<Duration, String> {
    Ok(Duration::from_micros(number(value, min, u32::MAX)?.into()))
}

fn percent(value: &str) -> Result<f64, String> {
    let number = value
        .parse()
        .ok()
        .filter(|percent| (0.0..=1000.0).contains(percent));
    number.ok_or_else(|| format!("`{value}` is not a number of percent"))
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(format!("`{value}` is not `true` or `false`")),
    }
}

fn non_fatal(options: &mut ScriptOptions, value: &str) -> Result<(), String> {
    let (mut packets, mut calls) = (false, false);
    for word in value.split(',') {
        match word {
            "packet" => packets = true,
            "syscall" => calls = true,
            _ => return Err(format!("`{word}` is not `packet` or `syscall`")),
        }
    }
    (options.packets_not_fatal, options.calls_not_fatal) = (packets, calls);
    Ok(())
}

fn list(value: &str) -> Vec<String> {
    value
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn not_empty(value: &str) -> Result<String, String> {
    if value.is_empty() {
        Err("the value is empty".to_owned())
    } else {
        Ok(value.to_owned())
    }
}

fn code_format(value: &str) -> Result<CodeFormat, String> {
    match value {
        "python" => Ok(CodeFormat::Python),
        "pretty" => Ok(CodeFormat::Pretty),
        _ => Err(format!("`{value}` is not `python` or `pretty`")),
    }
}
