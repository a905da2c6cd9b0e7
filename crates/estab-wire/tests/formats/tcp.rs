use crate::support::{bytes, emitted, hex, tcp_header, v4, v6};
use estab_wire::Error;
use estab_wire::tcp::{
    CHECKSUM_OFFSET, Flags, HEADER_LEN, Header, Options, SeqNum, UnscaledWindow, checksum, verify,
};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const B: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

#[test]
fn fields() {
    let segment = hex("c001 0050 01020304 05060708 50 18 fa01 beef 0009 aabb");
    let (header, payload_offset) = Header::parse(&segment).unwrap();
    assert_eq!(payload_offset, 20);
    assert_eq!(
        header,
        Header {
            src_port: 0xc001,
            dst_port: 80,
            seq: SeqNum(0x0102_0304),
            ack: SeqNum(0x0506_0708),
            flags: Flags::PSH | Flags::ACK,
            window: UnscaledWindow(0xfa01),
            urgent: 9,
            options: Options::NONE,
        }
    );
    let mut expected = segment[..20].to_vec();
    expected[CHECKSUM_OFFSET..][..2].fill(0);
    assert_eq!(emitted(&header), expected);
}

/// RFC 9293 3.1 MUST-1: unsigned, so that the largest is not negative.
#[test]
fn the_largest_window() {
    let segment = hex("c001 0050 00000000 00000000 50 10 ffff 0000 0000");
    let (header, _) = Header::parse(&segment).unwrap();
    assert_eq!(u32::from(header.window.0), 65535);
}

/// All twelve bits beside the data offset come through, those without a meaning too (RFC 3360).
#[test]
fn reserved_bits() {
    let segment = hex("c001 0050 00000000 00000000 5f ff ffff 0000 0000");
    let (header, _) = Header::parse(&segment).unwrap();
    assert_eq!(header.flags.bits(), 0xfff);
    assert_eq!(emitted(&header)[12..14], [0x5f, 0xff]);
}

#[test]
fn data_offsets() {
    let mut segment = vec![1; 64];
    for words in 0..16u8 {
        segment[12] = words << 4;
        let got = Header::parse(&segment).map(|(_, payload_offset)| payload_offset);
        let expected = match words {
            0..5 => Err(Error::Malformed),
            _ => Ok(usize::from(words) * 4),
        };
        assert_eq!(got, expected, "{words} words");
    }
    for len in 0..60 {
        segment[12] = 0xf0;
        let got = Header::parse(&segment[..len]).map(|_| ());
        assert_eq!(got, Err(Error::Truncated), "{len} bytes");
    }
}

#[test]
fn quoted() {
    let segment = hex("c001 0050 01020304");
    assert_eq!(
        Header::parse_quoted(&segment),
        Ok((0xc001, 80, SeqNum(0x0102_0304)))
    );
    assert_eq!(Header::parse_quoted(&segment[..7]), Err(Error::Truncated));
}

/// A buffer that is too short is the caller's mistake: said in debug builds, without effect in others.
#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "out.len() >= len"))]
fn no_room() {
    let (header, _) = Header::parse(&[0x50; 40]).unwrap();
    let mut out = [7; HEADER_LEN - 1];
    assert_eq!(header.emit(&mut out), 0);
    assert_eq!(out, [7; HEADER_LEN - 1]);
}

/// RFC 9293 3.1 MUST-2, MUST-3: every bit of segment, addresses and length counts.
#[test]
fn checksum_covers_all() {
    let mut segment = hex("c001 0050 01020304 05060708 50 18 fa01 0000 0000 aabbcc");
    let sum = checksum(A, B, [&*segment].into_iter());
    segment[CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    assert!(verify(A, B, &segment));
    for bit in 0..segment.len() * 8 {
        let mut broken = segment.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(A, B, &broken), "bit {bit}");
    }
    assert!(!verify(A, A, &segment));
    assert!(!verify(B, B, &segment));
    // One zero byte more changes nothing but the length.
    segment.push(0);
    assert!(!verify(A, B, &segment));
}

#[test]
fn checksum_by_hand() {
    let segment = hex("0016 d1be 00000000 5b0d7f12 50 14 0000 0000 0000");
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let sum = checksum(local, local, [&*segment].into_iter());
    // Word by word: ports, ack, offset and flags; 7f00 0001 twice, protocol 6, length 20.
    let words = [
        0x16u32, 0xd1be, 0x5b0d, 0x7f12, 0x5014, 0x7f00, 1, 0x7f00, 1, 6, 20,
    ];
    let total: u32 = words.iter().sum();
    let folded = (total & 0xffff) + (total >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    assert_eq!(u32::from(sum), !folded & 0xffff);
}

#[test]
fn flags_print_as_in_tcpdump() {
    for (flags, text) in [
        (Flags::SYN, "S"),
        (Flags::SYN | Flags::ACK, "S."),
        (Flags::PSH | Flags::ACK, "P."),
        (Flags::FIN | Flags::ACK, "F."),
        (Flags::RST, "R"),
        (Flags::ACK, "."),
        (Flags::SYN | Flags::ECE | Flags::CWR, "SEW"),
        (Flags::NONE, "none"),
        (Flags::from_bits(0xe00), "none"),
    ] {
        assert_eq!(flags.to_string(), text);
    }
}

proptest! {
    #[test]
    fn round_trip(header in tcp_header(), payload in bytes(20)) {
        let segment = [emitted(&header), payload].concat();
        let (parsed, payload_offset) = Header::parse(&segment).unwrap();
        prop_assert_eq!(payload_offset, header.header_len());
        prop_assert_eq!(parsed, header);
    }

    /// A header that another one stood before in the buffer leaves nothing of it.
    #[test]
    fn emit_overwrites(header in tcp_header()) {
        let mut out = [0xff; 60];
        let len = header.emit(&mut out);
        prop_assert_eq!(&out[..len], &emitted(&header));
        prop_assert!(out[len..].iter().all(|byte| *byte == 0xff));
    }

    #[test]
    fn checksums_of_pieces(
        header in tcp_header(), first in bytes(33), second in bytes(33),
        v4 in (v4(), v4()), v6 in (v6(), v6()),
    ) {
        let mut head = emitted(&header);
        let addresses: [(IpAddr, IpAddr); 2] =
            [(v4.0.into(), v4.1.into()), (v6.0.into(), v6.1.into())];
        for (src, dst) in addresses {
            head[CHECKSUM_OFFSET..][..2].fill(0);
            let sum = checksum(src, dst, [&*head, &*first, &*second].into_iter());
            head[CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
            prop_assert!(verify(src, dst, &[&*head, &*first, &*second].concat()));
        }
    }

    /// RFC 9293 3.4: numbers up to 2^31 - 1 ahead are after, the others before.
    #[test]
    fn sequence_numbers(start: u32, ahead in 1u32..1 << 31) {
        let (a, b) = (SeqNum(start), SeqNum(start) + ahead);
        prop_assert!(a.before(b) && b.after(a) && a.at_or_before(b) && b.at_or_after(a));
        prop_assert!(!b.before(a) && !a.after(b) && !b.at_or_before(a) && !a.at_or_after(b));
        prop_assert_eq!(b.since(a), ahead);
        prop_assert_eq!(b - ahead, a);
        prop_assert_eq!((a.max(b), a.min(b)), (b, a));
        prop_assert!(b.within(a, ahead + 1) && !b.within(a, ahead));
    }
}
