//! What must hold for any bytes whatever. Property tests and fuzz targets share these functions; they panic when
//! it does not hold.

mod tcp_options;

pub use tcp_options::tcp_options;

use crate::checksum::{Sum, pseudo_header};
use crate::icmpv6::NdpOption;
use crate::{Error, arp, ethernet, icmpv4, icmpv6, ipv4, ipv6, protocol, tcp, udp};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const V4: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));

/// Link-local, since neighbour discovery asks for it.
const V6: (Ipv6Addr, Ipv6Addr) = (
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2),
);

/// Takes `bytes` for a packet of each protocol in turn. Whatever can be parsed must come out of emit and parse again
/// as it was, and lie within the bytes.
pub fn wire(bytes: &[u8]) {
    link(bytes);
    network(bytes);
    transport(bytes);
    control(bytes);
}

fn link(bytes: &[u8]) {
    if let Ok(header) = ethernet::Header::parse(bytes) {
        let mut out = [0; ethernet::HEADER_LEN];
        header.emit(&mut out);
        assert!(bytes.starts_with(&out));
    }
    if let Ok(packet) = arp::Packet::parse(bytes) {
        let mut out = [0; arp::PACKET_LEN];
        packet.emit(&mut out);
        assert!(bytes.starts_with(&out));
    }
}

fn network(bytes: &[u8]) {
    if let Ok(quoted) = ipv4::Header::parse_quoted(bytes) {
        assert!(quoted.payload(bytes).len() <= quoted.payload_len().into());
        let mut out = bytes.to_vec();
        // Chance does not hit the checksum, so help it.
        set_checksum(&mut out, quoted.header_len.into(), 10, Sum::new());
        match ipv4::Header::parse(&out) {
            Ok(header) => {
                assert_eq!(header, quoted);
                let payload = header.payload(&out);
                assert_eq!(payload.len(), usize::from(header.payload_len()));
                ipv4_again(header, payload);
            }
            Err(error) => {
                assert_eq!(error, Error::Truncated);
                assert!(usize::from(quoted.total_len) > bytes.len());
            }
        }
    }
    if let Ok(header) = ipv6::Header::parse_quoted(bytes) {
        let mut out = [0; ipv6::HEADER_LEN];
        header.emit(&mut out);
        assert!(bytes.starts_with(&out));
        assert!(header.payload(bytes).len() <= header.payload_len.into());
        extensions(&header, bytes);
    }
    if let Ok(header) = ipv6::FragmentHeader::parse(bytes) {
        let mut out = [0; ipv6::FragmentHeader::LEN];
        header.emit(&mut out);
        assert_eq!(ipv6::FragmentHeader::parse(&out), Ok(header));
    }
}

/// Emit leaves the options out.
fn ipv4_again(mut header: ipv4::Header, payload: &[u8]) {
    header.total_len = header.payload_len() + ipv4::HEADER_LEN as u16;
    header.header_len = ipv4::HEADER_LEN as u16;
    let mut out = [0; ipv4::HEADER_LEN];
    header.emit(&mut out);
    let packet = [&out, payload].concat();
    assert_eq!(ipv4::Header::parse(&packet), Ok(header));
    assert_eq!(header.payload(&packet), payload);
}

fn extensions(header: &ipv6::Header, packet: &[u8]) {
    match ipv6::walk(header, packet) {
        Ok(upper) => {
            assert!(upper.offset <= packet.len());
            assert!(upper.announced_at < upper.offset);
            assert_eq!(packet.get(upper.announced_at), Some(&upper.protocol));
            if let Some(fragment) = upper.fragment {
                assert_eq!(packet.get(fragment.announced_at), Some(&protocol::FRAGMENT));
                assert!(fragment.offset + ipv6::FragmentHeader::LEN <= upper.offset);
            }
        }
        Err(ipv6::WalkError::Parameter(problem)) => {
            assert!((problem.pointer as usize) < packet.len());
        }
        Err(ipv6::WalkError::Discard(_)) => {}
    }
}

