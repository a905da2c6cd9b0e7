//! What came against what the script expects, field by field.

use super::Ip;
use crate::report::Difference;
use crate::script::{Body, Echoed, Ecn, Icmp, IpFields, Options, Packet, Segment, Sequence};
use core::fmt::Display;

/// Compares an actual packet, in the script's numbers, with the expected one. Nothing differs: it is met.
pub(crate) fn packets(expected: &Packet, actual: &Packet, ip: &Ip) -> Vec<Difference> {
    let mut differences = Differences(Vec::new());
    match (&expected.body, &actual.body) {
        (Body::Tcp(expected), Body::Tcp(actual)) => segments(expected, actual, &mut differences),
        (Body::Udp { len: expected }, Body::Udp { len: actual }) => {
            differences.compare("length", expected, actual);
        }
        (Body::Icmp(expected), Body::Icmp(actual)) => {
            messages(expected, actual, ip.source.is_ipv6(), &mut differences);
        }
        (expected, actual) => {
            differences.compare("protocol", &protocol(expected), &protocol(actual));
        }
    }
    header(&expected.ip, ip, &mut differences);
    differences.0
}

/// A list that grows by what is not the same.
struct Differences(Vec<Difference>);

impl Differences {
    fn compare<T: Display + PartialEq>(&mut self, field: &'static str, expected: &T, actual: &T) {
        if expected != actual {
            self.add(field, expected, actual);
        }
    }

    fn add(&mut self, field: &'static str, expected: impl Display, actual: impl Display) {
        self.0.push(Difference {
            field,
            expected: expected.to_string(),
            actual: actual.to_string(),
        });
    }
}

const fn protocol(body: &Body) -> &'static str {
    match body {
        Body::Tcp(_) => "tcp",
        Body::Udp { .. } => "udp",
        Body::Icmp(_) => "icmp",
    }
}

fn segments(expected: &Segment, actual: &Segment, differences: &mut Differences) {
    if expected.flags != actual.flags {
        differences.add("flags", expected.flags, actual.flags);
    }
    sequence(&expected.sequence, &actual.sequence, differences);
    let ack = |ack: Option<u32>| ack.map_or_else(|| "none".to_owned(), |ack| ack.to_string());
    differences.compare("ack", &ack(expected.ack), &ack(actual.ack));
    if let Some(window) = expected.window {
        differences.compare("win", &window, &actual.window.unwrap_or(0));
    }
    if expected.urgent.is_some() || actual.flags.urg {
        let urgent = |segment: &Segment| segment.urgent.unwrap_or(0);
        differences.compare("urg", &urgent(expected), &urgent(actual));
    }
    if let Options::These(_) = &expected.options
        && expected.options != actual.options
    {
        let shown = |options: &Options| format!("<{options}>");
        differences.add("options", shown(&expected.options), shown(&actual.options));
    }
}

fn sequence(expected: &Sequence, actual: &Sequence, differences: &mut Differences) {
    differences.compare("seq", &expected.first, &actual.first);
    differences.compare("length", &expected.len, &actual.len);
}

fn messages(expected: &Icmp, actual: &Icmp, v6: bool, differences: &mut Differences) {
    // Names that stand for one number are the same.
    let numbers = |message: &Icmp| {
        let kind = super::icmp::kind(v6, &message.kind).unwrap_or(u8::MAX);
        let code = message.code.as_ref();
        let code = code.map_or(Ok(0), |code| super::icmp::code(v6, kind, code));
        (kind, code.unwrap_or(u8::MAX))
    };
    let ((kind, code), (actual_kind, actual_code)) = (numbers(expected), numbers(actual));
    differences.compare("type", &kind, &actual_kind);
    differences.compare("code", &code, &actual_code);
    let number = |n: Option<u32>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
    if expected.mtu.is_some() {
        differences.compare("mtu", &number(expected.mtu), &number(actual.mtu));
    }
    if expected.id.is_some() {
        let (expected, actual) = (expected.id.map(u32::from), actual.id.map(u32::from));
        differences.compare("id", &number(expected), &number(actual));
    }
    if expected.sequence.is_some() {
        let of = |message: &Icmp| number(message.sequence.map(u32::from));
        differences.compare("seq", &of(expected), &of(actual));
    }
    if expected.echoed.is_some() && expected.echoed != actual.echoed {
        differences.add("echoed", echoed(expected), echoed(actual));
    }
}

fn header(expected: &IpFields, actual: &Ip, differences: &mut Differences) {
    if let Some(tos) = expected.tos
        && tos != actual.tos
    {
        differences.add(
            "tos",
            format!("0x{tos:02x}"),
            format!("0x{:02x}", actual.tos),
        );
    }
    if let Some(ecn) = expected.ecn {
        let is = match actual.tos & 3 {
            0 => Ecn::NotEct,
            1 => Ecn::Ect1,
            2 => Ecn::Ect0,
            _ => Ecn::Ce,
        };
        let fits = ecn == is || ecn == Ecn::Ect01 && matches!(is, Ecn::Ect0 | Ecn::Ect1);
        if !fits {
            differences.add("ecn", ecn, is);
        }
    }
    if let Some(ttl) = expected.ttl {
        differences.compare("ttl", &ttl, &actual.ttl);
    }
    if let Some(label) = expected.flow_label {
        differences.compare("flowlabel", &label, &actual.flow_label);
    }
}

fn echoed(message: &Icmp) -> String {
    match message.echoed {
        Some(Echoed::Tcp(sequence)) => format!("[{sequence}]"),
        Some(Echoed::Udp { len }) => format!("[udp ({len})]"),
        None => "none".to_owned(),
    }
}
