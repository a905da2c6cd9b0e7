//! Headers around a packet.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use crate::diagnostic::Diagnostic;
use crate::script::{Encapsulation, MplsEntry, Span};

use super::{Parsed, Parser};

impl Parser<'_> {
    /// All headers before a packet, outermost first.
    pub(super) fn encapsulation(&mut self) -> Parsed<Vec<Encapsulation>> {
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
        let is_v6 = family == "ipv6";
        let (text, span) = self.take_raw(|c| {
            c.is_ascii_digit() || c == '.' || is_v6 && (c.is_ascii_hexdigit() || c == ':')
        });
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
            return Err(Box::new(error.label("expected `(label N, tc N, ttl N)`")));
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
}
