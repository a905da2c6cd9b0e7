//! A little conversation, told to a collector as two stacks would tell it.
#![allow(dead_code, reason = "each test file uses some of it")]

use estab_stack::HostEvent;
use estab_tcp::event::{Call, DropReason, RetransmitReason, Timer, Variables};
use estab_tcp::{Cause, ConnectionError, Event, Flags, FourTuple, Header, Instant, SeqNum, State};
use estab_trace::{Collector, Environment, HostRecord, Record};
use estab_wire::tcp::{Options, SackBlock, SegmentOptions, SynOptions, Timestamps, UnscaledWindow};

pub(crate) struct Play {
    pub(crate) collector: Collector,
    /// Ephemeral port of a.
    pub(crate) port: u16,
}

pub(crate) const ISS_A: u32 = 0xffff_fff0;
pub(crate) const ISS_B: u32 = 5_000_000;

impl Play {
    pub(crate) fn new() -> Self {
        Self {
            collector: Collector::new(),
            port: 49152,
        }
    }

    pub(crate) fn tuple(&self, host: &str) -> FourTuple {
        let a = format!("10.0.0.1:{}", self.port).parse().unwrap();
        let b = "10.0.0.2:80".parse().unwrap();
        match host {
            "a" => FourTuple {
                local: a,
                remote: b,
            },
            _ => FourTuple {
                local: b,
                remote: a,
            },
        }
    }

    pub(crate) fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    pub(crate) fn tell(&self, millis: u64, host: &str, event: Event<'_>) {
        let connection = self.tuple(host);
        let event = HostEvent::Tcp { connection, event };
        self.tell_host(millis, host, &event);
    }

    pub(crate) fn tell_host(&self, millis: u64, host: &str, event: &HostEvent<'_>) {
        self.collector.sink(host).event(Self::at(millis), event);
    }

    pub(crate) fn state(&self, millis: u64, host: &str, from: State, cause: Cause) {
        let to = from.next(cause).expect("an edge");
        self.tell(millis, host, Event::State { from, to, cause });
    }

    pub(crate) fn call(&self, millis: u64, host: &str, call: Call) {
        self.tell(millis, host, Event::Call(call));
    }

    pub(crate) fn out(&self, millis: u64, host: &str, header: &Header, len: usize, state: State) {
        self.out_cut(millis, host, header, len, state, 0);
    }

    pub(crate) fn out_cut(
        &self,
        millis: u64,
        host: &str,
        header: &Header,
        len: usize,
        state: State,
        segment_size: u16,
    ) {
        self.tell(
            millis,
            host,
            Event::SegmentOut {
                header,
                len,
                state,
                variables: Variables::default(),
                segment_size,
            },
        );
    }

    pub(crate) fn arrive(
        &self,
        millis: u64,
        host: &str,
        header: &Header,
        len: usize,
        state: State,
    ) {
        self.tell(
            millis,
            host,
            Event::SegmentIn {
                header,
                len,
                state,
                variables: Variables::default(),
            },
        );
    }

    pub(crate) fn dropped(
        &self,
        millis: u64,
        host: &str,
        reason: DropReason,
        header: &Header,
        len: usize,
    ) {
        self.tell(
            millis,
            host,
            Event::Drop {
                reason,
                header,
                len,
            },
        );
    }

    pub(crate) fn environment(&self, millis: u64, host: &str, what: Environment) {
        self.collector.push(Record {
            time: Self::at(millis),
            host: host.into(),
            event: HostRecord::Environment(what),
        });
    }

    /// A segment of a or b, with relative numbers.
    pub(crate) fn segment(&self, host: &str, flags: Flags, seq: u32, ack: u32) -> Header {
        let (from_a, ours, theirs) = match host {
            "a" => (true, ISS_A, ISS_B),
            _ => (false, ISS_B, ISS_A),
        };
        let (src_port, dst_port) = if from_a {
            (self.port, 80)
        } else {
            (80, self.port)
        };
        let acks = flags.contains(Flags::ACK);
        Header {
            src_port,
            dst_port,
            seq: SeqNum(ours) + seq,
            ack: if acks {
                SeqNum(theirs) + ack
            } else {
                SeqNum(0)
            },
            flags,
            window: UnscaledWindow(if flags.syn() { 65_535 } else { 512 }),
            urgent: 0,
            options: if flags.syn() {
                syn_options()
            } else {
                Options::NONE
            },
        }
    }

    /// Three segments, 10 ms each way.
    pub(crate) fn handshake(&self) {
        use State::{Closed, Established, Listen, SynReceived, SynSent};
        self.call(0, "a", Call::Connect);
        self.state(0, "a", Closed, Cause::ActiveOpen);
        let syn = self.segment("a", Flags::SYN, 0, 0);
        self.out(0, "a", &syn, 0, SynSent);
        self.arrive(10, "b", &syn, 0, Listen);
        self.state(10, "b", Listen, Cause::ReceiveSyn);
        let syn_ack = self.segment("b", Flags::SYN | Flags::ACK, 0, 1);
        self.out(10, "b", &syn_ack, 0, SynReceived);
        self.arrive(20, "a", &syn_ack, 0, SynSent);
        self.state(20, "a", SynSent, Cause::ReceiveSynAck);
        let ack = self.segment("a", Flags::ACK, 1, 1);
        self.out(20, "a", &ack, 0, Established);
        self.arrive(30, "b", &ack, 0, SynReceived);
        self.state(30, "b", SynReceived, Cause::ReceiveAckOfSyn);
        self.call(30, "b", Call::Accept);
    }

