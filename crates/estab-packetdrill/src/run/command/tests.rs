use super::{Part, parts};
use std::fs;

fn set(name: &str, value: &str) -> Part {
    Part::Set {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

#[test]
fn sysctl_sets_one_or_several() {
    assert_eq!(
        parts("sysctl -q net.ipv4.tcp_sack=0", None),
        [set("net.ipv4.tcp_sack", "0")]
    );
    assert_eq!(
        parts(
            "sysctl -w net.ipv4.tcp_rmem=\"4096 1000 2000\" net.ipv4.tcp_sack=1 > /dev/null\nsysctl -q net.ipv4.tcp_dsack=0 # none",
            None
        ),
        [
            set("net.ipv4.tcp_rmem", "4096 1000 2000"),
            set("net.ipv4.tcp_sack", "1"),
            set("net.ipv4.tcp_dsack", "0"),
        ]
    );
}

#[test]
fn other_commands_are_told() {
    assert_eq!(
        parts(
            "true; ip route add 192.0.2.0/24 via 10.0.0.1 && sysctl -q a.b=1",
            None
        ),
        [
            Part::Ignored("ip route add 192.0.2.0/24 via 10.0.0.1".to_owned()),
            set("a.b", "1"),
        ]
    );
}

#[test]
fn a_shell_script_beside_the_script_is_read() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("defaults.sh"),
        "#!/bin/sh\n# all of them\nset -e\nsysctl -q net.ipv4.tcp_syn_retries=$1 \\\n  net.ipv4.tcp_sack=1\n",
    )?;
    assert_eq!(
        parts("./defaults.sh 3", Some(folder.path())),
        [
            set("net.ipv4.tcp_syn_retries", "3"),
            set("net.ipv4.tcp_sack", "1"),
        ]
    );
    let missing = Part::Ignored("../common/none.sh".to_owned());
    assert_eq!(parts("../common/none.sh", Some(folder.path())), [missing]);
    Ok(())
}

#[test]
fn a_shell_script_that_names_itself_ends() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("a.sh"), "./a.sh\n./a.sh\n")?;
    assert!(parts("./a.sh", Some(folder.path())).len() <= 1000);
    Ok(())
}

#[test]
fn files_of_proc_are_settings() {
    assert_eq!(
        parts("../set_sysctls.py /proc/sys/net/ipv4/tcp_ecn=0", None),
        [set("net.ipv4.tcp_ecn", "0")]
    );
}
