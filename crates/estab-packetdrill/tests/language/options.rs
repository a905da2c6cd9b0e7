//! Options at a script's top, and on the command line.

use core::time::Duration;

use estab_packetdrill::options::{OPTIONS, ScriptOptions};
use estab_packetdrill::script::OptionLine;
use estab_packetdrill::{Diagnostics, IpVersion, Source, parse};

use crate::support::{message, read};

fn lines(arguments: &[&str]) -> Vec<OptionLine> {
    arguments
        .iter()
        .map(|argument| OptionLine::from_argument(argument).unwrap())
        .collect()
}

fn options(script: &[&str], command_line: &[&str]) -> ScriptOptions {
    ScriptOptions::new(&lines(script), &lines(command_line)).unwrap()
}

#[test]
fn defaults_are_those_of_the_original() {
    let options = options(&[], &[]);
    assert_eq!(options, ScriptOptions::default());
    assert_eq!((options.bind_port, options.connect_port), (8080, 8080));
    assert_eq!(options.tolerance, Duration::from_millis(4));
    assert_eq!(options.tolerance_percent, 12.5);
}

/// Each default in the table is what the options are when nobody gives it.
#[test]
fn the_table_tells_the_defaults() {
    for spec in OPTIONS
        .iter()
        .filter(|spec| !spec.default.is_empty() && spec.name != "mtu")
    {
        let given = options(&[&format!("{}={}", spec.name, spec.default)], &[]);
        assert_eq!(given, ScriptOptions::default(), "{}", spec.name);
    }
}

#[test]
fn every_option_takes_its_value() {
    let options = options(
        &[
            "--ip-version=ipv6",
            "--local_ip=2001:db8::2",
            "--remote_ip=2001:db8::1",
            "--gateway_ip=2001:db8::3",
            "--netmask_ip=255.255.128.0",
            "--bind_port=80",
            "--connect_port=81",
            "--mtu=1280",
            "--mss=1220",
            "--speed=1000",
            "--tolerance_usecs=1",
            "--tolerance_percent=0.5",
            "--tcp_ts_tick_usecs=1000",
            "--strict_segments",
            "--non_fatal=packet,syscall",
            "--define=A=1",
            "--init_scripts=a.sh,b.sh",
            "--verbose",
            "--dry_run=true",
            "--code_command=python3.12",
            "--code_format=pretty",
            "--code_sockopt=TCP_CC_INFO",
        ],
        &[],
    );
    insta::assert_debug_snapshot!(options);
}

#[test]
fn the_command_line_wins() {
    let options = options(&["mtu=1500", "define=A=1"], &["mtu=1280", "define=A=2"]);
    assert_eq!(options.mtu, Some(1280));
    let mut expected = ScriptOptions::default();
    expected.defines.add("A=2").unwrap();
    assert_eq!(options.defines, expected.defines);
}

#[test]
fn all_versions_have_a_name() {
    for version in IpVersion::ALL {
        let options = options(&[], &[&format!("ip_version={}", version.name())]);
        assert_eq!(options.ip_version, version);
    }
}

#[test]
fn wrong_values_are_refused() {
    let text = "\
--ip_version=ipv5
--local_ip=192.0.2
--netmask_ip=255.0.255.0
--bind_port=0
--mtu
--mtu=70000
--tolerance_percent=nan
--strict_segments=maybe
--non_fatal=packet,call
--no_such_option
--code_command=
+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
";
    let script = parse("options.pkt", text).unwrap();
    let errors = ScriptOptions::new(&script.options, &[]).unwrap_err();
    insta::assert_snapshot!(Diagnostics::new(Source::new("options.pkt", text), errors));
}

#[test]
fn wrong_definitions_are_refused() {
    for definition in ["A", "8=9", "A=", "A=1 2", "A=B C", "A=\"x", "A=,", "=1"] {
        let line = OptionLine {
            value: Some(definition.to_owned()),
            ..lines(&["define"]).remove(0)
        };
        assert!(
            ScriptOptions::default().apply(&line).is_err(),
            "{definition}"
        );
    }
    assert!(ScriptOptions::new(&lines(&["define=A=B", "define=B=C", "define=C=A"]), &[]).is_err());
}

/// As with the original, a value follows a `=`.
#[test]
fn a_value_follows_an_equals_sign() {
    assert_eq!(
        message("--mtu 1500\n+0 close(3) = 0\n"),
        "expected `=`, found `1500`"
    );
    assert_eq!(
        read("--mtu = 1500\n+0 close(3) = 0\n").options[0]
            .value
            .as_deref(),
        Some("1500")
    );
    assert_eq!(
        read("--verbose --mtu=1500 +0 close(3) = 0\n").options.len(),
        2
    );
}
