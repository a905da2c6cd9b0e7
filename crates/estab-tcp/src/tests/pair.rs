//! Two connections and a bad network between them, in virtual time: whatever it loses, doubles, delays and cuts, every byte
//! arrives, in order and once, and both ends close. A failing seed is printed, and is the bug report.

use crate::{
    Connection, Cx, FourTuple, Instant, Opening, ReceiveError, Rng, SegmentIn, SegmentOut,
    SendError, Settings, Shutdown, SocketOptions, State,
};
use core::time::Duration;
use estab_wire::tcp::{Flags, SeqNum};
use std::collections::BTreeMap;
use std::vec::Vec;

struct End {
    connection: Connection,
    to_send: usize,
    sent: usize,
    received: usize,
    closed: bool,
    end_of_stream: bool,
}

struct Pair {
    ends: [End; 2],
    settings: Settings,
    now: Instant,
    /// By time of arrival, then by order of sending.
    network: BTreeMap<(Instant, u64), (usize, SegmentIn)>,
    count: u64,
    rng: Rng,
    loss: f64,
    jitter_us: u32,
    max_segments: u16,
}

/// What stands at a place of a stream.
fn pattern(end: usize, at: usize) -> u8 {
    (at.wrapping_mul(31) ^ (at >> 8) ^ (end * 97)) as u8
}

fn new_pair(seed: u64) -> Pair {
    let mut rng = Rng::new(seed);
    let flip = |rng: &mut Rng| rng.below(2) == 1;
    let settings = Settings {
        tcp_timestamps: flip(&mut rng),
        tcp_sack: flip(&mut rng),
        tcp_window_scaling: flip(&mut rng),
        tcp_orphan_retries: 15,
        ..Settings::default()
    };
    let now = Instant::from_nanos(1_000_000_000);
    let addresses = [
        "192.0.2.1:1000".parse().unwrap(),
        "192.0.2.2:2000".parse().unwrap(),
    ];
    let ends = core::array::from_fn(|end| {
        let mut cx = Cx {
            now,
            settings: &settings,
            sink: None,
        };
        let tuple = FourTuple {
            local: addresses[end],
            remote: addresses[1 - end],
        };
        let opening = Opening {
            iss: SeqNum(rng.next_u32()),
            timestamp_offset: rng.next_u32(),
            mss: [1460, 536, 100][rng.below(3) as usize],
        };
        let options = SocketOptions {
            nodelay: flip(&mut rng),
            receive_buffer: [None, Some(1000), Some(20_000)][rng.below(3) as usize],
            send_buffer: [None, Some(3000)][rng.below(2) as usize],
            ..SocketOptions::default()
        };
        let connection = Connection::connect(&mut cx, tuple, opening, options, None);
        End {
            connection,
            to_send: rng.below(40_000) as usize,
            sent: 0,
            received: 0,
            closed: false,
            end_of_stream: false,
        }
    });
    let loss = [0.0, 0.02, 0.1, 0.3][rng.below(4) as usize];
    let jitter_us = [0, 100, 50_000][rng.below(3) as usize];
    let max_segments = [1, 4, 44][rng.below(3) as usize];
    Pair {
        ends,
        settings,
        now,
        network: BTreeMap::new(),
        count: 0,
        rng,
        loss,
        jitter_us,
        max_segments,
    }
}

impl Pair {
    fn with<R>(&mut self, end: usize, f: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R) -> R {
        let mut cx = Cx {
            now: self.now,
            settings: &self.settings,
            sink: None,
        };
        f(&mut self.ends[end].connection, &mut cx)
    }

    /// Cuts super-segments into wire segments and lets the network do its worst with each.
    fn send(&mut self, from: usize, segment: &SegmentOut) {
        let size = usize::from(segment.segment_size.max(1));
        let len = segment.payload.len();
        let mut at = 0;
        loop {
            let end = (at + size).min(len);
            let mut header = segment.header.clone();
            header.seq += at as u32;
            if end < len {
                header.flags = header.flags.without(Flags::FIN | Flags::PSH);
            }
            let payload: Vec<u8> = segment.payload.slice(at, end).pieces().concat();
            let wire = SegmentIn {
                header,
                ip: segment.ip,
                payload: payload.into(),
                segments: 1,
                segment_size: 0,
            };
            self.put(1 - from, wire);
            at = end;
            if at >= len {
                return;
            }
        }
    }

    fn put(&mut self, to: usize, segment: SegmentIn) {
        let copies = if self.rng.chance(self.loss) {
            0
        } else {
            1 + usize::from(self.rng.chance(self.loss / 2.0))
        };
        for _ in 0..copies {
            let delay =
                Duration::from_micros(10_000 + u64::from(self.rng.below(self.jitter_us + 1)));
            self.count += 1;
            self.network
                .insert((self.now + delay, self.count), (to, segment.clone()));
        }
    }

