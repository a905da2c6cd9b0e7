//! Packets: what is around them, and the TCP header.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::script::{
    Body, Direction, Ecn, Encapsulation, Flags, IpFields, MplsEntry, Options, Packet, Segment,
    Sequence, Span,
};

use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn packet(&mut self) -> Parsed<Packet> {
        let start = self.token.span.start;
        let direction = if self.accept('<') {
            Direction::Inbound
        } else {
            self.expect('>')?;
            Direction::Outbound
        };
        let encapsulation = self.encapsulation()?;
        let ip = self.ip_fields(direction)?;
        let ports = self.ports()?;
        let body = if self.accept_word("udp") {
            Body::Udp {
                len: self.udp_len()?,
            }
        } else if self.accept_word("icmp") {
            if ports.is_some() {
                let message = "an ICMP message has no ports";
                self.report(Diagnostic::new(self.span_from(start), message));
            }
            Body::Icmp(self.icmp()?)
        } else {
            Body::Tcp(self.segment(direction)?)
        };
        Ok(Packet {
            direction,
            encapsulation,
            ip,
            ports,
            body,
            span: self.span_from(start),
        })
    }

    /// `8080 > 55555`. A digit alone is a flag.
    fn ports(&mut self) -> Parsed<Option<(u16, u16)>> {
        if self.token.kind != Kind::Number || !self.peek().is('>') {
            return Ok(None);
        }
        let source = self.number_u16("a port")?;
        self.expect('>')?;
        Ok(Some((source, self.number_u16("a port")?)))
    }

    /// `(1000)`, after `udp`.
    pub(super) fn udp_len(&mut self) -> Parsed<u16> {
        self.expect('(')?;
        // What an IPv4 packet holds beside its headers.
        let len = self.number("the length of a datagram", 65507)? as u16;
        self.expect(')')?;
        Ok(len)
    }

    fn encapsulation(&mut self) -> Parsed<Vec<Encapsulation>> {
        let mut headers = Vec::new();
        loop {
            let header = if self.token.is_word("ipv4") {
                self.ip_header(|text| Ipv4Addr::from_str(text).ok().map(IpAddr::V4))?
            } else if self.token.is_word("ipv6") {
                self.ip_header(|text| Ipv6Addr::from_str(text).ok().map(IpAddr::V6))?
            } else if self.token.is_word("gre") {
                self.gre()?
            } else if self.accept_word("mpls") {
                self.mpls()?
            } else {
                return Ok(headers);
            };
            headers.push(header);
        }
    }

    /// `ipv4 a > b:`
    fn ip_header(&mut self, address: fn(&str) -> Option<IpAddr>) -> Parsed<Encapsulation> {
        let family = self.take().text;
        let source = self.address(&family, address)?;
        self.expect('>')?;
        let destination = self.address(&family, address)?;
        self.expect(':')?;
        Ok(Encapsulation::Ip {
            source,
            destination,
        })
    }

    fn address(&mut self, family: &str, read: fn(&str) -> Option<IpAddr>) -> Parsed<IpAddr> {
        let (text, span) = self.take_raw(|c| c.is_ascii_alphanumeric() || c == '.' || c == ':');
        // The colon that ends the header may stand at the address's end.
        let shorter = text
            .strip_suffix(':')
            .filter(|shorter| read(shorter).is_some());
        let text = if let Some(shorter) = shorter {
            self.lexer.seek(span.end - 1);
            self.end = span.end - 1;
            self.token = self.lexer.token();
            shorter
        } else {
            text
        };
        read(text).ok_or_else(|| {
            let error = Diagnostic::new(span, format!("this is not an {family} address"));
            Box::new(error.label(format!("expected an {family} address")))
        })
    }

    /// `gre:`, `gre ...:`, whose words are kept as they are.
    fn gre(&mut self) -> Parsed<Encapsulation> {
        let (text, _) = self.take_raw(|c| !matches!(c, ':' | '\n' | '`' | '"'));
        self.expect(':')?;
        let words: Vec<_> = text["gre".len()..].split_whitespace().collect();
        Ok(Encapsulation::Gre(words.join(" ")))
    }

    /// `(label 1, tc 0, [S], ttl 64) (...):`
    fn mpls(&mut self) -> Parsed<Encapsulation> {
        let mut entries = Vec::new();
        while !self.accept(':') {
            if !entries.is_empty() {
                self.accept(',');
            }
            entries.push(self.mpls_entry()?);
        }
        if entries.is_empty() {
            let error = Diagnostic::new(
                Span {
                    start: self.end - 1,
                    end: self.end,
                },
                "no label",
            );
            self.report(error.label("expected `(label N, tc N, ttl N)`"));
        }
        Ok(Encapsulation::Mpls(entries))
    }

    fn mpls_entry(&mut self) -> Parsed<MplsEntry> {
        self.expect('(')?;
        self.expect_word("label")?;
        let label = self.number("a label", (1 << 20) - 1)?;
        self.expect(',')?;
        self.expect_word("tc")?;
        let traffic_class = self.number("a traffic class", 7)? as u8;
        self.expect(',')?;
        let bottom = self.accept('[');
        if bottom {
            self.expect_word("S")?;
            self.expect(']')?;
            self.expect(',')?;
        }
        self.expect_word("ttl")?;
        let ttl = self.number_u8("a TTL")?;
        self.expect(')')?;
        Ok(MplsEntry {
            label,
            traffic_class,
            bottom,
            ttl,
        })
    }

    /// `[ect0]`, `(tos 0x10)`, `[tos 0x10, ttl 255]`
    fn ip_fields(&mut self, direction: Direction) -> Parsed<IpFields> {
        let mut fields = IpFields::default();
        let close = if self.accept('[') {
            ']'
        } else if self.accept('(') {
            ')'
        } else {
            return Ok(fields);
        };
        loop {
            self.ip_field(&mut fields, direction)?;
            if self.accept(close) {
                return Ok(fields);
            }
            if !self.accept(',') {
                return Err(self.expected(&format!("`,` or `{close}`")));
            }
        }
    }

    fn ip_field(&mut self, fields: &mut IpFields, direction: Direction) -> Parsed<()> {
        if self.token.kind != Kind::Word {
            return Err(self.expected(IP_FIELDS));
        }
        let word = self.token.clone();
        let ecn = ecn(&word.text);
        let again = match &*word.text {
            "tos" => fields.tos.is_some() || fields.ecn.is_some(),
            "ttl" | "hoplimit" => fields.ttl.is_some(),
            "flowlabel" => fields.flow_label.is_some(),
            _ if ecn.is_some() => fields.tos.is_some() || fields.ecn.is_some(),
            _ => return Err(self.expected(IP_FIELDS)),
        };
        if again {
            self.report(Diagnostic::new(word.span, "the same field is given twice"));
        }
        self.take();
        match &*word.text {
            "tos" => fields.tos = Some(self.number_u8("a TOS")?),
            "flowlabel" => fields.flow_label = Some(self.number("a flow label", (1 << 20) - 1)?),
            "ttl" | "hoplimit" => fields.ttl = Some(self.number_u8("a TTL")?),
            _ => fields.ecn = ecn,
        }
        if ecn == Some(Ecn::Ect01) && direction == Direction::Inbound {
            let error = Diagnostic::new(word.span, "`ect01` is for outbound packets");
            self.report(error.label("an inbound packet has one of the two"));
        }
        Ok(())
    }

    fn segment(&mut self, direction: Direction) -> Parsed<Segment> {
        let flags = self.flags()?;
        let after_flags = self.token.span.start;
        let sequence = self.sequence()?;
        let sequence_span = self.span_from(after_flags);
        let ack = if self.accept_word("ack") {
            Some(self.number("an acknowledgement number", u32::MAX)?)
        } else {
            None
        };
        let window = if self.accept_word("win") {
            Some(self.number_u16("a window")?)
        } else {
            None
        };
        let urgent = if self.accept_word("urg") {
            Some(self.number_u16("an urgent pointer")?)
        } else {
            None
        };
        if direction == Direction::Inbound && window.is_none() {
            let error = Diagnostic::new(sequence_span, "an inbound segment needs a window");
            self.report(error.help("write `win N` after the sequence and acknowledgement numbers"));
        }
        let options = if self.token.is('<') {
            self.tcp_options(direction)?
        } else {
            Options::These(Vec::new())
        };
        Ok(Segment {
            flags,
            sequence,
            ack,
            window,
            urgent,
            options,
        })
    }

    /// `S.`, `P5.`, `-`
    fn flags(&mut self) -> Parsed<Flags> {
        let starts = matches!(self.token.kind, Kind::Word | Kind::Number | Kind::Decimal)
            || self.token.is('.')
            || self.token.is('-');
        if !starts {
            return Err(self.expected("a segment's flags, `icmp` or `udp`"));
        }
        let (text, span) = if self.token.defined {
            let token = self.take();
            (token.text.into_owned(), token.span)
        } else {
            let (text, span) =
                self.take_raw(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
            (text.to_owned(), span)
        };
        parse_flags(&text).map_err(|message| {
            let help = "flags are of `FSRPEWAU.` or a digit for ACE, or `-` for none";
            Box::new(
                Diagnostic::new(span, message)
                    .label("expected flags")
                    .help(help),
            )
        })
    }

    /// `1:1001(1000)`
    pub(super) fn sequence(&mut self) -> Parsed<Sequence> {
        let start = self.token.span.start;
        let first = self.number("a sequence number", u32::MAX)?;
        self.expect(':')?;
        let last = self.number("a sequence number", u32::MAX)?;
        self.expect('(')?;
        let len = self.number("the payload's length", u32::MAX)?;
        self.expect(')')?;
        if last.wrapping_sub(first) != len {
            let message = format!(
                "the payload's length is {len}, but the sequence numbers are {} apart",
                last.wrapping_sub(first)
            );
            let help = format!(
                "`{first}:{}({len})`; SYN and FIN are not counted",
                first.wrapping_add(len)
            );
            self.report(Diagnostic::new(self.span_from(start), message).help(help));
        }
        Ok(Sequence { first, last, len })
    }
}

