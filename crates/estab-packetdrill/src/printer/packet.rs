//! Packets, their headers and options.

use core::fmt::{self, Display, Formatter, Write};
use core::net::IpAddr;

use crate::script::{
    AccEcnField, Body, Direction, Echoed, Ecn, Encapsulation, Flags, Icmp, IpFields, MplsEntry,
    Name, Options, Packet, Segment, Sequence, TcpOption,
};

use super::write_joined;

impl Display for Packet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.direction {
            Direction::Inbound => "< ",
            Direction::Outbound => "> ",
        })?;
        for header in &self.encapsulation {
            write!(f, "{header} ")?;
        }
        if self.ip != IpFields::default() {
            write!(f, "{} ", self.ip)?;
        }
        if let Some((source, destination)) = self.ports {
            write!(f, "{source} > {destination} ")?;
        }
        self.body.fmt(f)
    }
}

impl Display for Encapsulation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip {
                source,
                destination,
            } => {
                let family = if matches!(source, IpAddr::V4(_)) {
                    "ipv4"
                } else {
                    "ipv6"
                };
                write!(f, "{family} {source} > {destination}:")
            }
            Self::Gre(words) if words.is_empty() => f.write_str("gre:"),
            Self::Gre(words) => write!(f, "gre {words}:"),
            Self::Mpls(entries) => {
                f.write_str("mpls ")?;
                write_joined(f, entries, " ")?;
                f.write_str(":")
            }
        }
    }
}

impl Display for MplsEntry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bottom = if self.bottom { "[S], " } else { "" };
        let Self {
            label,
            traffic_class,
            ttl,
            ..
        } = self;
        write!(f, "(label {label}, tc {traffic_class}, {bottom}ttl {ttl})")
    }
}

impl Display for IpFields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let items = [
            self.ecn.map(|ecn| ecn.to_string()),
            self.tos.map(|tos| format!("tos {tos:#x}")),
            self.ttl.map(|ttl| format!("ttl {ttl}")),
            self.flow_label.map(|label| format!("flowlabel {label:#x}")),
        ];
        let items: Vec<_> = items.into_iter().flatten().collect();
        write!(f, "[{}]", items.join(", "))
    }
}

impl Display for Ecn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotEct => "noecn",
            Self::Ect0 => "ect0",
            Self::Ect1 => "ect1",
            Self::Ect01 => "ect01",
            Self::Ce => "ce",
        })
    }
}

impl Display for Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(segment) => segment.fmt(f),
            Self::Udp { len } => write!(f, "udp ({len})"),
            Self::Icmp(icmp) => icmp.fmt(f),
        }
    }
}

impl Display for Segment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flags, self.sequence)?;
        if let Some(ack) = self.ack {
            write!(f, " ack {ack}")?;
        }
        if let Some(window) = self.window {
            write!(f, " win {window}")?;
        }
        if let Some(urgent) = self.urgent {
            write!(f, " urg {urgent}")?;
        }
        match &self.options {
            Options::These(list) if list.is_empty() => Ok(()),
            options => write!(f, " <{options}>"),
        }
    }
}

impl Display for Flags {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("-");
        }
        let letters = [
            (self.fin, 'F'),
            (self.syn, 'S'),
            (self.rst, 'R'),
            (self.psh, 'P'),
            (self.urg, 'U'),
            (self.ece, 'E'),
            (self.cwr, 'W'),
            (self.ae, 'A'),
        ];
        for (_, letter) in letters.into_iter().filter(|(set, _)| *set) {
            f.write_char(letter)?;
        }
        if let Some(ace) = self.ace {
            write!(f, "{ace}")?;
        }
        if self.ack { f.write_char('.') } else { Ok(()) }
    }
}

impl Display for Sequence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}({})", self.first, self.last, self.len)
    }
}

/// Without `<` and `>`.
impl Display for Options {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::These(list) => write_joined(f, list, ","),
            Self::Any => f.write_str("..."),
        }
    }
}

impl Display for TcpOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nop => f.write_str("nop"),
            Self::Eol => f.write_str("eol"),
            Self::Mss(mss) => write!(f, "mss {mss}"),
            Self::WindowScale(shift) => write!(f, "wscale {shift}"),
            Self::SackOk => f.write_str("sackOK"),
            Self::Sack(blocks) => {
                f.write_str("sack")?;
                blocks
                    .iter()
                    .try_for_each(|(first, last)| write!(f, " {first}:{last}"))
            }
            Self::Timestamp { value, echo } => write!(f, "TS val {value} ecr {echo}"),
            Self::FastOpen(cookie) => write_hex(f, "FO", cookie),
            Self::FastOpenExperimental(cookie) => write_hex(f, "FOEXP", cookie),
            Self::Md5(digest) => write_hex(f, "md5", digest),
            Self::AccEcn {
                experimental,
                fields,
            } => {
                f.write_str(if *experimental { "ACCECN" } else { "ECN" })?;
                fields
                    .iter()
                    .try_for_each(|(field, count)| write!(f, " {field} {count}"))
            }
        }
    }
}

impl Display for AccEcnField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::E0b => "e0b",
            Self::Ceb => "ceb",
            Self::E1b => "e1b",
        })
    }
}

fn write_hex(f: &mut Formatter<'_>, name: &str, bytes: &[u8]) -> fmt::Result {
    f.write_str(name)?;
    if !bytes.is_empty() {
        f.write_str(" ")?;
    }
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl Display for Icmp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "icmp {}", self.kind)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(mtu) = self.mtu {
            write!(f, " mtu {mtu}")?;
        }
        if let Some(id) = self.id {
            write!(f, " id {id}")?;
        }
        if let Some(sequence) = self.sequence {
            write!(f, " seq {sequence}")?;
        }
        match self.echoed {
            Some(Echoed::Tcp(sequence)) => write!(f, " [{sequence}]"),
            Some(Echoed::Udp { len }) => write!(f, " [udp ({len})]"),
            None => Ok(()),
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Number(number) => number.fmt(f),
        }
    }
}
