use crate::support::{bytes, hex};
use estab_wire::Error;
use estab_wire::checksum::Sum;
use estab_wire::icmpv4::{HEADER_LEN, Message, time_exceeded, unreachable};
use proptest::prelude::*;

/// The message with its checksum.
fn message(text: &str) -> Vec<u8> {
    let mut message = hex(text);
    let mut sum = Sum::new();
    sum.add_bytes(&message);
    message[2..4].copy_from_slice(&sum.finish().to_be_bytes());
    message
}

#[test]
fn messages() {
    let quoted = &[1, 2, 3, 4, 5][..];
    let data = quoted;
    let cases = [
        (
            "08 00 0000 1234 0001 0102030405",
            Message::EchoRequest {
                ident: 0x1234,
                seq: 1,
                data,
            },
        ),
        (
            "00 00 0000 1234 0001 0102030405",
            Message::EchoReply {
                ident: 0x1234,
                seq: 1,
                data,
            },
        ),
        (
            "03 04 0000 0000 05dc 0102030405",
            Message::DestinationUnreachable {
                code: unreachable::FRAGMENTATION_NEEDED,
                next_hop_mtu: 1500,
                quoted,
            },
        ),
        (
            "03 03 0000 00000000 0102030405",
            Message::DestinationUnreachable {
                code: unreachable::PORT,
                next_hop_mtu: 0,
                quoted,
            },
        ),
        (
            "0b 01 0000 00000000 0102030405",
            Message::TimeExceeded {
                code: time_exceeded::REASSEMBLY,
                quoted,
            },
        ),
        (
            "0c 00 0000 14000000 0102030405",
            Message::ParameterProblem {
                code: 0,
                pointer: 20,
                quoted,
            },
        ),
    ];
    for (text, expected) in cases {
        let bytes = message(text);
        assert_eq!(Message::parse(&bytes), Ok(expected), "{text}");
        let mut out = vec![9];
        expected.emit(&mut out);
        assert_eq!(out[1..], bytes, "{text}");
        assert_eq!(expected.header()[..], bytes[..HEADER_LEN]);
        assert_eq!(expected.body(), quoted);
        assert_eq!(
            expected.is_error(),
            bytes[0] != 0 && bytes[0] != 8,
            "{text}"
        );
    }
}

/// The length that RFC 4884 puts into an unused byte does not matter here.
#[test]
fn unused_bytes_are_not_looked_at() {
    let got = Message::parse(&message("03 01 0000 0011 0000 aa")).map(|message| message.header());
    let zeros = Message::parse(&message("03 01 0000 0000 0000 aa")).map(|message| message.header());
    assert_eq!(got, zeros);
}

#[test]
fn errors() {
    for (text, error) in [
        ("08 01 0000 00000000", Error::Malformed),
        ("00 01 0000 00000000", Error::Malformed),
        ("05 00 0000 00000000", Error::Unsupported),
        ("0d 00 0000 00000000", Error::Unsupported),
        ("ff 00 0000 00000000", Error::Unsupported),
    ] {
        assert_eq!(Message::parse(&message(text)), Err(error), "{text}");
    }
    let good = message("08 00 0000 1234 0001 010203");
    for len in 0..HEADER_LEN {
        assert_eq!(Message::parse(&good[..len]), Err(Error::Truncated));
    }
    for bit in 0..good.len() * 8 {
        let mut broken = good.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Message::parse(&broken), Err(Error::Checksum), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn round_trip(kind in 0..5, code: u8, first: u16, second: u16, body in bytes(80)) {
        let message = match kind {
            0 => Message::EchoRequest { ident: first, seq: second, data: &body },
            1 => Message::EchoReply { ident: first, seq: second, data: &body },
            2 => Message::DestinationUnreachable { code, next_hop_mtu: second, quoted: &body },
            3 => Message::TimeExceeded { code, quoted: &body },
            _ => Message::ParameterProblem { code, pointer: first as u8, quoted: &body },
        };
        let mut out = Vec::new();
        message.emit(&mut out);
        prop_assert_eq!(Message::parse(&out), Ok(message));
    }
}
