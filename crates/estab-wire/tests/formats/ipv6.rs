use crate::support::{bytes, hex, ipv6_header};
use estab_wire::Error;
use estab_wire::ipv6::{
    Fragment, FragmentHeader, HEADER_LEN, Header, ParameterProblem, Upper, WalkError, walk,
};
use proptest::prelude::*;
use std::net::Ipv6Addr;

const TCP: u8 = 6;

/// Options that fill a header of 8 bytes.
const PAD_4: &str = "0104 00000000";

#[test]
fn fixed_header() {
    let packet = hex(
        "6a b12345 0003 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002 aabbccdd",
    );
    let header = Header::parse(&packet).unwrap();
    assert_eq!(
        header,
        Header {
            traffic_class: 0xab,
            flow_label: 0x12345,
            payload_len: 3,
            ..Header::new(
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2),
                TCP
            )
        }
    );
    assert_eq!(header.payload(&packet), [0xaa, 0xbb, 0xcc]);
    let mut out = [0; HEADER_LEN];
    header.emit(&mut out);
    assert_eq!(out[..], packet[..40]);

    for len in 0..43 {
        assert_eq!(
            Header::parse(&packet[..len]),
            Err(Error::Truncated),
            "{len} bytes"
        );
    }
    assert_eq!(Header::parse_quoted(&packet[..40]), Ok(header));
    assert_eq!(Header::parse_quoted(&packet[..39]), Err(Error::Truncated));
    for version in [0, 4, 5, 7, 15] {
        let mut packet = packet.clone();
        packet[0] = version << 4;
        assert_eq!(Header::parse(&packet), Err(Error::Unsupported));
    }
}

/// Walks a packet whose fixed header announces `first`, with these bytes behind it.
fn walked(first: u8, behind: &str) -> Result<Upper, WalkError> {
    let mut header = Header::new(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, first);
    let behind = hex(behind);
    header.payload_len = behind.len() as u16;
    let mut out = [0; HEADER_LEN];
    header.emit(&mut out);
    walk(&header, &[&out, &*behind].concat())
}

fn upper(protocol: u8, offset: usize, announced_at: usize) -> Result<Upper, WalkError> {
    Ok(Upper {
        protocol,
        offset,
        announced_at,
        fragment: None,
    })
}

fn problem(code: u8, pointer: u32, even_to_multicast: bool) -> Result<Upper, WalkError> {
    Err(WalkError::Parameter(ParameterProblem {
        code,
        pointer,
        even_to_multicast,
    }))
}

fn discard(error: Error) -> Result<Upper, WalkError> {
    Err(WalkError::Discard(error))
}

#[test]
fn headers_that_are_passed() {
    let cases = [
        (6, "", upper(TCP, 40, 6)),
        (59, "", upper(59, 40, 6)),
        (253, "0600", upper(253, 40, 6)),
        // Hop-by-hop, destination and routing headers, padded and with options to skip.
        (0, "06 00 0104 00000000", upper(TCP, 48, 40)),
        (0, "06 00 000000000000", upper(TCP, 48, 40)),
        (60, "06 00 0502 0000 0100", upper(TCP, 48, 40)),
        (
            60,
            "06 01 3e0c 000000000000000000000000",
            upper(TCP, 56, 40),
        ),
        (
            43,
            "06 02 00 00 00000000 00000000000000000000000000000000",
            upper(TCP, 64, 40),
        ),
        (43, "3a 00 fd 00 00000000", upper(58, 48, 40)),
        // All of them in the order of RFC 8200 section 4.1.
        (
            0,
            "3c 00 0104 00000000  2b 00 0104 00000000  3c 00 00 00 00000000  06 00 0104 00000000",
            upper(TCP, 72, 64),
        ),
    ];
    for (first, behind, expected) in cases {
        assert_eq!(walked(first, behind), expected, "{first}: {behind}");
    }
}

#[test]
fn options_that_are_not_known() {
    for (option, hop_by_hop) in [("41", 0), ("7f", 0), ("41", 60)] {
        let got = walked(hop_by_hop, &format!("06 00 {option}04 00000000"));
        assert_eq!(got, discard(Error::Unsupported), "{option}");
    }
    // 10: even to multicast; 11 (the jumbo payload of RFC 2675 is one): not to multicast.
    assert_eq!(walked(0, "06 00 8104 00000000"), problem(2, 42, true));
    assert_eq!(walked(0, "06 00 c204 00000000"), problem(2, 42, false));
    // It points to the option, wherever that stands.
    assert_eq!(
        walked(60, "3c 00 0104 00000000 06 00 00 00 8102 0000"),
        problem(2, 52, true)
    );
    // In order: what comes first decides.
    assert_eq!(
        walked(0, "06 00 4100 8100 0100"),
        discard(Error::Unsupported)
    );
    assert_eq!(walked(0, "06 00 8100 4100 0100"), problem(2, 42, true));
}

#[test]
fn routing_headers_with_segments_left() {
    for kind in ["00", "02", "03", "04", "fd"] {
        let got = walked(43, &format!("06 00 {kind} 01 00000000"));
        assert_eq!(got, problem(0, 42, false), "type {kind}");
    }
}

