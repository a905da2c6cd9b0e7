//! Whatever a peer sends and whatever the application calls, in any order: no panic, no hang, no unbounded memory, and nothing is
//! left when all is closed.

mod support;
use bytes::Bytes;
use estab_stack::*;
use estab_tcp::{Flags, IcmpErrorKind, SeqNum, Shutdown};
use estab_wire::tcp::{Options, SegmentOptions, SynOptions, Timestamps, UnscaledWindow};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use std::time::Duration;
use support::*;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A segment of a stranger, whose numbers are near those that count, or not.
    Segment {
        port: u16,
        to: u16,
        flags: u16,
        seq: i16,
        ack: i16,
        window: u16,
        timestamps: Option<(i8, i8)>,
        len: u16,
    },
    /// The last packet of A's comes again, with one byte changed.
    Mutate {
        at: usize,
        to: u8,
    },
    /// Any bytes.
    Noise(Vec<u8>),
    Call {
        socket: usize,
        call: u8,
        len: u16,
    },
    Decide {
        decision: u8,
    },
    Time(u32),
    Lose(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let timestamps = proptest::option::weighted(0.1, (any::<i8>(), any::<i8>()));
    let number = prop_oneof![8 => Just(0i16), 2 => -2..3i16, 1 => any::<i16>()];
    let flags = prop_oneof![
        6 => proptest::sample::select(vec![0x02u16, 0x10, 0x10, 0x18, 0x18, 0x11, 0x04, 0x14, 0x12, 0x38]),
        1 => any::<u16>(),
    ];
    prop_oneof![
        6 => (0..2u16, proptest::sample::select(vec![0u16, 0, 0, 1, 2]), flags, number.clone(), number, any::<u16>(), timestamps, 0..3000u16)
            .prop_map(|(port, to, flags, seq, ack, window, timestamps, len)| Step::Segment {
                port, to, flags, seq, ack, window, timestamps, len,
            }),
        2 => (any::<usize>(), any::<u8>()).prop_map(|(at, to)| Step::Mutate { at, to }),
        1 => proptest::collection::vec(any::<u8>(), 0..120).prop_map(Step::Noise),
        6 => (any::<usize>(), any::<u8>(), any::<u16>())
            .prop_map(|(socket, call, len)| Step::Call { socket, call, len }),
        1 => any::<u8>().prop_map(|decision| Step::Decide { decision }),
        2 => (0..5_000u32).prop_map(Step::Time),
        1 => any::<bool>().prop_map(Step::Lose),
    ]
}

/// What the world needs to go on.
struct World {
    net: Pair,
    interceptor: SocketId,
    sockets: [Vec<SocketId>; 2],
    /// B's last numbers towards the stranger: its next sequence number, and what it acknowledged.
    numbers: (SeqNum, SeqNum),
}

impl World {
    fn new() -> Self {
        let mut net = pair_both(|s| {
            s.tcp_mem = 500_000;
            s.tcp_max_orphans = 5;
            s.tcp_max_tw_buckets = 5;
            s.tcp_resets_per_sec = 50;
        });
        let interface = net.interfaces[B];
        net.hosts[B].set_any_address(interface, true);
        let interceptor = net.hosts[B].intercept(net.now, 4).unwrap();
        let listeners = vec![net.listen(B, 80, 5), net.listen(B, 81, 0)];
        Self {
            net,
            interceptor,
            sockets: [Vec::new(), listeners],
            numbers: (SeqNum(0), SeqNum(0)),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Segment {
                port,
                to,
                flags,
                seq,
                ack,
                window,
                timestamps,
                len,
            } => {
                let (next, acked) = self.numbers;
                let mut header = header(Flags::from_bits(flags), 0, 0);
                header.seq = acked + i32::from(seq) as u32;
                header.ack = next + i32::from(ack) as u32;
                header.window = UnscaledWindow(window);
                header.urgent = len / 2;
                let timestamps = timestamps.map(|(value, echo)| Timestamps {
                    value: 1_000_000u32.wrapping_add_signed(value.into()),
                    echo: 1_000_000u32.wrapping_add_signed(echo.into()),
                });
                header.options = if header.flags.syn() {
                    Options::Syn(SynOptions {
                        mss: (len % 3 > 0).then_some(len),
                        window_scale: (len % 5 > 0).then_some((len % 20) as u8),
                        sack_permitted: len % 2 == 0,
                        timestamps,
                    })
                } else {
                    Options::Segment(SegmentOptions {
                        timestamps,
                        ..SegmentOptions::default()
                    })
                };
                let from = format!("10.0.0.77:{}", 1000 + port).parse().unwrap();
                let text = vec![7; usize::from(len).min(1400)];
                let segment = packet(from, at(B, 80 + to), &header, &text);
                self.net.inject(B, segment);
            }
            Step::Mutate { at, to } => {
                if let Some((_, packet)) = self.net.seen.iter().rev().find(|(from, _)| *from == A) {
                    let mut packet = packet.to_vec();
                    let at = at % packet.len();
                    packet[at] = to;
                    self.net.inject(B, packet.into());
                }
            }
            Step::Noise(bytes) => self.net.inject(A, bytes.into()),
            Step::Call { socket, call, len } => self.call(socket, call, len),
            Step::Decide { decision } => self.decide(decision),
            Step::Time(millis) => self.net.run(Duration::from_millis(millis.into())),
            Step::Lose(true) => {
                let mut n = 0;
                self.net.filter(move |_, _| {
                    n += 1;
                    n % 3 != 0
                });
            }
            Step::Lose(false) => self.net.no_filter(),
        }
        self.look();
    }

