//! Connections as they might be: a socket, a handshake, and then whatever calls and packets come.

mod steps;

use core::time::Duration;

use crate::parser::MAX_OPTION_BYTES;
use crate::script::{
    Action, Body, Call, Direction, Event, Expression, Flags, IpFields, Notation, OptionLine,
};
use crate::script::{Options, Packet, Script, Segment, Sequence, Span, TcpOption, Time, Value};

use super::Choices;

/// How many steps a connection has after its handshake.
const MAX_STEPS: usize = 60;

/// A script of a connection: mostly as it would go, with whatever else a script may do in between.
pub fn connection(choices: &mut Choices<'_>) -> Script {
    let mut maker = Maker {
        choices,
        events: Vec::new(),
        theirs: 1,
        ours: 1,
        fd: 3,
        mss: 1000,
        unread: 0,
        timestamps: false,
    };
    let options = maker.options();
    if maker.choices.flip() {
        maker.passive_open()
    } else {
        maker.active_open()
    }
    let mut steps = 0;
    while steps < MAX_STEPS && !maker.choices.is_empty() {
        maker.step();
        steps += 1;
    }
    Script {
        options,
        init: None,
        events: maker.events,
        cleanup: None,
    }
}

/// What makes the script, and what it believes of the connection.
struct Maker<'a, 'b> {
    choices: &'a mut Choices<'b>,
    events: Vec<Event>,
    /// The peer's next sequence number.
    theirs: u32,
    /// The stack's next sequence number.
    ours: u32,
    /// The connection's descriptor.
    fd: i64,
    mss: u32,
    /// Bytes that the stack has got and nobody has read.
    unread: u32,
    timestamps: bool,
}

impl Maker<'_, '_> {
    fn options(&mut self) -> Vec<OptionLine> {
        let all = [
            "ip_version=ipv6",
            "ip_version=ipv4-mapped-ipv6",
            "tolerance_usecs=100000",
            "mtu=576",
            "strict_segments",
        ];
        let chosen = self.choices.many(2, |choices| choices.of(&all));
        chosen
            .into_iter()
            .filter_map(|option| OptionLine::from_argument(option).ok())
            .collect()
    }

    fn passive_open(&mut self) {
        self.call(
            "socket",
            [
                Value::Ellipsis,
                symbol("SOCK_STREAM"),
                symbol("IPPROTO_TCP"),
            ],
            3,
        );
        self.call(
            "setsockopt",
            [
                int(3),
                symbol("SOL_SOCKET"),
                symbol("SO_REUSEADDR"),
                list([int(1)]),
                int(4),
            ],
            0,
        );
        self.call("bind", [int(3), Value::Ellipsis, Value::Ellipsis], 0);
        self.call("listen", [int(3), int(1)], 0);
        let options = self.syn_options();
        self.inbound(flags("S"), 0, 0, None, options);
        self.expect(flags("S."), 0, 0, Some(1), true);
        self.inbound(flags("."), 1, 0, Some(1), Vec::new());
        self.call("accept", [int(3), Value::Ellipsis, Value::Ellipsis], 4);
        self.fd = 4;
        self.maybe_nonblocking();
    }

    fn active_open(&mut self) {
        self.call(
            "socket",
            [
                Value::Ellipsis,
                symbol("SOCK_STREAM"),
                symbol("IPPROTO_TCP"),
            ],
            3,
        );
        let time = Time::RelativeBlocking(Duration::ZERO, Duration::from_millis(100));
        self.call_at(
            time,
            "connect",
            [int(3), Value::Ellipsis, Value::Ellipsis],
            int(0),
            None,
        );
        self.expect(flags("S"), 0, 0, None, true);
        let options = self.syn_options();
        self.inbound_at(
            Duration::from_millis(100),
            flags("S."),
            0,
            0,
            Some(1),
            options,
        );
        self.expect(flags("."), 1, 0, Some(1), true);
        self.maybe_nonblocking();
    }

    fn maybe_nonblocking(&mut self) {
        if self.choices.below(4) != 1 {
            let flags = Value::Or(
                [symbol("O_RDWR"), symbol("O_NONBLOCK")]
                    .map(expression)
                    .into(),
            );
            self.call("fcntl", [int(self.fd), symbol("F_SETFL"), flags], 0);
        }
    }

    /// The options of the peer's SYN.
    fn syn_options(&mut self) -> Vec<TcpOption> {
        self.mss = self.choices.of(&[1000, 1460, 536, 1, 65535]);
        let mut options = vec![TcpOption::Mss(self.mss as u16)];
        if self.choices.flip() {
            options.extend([TcpOption::SackOk, TcpOption::Nop, TcpOption::Nop]);
        }
        if self.choices.flip() {
            self.timestamps = true;
            options.extend([
                TcpOption::Nop,
                TcpOption::Nop,
                TcpOption::Timestamp {
                    value: 100,
                    echo: 0,
                },
            ]);
        }
        if self.choices.flip() {
            options.extend([
                TcpOption::Nop,
                TcpOption::WindowScale(self.choices.below(16) as u8),
            ]);
        }
        options
    }

