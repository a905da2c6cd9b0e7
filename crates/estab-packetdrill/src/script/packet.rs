//! Packets as a script has them.

use core::net::IpAddr;

use super::Span;

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