/// What may stand between brackets before a packet.
const IP_FIELDS: &str = "`ect0`, `ect1`, `ect01`, `ce`, `noecn`, `tos`, `ttl` or `flowlabel`";

fn ecn(word: &str) -> Option<Ecn> {
    Some(match word {
        "noecn" => Ecn::NotEct,
        "ect0" => Ecn::Ect0,
        "ect1" => Ecn::Ect1,
        "ect01" => Ecn::Ect01,
        "ce" => Ecn::Ce,
        _ => return None,
    })
}

/// The message says what is wrong with them.
fn parse_flags(text: &str) -> Result<Flags, String> {
    let mut flags = Flags::default();
    if text == "-" {
        return Ok(flags);
    }
    for character in text.chars() {
        let flag = match character {
            'F' => &mut flags.fin,
            'S' => &mut flags.syn,
            'R' => &mut flags.rst,
            'P' => &mut flags.psh,
            '.' => &mut flags.ack,
            'U' => &mut flags.urg,
            'E' => &mut flags.ece,
            'W' => &mut flags.cwr,
            'A' => &mut flags.ae,
            '0'..='7' if flags.ace.is_none() => {
                flags.ace = character.to_digit(8).map(|digit| digit as u8);
                continue;
            }
            '0'..='7' => return Err("the ACE field is given twice".to_owned()),
            other => return Err(format!("`{other}` is not a flag")),
        };
        if *flag {
            return Err(format!("the flag `{character}` is given twice"));
        }
        *flag = true;
    }
    if flags.ace.is_some() && (flags.ae || flags.cwr || flags.ece) {
        return Err("a digit stands for the flags `A`, `W` and `E`".to_owned());
    }
    Ok(flags)
}