#[test]
fn hop_by_hop_elsewhere_than_first() {
    for (first, behind, pointer) in [
        (60, "00 00 0104 00000000  06 00 0104 00000000", 40),
        (0, "00 00 0104 00000000  06 00 0104 00000000", 40),
        (
            43,
            "3c 00 00 00 00000000  00 00 0104 00000000  06 00 0104 00000000",
            48,
        ),
        (44, "00 00 0000 00000001  06 00 0104 00000000", 40),
        (44, "00 00 0001 00000001  06 00 0104 00000000", 40),
    ] {
        assert_eq!(
            walked(first, behind),
            problem(1, pointer, false),
            "{behind}"
        );
    }
}

#[test]
fn headers_that_end_behind_the_packet() {
    for (first, behind) in [
        (0, ""),
        (0, "06 00 0104 000000"),
        (60, "06 01 0104 00000000"),
        (60, "06 ff 0104 00000000"),
        (43, "06 00 00"),
        (44, "06 00 0001 000000"),
        (0, "3c 00 0104 00000000  06 00"),
        // Options that end behind their header, though not behind the packet.
        (0, "06 00 0105 00000000  0000000000"),
        (0, "06 00 0103 000000 01  0000000000"),
        (0, "06 00 c2ff 00000000  0000000000"),
    ] {
        assert_eq!(
            walked(first, behind),
            discard(Error::Truncated),
            "{first}: {behind}"
        );
    }
}

#[test]
fn more_headers_than_anybody_needs() {
    let chain = |n: usize| format!("{} 06 00 {PAD_4}", format!("3c 00 {PAD_4} ").repeat(n - 1));
    assert_eq!(walked(60, &chain(8)), upper(TCP, 104, 96));
    assert_eq!(walked(60, &chain(9)), discard(Error::Malformed));
    assert_eq!(walked(60, &chain(1000)), discard(Error::Malformed));
}

#[test]
fn fragments() {
    let fragment = |offset, more, announced_at, at| Fragment {
        header: FragmentHeader {
            next_header: TCP,
            fragment_offset: offset,
            more_fragments: more,
            identification: 0x0102_0304,
        },
        offset: at,
        announced_at,
    };
    let with = |upper: Result<Upper, WalkError>, fragment| {
        upper.map(|upper| Upper {
            fragment: Some(fragment),
            ..upper
        })
    };
    // First, middle and last; the reserved bits mean nothing.
    let got = walked(44, "06 ff 0007 01020304 aabb");
    assert_eq!(got, with(upper(TCP, 48, 40), fragment(0, true, 6, 40)));
    let got = walked(44, "06 00 05a9 01020304 aabb");
    assert_eq!(got, with(upper(TCP, 48, 40), fragment(1448, true, 6, 40)));
    let got = walked(44, "06 00 fff8 01020304 aabb");
    assert_eq!(got, with(upper(TCP, 48, 40), fragment(65528, false, 6, 40)));
    // Behind hop-by-hop options: the byte to replace in the whole packet is theirs.
    let got = walked(0, "2c 00 0104 00000000 06 00 0001 01020304");
    assert_eq!(got, with(upper(TCP, 56, 48), fragment(0, true, 40, 48)));
}

#[test]
fn the_walk_ends_at_a_fragment_but_not_at_an_atomic_one() {
    let options = "06 00 0104 00000000";
    let got = walked(44, &format!("3c 00 0001 01020304 {options}")).unwrap();
    assert_eq!((got.protocol, got.offset), (60, 48));
    assert!(!got.fragment.unwrap().header.is_atomic());
    let got = walked(44, &format!("3c 00 0000 01020304 {options}")).unwrap();
    assert_eq!((got.protocol, got.offset), (TCP, 56));
    assert!(got.fragment.unwrap().header.is_atomic());
    // A fragment of a fragment is nonsense.
    let got = walked(44, "2c 00 0000 01020304 06 00 0000 01020304");
    assert_eq!(got, discard(Error::Malformed));
}

/// Padding of the link must not be taken for headers.
#[test]
fn nothing_behind_the_payload_is_looked_at() {
    let header = Header::new(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, 60);
    let mut packet = vec![0; HEADER_LEN];
    packet.extend(hex("06 00 0104 00000000"));
    assert_eq!(walk(&header, &packet), discard(Error::Truncated));
    let header = Header::new(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, TCP);
    assert_eq!(walk(&header, &packet), upper(TCP, 40, 6));
    assert_eq!(walk(&header, &packet[..39]), discard(Error::Truncated));
}

proptest! {
    #[test]
    fn round_trip((header, payload) in bytes(100).prop_flat_map(|payload| {
        (ipv6_header(payload.len() as u16), Just(payload))
    })) {
        let mut out = [0; HEADER_LEN];
        header.emit(&mut out);
        let packet = [&out, &*payload].concat();
        prop_assert_eq!(Header::parse(&packet), Ok(header));
        prop_assert_eq!(header.payload(&packet), payload);
    }

    #[test]
    fn fragment_round_trip(next_header: u8, offset in 0u16..0x2000, more_fragments: bool, identification: u32) {
        let header = FragmentHeader {
            next_header, fragment_offset: offset * 8, more_fragments, identification,
        };
        let mut out = [0; FragmentHeader::LEN];
        header.emit(&mut out);
        prop_assert_eq!(FragmentHeader::parse(&out), Ok(header));
    }

    #[test]
    fn flow_labels_do_not_spill(flow_label: u32) {
        let header = Header { flow_label, ..Header::new(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, 6) };
        let mut out = [0; HEADER_LEN];
        header.emit(&mut out);
        let parsed = Header::parse(&out).unwrap();
        prop_assert_eq!(parsed.flow_label, flow_label & 0xf_ffff);
        prop_assert_eq!(parsed.traffic_class, 0);
    }
}
