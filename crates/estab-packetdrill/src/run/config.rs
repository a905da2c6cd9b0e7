//! What a run goes by: the script's options, and the network that they ask for.

use super::RunOptions;
use crate::diagnostic::Diagnostic;
use crate::options::{CodeFormat, ScriptOptions};
use crate::script::OptionLine;
use crate::subject::{IpVersion, Network};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

/// The options of a run.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) network: Network,
    pub(crate) bind_port: u16,
    pub(crate) connect_port: u16,
    /// Least tolerance of a time.
    pub(crate) tolerance: Duration,
    /// The same in percent of the time since the event before.
    pub(crate) tolerance_percent: f64,
    /// Length of a tick of the script's timestamps, when they are to be compared.
    pub(crate) timestamp_tick: Option<Duration>,
    pub(crate) strict_segments: bool,
    pub(crate) packets_not_fatal: bool,
    pub(crate) calls_not_fatal: bool,
    pub(crate) dry_run: bool,
    /// Shell scripts that are run before the first event.
    pub(crate) init_scripts: Vec<String>,
    /// What runs the script's code.
    pub(crate) code_command: String,
}

/// Why there is no configuration.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// Options that are wrong.
    Wrong(Vec<Diagnostic>),
    /// The script is for something else.
    Skip(String),
}

impl Config {
    /// Reads the options of a script; those of the caller win.
    pub(crate) fn new(lines: &[OptionLine], run: &RunOptions) -> Result<Self, ConfigError> {
        let options = ScriptOptions::new(lines, &run.overrides).map_err(ConfigError::Wrong)?;
        let ip_version = ip_version(lines, run, &options)?;
        let network = network(lines, run, &options, ip_version)?;
        if options.code_format != CodeFormat::Python {
            let reason = "variables are handed to Python code only";
            return Err(ConfigError::Skip(reason.to_owned()));
        }
        let exact = run.exact;
        Ok(Self {
            network,
            bind_port: options.bind_port,
            connect_port: options.connect_port,
            tolerance: if exact {
                Duration::ZERO
            } else {
                options.tolerance
            },
            tolerance_percent: if exact {
                0.0
            } else {
                options.tolerance_percent
            },
            timestamp_tick: options.tcp_ts_tick,
            strict_segments: options.strict_segments,
            packets_not_fatal: options.packets_not_fatal,
            calls_not_fatal: options.calls_not_fatal,
            dry_run: options.dry_run,
            init_scripts: options.init_scripts,
            code_command: options.code_command,
        })
    }

    /// How far an event may be from its time, so long after the one before.
    pub(crate) fn tolerance_after(&self, gap: Duration) -> Duration {
        // Options keep the percentage in bounds; what is no number of seconds is none.
        let share = gap.as_secs_f64() * self.tolerance_percent / 100.0;
        let share = Duration::try_from_secs_f64(share).unwrap_or_default();
        self.tolerance.max(share)
    }
}

fn named(lines: &[OptionLine], name: &str) -> bool {
    lines.iter().any(|line| line.name == name)
}

/// A script that names a version is for that one only.
fn ip_version(
    lines: &[OptionLine],
    run: &RunOptions,
    options: &ScriptOptions,
) -> Result<IpVersion, ConfigError> {
    match run.ip_version {
        Some(wanted) if named(lines, "ip_version") && wanted != options.ip_version => {
            let own = options.ip_version;
            Err(ConfigError::Skip(format!("the script is for {own} only")))
        }
        wanted => Ok(wanted.unwrap_or(options.ip_version)),
    }
}

fn network(
    lines: &[OptionLine],
    run: &RunOptions,
    options: &ScriptOptions,
    ip_version: IpVersion,
) -> Result<Network, ConfigError> {
    let v6 = ip_version.packets_are_v6();
    let defaults = default_network(ip_version);
    let address = |name: &str, own: Option<IpAddr>, default: IpAddr| match own {
        Some(own) if own.is_ipv6() != v6 => {
            let reason = format!("its {name}, {own}, is no address of {ip_version}");
            Err(ConfigError::Skip(reason))
        }
        own => Ok(own.unwrap_or(default)),
    };
    // A script that is for both speaks of IPv4's MTU; IPv6 headers are 20 bytes longer, so that segments are of one size.
    let for_both = !named(lines, "ip_version") && !named(&run.overrides, "mtu");
    let mtu = match options.mtu {
        Some(mtu) if v6 && for_both => mtu.saturating_add(20),
        Some(mtu) => mtu,
        None => defaults.mtu,
    };
    if v6 && mtu < 1280 {
        let reason = format!("its MTU, {mtu}, is too small for IPv6");
        return Err(ConfigError::Skip(reason));
    }
    let prefix_len = options.prefix_len.unwrap_or(defaults.prefix_len);
    Ok(Network {
        ip_version,
        local_ip: address("local_ip", options.local_ip, defaults.local_ip)?,
        prefix_len: prefix_len.min(if v6 { 128 } else { 32 }),
        remote_ip: address("remote_ip", options.remote_ip, defaults.remote_ip)?,
        gateway_ip: address("gateway_ip", options.gateway_ip, defaults.gateway_ip)?,
        mtu,
    })
}

/// The tool's network, with a local address that is always the same.
fn default_network(ip_version: IpVersion) -> Network {
    let v4 = |a, b, c, d| IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    if ip_version.packets_are_v6() {
        Network {
            ip_version,
            local_ip: Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 1, 0, 0, 0, 2).into(),
            prefix_len: 48,
            remote_ip: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
            gateway_ip: Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 1, 0, 0, 0, 1).into(),
            mtu: 1520,
        }
    } else {
        Network {
            ip_version,
            local_ip: v4(192, 168, 0, 2),
            prefix_len: 16,
            remote_ip: v4(192, 0, 2, 1),
            gateway_ip: v4(192, 168, 0, 1),
            mtu: 1500,
        }
    }
}
