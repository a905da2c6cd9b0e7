//! Scripts from captures: the packets of a script that was played give a script that passes.

use estab_packetdrill::record::{Captured, from_capture, verified};
use estab_packetdrill::{Report, RunOptions, parse, run};
use std::net::IpAddr;
use std::time::Duration;

fn played(text: &str) -> Report {
    let script = parse("test", text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run("test", text, &script, &RunOptions::default(), &mut |_| {});
    assert!(report.passed(), "{:?}", report.verdict);
    report
}

/// As tcpdump would have it: on a clock of its own, without directions.
fn captured(report: &Report) -> Vec<Captured> {
    let packet = |packet: &estab_packetdrill::report::CapturedPacket| Captured {
        time: Duration::from_secs(1_700_000_000) + packet.time,
        data: packet.data.to_vec(),
        outbound: None,
    };
    report.packets.iter().map(packet).collect()
}

fn with_directions(report: &Report) -> Vec<Captured> {
    let mut packets = captured(report);
    for (captured, packet) in packets.iter_mut().zip(&report.packets) {
        captured.outbound = Some(packet.outbound);
    }
    packets
}

/// The script that is made of it, which has passed.
fn made(packets: &[Captured], local: Option<IpAddr>) -> String {
    let scripts = from_capture(packets, local).expect("scripts");
    verified("Made by a test.", &scripts).unwrap_or_else(|error| panic!("{error}"))
}

const ACTIVE: &str = "\
0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK,nop,nop>
+0 > . 1:1(0) ack 1
+.1 write(3, ..., 2500) = 2500
+0 > P. 1:2501(2500) ack 1
+.1 < P. 1:11(10) ack 2501 win 65535
+0 > . 2501:2501(0) ack 11
+0 read(3, ..., 100) = 10
+.1 close(3) = 0
+0 > F. 2501:2501(0) ack 11
+.1 < F. 11:11(0) ack 2502 win 65535
+0 > . 2502:2502(0) ack 12
";

const PASSIVE: &str = "\
--bind_port=80
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+.1 < S 0:0(0) win 1000 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 100
+0 accept(3, ..., ...) = 4
+.1 < P. 101:201(100) ack 1 win 100
+0 > . 1:1(0) ack 1 <...>
+.1 < P. 1:101(100) ack 1 win 100
+0 > . 1:1(0) ack 201
+0 read(4, ..., 1000) = 200
+.1 < F. 201:201(0) ack 1 win 100
* > . 1:1(0) ack 202
+.1 write(4, ..., 10) = 10
+0 > P. 1:11(10) ack 202
+.1 < . 202:202(0) ack 11 win 100
+.1 close(4) = 0
+0 > F. 11:11(0) ack 202
+.1 < . 202:202(0) ack 12 win 100
";

#[test]
fn the_end_that_connects_is_taken_where_a_capture_does_not_tell() {
    let script = made(&captured(&played(ACTIVE)), None);
    for part in [
        "// Made by a test.\n",
        "connect(3, ..., ...) = -1 EINPROGRESS",
        "write(3, ..., 2500) = 2500",
        "read(3, ..., 10) = 10",
        "> F. 2501:2501(0) ack 11",
    ] {
        assert!(script.contains(part), "{part}:\n{script}");
    }
}

#[test]
fn the_end_that_listens_is_taken_when_it_captured_or_is_named() {
    let report = played(PASSIVE);
    let local = IpAddr::from([192, 168, 0, 2]);
    for script in [
        made(&with_directions(&report), None),
        made(&captured(&report), Some(local)),
    ] {
        for part in [
            "--bind_port=80\n",
            "accept(3, ..., ...) = 4",
            "sack 101:201",
            "write(4, ..., 10) = 10",
        ] {
            assert!(script.contains(part), "{part}:\n{script}");
        }
    }
}

#[test]
fn an_offloading_device_s_checksums_and_super_segments_do_not_matter() {
    let mut packets = captured(&played(ACTIVE));
    for packet in &mut packets {
        // The checksum of a segment behind an IPv4 header without options.
        packet.data[36..38].fill(0xee);
    }
    made(&packets, None);
}

#[test]
fn a_refusal_needs_no_socket() {
    let report = played(
        "0 < S 0:0(0) win 1000 <mss 1000>\n\
         +0 > R. 0:0(0) ack 1\n",
    );
    let script = made(&with_directions(&report), None);
    assert!(!script.contains("socket("), "{script}");
}

#[test]
fn what_is_not_one_connection_from_its_beginning_is_told() {
    let packets = captured(&played(ACTIVE));
    let reason = |packets: &[Captured], local| {
        let error = from_capture(packets, local).expect_err("no script");
        error.to_string()
    };
    assert!(reason(&[], None).contains("0 connections"));
    assert!(reason(&packets[3..], None).contains("no SYN"));
    let two = [packets.clone(), captured(&played(PASSIVE))].concat();
    assert!(reason(&two, None).contains("2 connections"));
    let stranger = IpAddr::from([10, 9, 8, 7]);
    assert!(reason(&packets, Some(stranger)).contains("no end at 10.9.8.7"));
}

#[test]
fn a_capture_that_estab_would_not_have_made_is_told_with_what_differs() {
    let mut packets = captured(&played(ACTIVE));
    // The answer to the SYN-ACK comes a second late.
    for packet in &mut packets[2..] {
        packet.time += Duration::from_secs(1);
    }
    let scripts = from_capture(&packets, None).expect("scripts");
    let error = verified("Late.", &scripts).expect_err("estab answers at once");
    assert!(error.to_string().contains("too early"), "{error}");
}

#[test]
fn junk_gives_no_script_and_no_panic() {
    let packets = captured(&played(ACTIVE));
    for cut in 0..packets[0].data.len() {
        let mut short = packets.clone();
        for packet in &mut short {
            packet.data.truncate(cut);
        }
        assert!(from_capture(&short, None).is_err(), "{cut}");
    }
    for (index, at) in (0..packets.len()).flat_map(|index| (0..40).map(move |at| (index, at))) {
        let mut broken = packets.clone();
        if let Some(byte) = broken[index].data.get_mut(at) {
            *byte ^= 0xff;
        }
        // Whatever it is then.
        let _ = from_capture(&broken, None);
    }
}
