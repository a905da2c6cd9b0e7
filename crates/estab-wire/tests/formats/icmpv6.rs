use crate::support::{bytes, hex, link_local, v6};
use estab_wire::checksum::pseudo_header;
use estab_wire::ethernet::Address;
use estab_wire::icmpv6::{
    Message, NdpOption, NdpOptions, PrefixInformation, parameter_problem, unreachable,
};
use estab_wire::{Error, ipv6, protocol};
use proptest::prelude::*;
use std::net::Ipv6Addr;

const A: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const B: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const MAC: Address = Address([2, 0, 0, 0, 0, 9]);

/// The message with its checksum.
fn message(src: Ipv6Addr, dst: Ipv6Addr, text: &str) -> Vec<u8> {
    let mut message = hex(text);
    let mut sum = pseudo_header(
        src.into(),
        dst.into(),
        protocol::ICMPV6,
        message.len() as u32,
    );
    sum.add_bytes(&message);
    message[2..4].copy_from_slice(&sum.finish().to_be_bytes());
    message
}

const TARGET: &str = "fe800000000000000000000000000002";
const PREFIX: &str = "0304 40 c0 00015180 ffffffff 00000000 20010db8000000000000000000000000";

fn prefix() -> PrefixInformation {
    PrefixInformation {
        prefix: "2001:db8::".parse().unwrap(),
        prefix_len: 64,
        on_link: true,
        autonomous: true,
        valid_s: 86400,
        preferred_s: u32::MAX,
    }
}

#[test]
fn messages() {
    let quoted = &[1, 2, 3, 4, 5][..];
    let data = quoted;
    let cases = [
        (
            "01 04 0000 00000000 0102030405",
            Message::DestinationUnreachable {
                code: unreachable::PORT,
                quoted,
            },
        ),
        (
            "02 00 0000 00000500 0102030405",
            Message::PacketTooBig { mtu: 1280, quoted },
        ),
        (
            "03 01 0000 00000000 0102030405",
            Message::TimeExceeded { code: 1, quoted },
        ),
        (
            "04 02 0000 0000002a 0102030405",
            Message::ParameterProblem {
                code: parameter_problem::OPTION,
                pointer: 42,
                quoted,
            },
        ),
        (
            "80 00 0000 1234 0007 0102030405",
            Message::EchoRequest {
                ident: 0x1234,
                seq: 7,
                data,
            },
        ),
        (
            "81 00 0000 1234 0007 0102030405",
            Message::EchoReply {
                ident: 0x1234,
                seq: 7,
                data,
            },
        ),
    ];
    for (text, expected) in cases {
        let bytes = message(A, B, text);
        assert_eq!(Message::parse(A, B, &bytes), Ok(expected), "{text}");
        let mut out = vec![9];
        expected.emit(A, B, &mut out);
        assert_eq!(out[1..], bytes, "{text}");
        assert_eq!(expected.header(A, B)[..], bytes[..8]);
        assert_eq!(expected.body(), quoted);
        assert_eq!(expected.is_error(), bytes[0] < 128, "{text}");
        assert!(!expected.is_ndp());
    }
}

#[test]
fn neighbour_discovery() {
    let source = NdpOption::SourceLinkAddress(MAC).to_bytes();
    let target = NdpOption::TargetLinkAddress(MAC).to_bytes();
    let router = [
        &source[..],
        &NdpOption::Mtu(1400).to_bytes(),
        &NdpOption::Prefix(prefix()).to_bytes(),
    ]
    .concat();
    let cases = [
        (
            "85 00 0000 00000000 0101 020000000009".to_owned(),
            Message::RouterSolicitation {
                options: NdpOptions::new(&source).unwrap(),
            },
        ),
        (
            format!(
                "86 00 0000 40 80 0708 00007530 000003e8 0101 020000000009 0501 0000 00000578 {PREFIX}"
            ),
            Message::RouterAdvertisement {
                hop_limit: 64,
                managed: true,
                other_config: false,
                lifetime_s: 1800,
                reachable_ms: 30_000,
                retrans_ms: 1000,
                options: NdpOptions::new(&router).unwrap(),
            },
        ),
        (
            format!("87 00 0000 00000000 {TARGET} 0101 020000000009"),
            Message::NeighborSolicitation {
                target: B,
                options: NdpOptions::new(&source).unwrap(),
            },
        ),
        (
            format!("88 00 0000 60000000 {TARGET} 0201 020000000009"),
            Message::NeighborAdvertisement {
                router: false,
                solicited: true,
                override_entry: true,
                target: B,
                options: NdpOptions::new(&target).unwrap(),
            },
        ),
    ];
    for (text, expected) in cases {
        let bytes = message(A, B, &text);
        assert_eq!(Message::parse(A, B, &bytes), Ok(expected), "{text}");
        let mut out = Vec::new();
        expected.emit(A, B, &mut out);
        assert_eq!(out, bytes, "{text}");
        assert!(expected.is_ndp() && !expected.is_error());
    }
}

