//! A segment's options, between `<` and `>`.

use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::script::{AccEcnField, Direction, Options, Span, TcpOption};

use super::{Parsed, Parser};

/// What may stand in a list of options.
const AN_OPTION: &str = "an option: `mss`, `nop`, `eol`, `wscale`, `sackOK`, `sack`, `TS`, `FO`, `FOEXP`, `md5`, `ECN` or `ACCECN`";

/// A header is at most 60 bytes long, 20 of which are not options.
pub(crate) const MAX_OPTION_BYTES: usize = 40;

impl Parser<'_> {
    pub(super) fn tcp_options(&mut self, direction: Direction) -> Parsed<Options> {
        let start = self.token.span.start;
        self.expect('<')?;
        if self.token.kind == Kind::Ellipsis {
            let span = self.take().span;
            if direction == Direction::Inbound {
                let error = Diagnostic::new(span, "`<...>` is for outbound segments");
                self.report(error.label("expected the options to send"));
            }
            self.expect('>')?;
            return Ok(Options::Any);
        }
        let mut options = Vec::new();
        while !self.accept('>') {
            if !options.is_empty() && !self.accept(',') {
                return Err(self.expected("`,` or `>`"));
            }
            options.push(self.tcp_option()?);
        }
        self.check_length(&options, self.span_from(start));
        Ok(Options::These(options))
    }

    fn tcp_option(&mut self) -> Parsed<TcpOption> {
        if self.token.kind != Kind::Word {
            return Err(self.expected(AN_OPTION));
        }
        let token = self.token.clone();
        let option = match &*token.text {
            "nop" => TcpOption::Nop,
            "eol" => TcpOption::Eol,
            "sackOK" => TcpOption::SackOk,
            "mss" | "wscale" | "sack" | "TS" | "FO" | "FOEXP" | "md5" | "ECN" | "ACCECN" => {
                self.take();
                return self.option_value_of(&token.text);
            }
            _ => return Err(self.expected(AN_OPTION)),
        };
        self.take();
        Ok(option)
    }

    fn option_value_of(&mut self, name: &str) -> Parsed<TcpOption> {
        Ok(match name {
            "mss" => TcpOption::Mss(self.number_u16("an MSS")?),
            "wscale" => TcpOption::WindowScale(self.number_u8("a window scale")?),
            "sack" => self.sack()?,
            "TS" => self.timestamp()?,
            "FO" => TcpOption::FastOpen(self.hex("a cookie")?),
            "FOEXP" => TcpOption::FastOpenExperimental(self.hex("a cookie")?),
            "md5" => TcpOption::Md5(self.hex("a digest")?),
            "ECN" => self.accecn(false)?,
            _ => self.accecn(true)?,
        })
    }

    /// `1:1001 2001:3001`
    fn sack(&mut self) -> Parsed<TcpOption> {
        let mut blocks = Vec::new();
        while self.token.kind == Kind::Number || blocks.is_empty() {
            let first = self.number("a block's first sequence number", u32::MAX)?;
            self.expect(':')?;
            blocks.push((
                first,
                self.number("a block's last sequence number", u32::MAX)?,
            ));
        }
        Ok(TcpOption::Sack(blocks))
    }

    fn timestamp(&mut self) -> Parsed<TcpOption> {
        self.expect_word("val")?;
        let value = self.number("a timestamp", u32::MAX)?;
        self.expect_word("ecr")?;
        let echo = self.number("a timestamp", u32::MAX)?;
        Ok(TcpOption::Timestamp { value, echo })
    }

    /// Bytes as pairs of hexadecimal digits; none when the option ends here.
    fn hex(&mut self, what: &str) -> Parsed<Vec<u8>> {
        if !matches!(self.token.kind, Kind::Word | Kind::Number) {
            return Ok(Vec::new());
        }
        let token = self.take();
        let digits: Option<Vec<_>> = token.text.chars().map(|digit| digit.to_digit(16)).collect();
        let Some(digits) = digits.filter(|digits| digits.len().is_multiple_of(2)) else {
            let error = Diagnostic::new(token.span, format!("this is not {what}"));
            return Err(Box::new(
                error.label("expected pairs of hexadecimal digits"),
            ));
        };
        Ok(digits
            .chunks_exact(2)
            .map(|pair| (pair[0] << 4 | pair[1]) as u8)
            .collect())
    }

    /// `e1b 1 ceb 0 e0b 1`: the counters in either order, as many as there are from the first on.
    fn accecn(&mut self, experimental: bool) -> Parsed<TcpOption> {
        let start = self.token.span.start;
        let mut fields = Vec::new();
        while let Some(field) = accecn_field(&self.token.text) {
            self.take();
            fields.push((field, self.number("a counter of 24 bits", (1 << 24) - 1)?));
        }
        use AccEcnField::{Ceb, E0b, E1b};
        let names: Vec<_> = fields.iter().map(|(field, _)| *field).collect();
        if ![E0b, Ceb, E1b].starts_with(&names) && ![E1b, Ceb, E0b].starts_with(&names) {
            let error = Diagnostic::new(
                self.span_from(start),
                "an option with these counters cannot be written",
            );
            self.report(error.help("the order is `e0b`, `ceb`, `e1b` or `e1b`, `ceb`, `e0b`, and the last may be left out"));
        }
        Ok(TcpOption::AccEcn {
            experimental,
            fields,
        })
    }

    /// Lists that no header can hold.
    fn check_length(&mut self, options: &[TcpOption], span: Span) {
        let bytes: usize = options.iter().map(encoded_len).sum();
        if bytes > MAX_OPTION_BYTES {
            let message = format!(
                "the options are {bytes} bytes long, a header has room for {MAX_OPTION_BYTES}"
            );
            self.report(Diagnostic::new(span, message));
        } else if !bytes.is_multiple_of(4) {
            let message =
                format!("the options are {bytes} bytes long, which is not a multiple of 4");
            let help = format!("add {} of `nop` or `eol`", 4 - bytes % 4);
            self.report(Diagnostic::new(span, message).help(help));
        }
    }
}

fn accecn_field(word: &str) -> Option<AccEcnField> {
    Some(match word {
        "e0b" => AccEcnField::E0b,
        "ceb" => AccEcnField::Ceb,
        "e1b" => AccEcnField::E1b,
        _ => return None,
    })
}

/// How many bytes it takes in a header.
pub(crate) fn encoded_len(option: &TcpOption) -> usize {
    match option {
        TcpOption::Nop | TcpOption::Eol => 1,
        TcpOption::Mss(_) => 4,
        TcpOption::WindowScale(_) => 3,
        TcpOption::SackOk => 2,
        TcpOption::Sack(blocks) => 2 + 8 * blocks.len(),
        TcpOption::Timestamp { .. } => 10,
        TcpOption::FastOpen(cookie) => 2 + cookie.len(),
        TcpOption::FastOpenExperimental(cookie) => 4 + cookie.len(),
        // A digest that is not written is one all the same.
        TcpOption::Md5(_) => 18,
        TcpOption::AccEcn {
            experimental,
            fields,
        } => (if *experimental { 4 } else { 2 }) + 3 * fields.len(),
    }
}
