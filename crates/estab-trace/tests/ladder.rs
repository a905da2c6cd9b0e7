//! Golden ladders.

mod support;

use estab_trace::{LiveLadder, Record, ladder};
use std::io::Write;
use std::sync::{Arc, Mutex};
use support::Play;

fn draw(tell: impl FnOnce(&Play)) -> String {
    let play = Play::new();
    tell(&play);
    ladder(&play.collector.records(), "a", "b")
}

#[test]
fn handshake() {
    insta::assert_snapshot!(draw(Play::handshake));
}

#[test]
fn loss_retransmission_and_duplicate() {
    insta::assert_snapshot!(draw(|play| {
        play.handshake();
        play.loss();
    }));
}

#[test]
fn super_segment_is_cut() {
    insta::assert_snapshot!(draw(|play| {
        play.handshake();
        play.super_segment();
    }));
}

#[test]
fn crossing_segments_and_two_states_at_once() {
    insta::assert_snapshot!(draw(|play| {
        play.handshake();
        play.close();
    }));
}

#[test]
fn reboot_forgets_states() {
    insta::assert_snapshot!(draw(|play| {
        play.handshake();
        play.crash();
    }));
}

#[test]
fn datagrams() {
    insta::assert_snapshot!(draw(Play::datagrams));
}

#[test]
fn two_connections_are_numbered() {
    insta::assert_snapshot!(draw(|play| {
        play.handshake();
        let other = Play {
            port: 49153,
            collector: play.collector.clone(),
        };
        other.handshake();
    }));
}

#[test]
fn nothing_is_wider_than_110_columns() {
    let all = draw(|play| {
        play.handshake();
        play.loss();
        play.super_segment();
        play.close();
        play.crash();
        play.datagrams();
    });
    let widest = all.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(110), "{widest:?}");
}

/// Somebody who reads what was printed, and may go away.
#[derive(Clone, Default)]
struct Reader {
    text: Arc<Mutex<String>>,
    gone: bool,
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.gone {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.text
            .lock()
            .unwrap()
            .push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn of(host: &str, play: &Play) -> Vec<Record> {
    let mut records = play.collector.records();
    records.retain(|record| &*record.host == host);
    records
}

#[test]
fn live_ladder_of_one_host() {
    let play = Play::new();
    play.handshake();
    play.loss();
    play.crash();
    let reader = Reader::default();
    let mut live = LiveLadder::new("a", reader.clone());
    for record in of("a", &play) {
        live.record(&record);
    }
    insta::assert_snapshot!(*reader.text.lock().unwrap());
}

#[test]
fn live_ladder_loses_interest_when_nobody_reads() {
    use estab_stack::HostSink;
    let play = Play::new();
    play.handshake();
    let gone = Reader {
        gone: true,
        ..Reader::default()
    };
    let mut live = LiveLadder::new("a", gone);
    assert_ne!(live.interest(), estab_tcp::Interest::NONE);
    live.record(&of("a", &play)[0]);
    assert_eq!(live.interest(), estab_tcp::Interest::NONE);
}
