//! A script as it was written: options, commands, and events on a timeline, each with its place in the text.
//!
//! The parser makes it, the printer writes it back, the runner plays it.

mod spans;

use core::net::IpAddr;
use core::time::Duration;

/// Where something stands in the script's text: bytes from `start` up to `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A whole script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// `--name=value` at its top.
    pub options: Vec<OptionLine>,
    /// The command in backquotes before the first event.
    pub init: Option<Command>,
    /// On the timeline, in the order in which they are written.
    pub events: Vec<Event>,
    /// The command in backquotes after the last event.
    pub cleanup: Option<Command>,
}

/// `--name=value`, or `--name`.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionLine {
    /// Without the dashes.
    pub name: String,
    /// What follows `=`.
    pub value: Option<String>,
    /// Where.
    pub span: Span,
}

/// Shell commands in backquotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Without the backquotes.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// Something that happens at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub time: Time,
    /// What.
    pub action: Action,
    /// All of it.
    pub span: Span,
}

/// When an event happens. All in time since the start of the script, or since the event before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// `0.1`: since the start.
    Absolute(Duration),
    /// `+0.1`: since the event before.
    Relative(Duration),
    /// `*`: at any time (packets that are expected).
    Any,
    /// `0.1~0.2`.
    AbsoluteRange(Duration, Duration),
    /// `+0.1~+0.2`: both since the event before.
    RelativeRange(Duration, Duration),
    /// `0.1...0.2`: a call that begins at the first and returns at the second time.
    AbsoluteBlocking(Duration, Duration),
    /// `+0...0.2`: the same, both since the event before.
    RelativeBlocking(Duration, Duration),
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A packet is injected or expected.
    Packet(Packet),
    /// A system call is made, and its result compared.
    Call(Call),
    /// Shell commands.
    Command(Command),
    /// `%{ ... }%`: Python that looks at `tcpi_*`.
    Code(Code),
}

/// Python code, without its braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// As it was written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// Whither a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `<`: into the stack.
    Inbound,
    /// `>`: out of the stack.
    Outbound,
}

/// A packet that is injected or expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// Whither.
    pub direction: Direction,
    /// Headers around it, outermost first.
    pub encapsulation: Vec<Encapsulation>,
    /// What is said of the IP header, in brackets.
    pub ip: IpFields,
    /// Source and destination port, where they are written out.
    pub ports: Option<(u16, u16)>,
    /// What it carries.
    pub body: Body,
    /// Where.
    pub span: Span,
}

/// A header around a packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Encapsulation {
    /// `ipv4 a > b:`, `ipv6 a > b:`.
    Ip {
        /// Source.
        source: IpAddr,
        /// Destination.
        destination: IpAddr,
    },
    /// `gre:`, `gre flags ...:`, with its words as written.
    Gre(String),
    /// `mpls (label 1, tc 0, ttl 64) (label 2, tc 0, [S], ttl 64):`.
    Mpls(Vec<MplsEntry>),
}

/// An entry of an MPLS label stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MplsEntry {
    /// Label, 20 bits.
    pub label: u32,
    /// Traffic class, 3 bits.
    pub traffic_class: u8,
    /// Bottom of the stack.
    pub bottom: bool,
    /// Time to live.
    pub ttl: u8,
}

/// What a script says of a packet's IP header. `None`: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpFields {
    /// `[ect0]` and the like.
    pub ecn: Option<Ecn>,
    /// `[tos 0x10]`: TOS or traffic class, with the ECN bits.
    pub tos: Option<u8>,
    /// `[ttl 255]`: TTL or hop limit.
    pub ttl: Option<u8>,
    /// `[flowlabel 0x1]`, IPv6 only.
    pub flow_label: Option<u32>,
}

/// The ECN bits of an IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecn {
    /// `noecn`: 00.
    NotEct,
    /// `ect0`: 10.
    Ect0,
    /// `ect1`: 01.
    Ect1,
    /// `ect01`: either of the two.
    Ect01,
    /// `ce`: 11.
    Ce,
}

/// What a packet carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A TCP segment.
    Tcp(Segment),
    /// A UDP datagram with so many bytes of payload.
    Udp {
        /// Bytes.
        len: u16,
    },
    /// An ICMP message.
    Icmp(Icmp),
}

/// A TCP segment. Numbers are relative to the initial sequence number of its direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Flags.
    pub flags: Flags,
    /// `first:last(len)`; the SYN is 0.
    pub sequence: Sequence,
    /// `ack N`.
    pub ack: Option<u32>,
    /// `win N`, as it stands in the header. Every inbound segment says it.
    pub window: Option<u16>,
    /// `urg N`.
    pub urgent: Option<u16>,
    /// Its options, in order.
    pub options: Options,
}

/// `first:last(len)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Sequence number.
    pub first: u32,
    /// After the payload. `last - first` is the payload's length: SYN and FIN do not count.
    pub last: u32,
    /// Payload's length.
    pub len: u32,
}

