//! `estab drill --record`: what it writes passes.

mod support;

use pcap_file::DataLink;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::pcapng::{Block, PcapNgReader};
use std::fs::{self, File};
use std::path::Path;
use support::{Ran, estab};

/// What no script can say of scenarios, and words of the reason.
const UNSAYABLE: [(&str, &str); 4] = [
    ("half-open", "started anew"),
    ("self-connect", "speaks to itself"),
    ("intercept", "time limit"),
    ("connect-timeout", "time limit"),
];

fn record(source: &str, args: &[&str]) -> Ran {
    estab(&[&["drill", "--record", source], args].concat())
}

/// The script passes, with no tolerance of time.
fn passes(folder: &Path, name: &str, script: &str) {
    let path = folder.join(format!("{name}.pkt"));
    fs::write(&path, script).expect("write");
    estab(&["drill", "--exact", path.to_str().expect("text")]).ok();
}

#[test]
fn every_scenario_of_the_lab_gives_a_script_or_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    for scenario in estab_sim::lab::scenarios() {
        let ran = record(&format!("lab:{}", scenario.name), &[]);
        match UNSAYABLE.iter().find(|(name, _)| *name == scenario.name) {
            Some((name, reason)) => {
                assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{name}");
                assert!(ran.err.contains(reason), "{name}: {}", ran.err);
            }
            None => passes(folder.path(), scenario.name, &ran.ok().out),
        }
    }
}

#[test]
fn a_script_says_where_it_comes_from_and_what_was_set() {
    let script = record("lab:close", &[]).ok().out;
    for part in [
        "// Recorded from the lab's close, host a",
        "sysctl -q net.ipv4.tcp_rmem=",
        "connect(3, ..., ...) = -1 EINPROGRESS",
        "> S 0:0(0) win",
        "close(3) = 0",
    ] {
        assert!(script.contains(part), "{part}:\n{script}");
    }
}

#[test]
fn simulations_give_scripts_by_their_seeds() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut scripts = 0;
    for seed in 0..12 {
        let ran = record(&format!("seed:{seed}"), &[]);
        if ran.code == Some(0) {
            passes(folder.path(), &seed.to_string(), &ran.out);
            scripts += 1;
        } else {
            // What a program tried in vain is not in the records, so some cannot be told again.
            let reasons = ["Ethernet", "started anew", "does not pass"];
            let said = reasons.iter().any(|reason| ran.err.contains(reason));
            assert!(said, "{seed}: {}", ran.err);
        }
    }
    assert!(scripts >= 8, "{scripts}");
}

#[test]
fn captures_of_clean_connections_give_scripts() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "handshake",
        "close",
        "half-close",
        "piggyback-close",
        "simultaneous-open",
        "simultaneous-close",
        "refused",
        "abort",
        "mss",
        "ipv6",
        "delayed-ack",
        "nagle",
        "linger-off",
        "fin-wait-2",
    ] {
        let capture = folder.path().join(format!("{name}.pcapng"));
        let capture = capture.to_str().expect("text");
        estab(&["lab", "run", name, "--quiet", "--pcapng", capture]).ok();
        let script = record(capture, &[]).ok().out;
        passes(folder.path(), name, &script);
        // The other end saw the same, half a round trip earlier or later.
        let b = if name == "ipv6" {
            "fd00::2"
        } else {
            "10.0.0.2"
        };
        let ran = record(capture, &["--local", b]);
        assert!(
            ran.code == Some(0) || ran.err.contains("does not pass"),
            "{name}: {}",
            ran.err
        );
    }
}

#[test]
fn what_is_no_source_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let junk = folder.path().join("junk.pcap");
    fs::write(&junk, "no capture").expect("write");
    let junk = junk.to_str().expect("text");
    for (source, code, part) in [
        ("lab:nothing", 2, "there is no scenario"),
        ("seed:x", 2, "expected a number"),
        ("/nowhere.pcapng", 2, "cannot read"),
        (junk, 1, "cannot read"),
    ] {
        let ran = record(source, &[]);
        assert_eq!(ran.code, Some(code), "{source}: {}", ran.err);
        assert!(ran.err.contains(part), "{source}: {}", ran.err);
    }
    let capture = folder.path().join("x.pcapng");
    let capture = capture.to_str().expect("text");
    estab(&["lab", "run", "backlog-full", "--quiet", "--pcapng", capture]).ok();
    let ran = record(capture, &[]);
    assert!(ran.err.contains("3 connections"), "{}", ran.err);
    estab(&["lab", "run", "close", "--quiet", "--pcapng", capture]).ok();
    let ran = record(capture, &["--local", "10.9.9.9"]);
    assert!(ran.err.contains("no end at 10.9.9.9"), "{}", ran.err);
}

/// The same packets as tcpdump would have written them: pcap, microseconds, Ethernet.
fn as_pcap(capture: &Path, to: &Path) {
    let mut reader = PcapNgReader::new(File::open(capture).expect("a capture")).expect("pcapng");
    let header = PcapHeader {
        datalink: DataLink::ETHERNET,
        ..PcapHeader::default()
    };
    let file = File::create(to).expect("a file");
    let mut writer = PcapWriter::with_header(file, header).expect("pcap");
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.expect("a block") {
            let mut frame = vec![2; 12];
            frame.extend([0x08, 0x00]);
            frame.extend_from_slice(&packet.data);
            // Short frames are padded.
            frame.resize(frame.len().max(60), 0);
            let len = u32::try_from(frame.len()).expect("a length");
            let packet = PcapPacket::new(packet.timestamp, len, &frame);
            writer.write_packet(&packet).expect("write");
        }
    }
}

#[test]
fn a_pcap_file_of_ethernet_frames_gives_the_same_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let (capture, pcap) = (folder.path().join("x"), folder.path().join("y"));
    let path = |path: &Path| path.to_str().expect("text").to_owned();
    estab(&[
        "lab",
        "run",
        "close",
        "--quiet",
        "--pcapng",
        &path(&capture),
    ])
    .ok();
    as_pcap(&capture, &pcap);
    let script = |of: &Path| {
        let script = record(&path(of), &[]).ok().out;
        // Without its first line, which names the file.
        script
            .lines()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(script(&capture), script(&pcap));
}