    fn call(&mut self, socket: usize, call: u8, len: u16) {
        let host = socket % 2;
        let now = self.net.now;
        let count = self.sockets[host].len() + 1;
        let Some(&id) = self.sockets[host].get(socket / 2 % count) else {
            let id = self.net.tcp(host);
            return self.sockets[host].push(id);
        };
        let stack = &mut self.net.hosts[host];
        let data = vec![1; len.into()];
        let mut buffer = vec![0; len.into()];
        let flags = MessageFlags {
            peek: len.is_multiple_of(2),
            urgent: len.is_multiple_of(7),
            more: len.is_multiple_of(3),
            end_of_record: len.is_multiple_of(11),
            truncate: len.is_multiple_of(5),
        };
        let to = at(1 - host, 80 + len % 4);
        // Errors are as good as results here.
        let _ = match call % 20 {
            0 | 1 => stack.send(now, id, &data, flags).map(drop),
            19 => stack.send_bytes(now, id, &mut Bytes::from(data)).map(drop),
            2..=4 => stack.receive(now, id, &mut buffer, flags).map(drop),
            5 => stack.shutdown(now, id, Shutdown::Read),
            6 => stack.shutdown(now, id, Shutdown::Write),
            7 => stack.close(now, id, len.is_multiple_of(2)),
            9 => stack.abort(now, id),
            8 | 10..=12 => stack.connect(now, id, to, None),
            13..=15 => match stack.accept(now, id) {
                Ok((accepted, _)) => {
                    self.sockets[host].insert(0, accepted);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            16 => stack.listen(now, id, u32::from(len % 3)),
            17 => stack.bind(id, at(host, 80 + len % 4)),
            18 => {
                let linger = match len % 3 {
                    0 => Linger::Off,
                    1 => Linger::Abort,
                    _ => Linger::Wait(Duration::from_millis(len.into())),
                };
                stack.set_option(now, id, SocketOption::Linger(linger))
            }
            _ => {
                let bytes = u32::from(len);
                let option = match len % 4 {
                    0 => SocketOption::SendBuffer(bytes),
                    1 => SocketOption::ReceiveBuffer(bytes),
                    2 => SocketOption::NoDelay(true),
                    _ => SocketOption::ReuseAddress(true),
                };
                stack.set_option(now, id, option)
            }
        };
        let host = &mut self.net.hosts[host];
        self.sockets[socket % 2].retain(|id| host.local_address(*id).is_ok());
        self.net.flush();
    }

    fn decide(&mut self, decision: u8) {
        let stack = &mut self.net.hosts[B];
        let Ok(request) = stack.next_request(self.interceptor) else {
            return;
        };
        let decision = match decision % 4 {
            0 => Decision::Accept,
            1 => Decision::Refuse,
            2 => Decision::Drop,
            _ => Decision::Unreachable(IcmpErrorKind::HostUnreachable),
        };
        if let Ok(Some(socket)) = stack.decide(self.net.now, request.id, decision) {
            self.sockets[B].insert(0, socket);
        }
        self.net.flush();
    }

    /// Follows B's numbers, and holds its limits against it.
    fn look(&mut self) {
        for (from, packet) in &self.net.seen {
            if *from == B
                && let Some((tuple, header, text)) = parse(packet)
                && tuple.local.ip().to_string() == "10.0.0.77"
            {
                let controls = u32::from(header.flags.syn()) + u32::from(header.flags.fin());
                let next = header.seq + text.len() as u32 + controls;
                if !header.flags.rst() {
                    self.numbers = (next, header.ack);
                }
            }
        }
        self.net.seen.clear();
        for host in [A, B] {
            let counters = self.net.counters(host);
            assert!(counters.orphans <= 5 && counters.time_wait <= 5);
            assert!(counters.half_open <= 6 + counters.sockets);
            assert!(counters.requests <= 4 + 200);
            assert!(counters.buffered <= 500_000 + 8192 * counters.connections);
            let records = counters.connections + counters.half_open;
            let all = records + counters.time_wait + counters.requests;
            assert!(counters.timers <= all);
        }
    }

    fn end(mut self) {
        self.net.no_filter();
        for host in [A, B] {
            for socket in self.sockets[host].clone() {
                let _ = self.net.close(host, socket);
            }
        }
        self.net.close(B, self.interceptor).unwrap();
        // The stranger answers nothing: orphans retransmit until they give up.
        self.net.run_secs(4000);
        self.net.assert_nothing_left();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_happen(steps in proptest::collection::vec(step(), 1..300)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.end();
    }
}
