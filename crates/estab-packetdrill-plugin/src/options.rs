//! What the plug-in is told of the network: by `--so_flags`, by the tool's command line, by the script.

mod sources;
#[cfg(test)]
mod tests;

pub(crate) use sources::{of_command_line, of_script, words};

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// The form of addresses in calls and on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IpVersion {
    V4,
    V6,
    /// IPv4 on the wire, IPv6 in the calls.
    Mapped,
}

/// The tool's options that matter to a host. What is `None` was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) local_ip: Option<IpAddr>,
    pub(crate) remote_ip: Option<IpAddr>,
    pub(crate) gateway_ip: Option<IpAddr>,
    /// Bits of the prefix that the netmask stands for.
    pub(crate) prefix_len: Option<u8>,
    pub(crate) mtu: Option<u16>,
    pub(crate) ip_version: Option<IpVersion>,
}

/// What a link carries at least (RFC 791), bytes of a packet.
const MTU_MIN: u16 = 68;
const KEYS: &str = "local_ip, remote_ip, gateway_ip, netmask_ip, mtu and ip_version";

impl Options {
    /// Reads the text of `--so_flags`: `key=value` pairs separated by commas.
    pub(crate) fn parse(flags: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let pairs = flags.split(',').map(str::trim);
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("`{pair}`: expected key=value"))?;
            if !options.set(key.trim(), value.trim())? {
                return Err(format!("unknown key `{key}`; the keys are {KEYS}"));
            }
        }
        options.check()?;
        Ok(options)
    }

    /// Takes one option, by the tool's name for it. `false`: it is none of ours.
    fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        match key {
            "local_ip" => self.local_ip = Some(address(key, value)?),
            "remote_ip" => self.remote_ip = Some(address(key, value)?),
            "gateway_ip" => self.gateway_ip = Some(address(key, value)?),
            "netmask_ip" => self.prefix_len = Some(prefix_len(value)?),
            "mtu" => self.mtu = Some(mtu(value)?),
            "ip_version" => self.ip_version = Some(ip_version(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// IPv6 on the wire? `None`: nothing was said that tells.
    pub(crate) fn is_v6(&self) -> Option<bool> {
        let said = self.ip_version.map(|version| version == IpVersion::V6);
        let addresses = [self.local_ip, self.remote_ip, self.gateway_ip];
        said.or_else(|| {
            addresses
                .into_iter()
                .flatten()
                .next()
                .map(|ip| ip.is_ipv6())
        })
    }

    fn check(&self) -> Result<(), String> {
        let Some(v6) = self.is_v6() else {
            return Ok(());
        };
        let family = if v6 { "IPv6" } else { "IPv4" };
        let addresses = [
            ("local_ip", self.local_ip),
            ("remote_ip", self.remote_ip),
            ("gateway_ip", self.gateway_ip),
        ];
        for (key, address) in addresses {
            if let Some(address) = address.filter(|address| address.is_ipv6() != v6) {
                return Err(format!("{key}={address}: expected an {family} address"));
            }
        }
        if v6 && self.mtu.is_some_and(|mtu| mtu < 1280) {
            return Err("mtu: IPv6 needs 1280 at least".into());
        }
        Ok(())
    }

    /// What is not said here is taken from `weaker`, as far as it fits the family.
    pub(crate) fn or(mut self, weaker: Self) -> Self {
        let said = self.is_v6();
        let same = |version: &IpVersion| said.is_none_or(|v6| (*version == IpVersion::V6) == v6);
        let version = weaker.ip_version.filter(same);
        self.ip_version = self.ip_version.or(version);
        let v6 = self.is_v6();
        let fits = |ip: &IpAddr| v6.is_none_or(|v6| ip.is_ipv6() == v6);
        let addresses = [
            (&mut self.local_ip, weaker.local_ip),
            (&mut self.remote_ip, weaker.remote_ip),
            (&mut self.gateway_ip, weaker.gateway_ip),
        ];
        for (address, weaker) in addresses {
            *address = address.or_else(|| weaker.filter(fits));
        }
        self.prefix_len = self.prefix_len.or(weaker.prefix_len);
        self.mtu = self.mtu.or(weaker.mtu);
        self
    }
}

fn address(key: &str, text: &str) -> Result<IpAddr, String> {
    text.parse()
        .map(|address: IpAddr| address.to_canonical())
        .map_err(|_| format!("{key}={text}: expected an IP address"))
}

fn prefix_len(text: &str) -> Result<u8, String> {
    let wrong = || format!("netmask_ip={text}: expected an IPv4 netmask such as 255.255.0.0");
    let mask = u32::from(text.parse::<Ipv4Addr>().map_err(|_| wrong())?);
    let ones = mask.leading_ones();
    // 32 at most, so it fits.
    let len = (ones + mask.trailing_zeros() >= 32).then_some(ones as u8);
    len.ok_or_else(wrong)
}

fn mtu(text: &str) -> Result<u16, String> {
    in_range(text, MTU_MIN, u16::MAX).map_err(|range| format!("mtu={text}: expected {range}"))
}

fn in_range<T: FromStr + PartialOrd + Display>(text: &str, min: T, max: T) -> Result<T, String> {
    text.parse()
        .ok()
        .filter(|value| (&min..=&max).contains(&value))
        .ok_or_else(|| format!("a number from {min} to {max}"))
}

fn ip_version(text: &str) -> Result<IpVersion, String> {
    match text {
        "ipv4" => Ok(IpVersion::V4),
        "ipv6" => Ok(IpVersion::V6),
        "ipv4-mapped-ipv6" => Ok(IpVersion::Mapped),
        _ => Err(format!(
            "ip_version={text}: expected ipv4, ipv6 or ipv4-mapped-ipv6"
        )),
    }
}
