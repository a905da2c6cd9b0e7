use super::{
    Ip, Live, LiveBody, LiveSegment, Quoted, QuotedTransport, build, flag_bits, flags_from_bits,
    options, parse,
};
use crate::script::{AccEcnField, Flags, TcpOption};
use core::net::{IpAddr, SocketAddr};
use proptest::prelude::*;

fn ip(v6: bool) -> Ip {
    let address = |n: u8| -> IpAddr {
        match v6 {
            true => [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n].into(),
            false => [192, 0, 2, n].into(),
        }
    };
    Ip {
        source: address(1),
        destination: address(2),
        tos: 0x12,
        ttl: 3,
        flow_label: if v6 { 0x1_2345 } else { 0 },
    }
}

fn every_option() -> Vec<TcpOption> {
    vec![
        TcpOption::Mss(1460),
        TcpOption::SackOk,
        TcpOption::Timestamp {
            value: 0x0102_0304,
            echo: u32::MAX,
        },
        TcpOption::WindowScale(7),
        TcpOption::Nop,
        TcpOption::Sack(vec![(1, u32::MAX), (5, 6)]),
        TcpOption::FastOpen(vec![1, 2, 3, 4]),
        TcpOption::FastOpen(Vec::new()),
        TcpOption::FastOpenExperimental(vec![9, 8]),
        TcpOption::Md5(vec![7; 16]),
        TcpOption::AccEcn {
            experimental: false,
            fields: vec![(AccEcnField::E0b, 1), (AccEcnField::Ceb, 0xff_ffff)],
        },
        TcpOption::AccEcn {
            experimental: true,
            fields: vec![
                (AccEcnField::E1b, 1),
                (AccEcnField::Ceb, 2),
                (AccEcnField::E0b, 3),
            ],
        },
    ]
}

#[test]
fn options_are_read_as_they_were_written() {
    for option in every_option() {
        let row = [option, TcpOption::Eol];
        assert_eq!(options::parse(&options::emit_all(&row)), Ok(row.to_vec()));
    }
}

#[test]
fn options_that_are_not_well_formed() {
    for (bytes, reason) in [
        (&[2, 4, 5][..], "wrong length"),
        (&[2, 1, 5, 5], "wrong length"),
        (&[2], "has no length"),
        (&[3, 4, 1, 1], "unknown or has a wrong length"),
        (&[5, 2], "unknown or has a wrong length"),
        (&[253, 4, 1, 1], "unknown"),
        (&[254, 4, 1, 1], "unknown"),
        (&[0, 1, 1, 1], "follows the end"),
    ] {
        let error = options::parse(bytes).expect_err("it must be refused");
        assert!(error.contains(reason), "{bytes:?}: {error}");
    }
}

#[test]
fn flags_are_the_bits_of_the_header() {
    for bits in 0..0x200 {
        assert_eq!(flag_bits(flags_from_bits(bits)), bits);
    }
    let ace = Flags {
        syn: true,
        ace: Some(5),
        ..Flags::default()
    };
    assert_eq!(flag_bits(ace), 0x142);
}

#[test]
fn segments_are_read_as_they_were_built() {
    for v6 in [false, true] {
        for option in every_option() {
            let mut row = vec![option];
            while !options::emit_all(&row).len().is_multiple_of(4) {
                row.push(TcpOption::Nop);
            }
            let segment = LiveSegment {
                source_port: 1,
                destination_port: 65_535,
                seq: 0x89ab_cdef,
                ack: 7,
                flags: flags_from_bits(0x1ff),
                window: 4,
                urgent: 5,
                options: row,
                len: 33,
            };
            let live = Live {
                ip: ip(v6),
                body: LiveBody::Tcp(segment.clone()),
            };
            assert_eq!(parse::packet(&build::tcp(&ip(v6), &segment)), Ok(live));
        }
    }
}

#[test]
fn datagrams_are_read_as_they_were_built() {
    for v6 in [false, true] {
        for len in [0, 1, 1000] {
            let body = LiveBody::Udp {
                source_port: 8,
                destination_port: 9,
                len,
            };
            let live = Live { ip: ip(v6), body };
            assert_eq!(parse::packet(&build::udp(&ip(v6), 8, 9, len)), Ok(live));
        }
    }
}

#[test]
fn errors_quote_what_they_are_about() {
    for (v6, kind) in [(false, 3), (true, 1)] {
        for transport in [
            QuotedTransport::Tcp { seq: 9, len: 1460 },
            QuotedTransport::Udp { len: 77 },
        ] {
            let quoted = Quoted {
                source: SocketAddr::new(ip(v6).destination, 80),
                destination: SocketAddr::new(ip(v6).source, 81),
                transport,
            };
            let packet = build::icmp(&ip(v6), kind, 1, [0, 0, 4, 5], &build::quoted(&quoted));
            let Ok(LiveBody::Icmp(message)) = parse::packet(&packet).map(|live| live.body) else {
                panic!("no message of ICMP");
            };
            assert_eq!((message.kind, message.code), (kind, 1));
            assert_eq!((message.rest, message.quoted), ([0, 0, 4, 5], Some(quoted)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A flipped bit is either seen or makes another packet, never a panic.
    #[test]
    fn spoiled_packets_are_seen(v6: bool, at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let segment = LiveSegment { options: every_option()[..4].to_vec(), len: 9, ..LiveSegment::default() };
        let good = build::tcp(&ip(v6), &segment);
        let mut bad = good.clone();
        bad[at.index(good.len())] ^= 1 << bit;
        prop_assert_ne!(parse::packet(&bad), parse::packet(&good));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse::packet(&bytes);
        let _ = options::parse(&bytes);
    }
}
