//! What the tests of the records share.

use crate::event::{DropReason, RetransmitReason, Timer, Variables};
use crate::{
    Cause, Cx, Event, FourTuple, Instant, Interest, IpMeta, SegmentIn, Settings, Sink, State,
};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use estab_wire::tcp::{
    Flags, Header, Options, SegmentOptions, SeqNum, SynOptions, Timestamps, UnscaledWindow,
};

pub(crate) const NONE: Flags = Flags::NONE;
pub(crate) const ACK: Flags = Flags::ACK;
pub(crate) const SYN: Flags = Flags::SYN;
pub(crate) const FIN: Flags = Flags::FIN;
pub(crate) const RST: Flags = Flags::RST;

/// An event, as far as these tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    In(State, Flags, Variables),
    Out(State, Flags, Variables),
    State(State, State, Cause),
    Drop(DropReason),
    Armed(Timer, Instant),
    Fired(Timer),
    Retransmit(SeqNum, RetransmitReason),
    Other,
}

/// Keeps all events.
#[derive(Default)]
struct Recorder(Vec<Seen>);

impl Sink for Recorder {
    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn event(&mut self, _: Instant, _: &FourTuple, event: &Event<'_>) {
        self.0.push(match event {
            Event::SegmentIn {
                header,
                state,
                variables,
                ..
            } => Seen::In(*state, header.flags, *variables),
            Event::SegmentOut {
                header,
                state,
                variables,
                ..
            } => Seen::Out(*state, header.flags, *variables),
            Event::State { from, to, cause } => Seen::State(*from, *to, *cause),
            Event::Drop { reason, .. } => Seen::Drop(*reason),
            Event::TimerArmed { timer, at } => Seen::Armed(*timer, *at),
            Event::TimerFired { timer } => Seen::Fired(*timer),
            Event::Retransmit { seq, reason, .. } => Seen::Retransmit(*seq, *reason),
            _ => Seen::Other,
        });
    }
}

/// A clock, settings, and what was reported.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) settings: Settings,
    pub(crate) tuple: FourTuple,
    seen: Recorder,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: at(1000),
            settings: Settings::default(),
            tuple: FourTuple {
                local: "10.0.0.1:80".parse().expect("an address"),
                remote: "10.0.0.2:1234".parse().expect("an address"),
            },
            seen: Recorder::default(),
        }
    }

    pub(crate) fn run<T>(&mut self, f: impl FnOnce(&mut Cx<'_>, &FourTuple) -> T) -> T {
        let tuple = self.tuple;
        let mut cx = Cx {
            now: self.now,
            settings: &self.settings,
            sink: Some(&mut self.seen),
        };
        f(&mut cx, &tuple)
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// What was reported since the last call.
    pub(crate) fn seen(&mut self) -> Vec<Seen> {
        core::mem::take(&mut self.seen.0)
    }

    /// From the peer, without options and text.
    pub(crate) fn segment(&self, flags: Flags, seq: SeqNum, ack: SeqNum) -> SegmentIn {
        let options = if flags.syn() {
            Options::Syn(SynOptions::default())
        } else {
            Options::NONE
        };
        SegmentIn {
            header: Header {
                src_port: self.tuple.remote.port(),
                dst_port: self.tuple.local.port(),
                seq,
                ack,
                flags,
                window: UnscaledWindow(500),
                urgent: 0,
                options,
            },
            ip: IpMeta::default(),
            payload: Default::default(),
            segments: 1,
            segment_size: 0,
        }
    }
}

pub(crate) fn at(ms: u64) -> Instant {
    Instant::from_nanos(ms * 1_000_000)
}

/// The segment with `n` bytes of text.
pub(crate) fn with_text(mut segment: SegmentIn, n: usize) -> SegmentIn {
    segment.payload = vec![b'x'; n].into();
    segment
}

/// The segment with this TSval.
pub(crate) fn with_timestamp(mut segment: SegmentIn, value: u32) -> SegmentIn {
    let timestamps = Some(Timestamps { value, echo: 0 });
    segment.header.options = match segment.header.options {
        Options::Syn(options) => Options::Syn(SynOptions {
            timestamps,
            ..options
        }),
        Options::Segment(options) => Options::Segment(SegmentOptions {
            timestamps,
            ..options
        }),
    };
    segment
}
