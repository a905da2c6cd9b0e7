use crate::support::{bytes, hex, ipv4_header};
use estab_wire::checksum::Sum;
use estab_wire::ipv4::{HEADER_LEN, Header};
use estab_wire::{Error, protocol};
use proptest::prelude::*;
use std::net::Ipv4Addr;

/// A header known from many textbooks, with DF and its checksum `b861`.
const KNOWN: &str = "45 00 0073 0000 4000 40 11 b861 c0a80001 c0a800c7";

fn known() -> Vec<u8> {
    let mut packet = hex(KNOWN);
    packet.resize(0x73, 0xaa);
    packet
}

/// With its checksum made right again.
fn with(at: usize, value: u8) -> Vec<u8> {
    let mut packet = known();
    packet[at] = value;
    packet[10..12].fill(0);
    let mut sum = Sum::new();
    sum.add_bytes(&packet[..4 * usize::from(packet[0] & 15)]);
    packet[10..12].copy_from_slice(&sum.finish().to_be_bytes());
    packet
}

#[test]
fn known_header() {
    let packet = known();
    let header = Header::parse(&packet).unwrap();
    assert_eq!(
        header,
        Header {
            dont_fragment: true,
            total_len: 0x73,
            ..Header::new(
                Ipv4Addr::new(192, 168, 0, 1),
                Ipv4Addr::new(192, 168, 0, 199),
                protocol::UDP
            )
        }
    );
    assert_eq!(header.payload(&packet), &packet[20..]);
    let mut out = [0; HEADER_LEN];
    header.emit(&mut out);
    assert_eq!(out[..], packet[..20]);
}

#[test]
fn fields() {
    let get = |at, value| Header::parse(&with(at, value)).unwrap();
    assert_eq!(get(1, 0xb9).tos, 0xb9);
    assert_eq!(get(8, 1).ttl, 1);
    assert_eq!(get(9, 6).protocol, 6);
    assert_eq!(get(4, 0x12).identification, 0x1200);
    // The reserved bit means nothing.
    assert_eq!(
        get(6, 0x80),
        Header {
            dont_fragment: false,
            ..get(6, 0)
        }
    );
    let last = get(7, 0x03);
    assert_eq!((last.fragment_offset, last.more_fragments), (24, false));
    assert!(last.is_fragment());
    let first = get(6, 0x20);
    assert_eq!((first.fragment_offset, first.more_fragments), (0, true));
    assert!(first.is_fragment());
    assert!(!get(6, 0x40).is_fragment());
    let mut far = with(6, 0x1f);
    far[7] = 0xff;
    assert_eq!(Header::parse_quoted(&far).unwrap().fragment_offset, 65528);
}

#[test]
fn options_are_skipped() {
    let packet = with(0, 0x47);
    let header = Header::parse(&packet).unwrap();
    assert_eq!(header.header_len, 28);
    assert_eq!(header.payload_len(), 0x73 - 28);
    assert_eq!(header.payload(&packet), &packet[28..]);
}

#[test]
fn padding_of_the_link_is_no_payload() {
    let mut packet = known();
    packet.extend([0; 10]);
    let header = Header::parse(&packet).unwrap();
    assert_eq!(header.payload(&packet).len(), 0x73 - 20);
}

#[test]
fn errors() {
    for (at, value, error) in [
        (0, 0x65, Error::Unsupported),
        (0, 0x05, Error::Unsupported),
        (0, 0x44, Error::Malformed),
        (3, 19, Error::Malformed),
        (3, 0, Error::Malformed),
        (3, 0x74, Error::Truncated),
        (2, 1, Error::Truncated),
    ] {
        assert_eq!(
            Header::parse(&with(at, value)),
            Err(error),
            "byte {at} = {value:#x}"
        );
    }
    // Options that end behind the packet.
    let mut short = hex("46 00 0014 0000 4000 40 11 0000 c0a80001 c0a800c7");
    assert_eq!(Header::parse(&short), Err(Error::Malformed));
    short[3] = 24;
    assert_eq!(Header::parse(&short), Err(Error::Truncated));
    assert_eq!(Header::parse_quoted(&short), Err(Error::Truncated));
    let packet = known();
    for len in 0..packet.len() {
        assert_eq!(
            Header::parse(&packet[..len]),
            Err(Error::Truncated),
            "{len} bytes"
        );
    }
}

#[test]
fn every_bit_of_the_header_counts() {
    for bit in 0..160 {
        let mut packet = known();
        packet[bit / 8] ^= 1 << (bit % 8);
        assert!(Header::parse(&packet).is_err(), "bit {bit}");
    }
}

#[test]
fn quoted() {
    let mut packet = known();
    let header = Header::parse(&packet).unwrap();
    // What routers do, and the 8 bytes of payload that they at least quote.
    packet[8] = 1;
    let quoted = Header::parse_quoted(&packet[..28]).unwrap();
    assert_eq!(quoted, Header { ttl: 1, ..header });
    assert_eq!(quoted.payload(&packet[..28]).len(), 8);
    assert_eq!(Header::parse_quoted(&packet[..19]), Err(Error::Truncated));
}

proptest! {
    #[test]
    fn round_trip((header, payload) in bytes(100).prop_flat_map(|payload| {
        (ipv4_header(payload.len() as u16), Just(payload))
    })) {
        let mut out = [0; HEADER_LEN];
        header.emit(&mut out);
        let packet = [&out, &*payload].concat();
        prop_assert_eq!(Header::parse(&packet), Ok(header));
        prop_assert_eq!(Header::parse_quoted(&packet), Ok(header));
        prop_assert_eq!(header.payload(&packet), payload);
    }
}