    fn call<const N: usize>(&mut self, name: &str, arguments: [Value; N], result: i64) {
        self.call_at(NOW, name, arguments, int(result), None);
    }

    fn call_at<const N: usize>(
        &mut self,
        time: Time,
        name: &str,
        arguments: [Value; N],
        result: Value,
        errno: Option<&str>,
    ) {
        let call = Call {
            name: name.to_owned(),
            name_span: Span::default(),
            arguments: arguments.map(expression).into(),
            result: expression(result),
            errno: errno.map(|errno| (errno.to_owned(), Span::default())),
            note: None,
            span: Span::default(),
        };
        self.event(time, Action::Call(call));
    }

    fn inbound(
        &mut self,
        flags: Flags,
        first: u32,
        len: u32,
        ack: Option<u32>,
        options: Vec<TcpOption>,
    ) {
        let gap = self.choices.of(&[
            Duration::ZERO,
            Duration::from_millis(10),
            Duration::from_millis(100),
        ]);
        self.inbound_at(gap, flags, first, len, ack, options);
    }

    fn inbound_at(
        &mut self,
        gap: Duration,
        flags: Flags,
        first: u32,
        len: u32,
        ack: Option<u32>,
        options: Vec<TcpOption>,
    ) {
        let window = Some(self.choices.of(&[257, 32792, 65535, 0, 1]));
        let segment = segment(flags, first, len, ack, window, Options::These(options));
        self.event(
            Time::Relative(gap),
            packet(Direction::Inbound, Body::Tcp(segment)),
        );
    }

    /// The stack sends this now.
    fn expect(&mut self, flags: Flags, first: u32, len: u32, ack: Option<u32>, now: bool) {
        let segment = segment(flags, first, len, ack, None, Options::Any);
        let time = if now { NOW } else { Time::Any };
        self.event(time, packet(Direction::Outbound, Body::Tcp(segment)));
    }

    fn event(&mut self, time: Time, action: Action) {
        self.events.push(Event {
            time,
            action,
            span: Span::default(),
        });
    }

    /// The options of a segment after the handshake.
    fn data_options(&mut self) -> Vec<TcpOption> {
        if !self.timestamps {
            return Vec::new();
        }
        let value = 100 + self.events.len() as u32;
        vec![
            TcpOption::Nop,
            TcpOption::Nop,
            TcpOption::Timestamp {
                value,
                echo: self.choices.below(200),
            },
        ]
    }

    /// With a block that the peer has got, as long as there is room for it.
    fn sack_options(&mut self, first: u32, last: u32) -> Vec<TcpOption> {
        let mut options = self.data_options();
        options.extend([
            TcpOption::Nop,
            TcpOption::Nop,
            TcpOption::Sack(vec![(first, last)]),
        ]);
        debug_assert!(
            options
                .iter()
                .map(crate::parser::encoded_len)
                .sum::<usize>()
                <= MAX_OPTION_BYTES
        );
        options
    }
}

/// At the time of the event before.
const NOW: Time = Time::Relative(Duration::ZERO);

fn packet(direction: Direction, body: Body) -> Action {
    Action::Packet(Packet {
        direction,
        encapsulation: Vec::new(),
        ip: IpFields::default(),
        ports: None,
        body,
        span: Span::default(),
    })
}

fn segment(
    flags: Flags,
    first: u32,
    len: u32,
    ack: Option<u32>,
    window: Option<u16>,
    options: Options,
) -> Segment {
    let sequence = Sequence {
        first,
        last: first.wrapping_add(len),
        len,
    };
    Segment {
        flags,
        sequence,
        ack,
        window,
        urgent: None,
        options,
    }
}

fn flags(letters: &str) -> Flags {
    let has = |letter| letters.contains(letter);
    Flags {
        fin: has('F'),
        syn: has('S'),
        rst: has('R'),
        psh: has('P'),
        ack: has('.'),
        ..Flags::default()
    }
}

fn expression(value: Value) -> Expression {
    Expression {
        value,
        span: Span::default(),
    }
}

fn int(value: i64) -> Value {
    Value::Integer {
        value,
        notation: Notation::Decimal,
    }
}

fn symbol(name: &str) -> Value {
    Value::Symbol(name.to_owned())
}

fn list<const N: usize>(values: [Value; N]) -> Value {
    Value::List(values.map(expression).into())
}
