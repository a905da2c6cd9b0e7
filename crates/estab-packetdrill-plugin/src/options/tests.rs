use super::{IpVersion, Options, of_command_line, of_script, words};
use std::net::IpAddr;

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn all_keys_of_the_flags() {
    let text = "local_ip=192.168.0.1, remote_ip=192.0.2.1,gateway_ip=192.168.0.254,netmask_ip=255.255.0.0,mtu=1400,ip_version=ipv4";
    let expected = Options {
        local_ip: ip("192.168.0.1"),
        remote_ip: ip("192.0.2.1"),
        gateway_ip: ip("192.168.0.254"),
        prefix_len: Some(16),
        mtu: Some(1400),
        ip_version: Some(IpVersion::V4),
    };
    assert_eq!(Options::parse(text), Ok(expected));
    assert_eq!(Options::parse(""), Ok(Options::default()));
}

#[test]
fn an_address_tells_the_family() {
    assert_eq!(
        Options::parse("local_ip=fd00::1").unwrap().is_v6(),
        Some(true)
    );
    let mapped = Options::parse("ip_version=ipv4-mapped-ipv6,local_ip=::ffff:10.0.0.1").unwrap();
    assert_eq!(mapped.is_v6(), Some(false));
    assert_eq!(mapped.local_ip, ip("10.0.0.1"));
    assert_eq!(Options::parse("mtu=1500").unwrap().is_v6(), None);
}

#[test]
fn what_is_wrong_with_flags_is_said() {
    let cases = [
        ("local_ip", "`local_ip`: expected key=value"),
        ("local_ip=here", "local_ip=here: expected an IP address"),
        ("speed=1", "unknown key `speed`; the keys are"),
        ("mtu=67", "mtu=67: expected a number from 68 to 65535"),
        ("mtu=1200,ip_version=ipv6", "mtu: IPv6 needs 1280"),
        ("netmask_ip=255.0.255.0", "expected an IPv4 netmask"),
        ("ip_version=5", "ip_version=5: expected ipv4, ipv6"),
        (
            "ip_version=ipv6,local_ip=10.0.0.1",
            "local_ip=10.0.0.1: expected an IPv6 address",
        ),
        (
            "local_ip=10.0.0.1,remote_ip=fd00::1",
            "remote_ip=fd00::1: expected an IPv4 address",
        ),
    ];
    for (flags, expected) in cases {
        let message = Options::parse(flags).unwrap_err();
        assert!(message.contains(expected), "{flags}: {message}");
    }
}

#[test]
fn netmasks_are_prefixes() {
    for (mask, len) in [
        ("0.0.0.0", 0),
        ("255.255.255.0", 24),
        ("255.255.255.255", 32),
    ] {
        let options = Options::parse(&format!("netmask_ip={mask}")).unwrap();
        assert_eq!(options.prefix_len, Some(len), "{mask}");
    }
}

#[test]
fn the_command_line_has_values_after_the_name_or_in_the_next_word() {
    let line = b"packetdrill\0--so_filename=/lib.so\0--mtu\x001520\0--verbose\0--ip_version=ipv6\0--local_ip=fd00::5\0a.pkt\0";
    let options = of_command_line(&words(line));
    let expected = Options {
        local_ip: ip("fd00::5"),
        mtu: Some(1520),
        ip_version: Some(IpVersion::V6),
        ..Options::default()
    };
    assert_eq!(options, expected);
}

#[test]
fn a_script_has_options_at_its_top_between_comments() {
    let script = "// A test.\n# of options\n/* with\n--mtu=9000 */ --ip_version=ipv4\n--local_ip=\"10.1.1.1\" --verbose\n\
                  --tolerance_usecs=10000\n0 socket(...) = 3\n--remote_ip=10.2.2.2\n";
    let expected = Options {
        local_ip: ip("10.1.1.1"),
        ip_version: Some(IpVersion::V4),
        ..Options::default()
    };
    assert_eq!(of_script(script), expected);
    for rest in [
        "",
        "--",
        "--mtu",
        "--mtu=",
        "/* open",
        "// open",
        "--local_ip=\"10",
        "\u{fe}--",
    ] {
        assert_eq!(of_script(rest).mtu, None, "{rest}");
    }
}

#[test]
fn the_stronger_source_decides_the_family() {
    let flags = Options::parse("ip_version=ipv6").unwrap();
    let script = of_script("--local_ip=10.0.0.1 --mtu=1520 --ip_version=ipv4");
    let both = flags.or(script);
    assert_eq!(both.local_ip, None);
    assert_eq!(both.mtu, Some(1520));
    assert_eq!(both.ip_version, Some(IpVersion::V6));

    let mapped = Options::parse("local_ip=10.0.0.1").unwrap();
    let both = mapped.or(of_script("--ip_version=ipv4-mapped-ipv6"));
    assert_eq!(both.ip_version, Some(IpVersion::Mapped));
}
