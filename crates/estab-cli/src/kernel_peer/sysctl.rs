//! Settings of the kernel's TCP in the current network namespace.

use estab_tcp::Settings;
use std::fs;
use std::io;
use std::path::PathBuf;

/// What the kernel does that a scenario must not depend on: its newer linear SYN time-outs, another congestion control.
const FIXED: [(&str, &str); 2] = [
    ("tcp_syn_linear_timeouts", "0"),
    ("tcp_congestion_control", "reno"),
];

/// Gives the kernel those of estab's settings that it has too, with the same unit.
///
/// # Errors
/// `/proc/sys` cannot be written.
pub(crate) fn apply(settings: &Settings) -> io::Result<()> {
    for (name, value) in shared(settings) {
        set(name, &value)?;
    }
    for (name, value) in FIXED {
        set(name, value)?;
    }
    Ok(())
}

/// Keeps the kernel from saying anything by IPv6 of its own accord.
///
/// # Errors
/// `/proc/sys` cannot be written.
pub(crate) fn disable_ipv6() -> io::Result<()> {
    match fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn set(name: &str, value: &str) -> io::Result<()> {
    let path = PathBuf::from("/proc/sys/net/ipv4").join(name);
    match fs::write(&path, value) {
        // Older kernels lack some.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let message = format!("cannot set {} to {value}: {error}", path.display());
            Err(io::Error::new(error.kind(), message))
        }
        Ok(()) => Ok(()),
    }
}

fn shared(settings: &Settings) -> Vec<(&'static str, String)> {
    let secs = |duration: std::time::Duration| duration.as_secs().to_string();
    let bool = |on: bool| u8::from(on).to_string();
    vec![
        ("tcp_syn_retries", settings.tcp_syn_retries.to_string()),
        (
            "tcp_synack_retries",
            settings.tcp_synack_retries.to_string(),
        ),
        ("tcp_retries2", settings.tcp_retries2.to_string()),
        ("tcp_fin_timeout", secs(settings.tcp_fin_timeout)),
        ("tcp_rfc1337", bool(settings.tcp_rfc1337)),
        (
            "tcp_max_syn_backlog",
            settings.tcp_max_syn_backlog.to_string(),
        ),
        ("tcp_syncookies", settings.tcp_syncookies.to_string()),
        (
            "tcp_abort_on_overflow",
            bool(settings.tcp_abort_on_overflow),
        ),
        ("tcp_keepalive_time", secs(settings.tcp_keepalive_time)),
        ("tcp_keepalive_intvl", secs(settings.tcp_keepalive_intvl)),
        (
            "tcp_keepalive_probes",
            settings.tcp_keepalive_probes.to_string(),
        ),
        ("tcp_window_scaling", bool(settings.tcp_window_scaling)),
        ("tcp_timestamps", bool(settings.tcp_timestamps)),
        ("tcp_sack", bool(settings.tcp_sack)),
        ("tcp_dsack", bool(settings.tcp_dsack)),
    ]
}
