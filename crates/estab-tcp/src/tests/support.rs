//! One connection and its clock; the test is the peer.

use crate::event::{ConnectionEvent, DropReason, Event, Interest, Sink};
use crate::{
    Connection, Cx, FourTuple, Instant, Opening, SegmentIn, SegmentOut, Settings, SocketOptions,
    State,
};
use bytes::Bytes;
use core::time::Duration;
use estab_wire::tcp::{
    Flags, Header, Options, SackBlock, SegmentOptions, SeqNum, SynOptions, Timestamps,
    UnscaledWindow,
};
use std::format;
use std::string::String;
use std::vec::Vec;

pub(super) const ISS: SeqNum = SeqNum(0xffff_fff0);
pub(super) const IRS: SeqNum = SeqNum(0xffff_ff00);

/// What the sink saw.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) states: Vec<(State, State)>,
    pub(super) drops: Vec<DropReason>,
}

impl Sink for Seen {
    fn interest(&self) -> Interest {
        Interest::STATE.with(Interest::DROP)
    }

    fn event(&mut self, _now: Instant, _connection: &FourTuple, event: &Event<'_>) {
        match event {
            Event::State { from, to, .. } => self.states.push((*from, *to)),
            Event::Drop { reason, .. } => self.drops.push(*reason),
            _ => {}
        }
    }
}

pub(super) struct Tester {
    pub(super) connection: Connection,
    pub(super) settings: Settings,
    pub(super) now: Instant,
    pub(super) seen: Seen,
    /// Segments that were polled, as text.
    pub(super) max_segments: u16,
}

/// Settings with fewer options, so that segments read easily. The handshake's round trip of no time counts as 1 us; with this
/// minimum the time-out is a round second.
pub(super) fn plain() -> Settings {
    Settings {
        tcp_rto_min: Duration::from_micros(999_999),
        tcp_timestamps: false,
        tcp_sack: false,
        tcp_window_scaling: false,
        ..Settings::default()
    }
}

pub(super) fn tuple() -> FourTuple {
    FourTuple {
        local: "192.0.2.1:40000".parse().unwrap(),
        remote: "192.0.2.2:80".parse().unwrap(),
    }
}

impl Tester {
    pub(super) fn connecting(settings: Settings, options: SocketOptions) -> Self {
        Self::connecting_within(settings, options, None)
    }

    pub(super) fn connecting_within(
        settings: Settings,
        options: SocketOptions,
        timeout: Option<Duration>,
    ) -> Self {
        let mut seen = Seen::default();
        let now = Instant::from_nanos(1_000_000_000);
        let mut cx = Cx {
            now,
            settings: &settings,
            sink: Some(&mut seen),
        };
        let opening = Opening {
            iss: ISS,
            timestamp_offset: 7,
            mss: 1460,
        };
        let connection = Connection::connect(&mut cx, tuple(), opening, options, timeout);
        Self {
            connection,
            settings,
            now,
            seen,
            max_segments: 1,
        }
    }

    /// Established actively, MSS 1000 both ways, the peer's window 10000, nothing outstanding.
    pub(super) fn established() -> Self {
        Self::established_with(plain(), SocketOptions::default())
    }

    pub(super) fn established_with(settings: Settings, options: SocketOptions) -> Self {
        let mut tester = Self::connecting(settings, options);
        assert_eq!(tester.out().len(), 1);
        tester.inject_syn(
            "S. 0:0(0) ack 1 win 10000",
            SynOptions {
                mss: Some(1000),
                ..SynOptions::default()
            },
        );
        assert_eq!(tester.out(), [". 1:1(0) ack 1"]);
        assert_eq!(tester.state(), State::Established);
        tester.events();
        tester
    }

    /// After the first segments are acknowledged at once, delayed ACKs begin; tests of other things need not see either.
    pub(super) fn without_quick_acks(mut self) -> Self {
        self.connection.acks.set_quick(false);
        self
    }

    pub(super) fn cx<R>(&mut self, f: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R) -> R {
        let mut cx = Cx {
            now: self.now,
            settings: &self.settings,
            sink: Some(&mut self.seen),
        };
        f(&mut self.connection, &mut cx)
    }

    pub(super) fn state(&self) -> State {
        self.connection.state()
    }

