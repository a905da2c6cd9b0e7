//! One wire packet after the other out of a TCP super-segment or a datagram that needs fragments. Nothing is made
//! before it is asked for, so that a super-segment in the queue costs one header.

use super::output::{Queued, checksum_offset, complete, put_u16};
use crate::{HeaderBuffer, PacketOut};
use core::net::IpAddr;
use estab_wire::checksum::pseudo_header;
use estab_wire::ipv6::FragmentHeader;
use estab_wire::{ipv4, ipv6, protocol};

/// What is still to be done to a packet in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing.
    Whole,
    /// Cut the text into pieces of `unit` bytes; `next` is the first byte of the next one. A piece may itself be a
    /// super-segment, when the device takes some but not all of it.
    Segments { next: usize, unit: usize },
    /// Cut what is behind the IP header into fragments; `next` is the first byte of the next one.
    Fragments {
        next: usize,
        mtu: usize,
        identification: u32,
    },
}

/// The next wire packet, and whether it is the last. `link` is the length of the link header.
pub(super) fn next(queued: &mut Queued, link: usize) -> (PacketOut, bool) {
    match queued.work {
        Work::Whole => (queued.packet.clone(), true),
        Work::Segments { next, unit } => {
            let end = queued.packet.payload.len().min(next + unit);
            queued.work = Work::Segments { next: end, unit };
            let last = end == queued.packet.payload.len();
            (segment(&queued.packet, link, next, end, unit), last)
        }
        Work::Fragments {
            next,
            mtu,
            identification,
        } => {
            let (packet, end) = fragment(&queued.packet, link, next, mtu, identification);
            queued.work = Work::Fragments {
                next: end,
                mtu,
                identification,
            };
            let last = end >= fragmentable(&queued.packet, link);
            (packet, last)
        }
    }
}

const fn is_v6(header: &[u8], link: usize) -> bool {
    header[link] >> 4 == 6
}

const fn ip_header_len(header: &[u8], link: usize) -> usize {
    if is_v6(header, link) {
        ipv6::HEADER_LEN
    } else {
        ipv4::HEADER_LEN
    }
}

/// Bytes `start..end` of a super-segment's text as a segment.
fn segment(whole: &PacketOut, link: usize, start: usize, end: usize, unit: usize) -> PacketOut {
    let payload = whole.payload.slice(start, end);
    let mut header = whole.header.clone();
    let v6 = is_v6(&header, link);
    let transport = link + ip_header_len(&header, link);
    let len = header.len() - link + payload.len();
    let last = end == whole.payload.len();
    let size = usize::from(whole.segment_size);
    adjust_tcp(&mut header[transport..], start, last);
    let (src, dst) = if v6 {
        put_u16(&mut header, link + 4, (len - ipv6::HEADER_LEN) as u16);
        addresses_v6(&header[link..])
    } else {
        // A device that cuts further counts on from here.
        let index = start / if size == 0 { unit } else { size };
        adjust_ipv4(&mut header[link..transport], len as u16, index as u16);
        addresses_v4(&header[link..])
    };
    let text = header.len() - transport + payload.len();
    let sum = pseudo_header(src, dst, protocol::TCP, text as u32);
    let field = transport + checksum_offset(protocol::TCP);
    put_u16(&mut header, field, 0);
    let value = match whole.checksum {
        Some(_) => sum.folded(),
        None => complete(sum, &header[transport..], &payload, protocol::TCP),
    };
    put_u16(&mut header, field, value);
    let segment_size = if payload.len() > size {
        whole.segment_size
    } else {
        0
    };
    PacketOut {
        header,
        payload,
        checksum: whole.checksum,
        segment_size,
    }
}

