//! ICMP messages, of both versions.

use crate::lexer::Kind;
use crate::script::{Echoed, Icmp, Name};

use super::{Parsed, Parser};

impl Parser<'_> {
    /// What follows `icmp`: `unreachable frag_needed mtu 1200 [1:1001(1000)]`.
    pub(super) fn icmp(&mut self) -> Parsed<Icmp> {
        let kind = self.icmp_name("the type of a message")?;
        let code = match self.token.kind {
            // A number on the next line is the time of the next event.
            Kind::Number if !self.token.first => Some(self.icmp_name("a code")?),
            Kind::Word if !matches!(&*self.token.text, "mtu" | "id" | "seq") => {
                Some(self.icmp_name("a code")?)
            }
            _ => None,
        };
        let mtu = if self.accept_word("mtu") {
            Some(self.number("an MTU", u32::MAX)?)
        } else {
            None
        };
        let id = if self.accept_word("id") {
            Some(self.number_u16("an identifier")?)
        } else {
            None
        };
        let sequence = if self.accept_word("seq") {
            Some(self.number_u16("a sequence number")?)
        } else {
            None
        };
        let echoed = if self.accept('[') {
            Some(self.echoed()?)
        } else {
            None
        };
        Ok(Icmp {
            kind,
            code,
            mtu,
            id,
            sequence,
            echoed,
        })
    }

    fn icmp_name(&mut self, what: &str) -> Parsed<Name> {
        match self.token.kind {
            Kind::Word => Ok(Name::Word(self.take().text.into_owned())),
            Kind::Number => Ok(Name::Number(self.number_u8(what)?.into())),
            _ => Err(self.expected(&format!("{what}, a name or a number"))),
        }
    }

    /// `1:1001(1000)]`, `udp (1000)]`
    fn echoed(&mut self) -> Parsed<Echoed> {
        let echoed = if self.accept_word("udp") {
            Echoed::Udp {
                len: self.udp_len()?,
            }
        } else {
            Echoed::Tcp(self.sequence()?)
        };
        self.expect(']')?;
        Ok(echoed)
    }
}
