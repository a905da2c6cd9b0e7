//! Names of ICMP types and codes.

use crate::script::Name;

/// A type with the names of its codes.
struct Kind {
    number: u8,
    names: &'static [&'static str],
    codes: &'static [(u8, &'static [&'static str])],
}

// The first name of each is the one that is shown.
const V4: &[Kind] = &[
    Kind {
        number: 0,
        names: &["echo_reply"],
        codes: &[],
    },
    Kind {
        number: 3,
        names: &["unreachable"],
        codes: &[
            (0, &["net_unreachable"]),
            (1, &["host_unreachable"]),
            (2, &["protocol_unreachable"]),
            (3, &["port_unreachable"]),
            (4, &["frag_needed"]),
            (5, &["source_route_failed"]),
            (6, &["net_unknown"]),
            (7, &["host_unknown"]),
            (8, &["source_host_isolated"]),
            (9, &["net_prohibited"]),
            (10, &["host_prohibited"]),
            (11, &["net_unreachable_for_tos"]),
            (12, &["host_unreachable_for_tos"]),
            (13, &["packet_filtered", "admin_prohibited"]),
            (14, &["precedence_violation"]),
            (15, &["precedence_cutoff"]),
        ],
    },
    Kind {
        number: 4,
        names: &["source_quench"],
        codes: &[],
    },
    Kind {
        number: 5,
        names: &["redirect"],
        codes: &[],
    },
    Kind {
        number: 8,
        names: &["echo_request"],
        codes: &[],
    },
    Kind {
        number: 11,
        names: &["time_exceeded"],
        codes: &[(0, &["ttl_exceeded"]), (1, &["reassembly_exceeded"])],
    },
    Kind {
        number: 12,
        names: &["parameter_problem"],
        codes: &[],
    },
];

const V6: &[Kind] = &[
    Kind {
        number: 1,
        names: &["unreachable"],
        codes: &[
            (0, &["no_route", "net_unreachable"]),
            (1, &["admin_prohibited"]),
            (2, &["beyond_scope"]),
            (3, &["address_unreachable", "host_unreachable"]),
            (4, &["port_unreachable"]),
            (5, &["source_policy"]),
            (6, &["reject_route"]),
        ],
    },
    Kind {
        number: 2,
        names: &["packet_too_big"],
        codes: &[],
    },
    Kind {
        number: 3,
        names: &["time_exceeded"],
        codes: &[
            (0, &["hop_limit_exceeded", "ttl_exceeded"]),
            (1, &["reassembly_exceeded"]),
        ],
    },
    Kind {
        number: 4,
        names: &["parameter_problem"],
        codes: &[
            (0, &["header_field"]),
            (1, &["next_header"]),
            (2, &["unknown_option"]),
        ],
    },
    Kind {
        number: 128,
        names: &["echo_request"],
        codes: &[],
    },
    Kind {
        number: 129,
        names: &["echo_reply"],
        codes: &[],
    },
];

const fn table(v6: bool) -> &'static [Kind] {
    if v6 { V6 } else { V4 }
}

/// The number of a type.
///
/// # Errors
/// What is known, when the name is not.
pub(crate) fn kind(v6: bool, name: &Name) -> Result<u8, String> {
    let known = || {
        let names = table(v6).iter().map(|kind| kind.names[0]);
        format!("one of {}", names.collect::<Vec<_>>().join(", "))
    };
    match name {
        Name::Number(number) => u8::try_from(*number).map_err(|_| "a number up to 255".to_owned()),
        Name::Word(word) => table(v6)
            .iter()
            .find(|kind| kind.names.contains(&word.as_str()))
            .map(|kind| kind.number)
            .ok_or_else(known),
    }
}

/// The number of a code of a type.
///
/// # Errors
/// What is known, when the name is not.
pub(crate) fn code(v6: bool, kind: u8, name: &Name) -> Result<u8, String> {
    let codes = table(v6)
        .iter()
        .find(|known| known.number == kind)
        .map_or(&[][..], |known| known.codes);
    match name {
        Name::Number(number) => u8::try_from(*number).map_err(|_| "a number up to 255".to_owned()),
        Name::Word(word) => codes
            .iter()
            .find(|(_, names)| names.contains(&word.as_str()))
            .map(|(code, _)| *code)
            .ok_or_else(|| {
                if codes.is_empty() {
                    return "a number: this type has no codes with names".to_owned();
                }
                let names: Vec<_> = codes.iter().map(|(_, names)| names[0]).collect();
                format!("one of {}", names.join(", "))
            }),
    }
}

/// The name of a type, and of its code unless that is 0 without a name.
pub(crate) fn names(v6: bool, kind: u8, code: u8) -> (Name, Option<Name>) {
    let Some(known) = table(v6).iter().find(|known| known.number == kind) else {
        return (
            Name::Number(u32::from(kind)),
            Some(Name::Number(u32::from(code))),
        );
    };
    let word = |word: &str| Name::Word(word.to_owned());
    let named = known.codes.iter().find(|(number, _)| *number == code);
    let code = match named {
        Some((_, names)) => Some(word(names[0])),
        None if code == 0 => None,
        None => Some(Name::Number(u32::from(code))),
    };
    (word(known.names[0]), code)
}

/// Does a message of this type report an error, and quote a packet?
pub(crate) const fn is_error(v6: bool, kind: u8) -> bool {
    if v6 {
        kind < 128
    } else {
        matches!(kind, 3 | 4 | 5 | 11 | 12)
    }
}

/// Is it an echo request or reply?
pub(crate) const fn is_echo(v6: bool, kind: u8) -> bool {
    if v6 {
        matches!(kind, 128 | 129)
    } else {
        matches!(kind, 0 | 8)
    }
}
