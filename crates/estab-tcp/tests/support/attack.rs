//! Two connections, and everything between them that a network, a forger and two applications can do: they do not panic, come
//! to rest after every step, hold no more than they may, and end.
#![allow(missing_docs, unreachable_pub, dead_code)]

use super::choices::Choices;
use bytes::Bytes;
use core::time::Duration;
use estab_tcp::{
    Connection, Cx, Flags, FourTuple, IcmpError, IcmpErrorKind, Instant, Opening, SegmentIn,
    SegmentOut, SeqNum, Settings, Shutdown, SocketOptions, State,
};
use estab_wire::tcp::{Options, Timestamps, UnscaledWindow};

/// No answer to one step is longer.
const SEGMENTS_MAX: usize = 20_000;
/// Segments on their way at once.
const FLIGHT_MAX: usize = 64;

pub struct World<'a> {
    choices: Choices<'a>,
    settings: Settings,
    now: Instant,
    ends: [Connection; 2],
    /// Segments on their way, with the receiver.
    flight: Vec<(usize, SegmentIn)>,
    /// The last segment that each received.
    last: [Option<SegmentIn>; 2],
}

/// The check: `cargo test` runs it on seeds, a fuzz target on bytes.
pub fn check(choices: Choices<'_>) {
    let mut world = World::new(choices);
    world.settle();
    while world.choices.go_on() {
        world.step();
        world.settle();
        world.check_limits();
    }
    world.end();
}

