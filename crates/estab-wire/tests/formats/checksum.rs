use crate::support::hex;
use estab_wire::check;
use estab_wire::checksum::{Sum, pseudo_header};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[test]
fn of_the_rfc() {
    // The numbers that RFC 1071 computes with.
    let mut sum = Sum::new();
    sum.add_bytes(&hex("0001 f203 f4f5 f6f7"));
    assert_eq!(sum.folded(), 0xddf2);
    assert_eq!(sum.finish(), !0xddf2);
}

#[test]
fn of_nothing_and_of_zeros() {
    assert_eq!(Sum::new().finish(), 0xffff);
    let mut sum = Sum::new();
    sum.add_bytes(&[0; 77]);
    assert_eq!(sum.finish(), 0xffff);
}

/// The fullest carries there are, and every length of the remainder behind the fast loop.
#[test]
fn every_length() {
    for byte in [0x01, 0x80, 0xff] {
        let bytes = [byte; 140];
        for len in 0..bytes.len() {
            check::checksum(&bytes[..len], &[]);
            check::checksum(&bytes[..len], &[1]);
            check::checksum(&bytes[..len], &[len / 2, 1, 1]);
        }
    }
    check::checksum(&vec![0xff; 65535], &[1, 40_000]);
}

/// As 32-bit words these sum up to 0x1_0000_ffff_ffff, whose halves make 0x1_0000_ffff, whose carry goes round twice.
#[test]
fn carries_that_make_carries() {
    let mut bytes = vec![0xff; 4 * 0x1_0001];
    bytes.extend(0x1_0000u32.to_ne_bytes());
    check::checksum(&bytes, &[]);
}

#[test]
fn words_are_bytes() {
    for before in [&[][..], &[7], &[7, 8]] {
        let mut words = Sum::new();
        words.add_bytes(before);
        words.add_u16(0x1234);
        words.add_u32(0x5678_9abc);
        words.add_bytes(&[0xde]);
        let mut bytes = Sum::new();
        bytes.add_bytes(before);
        bytes.add_bytes(&hex("1234 5678 9abc de"));
        assert_eq!(words.finish(), bytes.finish());
    }
}

#[test]
fn pseudo_headers() {
    let v4 = pseudo_header(
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2)),
        6,
        1480,
    );
    let mut sum = Sum::new();
    sum.add_bytes(&hex("c0000201 c6336402 00 06 05c8"));
    assert_eq!(v4.folded(), sum.folded());

    let v6 = pseudo_header(
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)),
        17,
        0x1_0002,
    );
    let mut sum = Sum::new();
    sum.add_bytes(&hex(
        "20010db8000000000000000000000001 20010db8000000000000000000000002 00010002 000000 11",
    ));
    assert_eq!(v6.folded(), sum.folded());
}

/// A v4-mapped address is an IPv6 address, whose other half counts.
#[test]
fn mapped_addresses_stay() {
    let v4 = Ipv4Addr::new(192, 0, 2, 1);
    let mapped = IpAddr::V6(v4.to_ipv6_mapped());
    let plain = pseudo_header(v4.into(), v4.into(), 6, 20);
    // Two times ffff more, which is nothing in ones-complement: so look at the bytes that make it so.
    let mut expected = Sum::new();
    expected.add_bytes(&v4.to_ipv6_mapped().octets());
    expected.add_bytes(&v4.to_ipv6_mapped().octets());
    expected.add_bytes(&[0, 6, 0, 20]);
    assert_eq!(
        pseudo_header(mapped, mapped, 6, 20).folded(),
        expected.folded()
    );
    assert_eq!(expected.folded(), plain.folded());
}

proptest! {
    /// Ones-complement: whatever carries its own checksum sums up to all ones.
    #[test]
    fn valid_with_its_checksum(mut bytes in proptest::collection::vec(any::<u8>(), 2..100)) {
        bytes[..2].fill(0);
        let mut sum = Sum::new();
        sum.add_bytes(&bytes);
        bytes[..2].copy_from_slice(&sum.finish().to_be_bytes());
        let mut sum = Sum::new();
        sum.add_bytes(&bytes);
        prop_assert!(sum.is_valid());
        prop_assert_eq!(sum.finish(), 0);
    }

    /// Any single bit that flips is seen.
    #[test]
    fn a_flipped_bit(mut bytes in proptest::collection::vec(any::<u8>(), 1..100), bit: u16) {
        let mut before = Sum::new();
        before.add_bytes(&bytes);
        let at = usize::from(bit / 8) % bytes.len();
        bytes[at] ^= 1 << (bit % 8);
        let mut after = Sum::new();
        after.add_bytes(&bytes);
        prop_assert_ne!(before.finish(), after.finish());
    }
}