    /// Time passes, timers fire at their moments; what is sent meanwhile is given with its time in milliseconds since the call.
    pub(super) fn run_ms(&mut self, ms: u64) -> Vec<(u64, String)> {
        let start = self.now;
        let end = start + Duration::from_millis(ms);
        let mut sent = Vec::new();
        while let Some(at) = self.connection.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.cx(|connection, cx| connection.handle_timeout(cx));
            let at_ms = self.now.since(start).as_millis() as u64;
            sent.extend(self.out().into_iter().map(|segment| (at_ms, segment)));
        }
        self.now = end;
        sent
    }

    pub(super) fn inject(&mut self, text: &str) {
        self.inject_segment(text, SegmentOptions::default(), 1, 0);
    }

    pub(super) fn inject_ts(&mut self, text: &str, value: u32, echo: u32) {
        let options = SegmentOptions {
            timestamps: Some(Timestamps { value, echo }),
            ..SegmentOptions::default()
        };
        self.inject_segment(text, options, 1, 0);
    }

    pub(super) fn inject_coalesced(&mut self, text: &str, segments: u16, segment_size: u16) {
        self.inject_segment(text, SegmentOptions::default(), segments, segment_size);
    }

    fn inject_segment(
        &mut self,
        text: &str,
        options: SegmentOptions,
        segments: u16,
        segment_size: u16,
    ) {
        let (header, payload) = parse(text, Options::Segment(options));
        let segment = SegmentIn {
            header,
            ip: Default::default(),
            payload,
            segments,
            segment_size,
        };
        self.cx(|connection, cx| connection.handle_segment(cx, segment));
    }

    pub(super) fn inject_syn(&mut self, text: &str, options: SynOptions) {
        let (header, payload) = parse(text, Options::Syn(options));
        let segment = SegmentIn {
            header,
            ip: Default::default(),
            payload,
            segments: 1,
            segment_size: 0,
        };
        self.cx(|connection, cx| connection.handle_segment(cx, segment));
    }

    pub(super) fn out_segments(&mut self) -> Vec<SegmentOut> {
        let max_segments = self.max_segments;
        core::iter::from_fn(|| self.cx(|connection, cx| connection.poll_transmit(cx, max_segments)))
            .take(1000)
            .collect()
    }

    /// Everything that is sent now, as text.
    pub(super) fn out(&mut self) -> Vec<String> {
        self.out_segments().iter().map(print).collect()
    }

    pub(super) fn out_windows(&mut self) -> Vec<u16> {
        self.out_segments()
            .iter()
            .map(|segment| segment.header.window.0)
            .collect()
    }

    pub(super) fn events(&mut self) -> Vec<ConnectionEvent> {
        core::iter::from_fn(|| self.connection.poll_event()).collect()
    }

    pub(super) fn write(&mut self, len: usize) -> usize {
        let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
        self.cx(|connection, cx| connection.send(cx, &data, false))
            .unwrap()
    }

    pub(super) fn read(&mut self) -> Result<usize, crate::ReceiveError> {
        let mut buffer = std::vec![0; 1 << 20];
        self.cx(|connection, cx| connection.receive(cx, &mut buffer))
    }

    pub(super) fn close(&mut self) {
        self.cx(|connection, cx| connection.close(cx, None));
    }

    pub(super) fn shutdown_write(&mut self) {
        self.cx(|connection, cx| connection.shutdown(cx, crate::Shutdown::Write));
    }

    pub(super) fn states(&self) -> Vec<State> {
        self.seen.states.iter().map(|(_, to)| *to).collect()
    }
}

/// `FLAGS first:last(len) [ack N] [win N] [urg N]`, relative.
fn parse(text: &str, options: Options) -> (Header, Bytes) {
    let mut words = text.split_whitespace();
    let flags = flags(words.next().unwrap());
    let range = words.next().unwrap();
    let (first, rest) = range.split_once(':').unwrap();
    let len: usize = rest
        .split_once('(')
        .unwrap()
        .1
        .trim_end_matches(')')
        .parse()
        .unwrap();
    let mut header = Header {
        src_port: 80,
        dst_port: 40000,
        seq: relative(IRS, first),
        ack: SeqNum(0),
        flags,
        window: UnscaledWindow(10000),
        urgent: 0,
        options,
    };
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        match name {
            "ack" => header.ack = relative(ISS, value),
            "win" => header.window = UnscaledWindow(value.parse().unwrap()),
            "urg" => header.urgent = value.parse().unwrap(),
            other => panic!("{other}?"),
        }
    }
    let payload: Vec<u8> = (0..len).map(|n| n as u8).collect();
    (header, payload.into())
}

fn relative(base: SeqNum, text: &str) -> SeqNum {
    SeqNum(base.0.wrapping_add(text.parse::<i64>().unwrap() as u32))
}

fn flags(text: &str) -> Flags {
    text.chars().fold(Flags::NONE, |flags, letter| {
        flags
            | match letter {
                'F' => Flags::FIN,
                'S' => Flags::SYN,
                'R' => Flags::RST,
                'P' => Flags::PSH,
                '.' => Flags::ACK,
                'U' => Flags::URG,
                'E' => Flags::ECE,
                'W' => Flags::CWR,
                '-' => Flags::NONE,
                other => panic!("{other}?"),
            }
    })
}

/// The same form, with the acknowledgement number when there is one.
pub(super) fn print(segment: &SegmentOut) -> String {
    let header = &segment.header;
    let first = header.seq.since(ISS) as i32;
    let len = segment.payload.len();
    let mut text = format!("{} {first}:{}({len})", header.flags, first + len as i32);
    if header.flags.ack() {
        text += &format!(" ack {}", header.ack.since(IRS) as i32);
    }
    if header.flags.urg() {
        text += &format!(" urg {}", header.urgent);
    }
    if let Options::Segment(options) = &header.options
        && !options.sack.is_empty()
    {
        let blocks: Vec<String> = options
            .sack
            .iter()
            .map(|SackBlock { left, right }| format!("{}:{}", left.since(IRS), right.since(IRS)))
            .collect();
        text += " sack ";
        text += &blocks.join(" ");
    }
    text
}
