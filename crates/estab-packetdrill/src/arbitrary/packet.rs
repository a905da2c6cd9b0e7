//! Packets of all forms.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::parser::{MAX_OPTION_BYTES, encoded_len};
use crate::script::{
    AccEcnField, Body, Direction, Echoed, Ecn, Encapsulation, Flags, Icmp, IpFields, MplsEntry,
    Name, Options, Packet, Segment, Sequence, Span, TcpOption,
};

use super::Choices;

/// A packet that can be written.
pub(super) fn packet(choices: &mut Choices<'_>) -> Packet {
    let direction = if choices.flip() {
        Direction::Inbound
    } else {
        Direction::Outbound
    };
    let body = match choices.below(8) {
        0 => Body::Udp {
            len: choices.below(65528) as u16,
        },
        1 | 2 => Body::Icmp(icmp(choices)),
        _ => Body::Tcp(segment(choices, direction)),
    };
    let may_have_ports = !matches!(body, Body::Icmp(_));
    Packet {
        direction,
        encapsulation: if choices.below(8) == 1 {
            choices.many(3, encapsulation)
        } else {
            Vec::new()
        },
        ip: ip_fields(choices, direction),
        ports: (may_have_ports && choices.below(4) == 1).then(|| (port(choices), port(choices))),
        body,
        span: Span::default(),
    }
}

fn port(choices: &mut Choices<'_>) -> u16 {
    choices.number() as u16
}

fn encapsulation(choices: &mut Choices<'_>) -> Encapsulation {
    match choices.below(4) {
        0 => {
            let mut address = || IpAddr::V4(Ipv4Addr::from_bits(choices.number()));
            Encapsulation::Ip {
                source: address(),
                destination: address(),
            }
        }
        1 => {
            let mut address = || IpAddr::V6(ipv6(choices));
            Encapsulation::Ip {
                source: address(),
                destination: address(),
            }
        }
        2 => Encapsulation::Gre(
            choices
                .of(&["", "key 0x1", "flags 0x2000, proto 0x800"])
                .to_owned(),
        ),
        _ => {
            let mut entries = vec![mpls_entry(choices)];
            entries.extend(choices.many(3, mpls_entry));
            Encapsulation::Mpls(entries)
        }
    }
}

/// Addresses with zeros in them, which are written in short.
fn ipv6(choices: &mut Choices<'_>) -> Ipv6Addr {
    let mut words = [0; 8];
    for word in &mut words {
        *word = if choices.flip() {
            choices.number() as u16
        } else {
            0
        };
    }
    Ipv6Addr::from(words)
}

fn mpls_entry(choices: &mut Choices<'_>) -> MplsEntry {
    MplsEntry {
        label: choices.below(1 << 20),
        traffic_class: choices.below(8) as u8,
        bottom: choices.flip(),
        ttl: choices.below(256) as u8,
    }
}

fn ip_fields(choices: &mut Choices<'_>, direction: Direction) -> IpFields {
    let mut fields = IpFields::default();
    if choices.below(4) != 1 {
        return fields;
    }
    match choices.below(3) {
        0 => {
            let last = if direction == Direction::Outbound {
                5
            } else {
                4
            };
            let all = [Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce, Ecn::Ect01];
            fields.ecn = Some(choices.of(&all[..last]));
        }
        1 => fields.tos = Some(choices.below(256) as u8),
        _ => {}
    }
    fields.ttl = choices.flip().then(|| choices.below(256) as u8);
    fields.flow_label = choices.flip().then(|| choices.below(1 << 20));
    fields
}

fn segment(choices: &mut Choices<'_>, direction: Direction) -> Segment {
    let inbound = direction == Direction::Inbound;
    let any = !inbound && choices.below(8) == 1;
    Segment {
        flags: flags(choices),
        sequence: sequence(choices),
        ack: choices.flip().then(|| choices.number()),
        window: (inbound || choices.flip()).then(|| choices.number() as u16),
        urgent: (choices.below(8) == 1).then(|| choices.number() as u16),
        options: if any {
            Options::Any
        } else {
            Options::These(options(choices))
        },
    }
}

