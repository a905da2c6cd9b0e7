//! Linux's settings as estab has them: some are counted otherwise, some are not there.

use crate::subject::SettingError;
use estab_stack::{Stack, settings_table};

/// What Linux starts from where estab does not. Scripts take it for granted.
pub(super) const LINUX_DEFAULTS: &[(&str, &str)] = &[
    // A window scale of 8.
    ("net.ipv4.tcp_rmem", "4096 131072 15728640"),
    ("net.ipv4.tcp_wmem", "4096 16384 4194304"),
    ("net.ipv4.tcp_rfc1337", "0"),
];

/// Settings of Linux that change nothing that a script could see of estab, and the values of which that is true (`None`: of all).
const WITHOUT_EFFECT: &[(&str, Option<&[&str]>)] = &[
    // There is nothing of the kind in estab: no cache of metrics, no offload, no pacing, no queueing discipline.
    ("net.ipv4.tcp_no_metrics_save", None),
    ("net.ipv4.tcp_no_ssthresh_metrics_save", None),
    ("net.ipv4.tcp_min_tso_segs", None),
    ("net.ipv4.tcp_tso_win_divisor", None),
    ("net.ipv4.tcp_tso_rtt_log", None),
    ("net.ipv4.tcp_limit_output_bytes", None),
    ("net.ipv4.tcp_pacing_ss_ratio", None),
    ("net.ipv4.tcp_pacing_ca_ratio", None),
    ("net.ipv4.tcp_autocorking", None),
    ("net.ipv4.tcp_early_demux", None),
    ("net.ipv4.ip_early_demux", None),
    ("net.ipv4.tcp_low_latency", None),
    ("net.ipv4.tcp_backlog_ack_defer", None),
    ("net.ipv4.tcp_challenge_ack_limit", None),
    ("net.core.default_qdisc", None),
    ("net.core.netdev_budget_usecs", None),
    ("net.core.rmem_max", None),
    ("net.core.wmem_max", None),
    ("net.core.wmem_default", None),
    ("net.core.optmem_max", None),
    ("net.ipv4.tcp_comp_sack_delay_ns", None),
    ("net.ipv4.tcp_comp_sack_slack_ns", None),
    ("net.ipv4.tcp_comp_sack_nr", None),
    ("net.ipv4.tcp_moderate_rcvbuf", Some(&["1"])),
    // These are as estab is always.
    ("net.ipv4.tcp_congestion_control", Some(&["reno"])),
    ("net.ipv4.tcp_ecn", Some(&["0"])),
    ("net.ipv4.tcp_ecn_fallback", None),
    ("net.ipv4.tcp_fastopen", Some(&["0"])),
    ("net.ipv4.tcp_early_retrans", Some(&["0"])),
    ("net.ipv4.tcp_recovery", Some(&["0"])),
    ("net.ipv4.tcp_mtu_probing", Some(&["0"])),
    ("net.ipv4.tcp_frto", Some(&["0"])),
    ("net.ipv4.tcp_stdurg", Some(&["0"])),
    ("net.ipv4.tcp_thin_linear_timeouts", Some(&["0"])),
    ("net.ipv4.ip_no_pmtu_disc", Some(&["0"])),
];

/// estab's settings with Linux's defaults: what scripts start from.
pub(crate) fn linux_defaults() -> estab_tcp::Settings {
    let mut stack = Stack::new(estab_stack::StackConfig {
        seed: [0; 32],
        settings: estab_tcp::Settings::default(),
    });
    for (name, value) in LINUX_DEFAULTS {
        let made = set(&mut stack, name, value);
        debug_assert_eq!(made, Ok(()), "{name}");
    }
    stack.settings().clone()
}

/// Sets a setting of Linux.
pub(super) fn set(stack: &mut Stack, name: &str, value: &str) -> Result<(), SettingError> {
    let value = value.trim();
    let without_effect = WITHOUT_EFFECT.iter().find(|(known, _)| *known == name);
    if let Some((_, values)) = without_effect {
        return match values {
            Some(values) if !values.contains(&value) => {
                let values = values.join(" or ");
                Err(SettingError::Other(format!("{name} is always {values}")))
            }
            _ => Ok(()),
        };
    }
    let expected = |error| match error {
        settings_table::SettingError::Unknown => SettingError::Unknown,
        settings_table::SettingError::Value { expected } => SettingError::Value { expected },
    };
    let (name, value) = settings_table::from_linux(name, value).map_err(expected)?;
    match settings_table::find(&name) {
        Some(setting) if setting.name == name => {
            setting.set(stack.settings_mut(), &value).map_err(expected)
        }
        _ => Err(SettingError::Unknown),
    }
}
