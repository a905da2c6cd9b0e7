use super::{from_linux, linux_name};
use crate::settings_table::{TABLE, find};

fn translated(name: &str, value: &str) -> (alloc::string::String, alloc::string::String) {
    from_linux(name, value).unwrap()
}

#[test]
fn names_units_and_forms() {
    let cases = [
        ("tcp_rto_min_us", "5500\n", "tcp_rto_min", "5.5"),
        ("tcp_rto_max_ms", "10000", "tcp_rto_max", "10000"),
        ("route.min_pmtu", "600", "min_pmtu", "600"),
        (
            "tcp_rmem",
            "4096\t131072\t15728640\n",
            "tcp_rmem",
            "64240 15728640",
        ),
        ("tcp_rmem", "4096 1000 15728640", "tcp_rmem", "500 15728640"),
        ("tcp_rmem", "4096 131072 1000", "tcp_rmem", "1000 1000"),
        ("tcp_rmem", "1000 2000", "tcp_rmem", "1000 2000"),
        (
            "tcp_wmem",
            "4096 16384 4194304",
            "tcp_wmem",
            "65536 4194304",
        ),
        (
            "tcp_wmem",
            "4096 20000 4194304",
            "tcp_wmem",
            "20000 4194304",
        ),
        ("tcp_mem", "1 2 3", "tcp_mem", "12288"),
        ("tcp_tw_reuse", "2", "tcp_tw_reuse", "0"),
        ("tcp_timestamps", "2", "tcp_timestamps", "1"),
        ("tcp_orphan_retries", "0", "tcp_orphan_retries", "8"),
        ("tcp_sack", "1", "tcp_sack", "1"),
        ("tcp_rto_min", "40", "tcp_rto_min", "40"),
        ("no_such", "any thing", "no_such", "any thing"),
    ];
    for (linux, value, ours, expected) in cases {
        let (name, value) = translated(&alloc::format!("net.ipv4.{linux}"), value);
        assert_eq!(name, alloc::format!("net.ipv4.{ours}"));
        assert_eq!(value, expected, "{linux}");
    }
}

#[test]
fn values_that_linux_cannot_have() {
    for (name, value) in [
        ("tcp_rto_min_us", "fast"),
        ("tcp_rmem", "1 x 3"),
        ("tcp_mem", "1 2 -3"),
    ] {
        let name = alloc::format!("net.ipv4.{name}");
        assert!(from_linux(&name, value).is_err(), "{name}");
    }
}

#[test]
fn every_setting_is_found_by_linuxs_name() {
    for setting in TABLE {
        let (name, _) = translated(linux_name(setting.name), "1");
        assert_eq!(find(&name).map(|found| found.name), Some(setting.name));
    }
}
