//! Packets: what is around them, and the TCP header.

use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::script::{Body, Direction, Ecn, Flags, IpFields, Options, Packet, Segment, Sequence};

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
        // What the length field of UDP can tell, less the header.
        let len = self.number("the length of a datagram", 65527)? as u16;
        self.expect(')')?;
        Ok(len)
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
        let errors = self.errors.len();
        let first = self.number("a sequence number", u32::MAX)?;
        self.expect(':')?;
        let last = self.number("a sequence number", u32::MAX)?;
        self.expect('(')?;
        let len = self.number("the payload's length", u16::MAX.into())?;
        self.expect(')')?;
        if last.wrapping_sub(first) != len && self.errors.len() == errors {
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