#[test]
fn flags_of_advertisements() {
    for (bits, expected) in [
        ("80", (true, false, false)),
        ("40", (false, true, false)),
        ("20", (false, false, true)),
        ("1f", (false, false, false)),
    ] {
        let bytes = message(A, B, &format!("88 00 0000 {bits}000000 {TARGET}"));
        let Ok(Message::NeighborAdvertisement {
            router,
            solicited,
            override_entry,
            ..
        }) = Message::parse(A, B, &bytes)
        else {
            panic!("{bits}");
        };
        assert_eq!((router, solicited, override_entry), expected, "{bits}");
    }
    for (bits, expected) in [
        ("80", (true, false)),
        ("40", (false, true)),
        ("3f", (false, false)),
    ] {
        let bytes = message(
            A,
            B,
            &format!("86 00 0000 00 {bits} 0000 00000000 00000000"),
        );
        let Ok(Message::RouterAdvertisement {
            managed,
            other_config,
            ..
        }) = Message::parse(A, B, &bytes)
        else {
            panic!("{bits}");
        };
        assert_eq!((managed, other_config), expected, "{bits}");
    }
}

#[test]
fn options() {
    let all = hex(&format!(
        "0101 020000000009  2501 aabbccddeeff  0201 020000000008  0501 0000 00000500  {PREFIX} \
         0102 0000000000000000000000000000  0502 0000 00000600 0000000000000000"
    ));
    let options = NdpOptions::new(&all).unwrap();
    assert_eq!(options.as_bytes(), all);
    // Unknown types and lengths of something else are left out.
    assert_eq!(options.iter().count(), 4);
    assert_eq!(options.source_link_address(), Some(MAC));
    assert_eq!(
        options.target_link_address(),
        Some(Address([2, 0, 0, 0, 0, 8]))
    );
    assert_eq!(options.mtu(), Some(1280));
    assert_eq!(options.prefixes().collect::<Vec<_>>(), [prefix()]);
    assert_eq!(NdpOption::Prefix(prefix()).to_bytes()[..], hex(PREFIX));

    assert_eq!(NdpOptions::NONE.iter().count(), 0);
    assert_eq!(NdpOptions::NONE.mtu(), None);
    assert_eq!(NdpOptions::NONE.source_link_address(), None);
    assert_eq!(NdpOptions::NONE.target_link_address(), None);
}

#[test]
fn lengths_of_options() {
    for (bytes, error) in [
        ("0100 020000000009", Error::Malformed),
        ("0101 020000000009 fe00", Error::Malformed),
        ("0102 020000000009", Error::Truncated),
        ("0101 02000000", Error::Truncated),
        ("0101 020000000009 05", Error::Truncated),
        ("01", Error::Truncated),
    ] {
        assert_eq!(NdpOptions::new(&hex(bytes)), Err(error), "{bytes}");
        let bytes = message(A, B, &format!("87 00 0000 00000000 {TARGET} {bytes}"));
        assert_eq!(Message::parse(A, B, &bytes), Err(error));
    }
}