impl<'a> World<'a> {
    fn new(mut choices: Choices<'a>) -> Self {
        let settings = Settings {
            tcp_timestamps: !choices.once_in(3),
            tcp_sack: !choices.once_in(3),
            tcp_window_scaling: !choices.once_in(3),
            tcp_rmem: choices.of(&[(128 << 10, 64 << 20), (1, 1), (3000, 10_000)]),
            tcp_wmem: choices.of(&[(64 << 10, 64 << 20), (1, 1), (3000, 10_000)]),
            ..Settings::default()
        };
        let now = Instant::ZERO + Duration::from_secs(1_000_000);
        let addresses = [([192, 0, 2, 1], 1000), ([192, 0, 2, 2], 2000)].map(Into::into);
        let ends = [0, 1].map(|end: usize| {
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
                iss: SeqNum(choices.near(&[0, u32::MAX, 1 << 31])),
                timestamp_offset: choices.near(&[0, 1 << 31]),
                mss: choices.of(&[1460, 1, 0, 536, u16::MAX]),
            };
            Connection::connect(&mut cx, tuple, opening, SocketOptions::default(), None)
        });
        Self {
            choices,
            settings,
            now,
            ends,
            flight: Vec::new(),
            last: [None, None],
        }
    }

    fn with<R>(&mut self, end: usize, f: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R) -> R {
        let mut cx = Cx {
            now: self.now,
            settings: &self.settings,
            sink: None,
        };
        f(&mut self.ends[end], &mut cx)
    }

    fn settle(&mut self) {
        for end in 0..2 {
            let most = self.choices.of(&[1, 2, 44, u16::MAX]);
            let mut count = 0;
            while let Some(segment) = self.with(end, |c, cx| c.poll_transmit(cx, most)) {
                count += 1;
                assert!(count < SEGMENTS_MAX, "poll_transmit comes to an end");
                if self.flight.len() < FLIGHT_MAX {
                    self.flight.push((1 - end, received(&segment)));
                }
            }
            let mut count = 0;
            while self.ends[end].poll_event().is_some() {
                count += 1;
                assert!(count < 100, "poll_event comes to an end");
            }
        }
    }

    fn step(&mut self) {
        let end = self.choices.below(2) as usize;
        match self.choices.below(24) {
            0..8 => self.deliver(),
            8..12 => self.forge(end),
            12 => self.icmp(end),
            13..16 => self.wait(),
            16 => self.set_options(end),
            17..19 => self.send(end),
            19..21 => self.receive(end),
            21 if self.choices.once_in(3) => self.shutdown(end),
            22 if self.choices.once_in(6) => self.close(end),
            _ => {
                self.flight.truncate(20);
            }
        }
    }

    /// One of those on their way arrives; it may arrive again.
    fn deliver(&mut self) {
        if self.flight.is_empty() {
            return;
        }
        let at = match self.choices.below(4) {
            0 => self.choices.below(self.flight.len() as u32) as usize,
            _ => 0,
        };
        let (to, segment) = if self.choices.once_in(8) {
            self.flight[at].clone()
        } else {
            self.flight.remove(at)
        };
        self.last[to] = Some(segment.clone());
        self.with(to, |c, cx| c.handle_segment(cx, segment));
    }

    /// The last segment again, with some of it changed.
    fn forge(&mut self, to: usize) {
        let Some(mut segment) = self.last[to].clone() else {
            return;
        };
        let other = self.last[1 - to].as_ref();
        let acks = [
            segment.header.ack.0,
            other.map_or(0, |segment| segment.header.seq.0.wrapping_add(1)),
        ];
        let seqs = [
            segment.header.seq.0,
            other.map_or(0, |segment| segment.header.ack.0),
            other.map_or(0, |segment| {
                segment
                    .header
                    .ack
                    .0
                    .wrapping_add(segment.header.window.0.into())
            }),
        ];
        for _ in 0..=self.choices.below(3) {
            self.change(&mut segment, &seqs, &acks);
        }
        self.with(to, |c, cx| c.handle_segment(cx, segment));
    }

    fn change(&mut self, segment: &mut SegmentIn, seqs: &[u32], acks: &[u32]) {
        let header = &mut segment.header;
        match self.choices.below(9) {
            0 => header.seq = SeqNum(self.choices.near(seqs)),
            1 => header.ack = SeqNum(self.choices.near(acks)),
            2 => {
                let bits = self.choices.any() as u16;
                // Options and SYN go together.
                let syn = Flags::from_bits(header.flags.bits() & Flags::SYN.bits());
                header.flags = Flags::from_bits(bits).without(Flags::SYN) | syn;
            }
            3 => {
                header.flags = syn_or(
                    self.choices.of(&[
                        Flags::ACK,
                        Flags::RST,
                        Flags::FIN | Flags::ACK,
                        Flags::URG | Flags::ACK,
                    ]),
                    header.flags,
                );
            }
            4 => header.window = UnscaledWindow(self.choices.of(&[0, 1, 2, 1000, u16::MAX])),
            5 => header.urgent = self.choices.of(&[0, 1, 2, 1000, u16::MAX]),
            6 => {
                let len = self.choices.of(&[0, 1, 2, 1460, 9000, 65_000]);
                segment.payload = Bytes::from(vec![5; len]);
            }
            7 => {
                if let Options::Segment(options) = &mut header.options {
                    options.timestamps = (!self.choices.once_in(4)).then(|| Timestamps {
                        value: self
                            .choices
                            .near(&[options.timestamps.map_or(0, |timestamps| timestamps.value)]),
                        echo: self.choices.any(),
                    });
                }
            }
            _ => {
                segment.segments = self.choices.of(&[1, 2, 44, u16::MAX]);
                segment.segment_size = self.choices.of(&[0, 1, 1460, u16::MAX]);
            }
        }
    }

    fn icmp(&mut self, to: usize) {
        use IcmpErrorKind as K;
        let edge = self.last[to]
            .as_ref()
            .map_or(0, |segment| segment.header.ack.0);
        let error = IcmpError {
            seq: SeqNum(self.choices.near(&[edge])),
            kind: self.choices.of(&[
                K::PacketTooBig { mtu: 0 },
                K::PacketTooBig { mtu: 552 },
                K::PacketTooBig { mtu: u32::MAX },
                K::PortUnreachable,
                K::HostUnreachable,
                K::TimeExceeded,
            ]),
            from: [192, 0, 2, 9].into(),
        };
        self.with(to, |c, cx| c.handle_icmp(cx, error));
    }

    fn wait(&mut self) {
        let next = self.ends.iter().filter_map(Connection::poll_timeout).min();
        self.now = match (self.choices.below(4), next) {
            (0 | 1, Some(next)) => self.now.max(next),
            (2, _) => self.now + Duration::from_secs(self.choices.below(10_000).into()),
            _ => self.now + Duration::from_millis(self.choices.below(300).into()),
        };
        for end in 0..2 {
            self.with(end, Connection::handle_timeout);
            let next = self.ends[end].poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "timers move on");
        }
    }

    fn set_options(&mut self, end: usize) {
        let number = self.choices.near(&[0, 1000, u32::MAX]);
        let time = Duration::from_secs(self.choices.of(&[0, 1, 100, 1u32 << 24]).into());
        let on = self.choices.once_in(2);
        let which = self.choices.below(14);
        self.with(end, |c, cx| {
            c.set_options(cx, |options| match which {
                0 => options.nodelay = on,
                1 => options.cork = on,
                2 => options.quickack = on,
                3 => options.keepalive = on,
                4 => options.keepalive_idle = Some(time),
                5 => options.keepalive_interval = Some(time),
                6 => options.user_timeout = on.then_some(time),
                7 => options.linger2 = Some(time),
                8 => options.max_segment = Some(number as u16),
                9 => options.window_clamp = Some(number),
                10 => options.send_buffer = Some(number),
                11 => options.receive_buffer = Some(number),
                12 => options.receive_low_water = number,
                _ => options.oob_inline = on,
            });
        });
    }

    fn send(&mut self, end: usize) {
        let data = vec![6; self.choices.of(&[0, 1, 1000, 100_000])];
        let more = self.choices.once_in(4);
        let urgent = self.choices.once_in(4);
        self.with(end, |c, cx| {
            let _ = if urgent {
                c.send_urgent(cx, &data)
            } else {
                c.send(cx, &data, more)
            };
        });
    }

    fn receive(&mut self, end: usize) {
        let mut buffer = vec![0; self.choices.of(&[0, 1, 1000, 100_000])];
        let how = self.choices.below(5);
        self.with(end, |c, cx| match how {
            0 => drop(c.peek(&mut buffer)),
            1 => drop(c.discard(cx, buffer.len())),
            2 => drop(c.receive_bytes(cx, buffer.len())),
            3 => drop(c.receive_urgent(false)),
            _ => drop(c.receive(cx, &mut buffer)),
        });
    }

    fn shutdown(&mut self, end: usize) {
        let how = self
            .choices
            .of(&[Shutdown::Read, Shutdown::Write, Shutdown::Both]);
        self.with(end, |c, cx| c.shutdown(cx, how));
    }

    fn close(&mut self, end: usize) {
        let linger = self
            .choices
            .of(&[None, Some(Duration::ZERO), Some(Duration::from_secs(3))]);
        let abort = self.choices.once_in(4);
        self.with(end, |c, cx| {
            if abort {
                c.abort(cx);
            } else {
                c.close(cx, linger);
            }
        });
    }

    fn check_limits(&self) {
        for end in &self.ends {
            // One more segment than the buffers hold, and what fills the first hole.
            let info = end.info(&self.settings);
            assert!(
                end.buffered() < 3 * (64 << 20) + (1 << 30),
                "{} bytes {info:?}",
                end.buffered()
            );
        }
    }

    /// Both go; only time passes.
    fn end(mut self) {
        for end in 0..2 {
            self.with(end, |c, cx| {
                // Every millisecond, if it was told so.
                c.set_options(cx, |options| options.keepalive = false);
                c.close(cx, None);
                c.orphan();
            });
            self.settle();
            let mut steps = 0;
            while let Some(next) = self.ends[end].poll_timeout() {
                self.now = self.now.max(next);
                self.with(end, Connection::handle_timeout);
                self.settle();
                steps += 1;
                assert!(steps < 10_000, "everything ends");
            }
            let state = self.ends[end].state();
            assert!(
                matches!(state, State::Closed | State::TimeWait),
                "{state:?} without a timer"
            );
        }
    }
}

fn syn_or(flags: Flags, before: Flags) -> Flags {
    if before.syn() {
        flags | Flags::SYN
    } else {
        flags
    }
}

/// As it arrives.
fn received(segment: &SegmentOut) -> SegmentIn {
    SegmentIn {
        header: segment.header.clone(),
        ip: segment.ip,
        payload: segment.payload.pieces().concat().into(),
        segments: 1,
        segment_size: 0,
    }
}