fn transport(bytes: &[u8]) {
    if let Ok(header) = udp::Header::parse(bytes) {
        assert_eq!(
            header.payload(bytes).len() + udp::HEADER_LEN,
            header.len.into()
        );
        let mut out = [0; udp::HEADER_LEN];
        header.emit(&mut out);
        let mut datagram = [&out, header.payload(bytes)].concat();
        assert_eq!(udp::Header::parse(&datagram), Ok(header));
        for (src, dst) in addresses() {
            clear(&mut datagram, udp::CHECKSUM_OFFSET);
            let sum = udp::checksum(src, dst, core::iter::once(&*datagram));
            store(&mut datagram, udp::CHECKSUM_OFFSET, sum);
            assert!(udp::verify(src, dst, &datagram));
        }
    }
    if let Ok((header, payload_offset)) = tcp::Header::parse(bytes) {
        assert!(payload_offset <= bytes.len());
        let mut out = [0; tcp::HEADER_LEN_MAX];
        let len = header.emit(&mut out);
        assert_eq!(len, header.header_len());
        assert!(len >= tcp::HEADER_LEN && len <= out.len() && len % 4 == 0);
        // As we lay options out, three SACK blocks fit beside timestamps; packed, four would.
        let (again, _) = tcp::Header::parse(&out).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again, without_what_does_not_fit(header));
        let mut segment = bytes.to_vec();
        for (src, dst) in addresses() {
            clear(&mut segment, tcp::CHECKSUM_OFFSET);
            let (head, tail) = segment.split_at(payload_offset);
            let sum = tcp::checksum(src, dst, [head, tail].into_iter());
            store(&mut segment, tcp::CHECKSUM_OFFSET, sum);
            assert!(tcp::verify(src, dst, &segment));
        }
    }
}

fn without_what_does_not_fit(mut header: tcp::Header) -> tcp::Header {
    if let tcp::Options::Segment(options) = &mut header.options
        && options.timestamps.is_some()
    {
        options.sack.truncate(3);
    }
    header
}

fn control(bytes: &[u8]) {
    let mut message = bytes.to_vec();
    let all = message.len();
    set_checksum(&mut message, all, 2, Sum::new());
    if let Ok(parsed) = icmpv4::Message::parse(&message) {
        let mut out = Vec::new();
        parsed.emit(&mut out);
        assert_eq!(icmpv4::Message::parse(&out), Ok(parsed));
    }
    let (src, dst) = V6;
    let pseudo = pseudo_header(src.into(), dst.into(), protocol::ICMPV6, all as u32);
    set_checksum(&mut message, all, 2, pseudo);
    if let Ok(parsed) = icmpv6::Message::parse(src, dst, &message) {
        let mut out = Vec::new();
        parsed.emit(src, dst, &mut out);
        assert_eq!(icmpv6::Message::parse(src, dst, &out), Ok(parsed));
    }
    if let Ok(options) = icmpv6::NdpOptions::new(bytes) {
        let again: Vec<u8> = options
            .iter()
            .flat_map(|option| NdpOption::to_bytes(&option))
            .collect();
        let again = icmpv6::NdpOptions::new(&again).unwrap_or_else(|error| panic!("{error}"));
        assert!(again.iter().eq(options.iter()));
    }
}

/// The checksum of `bytes`, cut in pieces of these lengths, must be the one that is computed word by word.
pub fn checksum(bytes: &[u8], pieces: &[usize]) {
    let mut sum = Sum::new();
    let mut rest = bytes;
    for &len in pieces {
        let (piece, after) = rest.split_at(len.min(rest.len()));
        sum.add_bytes(piece);
        rest = after;
    }
    sum.add_bytes(rest);
    let mut naive = 0u32;
    for word in bytes.chunks(2) {
        let word = match *word {
            [a, b] => [a, b],
            [a] => [a, 0],
            _ => continue,
        };
        naive += u32::from(u16::from_be_bytes(word));
        naive = (naive & 0xffff) + (naive >> 16);
    }
    assert_eq!(u32::from(sum.folded()), naive);
    assert_eq!(sum.finish(), !(naive as u16));
}

fn addresses() -> [(IpAddr, IpAddr); 2] {
    [(V4.0.into(), V4.1.into()), (V6.0.into(), V6.1.into())]
}

/// Puts the right checksum of the first `len` bytes where it belongs, if there is room for one.
fn set_checksum(bytes: &mut [u8], len: usize, offset: usize, mut sum: Sum) {
    clear(bytes, offset);
    sum.add_bytes(bytes.get(..len).unwrap_or_default());
    store(bytes, offset, sum.finish());
}

fn clear(bytes: &mut [u8], offset: usize) {
    store(bytes, offset, 0);
}

fn store(bytes: &mut [u8], offset: usize, checksum: u16) {
    if let Some(field) = bytes.get_mut(offset..offset + 2) {
        field.copy_from_slice(&checksum.to_be_bytes());
    }
}