    fn transmit(&mut self) {
        for end in 0..2 {
            let max_segments = self.max_segments;
            let mut polled = 0;
            while let Some(segment) = self.with(end, |connection, cx| {
                connection.poll_transmit(cx, max_segments)
            }) {
                self.send(end, &segment);
                polled += 1;
                assert!(polled < 100_000, "poll_transmit must come to an end");
            }
        }
    }

    /// The applications do some of what they can.
    fn applications(&mut self) {
        for end in 0..2 {
            self.write(end);
            self.read(end);
            let this = &self.ends[end];
            if this.sent == this.to_send && !this.closed {
                self.ends[end].closed = true;
                self.with(end, |connection, cx| {
                    connection.shutdown(cx, Shutdown::Write)
                });
            }
        }
    }

    fn write(&mut self, end: usize) {
        let at = self.ends[end].sent;
        let wanted = (1 + self.rng.below(20_000) as usize).min(self.ends[end].to_send - at);
        let data: Vec<u8> = (at..at + wanted).map(|at| pattern(end, at)).collect();
        match self.with(end, |connection, cx| connection.send(cx, &data, false)) {
            Ok(sent) => self.ends[end].sent += sent,
            Err(SendError::WouldBlock) => {}
            Err(SendError::Closed) => assert!(self.ends[end].closed),
            Err(SendError::Failed(error)) => panic!(
                "{end} {error} {:?} loss {}",
                self.ends.each_ref().map(|end| (
                    end.sent,
                    end.to_send,
                    end.received,
                    end.connection.info(&self.settings)
                )),
                self.loss
            ),
        }
    }

    fn read(&mut self, end: usize) {
        let mut buffer = std::vec![0; 1 + self.rng.below(30_000) as usize];
        match self.with(end, |connection, cx| connection.receive(cx, &mut buffer)) {
            Ok(0) => self.ends[end].end_of_stream = true,
            Ok(n) => {
                let at = self.ends[end].received;
                let expected: Vec<u8> = (at..at + n).map(|at| pattern(1 - end, at)).collect();
                assert!(buffer[..n] == expected, "bytes {at}..{} differ", at + n);
                self.ends[end].received += n;
            }
            Err(ReceiveError::WouldBlock) => {}
            Err(error) => panic!(
                "{end} {:?} {error:?} {:?}",
                self.now,
                self.ends.each_ref().map(|end| (
                    end.sent,
                    end.to_send,
                    end.received,
                    end.connection.state(),
                    end.connection.info(&self.settings)
                ))
            ),
        }
    }

    fn next_moment(&self) -> Option<Instant> {
        let arrival = self.network.first_key_value().map(|((at, _), _)| *at);
        let timers = self
            .ends
            .iter()
            .filter_map(|end| end.connection.poll_timeout());
        timers.chain(arrival).min()
    }

    fn advance(&mut self) {
        // Applications may be late.
        let at = self.next_moment().unwrap_or(self.now)
            + Duration::from_micros(u64::from(self.rng.below(2000)));
        self.now = self.now.max(at);
        while let Some(entry) = self
            .network
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            let (to, segment) = entry.remove();
            self.with(to, |connection, cx| connection.handle_segment(cx, segment));
            self.transmit();
        }
        for end in 0..2 {
            self.with(end, |connection, cx| connection.handle_timeout(cx));
        }
    }

    fn is_over(&self) -> bool {
        self.ends.iter().all(|end| {
            end.end_of_stream && matches!(end.connection.state(), State::TimeWait | State::Closed)
        })
    }

    fn run(&mut self) {
        let deadline = self.now + Duration::from_secs(24 * 3600);
        self.transmit();
        for _ in 0..2_000_000 {
            self.applications();
            self.transmit();
            if self.is_over() || self.now > deadline {
                break;
            }
            self.advance();
            self.transmit();
        }
        // The last ACK may be lost, and one end in TIME-WAIT cannot tell here that the other got it: that is the record's work.
        for end in 0..2 {
            assert_eq!(
                self.ends[end].received,
                self.ends[1 - end].to_send,
                "all that was sent arrives"
            );
            assert!(self.ends[end].end_of_stream);
        }
        assert!(
            self.is_over(),
            "{:?}",
            self.ends.each_ref().map(|end| end.connection.state())
        );
    }
}

#[test]
fn every_byte_arrives_whatever_the_network_does() {
    let seeds = match std::env::var("ESTAB_SEED") {
        Ok(seeds) => match seeds.split_once("..") {
            Some((first, end)) => (first.parse().unwrap()..end.parse().unwrap()).collect(),
            None => std::vec![seeds.parse().unwrap()],
        },
        Err(_) => (0..80).collect::<Vec<u64>>(),
    };
    for seed in seeds {
        let result = std::panic::catch_unwind(|| new_pair(seed).run());
        assert!(
            result.is_ok(),
            "replay: ESTAB_SEED={seed} cargo test -p estab-tcp every_byte"
        );
    }
}
