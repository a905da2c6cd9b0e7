//! Two ends that do not agree about anything any more must not answer each other for ever.

use bytes::Bytes;
use core::time::Duration;
use estab_tcp::{
    Connection, Cx, Flags, FourTuple, Header, Instant, Opening, SegmentIn, SeqNum, Settings,
    SocketOptions, State,
};
use estab_wire::tcp::{Options, SynOptions, UnscaledWindow};
use std::collections::VecDeque;

fn segment(header: Header) -> SegmentIn {
    SegmentIn {
        header,
        ip: Default::default(),
        payload: Bytes::new(),
        segments: 1,
        segment_size: 0,
    }
}

/// ESTABLISHED with a peer that has nothing to do with the other end.
fn confused(now: Instant, settings: &Settings, end: usize, iss: u32) -> Connection {
    let addresses = [([192, 0, 2, 1], 1000), ([192, 0, 2, 2], 2000)].map(Into::into);
    let tuple = FourTuple {
        local: addresses[end],
        remote: addresses[1 - end],
    };
    let mut cx = Cx {
        now,
        settings,
        sink: None,
    };
    let opening = Opening {
        iss: SeqNum(iss),
        timestamp_offset: 0,
        mss: 1460,
    };
    let options = SocketOptions::default();
    let mut connection = Connection::connect(&mut cx, tuple, opening, options, None);
    while connection.poll_transmit(&mut cx, 1).is_some() {}
    let header = Header {
        src_port: tuple.remote.port(),
        dst_port: tuple.local.port(),
        seq: SeqNum(iss ^ 0x5555_5555),
        ack: SeqNum(iss) + 1,
        flags: Flags::SYN | Flags::ACK,
        window: UnscaledWindow(1000),
        urgent: 0,
        options: Options::Syn(SynOptions::default()),
    };
    connection.handle_segment(&mut cx, segment(header));
    assert_eq!(connection.state(), State::Established);
    connection
}

/// Segments that the two send in an hour, and how many of them in its last half.
fn exchange(delay: Duration, iss: [u32; 2], data: bool) -> (usize, usize) {
    let settings = Settings {
        tcp_timestamps: false,
        ..Settings::default()
    };
    let start = Instant::ZERO + Duration::from_secs(1000);
    let mut now = start;
    let mut ends = [0, 1].map(|end| confused(start, &settings, end, iss[end]));
    let mut wire: VecDeque<(Instant, usize, SegmentIn)> = VecDeque::new();
    let (mut count, mut late) = (0, 0);
    if data {
        let mut cx = Cx {
            now,
            settings: &settings,
            sink: None,
        };
        let sent = ends[0].send(&mut cx, &[1; 100], false);
        assert_eq!(sent, Ok(100));
    }
    loop {
        for (end, connection) in ends.iter_mut().enumerate() {
            let mut cx = Cx {
                now,
                settings: &settings,
                sink: None,
            };
            while let Some(out) = connection.poll_transmit(&mut cx, 1) {
                count += 1;
                late += usize::from(now.since(start) > Duration::from_secs(1800));
                let mut arrives = segment(out.header);
                arrives.payload = out.payload.pieces().concat().into();
                wire.push_back((now + delay, 1 - end, arrives));
            }
        }
        let timers = ends.iter().filter_map(Connection::poll_timeout);
        let next = timers.chain(wire.front().map(|(at, ..)| *at)).min();
        let Some(next) = next.filter(|at| at.since(start) < Duration::from_secs(3600)) else {
            return (count, late);
        };
        now = now.max(next);
        for end in &mut ends {
            let mut cx = Cx {
                now,
                settings: &settings,
                sink: None,
            };
            end.handle_timeout(&mut cx);
        }
        if wire.front().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, to, segment)) = wire.pop_front()
        {
            let mut cx = Cx {
                now,
                settings: &settings,
                sink: None,
            };
            ends[to].handle_segment(&mut cx, segment);
        }
    }
}

#[test]
fn two_confused_ends_fall_silent() {
    for delay_ms in [1, 100, 300, 700, 2500] {
        for iss in [[0, 1 << 31], [5, 900_000_000], [100, 100]] {
            for data in [false, true] {
                let (all, late) = exchange(Duration::from_millis(delay_ms), iss, data);
                assert!(
                    all < 150 && late == 0,
                    "{all} segments, {late} late, with a delay of {delay_ms} ms, {iss:?}, {data}"
                );
            }
        }
    }
}