    /// Five bytes are lost and sent again; the second copy arrives twice.
    pub(crate) fn loss(&self) {
        use State::Established;
        self.call(100, "a", Call::Send(5));
        let data = self.segment("a", Flags::PSH | Flags::ACK, 1, 1);
        self.out(100, "a", &data, 5, Established);
        let timer = Timer::Retransmit;
        let at = Self::at(300);
        self.tell(100, "a", Event::TimerArmed { timer, at });
        self.tell(300, "a", Event::TimerFired { timer });
        let reason = RetransmitReason::Timeout;
        let seq = data.seq;
        self.tell(
            300,
            "a",
            Event::Retransmit {
                seq,
                len: 5,
                reason,
            },
        );
        self.out(300, "a", &data, 5, Established);
        self.arrive(310, "b", &data, 5, Established);
        let ack = self.segment("b", Flags::ACK, 1, 6);
        self.out(310, "b", &ack, 0, Established);
        self.arrive(315, "b", &data, 5, Established);
        self.dropped(315, "b", DropReason::Duplicate, &data, 5);
        self.arrive(320, "a", &ack, 0, Established);
        self.call(330, "b", Call::Receive(5));
    }

    /// A super-segment of three, of which the second is lost, and SACK blocks.
    pub(crate) fn super_segment(&self) {
        let data = self.segment("a", Flags::PSH | Flags::ACK | Flags::FIN, 1, 1);
        self.out_cut(1000, "a", &data, 3000, State::FinWait1, 1448);
        let first = self.segment("a", Flags::ACK, 1, 1);
        let last = self.segment("a", Flags::PSH | Flags::ACK | Flags::FIN, 2897, 1);
        self.arrive(1010, "b", &first, 1448, State::Established);
        self.arrive(1010, "b", &last, 104, State::Established);
        let mut ack = self.segment("b", Flags::ACK, 1, 1449);
        let mut options = SegmentOptions::default();
        options.sack.push(SackBlock {
            left: SeqNum(ISS_A) + 2897,
            right: SeqNum(ISS_A) + 3002,
        });
        ack.options = Options::Segment(options);
        self.out(1010, "b", &ack, 0, State::Established);
        self.arrive(1020, "a", &ack, 0, State::FinWait1);
    }

    /// Both close at once, and b's FIN takes a through two states.
    pub(crate) fn close(&self) {
        use State::{Closing, Established, FinWait1, TimeWait};
        self.call(2000, "a", Call::Close);
        self.state(2000, "a", Established, Cause::Close);
        let fin_a = self.segment("a", Flags::FIN | Flags::ACK, 1, 1);
        self.out(2000, "a", &fin_a, 0, FinWait1);
        self.call(2000, "b", Call::Close);
        self.state(2000, "b", Established, Cause::Close);
        let fin_b = self.segment("b", Flags::FIN | Flags::ACK, 1, 1);
        self.out(2000, "b", &fin_b, 0, FinWait1);
        self.arrive(2010, "b", &fin_a, 0, FinWait1);
        self.state(2010, "b", FinWait1, Cause::ReceiveFin);
        let ack_b = self.segment("b", Flags::ACK, 2, 2);
        self.out(2010, "b", &ack_b, 0, Closing);
        self.arrive(2020, "a", &ack_b, 0, FinWait1);
        self.state(2020, "a", FinWait1, Cause::ReceiveAckOfFin);
        self.state(2020, "a", State::FinWait2, Cause::ReceiveFin);
        self.state(62_020, "a", TimeWait, Cause::TimeWaitOver);
    }

    pub(crate) fn crash(&self) {
        self.environment(3000, "b", Environment::Reboot);
        let data = self.segment("a", Flags::PSH | Flags::ACK, 1, 1);
        self.out(3000, "a", &data, 5, State::Established);
        self.arrive(3010, "b", &data, 5, State::Closed);
        self.dropped(3010, "b", DropReason::NoSocket, &data, 5);
        let mut rst = self.segment("b", Flags::RST, 1, 0);
        rst.window = UnscaledWindow(0);
        self.out(3010, "b", &rst, 0, State::Closed);
        self.arrive(3020, "a", &rst, 0, State::Established);
        self.tell(3020, "a", Event::Error(ConnectionError::Reset));
        self.state(3020, "a", State::Established, Cause::ReceiveRst);
    }

    pub(crate) fn datagrams(&self) {
        let a = "10.0.0.1:5353".parse().unwrap();
        let b = "10.0.0.2:9".parse().unwrap();
        let udp = |sent, local, remote| HostEvent::Udp {
            sent,
            local,
            remote,
            len: 17,
        };
        let icmp = |sent, remote: [u8; 4]| HostEvent::Icmp {
            sent,
            remote: remote.into(),
            kind: 3,
            code: 3,
        };
        self.tell_host(0, "a", &udp(true, a, b));
        self.tell_host(10, "b", &udp(false, b, a));
        let reason = DropReason::NoSocket;
        self.tell_host(10, "b", &HostEvent::Drop { reason });
        self.tell_host(10, "b", &icmp(true, [10, 0, 0, 1]));
        self.tell_host(20, "a", &icmp(false, [10, 0, 0, 2]));
    }
}

fn syn_options() -> Options {
    Options::Syn(SynOptions {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 1, echo: 0 }),
    })
}
