//! The command line: help, errors, exit codes.

mod support;

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use support::{command, estab, ran};

const COMMANDS: [&str; 9] = [
    "demo",
    "lab",
    "serve",
    "connect",
    "get",
    "ping",
    "states",
    "completions",
    "man",
];

#[test]
fn every_command_is_listed_and_its_help_has_an_example() {
    let help = estab(&["--help"]).ok().out;
    let subcommands = [&["lab", "list"][..], &["lab", "run"]];
    for name in COMMANDS {
        assert!(
            help.contains(&format!("\n  {name} ")),
            "{name} is not listed:\n{help}"
        );
    }
    for args in COMMANDS.iter().map(std::slice::from_ref).chain(subcommands) {
        let help = estab(&[args, &["--help"]].concat()).ok().out;
        let (_, example) = help
            .split_once("Example")
            .unwrap_or_else(|| panic!("{args:?}:\n{help}"));
        assert!(example.contains("estab "), "{args:?}:\n{help}");
    }
    assert!(help.contains("Exit codes:"), "{help}");
}

#[test]
fn commands_with_a_network_take_it_the_same_way() {
    let options = [
        "--device",
        "--address",
        "--host-address",
        "--gateway",
        "--sysctl",
        "--pcapng",
        "--trace",
        "--impair",
    ];
    for name in ["serve", "connect", "get", "ping"] {
        let help = estab(&[name, "--help"]).ok().out;
        for option in options {
            assert!(help.contains(option), "{name} has no {option}:\n{help}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_code_2_and_says_what_is_right() {
    for (args, hint) in [
        (&["nonsense"][..], "unrecognized subcommand"),
        (
            &["lab", "run", "no-such-scenario"],
            "`estab lab list` shows",
        ),
        (
            &["lab", "run", "syn-flood", "--peer", "kernel"],
            "on the simulator only",
        ),
        (
            &["lab", "run", "close", "handshake", "--pcapng", "x"],
            "one scenario",
        ),
        (&["serve", "finger:79"], "expected echo:PORT"),
        (&["serve", "http:80"], "http:PORT=DIR"),
        (
            &["serve", "echo:7", "--address", "10.0.0.300/24"],
            "ADDRESS/LENGTH",
        ),
        (
            &["serve", "echo:7", "--address", "10.0.0.1"],
            "--host-address",
        ),
        (&["serve", "echo:7", "--device", "eth0"], "tun:NAME"),
        (&["serve", "echo:7", "--device", "tun:x?mtu=1"], "mtu=BYTES"),
        (&["serve", "echo:7", "--send-timeout", "0"], "send-timeout"),
        (&["serve", "echo:7", "--impair", "loss=200%"], "loss"),
        (
            &["serve", "echo:7", "--sysctl", "tcp_nonsense=1"],
            "tcp_nonsense",
        ),
        (&["serve", "echo:7", "--sysctl", "tcp_sack=7"], "tcp_sack"),
        (&["get", "https://10.0.0.1/"], "only http"),
        (&["get"], "<URL>"),
    ] {
        let ran = estab(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(hint), "{args:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{args:?}: {}", ran.out);
    }
}

#[test]
fn a_folder_that_is_not_there_is_said_before_anything_else() {
    let ran = estab(&["serve", "http:80=/no/such/folder"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("cannot serve http:80=/no/such/folder"),
        "{}",
        ran.err
    );
}

/// The program as a user without privileges; `None` when there is no way to be one.
fn unprivileged(args: &[&str]) -> Option<(Command, tempfile::TempDir)> {
    let folder = tempfile::tempdir().ok()?;
    // The build's folder may not be readable for others.
    let program = folder.path().join("estab");
    std::fs::copy(env!("CARGO_BIN_EXE_estab"), &program).ok()?;
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).ok()?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    Some((command, folder))
}

#[test]
fn a_missing_privilege_is_code_3_and_says_what_to_do() {
    let (mut command, _folder) = unprivileged(&["serve", "echo:7"]).expect("a folder");
    let ran = ran(command.output().expect("start estab"));
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let advice = ["sudo", "/dev/net/tun"]
        .iter()
        .any(|advice| ran.err.contains(advice));
    assert!(
        ran.err.starts_with("estab: cannot open the network") && advice,
        "{}",
        ran.err
    );
}

#[test]
fn the_state_table_has_all_states_in_every_format() {
    for (format, start) in [
        ("text", "CLOSED"),
        ("dot", "digraph"),
        ("mermaid", "stateDiagram"),
    ] {
        let table = estab(&["states", "--format", format]).ok().out;
        assert!(table.starts_with(start), "{table}");
        for state in estab_tcp::State::ALL {
            assert!(table.contains(state.name()), "{format}: {state}");
        }
    }
}

#[test]
fn completions_and_man_pages_are_made_for_everything() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = estab(&["completions", shell]).ok().out;
        assert!(script.contains("host-address"), "{shell}");
    }
    assert!(estab(&["man"]).ok().out.contains(".TH estab 1"));
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("man1");
    estab(&["man", "--dir", dir.to_str().expect("text")]).ok();
    for name in COMMANDS {
        assert!(dir.join(format!("estab-{name}.1")).exists(), "{name}");
    }
}

#[test]
fn a_reader_who_has_enough_ends_it_quietly() {
    for args in [
        &["completions", "bash"][..],
        &["states"],
        &["man"],
        &["lab", "list"],
    ] {
        let mut child = command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start estab");
        drop(child.stdout.take());
        let mut errors = String::new();
        child
            .stderr
            .take()
            .expect("a pipe")
            .read_to_string(&mut errors)
            .expect("text");
        let status = child.wait().expect("an end");
        assert!(
            status.success() && errors.is_empty(),
            "{args:?}: {status} {errors}"
        );
    }
}
