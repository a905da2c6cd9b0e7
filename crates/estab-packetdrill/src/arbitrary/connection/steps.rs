//! What may happen on a connection.

use core::time::Duration;

use crate::arbitrary::{call, packet as any_packet};
use crate::script::{
    Action, Body, Call, Command, Direction, Echoed, Expression, Icmp, Name, Sequence, Span, Time,
    Value,
};

use super::{Maker, NOW, flags, int, list, packet, symbol};

/// Settings that a script may make midway.
const SETTINGS: [&str; 8] = [
    "tcp_sack=0",
    "tcp_timestamps=0",
    "tcp_window_scaling=0",
    "tcp_syn_retries=1",
    "tcp_retries2=3",
    "tcp_fin_timeout=5",
    "tcp_rmem=\"4096 8192 16384\"",
    "no_such_setting=1",
];

/// Options of a socket, and the value that they are set to.
const SOCKET_OPTIONS: [(&str, &str, i64); 12] = [
    ("SOL_TCP", "TCP_NODELAY", 1),
    ("SOL_TCP", "TCP_CORK", 1),
    ("SOL_TCP", "TCP_CORK", 0),
    ("SOL_TCP", "TCP_MAXSEG", 500),
    ("SOL_TCP", "TCP_USER_TIMEOUT", 3000),
    ("SOL_TCP", "TCP_KEEPIDLE", 1),
    ("SOL_TCP", "TCP_QUICKACK", 1),
    ("SOL_SOCKET", "SO_SNDBUF", 5000),
    ("SOL_SOCKET", "SO_RCVBUF", 3000),
    ("SOL_SOCKET", "SO_KEEPALIVE", 1),
    ("SOL_SOCKET", "SO_RCVLOWAT", 100),
    ("IPPROTO_IP", "IP_TOS", 16),
];

impl Maker<'_, '_> {
    /// One thing more.
    pub(super) fn step(&mut self) {
        match self.choices.below(20) {
            0..4 => self.data_comes(),
            4..8 => self.data_goes(),
            8 | 9 => self.read(),
            10 => self.odd_segment(),
            11 => self.set_option(),
            12 => self.wait(),
            13 => self.icmp(),
            14 => self.poll(),
            15 => self.any_call(),
            16 => self.setting(),
            17 => self.segment_beyond(),
            18 => self.shut(),
            _ => self.peer_closes(),
        }
    }

    /// A segment in order, which is acknowledged at once or sometime.
    fn data_comes(&mut self) {
        let len = self.choices.of(&[1000, 1, 100, 1460, 5000, 0]);
        let options = self.data_options();
        self.inbound(flags("P."), self.theirs, len, Some(self.ours), options);
        self.theirs = self.theirs.wrapping_add(len);
        self.unread = self.unread.saturating_add(len);
        if len > 0 && self.choices.flip() {
            let now = self.choices.flip();
            self.expect(flags("."), self.ours, 0, Some(self.theirs), now);
        }
    }

    /// A write, which goes in one segment or in several, and is acknowledged or not.
    fn data_goes(&mut self) {
        let len = self.choices.of(&[100, 1, 1000, 5000, 100_000]);
        self.call(
            "write",
            [int(self.fd), Value::Ellipsis, int(len.into())],
            len.into(),
        );
        let first = self.ours;
        self.ours = first.wrapping_add(len);
        if len <= self.mss && self.choices.below(4) != 0 {
            self.expect(flags("P."), first, len, Some(self.theirs), true);
        }
        match self.choices.below(4) {
            0 => {}
            1 => {
                let middle = first.wrapping_add(len / 2);
                let options = self.sack_options(middle, self.ours);
                self.inbound(flags("."), self.theirs, 0, Some(first), options);
            }
            _ => {
                let options = self.data_options();
                self.inbound(flags("."), self.theirs, 0, Some(self.ours), options);
            }
        }
    }

    fn read(&mut self) {
        let count = self.choices.of(&[1000, 1, 100_000]);
        let arguments = [int(self.fd), Value::Ellipsis, int(count.into())];
        if self.unread == 0 {
            self.call_at(NOW, "read", arguments, int(-1), Some("EAGAIN"));
        } else {
            let got = count.min(self.unread);
            self.unread -= got;
            self.call("read", arguments, got.into());
        }
    }