/// A segment's flags, as tcpdump prints them; all false: `-`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `F`
    pub fin: bool,
    /// `S`
    pub syn: bool,
    /// `R`
    pub rst: bool,
    /// `P`
    pub psh: bool,
    /// `.`
    pub ack: bool,
    /// `U`
    pub urg: bool,
    /// `E`
    pub ece: bool,
    /// `W`
    pub cwr: bool,
    /// `A`: the flag AE of AccECN (NS of old).
    pub ae: bool,
    /// A digit: the ACE field of AccECN, in place of `A`, `W` and `E`, which are then false.
    pub ace: Option<u8>,
}

/// A segment's options.
#[derive(Clone, Debug, PartialEq)]
pub enum Options {
    /// These; none when it is empty or not written.
    These(Vec<TcpOption>),
    /// `<...>`: any, outbound only.
    Any,
}

/// A TCP option.
#[derive(Clone, Debug, PartialEq)]
pub enum TcpOption {
    /// `nop`
    Nop,
    /// `eol`
    Eol,
    /// `mss N`
    Mss(u16),
    /// `wscale N`
    WindowScale(u8),
    /// `sackOK`
    SackOk,
    /// `sack a:b c:d`, relative to the initial sequence number of the other direction.
    Sack(Vec<(u32, u32)>),
    /// `TS val N ecr N`
    Timestamp {
        /// Value.
        value: u32,
        /// Echo.
        echo: u32,
    },
    /// `FO`, `FO cookie`: Fast Open.
    FastOpen(Vec<u8>),
    /// `FOEXP`, `FOEXP cookie`: Fast Open by the experimental option.
    FastOpenExperimental(Vec<u8>),
    /// `md5 hex`
    Md5(Vec<u8>),
    /// AccECN counters: `ECN e1b N ceb N e0b N`, `ACCECN e1b ...`, in the order in which they are written.
    AccEcn {
        /// `ACCECN`: the experimental option number.
        experimental: bool,
        /// Counters in order.
        fields: Vec<(AccEcnField, u32)>,
    },
}

/// A counter of the AccECN option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccEcnField {
    /// `e0b`
    E0b,
    /// `ceb`
    Ceb,
    /// `e1b`
    E1b,
}

/// An ICMP message.
#[derive(Clone, Debug, PartialEq)]
pub struct Icmp {
    /// Type: a name, or a number.
    pub kind: Name,
    /// Code: a name, or a number.
    pub code: Option<Name>,
    /// `mtu N`
    pub mtu: Option<u32>,
    /// `id N`, of echoes.
    pub id: Option<u16>,
    /// `seq N`, of echoes.
    pub sequence: Option<u16>,
    /// What it echoes: `[1:1001(1000)]`, `[udp (1000)]`.
    pub echoed: Option<Echoed>,
}

/// A name or a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Name {
    /// A name.
    Word(String),
    /// A number.
    Number(u32),
}

/// What an ICMP error echoes: the beginning of a packet that the script knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echoed {
    /// A TCP segment with these sequence numbers.
    Tcp(Sequence),
    /// A datagram of this payload.
    Udp {
        /// Bytes.
        len: u16,
    },
}

/// A system call with its arguments and its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its arguments.
    pub arguments: Vec<Expression>,
    /// Its result; `...` for any.
    pub result: Expression,
    /// `EAGAIN`, after the result.
    pub errno: Option<(String, Span)>,
    /// `(Resource temporarily unavailable)`: what is said beside it is not compared.
    pub note: Option<String>,
    /// Where.
    pub span: Span,
}

/// An argument or a result, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// What.
    pub value: Value,
    /// Where.
    pub span: Span,
}

/// The forms of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `...`: does not matter, or the script's own.
    Ellipsis,
    /// A number. Hexadecimal ones above `i64::MAX` are the bits of a negative one.
    Integer {
        /// Value.
        value: i64,
        /// How it is written.
        notation: Notation,
    },
    /// A constant's name, such as `SO_LINGER`.
    Symbol(String),
    /// `a | b | c`.
    Or(Vec<Expression>),
    /// `"text"`, its escapes resolved.
    Text(Vec<u8>),
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `{name=value, ...}`; a name may have a length behind it: `msg_name(16)=...`, `msg_iov(1)=[...]`.
    /// Elements without a name (`{..., 1000}` in an iov) have an empty one.
    Struct(Vec<Field>),
    /// `htons(8080)`, `inet_addr("192.0.2.1")`.
    Function {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
}

/// How a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notation {
    /// `10`, `-1`
    #[default]
    Decimal,
    /// `0x10`
    Hexadecimal,
    /// `0644`
    Octal,
}

/// A field of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name; empty when it has none.
    pub name: String,
    /// The length in parentheses behind the name.
    pub len: Option<Expression>,
    /// Its value.
    pub value: Expression,
    /// Where.
    pub span: Span,
}