#[test]
fn errors() {
    let ns = format!("87 00 0000 00000000 {TARGET}");
    let ns_with_source = format!("{ns} 0101 020000000009");
    let na = format!("88 00 0000 40000000 {TARGET}");
    let na_unsolicited = format!("88 00 0000 00000000 {TARGET}");
    let ra = "86 00 0000 00000000 00000000 00000000";
    let of_multicast = "00000000 ff020000000000000000000000000001";
    let unspecified = Ipv6Addr::UNSPECIFIED;
    let global: Ipv6Addr = "2001:db8::1".parse().unwrap();
    let group = ipv6::solicited_node(B);
    let malformed = Err(Error::Malformed);
    let cases = [
        (A, B, "80 01 0000 00000000", malformed),
        (A, B, "02 01 0000 00000500", Ok(())),
        (A, B, "64 00 0000 00000000", Err(Error::Unsupported)),
        (A, B, "82 00 0000 00000000", Err(Error::Unsupported)),
        (A, B, "89 00 0000 00000000", Err(Error::Unsupported)),
        (A, B, "85 01 0000 00000000", malformed),
        (unspecified, B, "85 00 0000 00000000", Ok(())),
        (
            unspecified,
            B,
            "85 00 0000 00000000 0101 020000000009",
            malformed,
        ),
        (A, ALL_NODES, ra, Ok(())),
        (global, ALL_NODES, ra, malformed),
        (
            A,
            B,
            "86 00 0000 00000000 00000000 000000",
            Err(Error::Truncated),
        ),
        (A, B, &ns, Ok(())),
        (unspecified, group, &ns, Ok(())),
        (unspecified, B, &ns, malformed),
        (unspecified, ALL_NODES, &ns, malformed),
        (unspecified, group, &ns_with_source, malformed),
        (A, group, &ns_with_source, Ok(())),
        (A, B, &format!("87 00 0000 {of_multicast}"), malformed),
        (A, B, &format!("88 00 0000 {of_multicast}"), malformed),
        (
            A,
            B,
            "87 00 0000 00000000 fe80000000000000000000000000",
            Err(Error::Truncated),
        ),
        (A, B, &na, Ok(())),
        (A, ALL_NODES, &na, malformed),
        (A, ALL_NODES, &na_unsolicited, Ok(())),
    ];
    for (src, dst, text, expected) in cases {
        let bytes = message(src, dst, text);
        let got = Message::parse(src, dst, &bytes).map(|_| ());
        assert_eq!(got, expected, "{src} > {dst}: {text}");
    }
}

#[test]
fn checksum_covers_all() {
    let good = message(A, B, "80 00 0000 1234 0001 010203");
    for len in 0..8 {
        assert_eq!(Message::parse(A, B, &good[..len]), Err(Error::Truncated));
    }
    assert_eq!(Message::parse(A, A, &good), Err(Error::Checksum));
    for bit in 0..good.len() * 8 {
        let mut broken = good.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            Message::parse(A, B, &broken),
            Err(Error::Checksum),
            "bit {bit}"
        );
    }
}

fn option() -> impl Strategy<Value = NdpOption> {
    let address = any::<[u8; 6]>().prop_map(Address);
    let prefix = (v6(), any::<(u8, bool, bool, u32, u32)>()).prop_map(
        |(prefix, (prefix_len, on_link, autonomous, valid_s, preferred_s))| {
            NdpOption::Prefix(PrefixInformation {
                prefix,
                prefix_len,
                on_link,
                autonomous,
                valid_s,
                preferred_s,
            })
        },
    );
    prop_oneof![
        address.clone().prop_map(NdpOption::SourceLinkAddress),
        address.prop_map(NdpOption::TargetLinkAddress),
        any::<u32>().prop_map(NdpOption::Mtu),
        prefix,
    ]
}

proptest! {
    #[test]
    fn round_trip(
        kind in 0..10, code: u8, word: u32, body in bytes(80), options in proptest::collection::vec(option(), 0..5),
        a: bool, b: bool, c: bool, reachable_ms: u32, src in link_local(), dst in link_local(), target in link_local(),
    ) {
        let (first, second) = ((word >> 16) as u16, word as u16);
        let options_bytes: Vec<u8> = options.iter().flat_map(|option| option.to_bytes()).collect();
        let ndp = NdpOptions::new(&options_bytes).unwrap();
        prop_assert!(ndp.iter().eq(options.iter().copied()));
        let message = match kind {
            0 => Message::DestinationUnreachable { code, quoted: &body },
            1 => Message::PacketTooBig { mtu: word, quoted: &body },
            2 => Message::TimeExceeded { code, quoted: &body },
            3 => Message::ParameterProblem { code, pointer: word, quoted: &body },
            4 => Message::EchoRequest { ident: first, seq: second, data: &body },
            5 => Message::EchoReply { ident: first, seq: second, data: &body },
            6 => Message::RouterSolicitation { options: ndp },
            7 => Message::RouterAdvertisement {
                hop_limit: code, managed: a, other_config: b, lifetime_s: first, reachable_ms,
                retrans_ms: word, options: ndp,
            },
            8 => Message::NeighborSolicitation { target, options: ndp },
            _ => Message::NeighborAdvertisement {
                router: a, solicited: b, override_entry: c, target, options: ndp,
            },
        };
        let mut out = Vec::new();
        message.emit(src, dst, &mut out);
        prop_assert_eq!(Message::parse(src, dst, &out), Ok(message));
    }
}
