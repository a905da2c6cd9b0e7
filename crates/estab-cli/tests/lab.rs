//! `estab lab` and `estab demo`, in virtual time.

mod support;

use estab_sim::lab;
use serde_json::Value;
use std::fs;
use support::{Ran, command, estab, ran};

/// The events that `--json` prints.
fn events(name: &str) -> Vec<Value> {
    let out = estab(&["lab", "run", name, "--json"]).ok().out;
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    out.lines().map(parse).collect()
}

fn sent(events: &[Value]) -> impl Iterator<Item = &Value> {
    events.iter().filter(|event| event["event"] == "send")
}

fn states(events: &[Value], host: &str) -> Vec<String> {
    let of_host = events
        .iter()
        .filter(|event| event["event"] == "state" && event["host"] == host);
    of_host
        .map(|event| event["to"].as_str().expect("text").to_owned())
        .collect()
}

fn follow_each_other(states: &[String], wanted: &[&str]) -> bool {
    states.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn every_scenario_is_listed_and_holds() {
    let list = estab(&["lab", "list"]).ok().out;
    for scenario in lab::scenarios() {
        assert!(
            list.contains(&format!("{} ", scenario.name)),
            "{}",
            scenario.name
        );
    }
    let ran = estab(&["lab", "run", "all", "--quiet"]).ok();
    let count = lab::scenarios().len();
    assert!(
        ran.out
            .ends_with(&format!("{count} scenarios: all expectations held\n")),
        "{}",
        ran.out
    );
    assert_eq!(ran.out.lines().count(), count + 1, "{}", ran.out);
}

#[test]
fn a_run_shows_the_ladder_what_it_is_about_and_what_was_expected() {
    let out = estab(&["lab", "run", "handshake"]).ok().out;
    for part in [
        "== handshake: ",
        "SYN-RECEIVED",
        "|-- S 0 win ",
        "RFC 9293",
        "  held    ",
    ] {
        assert!(out.contains(part), "{part}:\n{out}");
    }
    assert!(!out.contains("scenarios:"), "{out}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed: &str| {
        estab(&["lab", "run", "close", "--json", "--seed", seed])
            .ok()
            .out
    };
    assert_eq!(run("5"), run("5"));
    assert_ne!(run("5"), run("6"), "options have timestamps that differ");
}

#[test]
fn every_line_of_json_has_what_is_promised() {
    let known = ["send", "recv", "state", "drop", "timer", "call", "error"];
    for name in [
        "close",
        "refused",
        "udp-unreachable",
        "challenge-ack",
        "keepalive-half-open",
    ] {
        for event in events(name) {
            assert!(event["t"].is_number(), "{event}");
            assert!(event["host"] == "a" || event["host"] == "b", "{event}");
            let kind = event["event"].as_str().unwrap_or_default();
            let fields: &[&str] = match kind {
                "send" | "recv" if event["proto"] == "tcp" => {
                    &["flags", "seq", "win", "len", "options"]
                }
                "state" => &["from", "to", "cause"],
                "drop" => &["reason"],
                _ => &[],
            };
            assert!(known.contains(&kind) || kind == "environment", "{event}");
            assert!(
                fields.iter().all(|field| !event[field].is_null()),
                "{event}"
            );
        }
    }
}

#[test]
fn several_scenarios_are_told_apart() {
    let out = estab(&["lab", "run", "refused", "abort", "--json"])
        .ok()
        .out;
    let names = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        event["scenario"].as_str().expect("a name").to_owned()
    };
    let mut names: Vec<String> = out.lines().map(names).collect();
    names.dedup();
    assert_eq!(names, ["refused", "abort"]);
}

#[test]
fn syns_of_a_connect_that_times_out_are_1_2_4_8_and_16_seconds_apart() {
    let events = events("connect-timeout");
    let times: Vec<f64> = sent(&events)
        .map(|event| event["t"].as_f64().expect("a time"))
        .collect();
    let gaps: Vec<f64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(gaps, [1.0, 2.0, 4.0, 8.0, 16.0]);
}

#[test]
fn a_simultaneous_open_is_four_segments_and_one_connection() {
    let events = events("simultaneous-open");
    let flags: Vec<_> = sent(&events)
        .map(|event| event["flags"].clone())
        .take(4)
        .collect();
    assert_eq!(flags, ["S", "S", "S.", "S."]);
    for host in ["a", "b"] {
        assert_eq!(
            states(&events, host)[..3],
            ["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"]
        );
    }
}

#[test]
fn a_simultaneous_close_passes_closing_on_both_sides() {
    let events = events("simultaneous-close");
    for host in ["a", "b"] {
        let states = states(&events, host);
        let wanted = ["FIN-WAIT-1", "CLOSING", "TIME-WAIT"];
        assert!(follow_each_other(&states, &wanted), "{host}: {states:?}");
    }
}

#[test]
fn linger_zero_shows_a_reset_and_no_time_wait() {
    let events = events("linger-zero");
    assert!(sent(&events).any(|event| event["flags"].as_str().is_some_and(|f| f.contains('R'))));
    assert!(!events.iter().any(|event| event["to"] == "TIME-WAIT"));
}

/// The demo in a folder of its own.
fn demo(folder: &std::path::Path, args: &[&str]) -> Ran {
    ran(command(&[&["demo"], args].concat())
        .current_dir(folder)
        .output()
        .expect("start estab"))
}

#[test]
fn the_demo_shows_both_ends_writes_a_capture_and_says_what_is_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = demo(folder.path(), &[]).ok();
    for part in [
        "FIN-WAIT-2",
        "CLOSE-WAIT",
        "TIME-WAIT",
        "estab-demo.pcapng: written;",
        "Try next:",
    ] {
        assert!(ran.out.contains(part), "{part}:\n{}", ran.out);
    }
    assert!(!ran.out.contains("FAILED"), "{}", ran.out);
    let capture = fs::read(folder.path().join("estab-demo.pcapng")).expect("a capture");
    let has = |text: &str| {
        capture
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(has("FIN-WAIT-1 -> FIN-WAIT-2"));
    let again = demo(folder.path(), &[]).ok();
    assert!(
        again
            .out
            .contains("written, in place of an older one of estab's"),
        "{}",
        again.out
    );
    assert_eq!(
        fs::read(folder.path().join("estab-demo.pcapng")).expect("a capture"),
        capture
    );
}

#[test]
fn the_demo_leaves_the_files_of_others_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("estab-demo.pcapng"), "mine").expect("write");
    let ran = demo(folder.path(), &[]).ok();
    assert!(
        ran.out.contains("estab-demo-2.pcapng: written;"),
        "{}",
        ran.out
    );
    assert_eq!(
        fs::read(folder.path().join("estab-demo.pcapng")).expect("read"),
        b"mine"
    );
    demo(folder.path(), &["--pcapng", "named.pcapng"]).ok();
    assert!(folder.path().join("named.pcapng").exists());
    let nothing = tempfile::tempdir().expect("a folder");
    demo(nothing.path(), &["--no-pcapng"]).ok();
    assert_eq!(fs::read_dir(nothing.path()).expect("a folder").count(), 0);
}

#[test]
fn a_scenario_can_be_captured() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.pcapng");
    estab(&[
        "lab",
        "run",
        "abort",
        "--quiet",
        "--pcapng",
        path.to_str().expect("text"),
    ])
    .ok();
    assert!(
        fs::read(path)
            .expect("a capture")
            .starts_with(&[0x0a, 0x0d, 0x0d, 0x0a])
    );
}
