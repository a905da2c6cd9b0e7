use super::{KERNEL, read};
use estab_tcp::Settings;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A folder like `/proc/sys` with these files below `net/ipv4`.
fn with_files(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join("net/ipv4").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

#[test]
fn the_kernels_units_and_forms_become_estabs() {
    let root = with_files(&[
        ("tcp_sack", "0\n"),
        ("tcp_timestamps", "2\n"),
        ("tcp_tw_reuse", "2\n"),
        ("tcp_fin_timeout", "30\n"),
        ("tcp_invalid_ratelimit", "250\n"),
        ("tcp_orphan_retries", "0\n"),
        ("tcp_rto_min_us", "5500\n"),
        ("tcp_rto_max_ms", "10000\n"),
        ("tcp_rmem", "4096\t131072\t15728640\n"),
        ("tcp_wmem", "4096\t16384\t4194304\n"),
        ("tcp_mem", "1\t2\t3\n"),
        ("ip_local_port_range", "1024\t2048\n"),
        ("route/min_pmtu", "600\n"),
    ]);
    let mut complaints = BTreeSet::new();
    let settings = read(root.path(), &mut complaints);
    let expected = Settings {
        tcp_sack: false,
        tcp_timestamps: true,
        tcp_tw_reuse: false,
        tcp_fin_timeout: Duration::from_secs(30),
        tcp_invalid_ratelimit: Duration::from_millis(250),
        tcp_orphan_retries: 8,
        tcp_rto_min: Duration::from_micros(5500),
        tcp_rto_max: Duration::from_secs(10),
        tcp_rmem: (64_240, 15_728_640),
        tcp_wmem: (65_536, 4_194_304),
        tcp_mem: 3 * 4096,
        ip_local_port_range: (1024, 2048),
        min_pmtu: 600,
        ..Settings::default()
    };
    assert_eq!(settings, expected);
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn what_is_not_there_or_out_of_range_stays_and_is_told() {
    let root = with_files(&[
        ("tcp_syn_retries", "200\n"),
        ("tcp_rmem", "1 x 2\n"),
        ("tcp_wmem", "0 0 0\n"),
    ]);
    let mut complaints = BTreeSet::new();
    let settings = read(root.path(), &mut complaints);
    assert_eq!(settings, Settings::default());
    let complaints: Vec<_> = complaints.into_iter().collect();
    assert_eq!(
        complaints,
        [
            "net.ipv4.tcp_rmem = 1 x 2: expected three numbers",
            "net.ipv4.tcp_syn_retries = 200: expected a number from 1 to 127",
            "net.ipv4.tcp_wmem = 0 0 0: expected two numbers from 1 to 1073741824 bytes, the first not more than the second",
        ]
    );
}

#[test]
fn this_kernels_settings_can_all_be_read() {
    let mut complaints = BTreeSet::new();
    read(Path::new(KERNEL), &mut complaints);
    assert!(complaints.is_empty(), "{complaints:?}");
}