/// Makes the header of a super-segment that of the cut which begins `start` bytes into its text: FIN and PSH belong
/// to the last one, CWR to the first (RFC 3168 section 6.1.2).
pub(super) fn adjust_tcp(header: &mut [u8], start: usize, last: bool) {
    const FIN_PSH: u8 = 0x09;
    const CWR: u8 = 0x80;
    let Some(fixed) = header.first_chunk_mut::<14>() else {
        return;
    };
    let [_, _, _, _, a, b, c, d, .., flags] = fixed;
    let seq = u32::from_be_bytes([*a, *b, *c, *d]).wrapping_add(start as u32);
    [*a, *b, *c, *d] = seq.to_be_bytes();
    if !last {
        *flags &= !FIN_PSH;
    }
    if start > 0 {
        *flags &= !CWR;
    }
}

/// Gives the header of one cut its length and, unless DF makes it needless, an identification of its own.
fn adjust_ipv4(header: &mut [u8], len: u16, index: u16) {
    if let Ok(mut parsed) = ipv4::Header::parse_quoted(header)
        && let Some(out) = header.first_chunk_mut()
    {
        parsed.total_len = len;
        if !parsed.dont_fragment {
            parsed.identification = parsed.identification.wrapping_add(index);
        }
        parsed.emit(out);
    }
}

fn addresses_v4(header: &[u8]) -> (IpAddr, IpAddr) {
    let at = |start: usize| {
        let mut octets = [0; 4];
        octets.copy_from_slice(&header[start..start + 4]);
        IpAddr::from(octets)
    };
    (at(12), at(16))
}

fn addresses_v6(header: &[u8]) -> (IpAddr, IpAddr) {
    let at = |start: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[start..start + 16]);
        IpAddr::from(octets)
    };
    (at(8), at(24))
}

/// Bytes behind the IP header: what fragments share.
fn fragmentable(whole: &PacketOut, link: usize) -> usize {
    let ip = ip_header_len(&whole.header, link);
    whole.header.len() - link - ip + whole.payload.len()
}

/// The fragment that begins `start` bytes behind the IP header, and where it ends.
fn fragment(
    whole: &PacketOut,
    link: usize,
    start: usize,
    mtu: usize,
    identification: u32,
) -> (PacketOut, usize) {
    let v6 = is_v6(&whole.header, link);
    let ip = ip_header_len(&whole.header, link);
    let transport = whole.header.len() - link - ip;
    let overhead = if v6 { ip + FragmentHeader::LEN } else { ip };
    // All but the last are a multiple of 8 bytes; an MTU that leaves no room for 8 does not get here.
    let unit = (mtu.saturating_sub(overhead) & !7).max(8);
    let total = fragmentable(whole, link);
    let end = total.min(start + unit);
    let more = end < total;

    let mut header = HeaderBuffer::new();
    header.extend(whole.header[..link + ip].iter().copied());
    if v6 {
        let next_header = header[link + 6];
        header[link + 6] = protocol::FRAGMENT;
        put_u16(
            &mut header,
            link + 4,
            (FragmentHeader::LEN + end - start) as u16,
        );
        let mut extension = [0; FragmentHeader::LEN];
        FragmentHeader {
            next_header,
            fragment_offset: start as u16,
            more_fragments: more,
            identification,
        }
        .emit(&mut extension);
        header.extend(extension);
    } else if let Ok(mut parsed) = ipv4::Header::parse_quoted(&header[link..])
        && let Some(out) = header[link..].first_chunk_mut()
    {
        parsed.total_len = (ip + end - start) as u16;
        parsed.fragment_offset = start as u16;
        parsed.more_fragments = more;
        parsed.emit(out);
    }
    // The transport header is shorter than any fragment but may, with a tiny MTU, still not be in the first alone.
    let own = &whole.header[link + ip..];
    header.extend(
        own[start.min(transport)..end.min(transport)]
            .iter()
            .copied(),
    );
    let payload = whole.payload.slice(
        start.max(transport) - transport,
        end.max(transport) - transport,
    );
    (
        PacketOut {
            header,
            payload,
            checksum: None,
            segment_size: 0,
        },
        end,
    )
}
