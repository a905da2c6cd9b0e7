//! Golden text and JSON lines.

mod support;

use estab_tcp::event::DropReason;
use estab_tcp::{Event, Interest};
use estab_trace::{Collector, Json, Tee, Text};
use support::Play;

fn everything() -> Play {
    let play = Play::new();
    play.handshake();
    play.loss();
    play.super_segment();
    play.close();
    play.crash();
    play.datagrams();
    play
}

#[test]
fn text() {
    insta::assert_snapshot!(Text::print(&everything().collector.records()));
}

#[test]
fn json() {
    insta::assert_snapshot!(Json::print(&everything().collector.records()));
}

#[test]
fn every_json_line_is_an_object_with_time_host_and_event() {
    const EVENTS: [&str; 7] = ["send", "recv", "state", "drop", "timer", "call", "error"];
    let lines = Json::print(&everything().collector.records());
    assert!(lines.lines().count() > 50);
    for line in lines.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["t"].is_number(), "{line}");
        assert!(
            ["a", "b"].contains(&object["host"].as_str().unwrap()),
            "{line}"
        );
        assert!(
            EVENTS.contains(&object["event"].as_str().unwrap()),
            "{line}"
        );
    }
}

#[test]
fn late_segments_of_an_older_incarnation_keep_their_numbers() {
    let play = Play::new();
    play.handshake();
    let late = play.segment("a", estab_tcp::Flags::ACK, 7, 1);
    let mut again = play.segment("a", estab_tcp::Flags::SYN, 0, 0);
    again.seq += 1_000_000;
    play.out(5000, "a", &again, 0, estab_tcp::State::SynSent);
    play.out(5001, "a", &late, 0, estab_tcp::State::SynSent);
    let text = Text::print(&play.collector.records());
    let last = text.lines().last().unwrap();
    assert!(last.contains("seq 7, ack 1"), "{last}");
}

#[test]
fn collector_keeps_at_most_its_limit_and_counts_the_rest() {
    let play = Play {
        collector: Collector::with(Interest::STATE, 3),
        port: 1,
    };
    play.handshake();
    assert_eq!(play.collector.records().len(), 3);
    assert!(play.collector.lost() > 0);
}

#[test]
fn tee_gives_each_sink_what_it_is_interested_in() {
    let states = Collector::with(Interest::STATE, 100);
    let drops = Collector::with(Interest::DROP, 100);
    let mut tee = Tee::new().with(states.sink("a")).with(drops.sink("a"));
    use estab_stack::{HostEvent, HostSink};
    assert!(
        tee.interest()
            .contains(Interest::STATE.with(Interest::DROP))
    );
    assert!(!tee.interest().contains(Interest::SEGMENT));
    let play = Play::new();
    let header = play.segment("a", estab_tcp::Flags::ACK, 1, 1);
    let event = Event::Drop {
        reason: DropReason::Paws,
        header: &header,
        len: 0,
    };
    let connection = play.tuple("a");
    tee.event(Play::at(0), &HostEvent::Tcp { connection, event });
    assert_eq!((states.records().len(), drops.records().len()), (0, 1));
}
