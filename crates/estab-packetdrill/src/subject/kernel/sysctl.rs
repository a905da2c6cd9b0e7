//! Settings of the kernel, in the network namespace of the calling thread.

use std::path::PathBuf;
use std::{fs, io};

/// What the kernel starts from, so that a script means the same to it and to estab: the limits of buffers and the congestion
/// control are those of a plain Linux whatever this machine was told, and what estab does not have is off.
const DEFAULTS: [(&str, &str); 26] = [
    ("net.ipv4.tcp_rmem", "4096 131072 15728640"),
    ("net.ipv4.tcp_wmem", "4096 16384 4194304"),
    ("net.ipv4.tcp_congestion_control", "reno"),
    ("net.ipv4.tcp_syn_linear_timeouts", "0"),
    ("net.ipv4.tcp_early_retrans", "0"),
    ("net.ipv4.tcp_recovery", "0"),
    ("net.ipv4.tcp_frto", "0"),
    ("net.ipv4.tcp_ecn", "0"),
    ("net.ipv4.tcp_fastopen", "0"),
    ("net.ipv4.tcp_no_metrics_save", "1"),
    ("net.ipv4.tcp_autocorking", "0"),
    ("net.ipv4.icmp_ratelimit", "0"),
    ("net.ipv4.icmp_msgs_per_sec", "100000"),
    ("net.ipv4.icmp_msgs_burst", "100000"),
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    ("net.ipv4.conf.all.accept_redirects", "0"),
    ("net.ipv4.conf.default.accept_redirects", "0"),
    ("net.ipv6.icmp.ratelimit", "0"),
    ("net.ipv6.conf.default.accept_dad", "0"),
    ("net.ipv6.conf.default.dad_transmits", "0"),
    ("net.ipv6.conf.default.accept_ra", "0"),
    ("net.ipv6.conf.default.router_solicitations", "0"),
    ("net.ipv6.conf.default.addr_gen_mode", "1"),
    (
        "net.ipv6.conf.default.mldv1_unsolicited_report_interval",
        "0",
    ),
    (
        "net.ipv6.conf.default.mldv2_unsolicited_report_interval",
        "0",
    ),
];

/// Why a setting was not made.
#[derive(Debug)]
pub(crate) enum SetError {
    /// This kernel has none of that name, or not in a namespace of its own.
    Unknown,
    /// It does not take the value.
    Refused(io::Error),
}

/// Gives a new namespace the settings that scripts start from. What this kernel does not have it does not do either.
///
/// # Errors
/// A setting that is there cannot be made.
pub(crate) fn apply_defaults() -> io::Result<()> {
    for (name, value) in DEFAULTS {
        match set(name, value) {
            Ok(()) | Err(SetError::Unknown) => {}
            Err(SetError::Refused(error)) => {
                let message = format!("cannot set {name} to {value}: {error}");
                return Err(io::Error::new(error.kind(), message));
            }
        }
    }
    Ok(())
}

/// Makes a setting, such as `net.ipv4.tcp_sack`.
///
/// # Errors
/// There is none of that name, or it does not take the value.
pub(crate) fn set(name: &str, value: &str) -> Result<(), SetError> {
    let path = path(name).ok_or(SetError::Unknown)?;
    match fs::write(path, value) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SetError::Unknown),
        // Those that are the whole machine's can be read in a namespace, but not written.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(SetError::Unknown),
        Err(error) => Err(SetError::Refused(error)),
    }
}

/// Where a setting is. Only those of the network belong to the namespace: a script must not change the machine.
fn path(name: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = name.split(['.', '/']).collect();
    let plain = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let network = matches!(parts[..], ["net", "ipv4" | "ipv6", _, ..]);
    (network && parts.iter().all(plain)).then(|| {
        parts
            .iter()
            .fold(PathBuf::from("/proc/sys"), |path, part| path.join(part))
    })
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn only_settings_of_the_network_are_made() {
        let good = path("net.ipv4.tcp_sack").unwrap();
        assert_eq!(good.to_str(), Some("/proc/sys/net/ipv4/tcp_sack"));
        assert_eq!(path("net/ipv4/tcp_sack"), Some(good));
        for bad in [
            "kernel.panic",
            "net.ipv4",
            "net.ipv4.",
            "net.ipv4.../../kernel/panic",
            "net.core.rmem_max",
            "",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
