use crate::support::bytes;
use estab_wire::check;
use proptest::prelude::*;

/// Random bytes rarely look like anything, so begin as a real packet does and go on at random.
fn nearly_packets() -> impl Strategy<Value = Vec<u8>> {
    const BEGINNINGS: [&[u8]; 10] = [
        &[0x45, 0, 0, 40],
        &[0x4f, 0, 0, 60],
        &[0x60, 0, 0, 0, 0, 40, 0],
        &[0x60, 0, 0, 0, 0, 80, 43],
        &[0x60, 0, 0, 0, 0, 80, 44],
        &[0x60, 0, 0, 0, 0, 255, 60],
        &[0, 1, 8, 0, 6, 4, 0],
        &[135, 0],
        &[134, 0],
        &[136, 0],
    ];
    (proptest::sample::select(&BEGINNINGS[..]), bytes(300))
        .prop_map(|(beginning, rest)| [beginning, &rest].concat())
}

/// A chain of extension headers that is often, but not always, right.
fn extension_chains() -> impl Strategy<Value = Vec<u8>> {
    let kind = proptest::sample::select(&[0u8, 60, 60, 43, 44, 6][..]);
    let header = (kind, 0u8..3, bytes(24)).prop_map(|(kind, len, data)| {
        let mut header = vec![kind, len, 0, 0, 0, 0, 0, 0];
        header.extend(data);
        header.resize(8 + 8 * usize::from(len), 0);
        header
    });
    proptest::collection::vec(header, 0..10).prop_map(|headers| {
        let payload = headers.concat();
        let mut packet = vec![0x60, 0, 0, 0, 0, payload.len() as u8, 60, 64];
        packet.resize(40, 0);
        packet.extend(payload);
        packet
    })
}

/// Kinds and lengths that mean something, in any order.
fn nearly_options() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&[u8]; 14] = [
        &[0],
        &[1],
        &[2, 4, 5, 0xb4],
        &[2, 3, 7],
        &[3, 3, 7],
        &[4, 2],
        &[5, 10, 1, 2, 3, 4, 5, 6, 7, 8],
        &[5, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        &[5, 2],
        &[8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
        &[1, 1, 8, 10, 9, 8, 7, 6, 5, 4, 3, 2],
        &[8, 9, 1, 2, 3, 4, 5, 6, 7],
        &[254, 4, 0xf9, 0x89],
        &[19, 0],
    ];
    let piece = proptest::sample::select(&PIECES[..]);
    (any::<u8>(), proptest::collection::vec(piece, 0..8))
        .prop_map(|(flags, pieces)| [&[flags][..], &pieces.concat()].concat())
}

proptest! {
    #[test]
    fn anything(bytes in bytes(200)) {
        check::wire(&bytes);
    }

    #[test]
    fn nearly_a_packet(bytes in nearly_packets()) {
        check::wire(&bytes);
    }

    #[test]
    fn extension_headers(bytes in extension_chains()) {
        check::wire(&bytes);
    }

    #[test]
    fn tcp_options(bytes in bytes(41)) {
        check::tcp_options(&bytes);
    }

    #[test]
    fn nearly_tcp_options(bytes in nearly_options()) {
        check::tcp_options(&bytes);
    }

    #[test]
    fn checksum(bytes in bytes(300), pieces in proptest::collection::vec(0usize..70, 0..12)) {
        check::checksum(&bytes, &pieces);
    }
}