    /// A segment that need not fit in any way.
    fn odd_segment(&mut self) {
        let flags = any_packet::flags(self.choices);
        let offset = self.choices.number();
        let len = self.choices.below(2000);
        let ack = self.ours.wrapping_add(self.choices.number());
        let options = any_packet::options(self.choices);
        self.inbound(
            flags,
            self.theirs.wrapping_add(offset),
            len,
            Some(ack),
            options,
        );
    }

    /// A segment before which something is missing.
    fn segment_beyond(&mut self) {
        let gap = 1 + self.choices.below(3000);
        let options = self.data_options();
        self.inbound(
            flags("."),
            self.theirs.wrapping_add(gap),
            100,
            Some(self.ours),
            options,
        );
    }

    fn set_option(&mut self) {
        let (level, name, value) = self.choices.of(&SOCKET_OPTIONS);
        let arguments = [
            int(self.fd),
            symbol(level),
            symbol(name),
            list([int(value)]),
            int(4),
        ];
        self.call_at(NOW, "setsockopt", arguments, Value::Ellipsis, None);
    }

    /// Time goes by, with a call at its end that changes nothing.
    fn wait(&mut self) {
        let gap = Duration::from_millis(
            self.choices
                .of(&[10_u32, 40, 200, 1000, 10_000, 100_000])
                .into(),
        );
        self.call_at(
            Time::Relative(gap),
            "ioctl",
            [int(self.fd), symbol("SIOCINQ"), list([Value::Ellipsis])],
            Value::Ellipsis,
            None,
        );
    }

    /// An error about what the stack has sent.
    fn icmp(&mut self) {
        let mut icmp = any_packet::icmp(self.choices);
        if self.choices.flip() {
            let word = |word: &str| Name::Word(word.to_owned());
            icmp = Icmp {
                kind: word("unreachable"),
                code: Some(word("frag_needed")),
                mtu: Some(self.choices.of(&[1200, 68, 0, 65535])),
                id: None,
                sequence: None,
                echoed: None,
            };
        }
        let first = self.ours.wrapping_sub(self.choices.below(1000));
        icmp.echoed = Some(Echoed::Tcp(Sequence {
            first,
            last: first.wrapping_add(100),
            len: 100,
        }));
        self.event(NOW, packet(Direction::Inbound, Body::Icmp(icmp)));
    }

    fn poll(&mut self) {
        let field = |name: &str, value| crate::script::Field {
            name: name.to_owned(),
            len: None,
            value: super::expression(value),
            span: Span::default(),
        };
        let events = Value::Or(
            [symbol("POLLIN"), symbol("POLLOUT")]
                .map(super::expression)
                .into(),
        );
        let fields = vec![
            field("fd", int(self.fd)),
            field("events", events),
            field("revents", Value::Ellipsis),
        ];
        self.call_at(
            NOW,
            "poll",
            [list([Value::Struct(fields)]), int(1), int(0)],
            Value::Ellipsis,
            None,
        );
    }

    /// Any call, most often on this connection, with any result.
    fn any_call(&mut self) {
        let mut made: Call = call::call(self.choices, 2);
        if let Some(first) = made.arguments.first_mut().filter(|_| self.choices.flip()) {
            first.value = int(self.fd);
        }
        made.result = Expression {
            value: Value::Ellipsis,
            span: Span::default(),
        };
        made.errno = None;
        self.event(NOW, Action::Call(made));
    }

    fn setting(&mut self) {
        let text = format!("sysctl -q net.ipv4.{}", self.choices.of(&SETTINGS));
        self.event(
            NOW,
            Action::Command(Command {
                text,
                span: Span::default(),
            }),
        );
    }

    fn shut(&mut self) {
        if self.choices.flip() {
            let how = symbol(self.choices.of(&["SHUT_WR", "SHUT_RD", "SHUT_RDWR"]));
            self.call_at(NOW, "shutdown", [int(self.fd), how], Value::Ellipsis, None);
        } else {
            self.call_at(NOW, "close", [int(self.fd)], Value::Ellipsis, None);
        }
        if self.choices.flip() {
            self.expect(flags("F."), self.ours, 0, Some(self.theirs), false);
        }
        self.ours = self.ours.wrapping_add(1);
    }

    fn peer_closes(&mut self) {
        let letters = if self.choices.below(4) == 1 {
            "R."
        } else {
            "F."
        };
        let options = self.data_options();
        self.inbound(flags(letters), self.theirs, 0, Some(self.ours), options);
        self.theirs = self.theirs.wrapping_add(1);
    }
}
