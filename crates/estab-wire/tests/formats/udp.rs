use crate::support::{bytes, hex, v4, v6};
use estab_wire::Error;
use estab_wire::udp::{CHECKSUM_OFFSET, HEADER_LEN, Header, checksum, verify};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const B: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
const A6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
const B6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));

fn datagram(src: IpAddr, dst: IpAddr, header: Header, payload: &[u8]) -> Vec<u8> {
    let mut out = [0; HEADER_LEN];
    header.emit(&mut out);
    let sum = checksum(src, dst, [&out[..], payload].into_iter());
    out[CHECKSUM_OFFSET..].copy_from_slice(&sum.to_be_bytes());
    [&out, payload].concat()
}

#[test]
fn lengths() {
    for (bytes, expected) in [
        ("0035 c001 000a 0000 aabb", Ok(2)),
        ("0035 c001 0008 0000 aabb", Ok(0)),
        ("0035 c001 0007 0000 aabb", Err(Error::Malformed)),
        ("0035 c001 0000 0000 aabb", Err(Error::Malformed)),
        ("0035 c001 000b 0000 aabb", Err(Error::Truncated)),
        ("0035 c001 0008 00", Err(Error::Truncated)),
        ("", Err(Error::Truncated)),
    ] {
        let bytes = hex(bytes);
        let got = Header::parse(&bytes).map(|header| header.payload(&bytes).len());
        assert_eq!(got, expected, "{bytes:x?}");
    }
    let quoted = Header::parse_quoted(&hex("0035 c001 ffff 0000")).unwrap();
    assert_eq!(
        (quoted.src_port, quoted.dst_port, quoted.len),
        (53, 0xc001, 0xffff)
    );
}

#[test]
fn zero_means_no_checksum_over_ipv4_only() {
    let without = hex("0035 c001 000a 0000 aabb");
    assert!(verify(A, B, &without));
    assert!(!verify(A6, B6, &without));
}

/// A sum that comes out as 0 is sent as ffff, over both.
#[test]
fn a_checksum_is_never_sent_as_zero() {
    for (src, dst) in [(A, B), (A6, B6)] {
        let header = Header {
            src_port: 53,
            dst_port: 0xc001,
            len: 10,
        };
        // The payload that complements the rest.
        let rest = datagram(src, dst, header, &[0, 0]);
        let made = datagram(src, dst, header, &rest[CHECKSUM_OFFSET..][..2]);
        assert_eq!(made[CHECKSUM_OFFSET..][..2], [0xff, 0xff]);
        assert!(verify(src, dst, &made));
    }
}

#[test]
fn what_cannot_be_verified() {
    let header = Header {
        src_port: 1,
        dst_port: 2,
        len: 10,
    };
    let made = datagram(A, B, header, &[1, 2]);
    assert!(verify(A, B, &made));
    assert!(!verify(A, A, &made));
    assert!(!verify(A, B, &made[..9]));
    assert!(!verify(A, B, &[]));
    // Bytes behind its length do not belong to it.
    assert!(verify(A, B, &[&*made, &[7, 7, 7]].concat()));
    for bit in 0..made.len() * 8 {
        let mut broken = made.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(A, B, &broken), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn round_trip(src_port: u16, dst_port: u16, payload in bytes(60), v4 in (v4(), v4()), v6 in (v6(), v6())) {
        let header = Header { src_port, dst_port, len: (HEADER_LEN + payload.len()) as u16 };
        let addresses: [(IpAddr, IpAddr); 2] =
            [(v4.0.into(), v4.1.into()), (v6.0.into(), v6.1.into())];
        for (src, dst) in addresses {
            let made = datagram(src, dst, header, &payload);
            prop_assert_eq!(Header::parse(&made), Ok(header));
            prop_assert_eq!(header.payload(&made), &payload);
            prop_assert!(verify(src, dst, &made));
        }
    }
}