/// Any flags.
pub(super) fn flags(choices: &mut Choices<'_>) -> Flags {
    let bits = choices.below(256);
    let ace = (choices.below(8) == 1).then(|| choices.below(8) as u8);
    let bit = |bit: u32| bits & 1 << bit != 0;
    let ecn_bit = |index| ace.is_none() && bit(index);
    Flags {
        fin: bit(0),
        syn: bit(1),
        rst: bit(2),
        psh: bit(3),
        ack: bit(4),
        urg: bit(5),
        ece: ecn_bit(6),
        cwr: ecn_bit(7),
        ae: ecn_bit(6) && bit(0),
        ace,
    }
}

fn sequence(choices: &mut Choices<'_>) -> Sequence {
    let first = choices.number();
    let len = if choices.flip() {
        choices.below(65536)
    } else {
        0
    };
    Sequence {
        first,
        last: first.wrapping_add(len),
        len,
    }
}

/// Options that a header can hold.
pub(super) fn options(choices: &mut Choices<'_>) -> Vec<TcpOption> {
    let mut options = Vec::new();
    let mut bytes = 0;
    for option in choices.many(8, option) {
        if bytes + encoded_len(&option) <= MAX_OPTION_BYTES {
            bytes += encoded_len(&option);
            options.push(option);
        }
    }
    let padding = bytes.next_multiple_of(4) - bytes;
    options.extend((0..padding).map(|_| TcpOption::Nop));
    options
}

fn option(choices: &mut Choices<'_>) -> TcpOption {
    match choices.below(12) {
        0 => TcpOption::Nop,
        1 => TcpOption::Eol,
        2 => TcpOption::Mss(choices.number() as u16),
        3 => TcpOption::WindowScale(choices.below(256) as u8),
        4 => TcpOption::SackOk,
        5 => {
            let mut blocks = vec![(choices.number(), choices.number())];
            blocks.extend(choices.many(3, |choices| (choices.number(), choices.number())));
            TcpOption::Sack(blocks)
        }
        6 => TcpOption::Timestamp {
            value: choices.number(),
            echo: choices.number(),
        },
        7 => TcpOption::FastOpen(bytes(choices)),
        8 => TcpOption::FastOpenExperimental(bytes(choices)),
        9 => TcpOption::Md5(bytes(choices)),
        _ => accecn(choices),
    }
}

fn bytes(choices: &mut Choices<'_>) -> Vec<u8> {
    choices.many(18, |choices| choices.below(256) as u8)
}

fn accecn(choices: &mut Choices<'_>) -> TcpOption {
    let mut order = [AccEcnField::E0b, AccEcnField::Ceb, AccEcnField::E1b];
    if choices.flip() {
        order.reverse();
    }
    let count = choices.below(4) as usize;
    let fields = order[..count]
        .iter()
        .map(|field| (*field, choices.below(1 << 24)))
        .collect();
    TcpOption::AccEcn {
        experimental: choices.flip(),
        fields,
    }
}

/// An ICMP message.
pub(super) fn icmp(choices: &mut Choices<'_>) -> Icmp {
    let name = |choices: &mut Choices<'_>, names: &[&str]| {
        if choices.flip() {
            Name::Number(choices.below(256))
        } else {
            Name::Word(choices.of(names).to_owned())
        }
    };
    let kinds = [
        "unreachable",
        "echo_request",
        "time_exceeded",
        "packet_too_big",
        "source_quench",
        "redirect",
    ];
    let codes = [
        "frag_needed",
        "net_unreachable",
        "host_unreachable",
        "port_unreachable",
        "admin_prohibited",
    ];
    Icmp {
        kind: name(choices, &kinds),
        code: choices.flip().then(|| name(choices, &codes)),
        mtu: choices.flip().then(|| choices.number()),
        id: (choices.below(4) == 1).then(|| choices.number() as u16),
        sequence: (choices.below(4) == 1).then(|| choices.number() as u16),
        echoed: match choices.below(4) {
            0 => None,
            1 => Some(Echoed::Udp {
                len: choices.below(65528) as u16,
            }),
            _ => Some(Echoed::Tcp(sequence(choices))),
        },
    }
}
