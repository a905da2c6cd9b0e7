use crate::impair::Impairer;
use bytes::Bytes;
use estab_stack::{Checksum, HeaderBuffer, PacketIn, PacketOut};
use estab_tcp::{Chunks, Instant};
use estab_wire::tcp::{Flags, Options, SegmentOptions, SeqNum, UnscaledWindow};
use estab_wire::{ipv4, protocol, tcp};
use std::net::Ipv4Addr;
use std::time::Duration;

pub(super) const SRC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const DST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

pub(super) const fn at_ms(ms: u64) -> Instant {
    Instant::from_nanos(ms * 1_000_000)
}

/// A packet that carries a number, and is of this length.
pub(super) fn numbered(n: u32, len: usize) -> PacketIn {
    let mut data = vec![0; len];
    data[..4].copy_from_slice(&n.to_be_bytes());
    Bytes::from(data).into()
}

pub(super) fn number_of(packet: &PacketIn) -> u32 {
    u32::from_be_bytes(packet.data[..4].try_into().expect("four bytes"))
}

/// A TCP segment over IPv4 with a right checksum, its payload counting up from `seq`.
pub(super) fn segment(flags: Flags, seq: u32, len: usize) -> PacketOut {
    let mut header = [0; tcp::HEADER_LEN_MAX];
    let header_len = tcp::Header {
        src_port: 1,
        dst_port: 2,
        seq: SeqNum(seq),
        ack: SeqNum(0),
        flags,
        window: UnscaledWindow(100),
        urgent: 0,
        options: Options::Segment(SegmentOptions::default()),
    }
    .emit(&mut header);
    let header = &mut header[..header_len];
    let text: Bytes = (0..len).map(|n| (seq as usize + n) as u8).collect();
    let pieces = [&*header, &text].into_iter();
    let sum = tcp::checksum(SRC.into(), DST.into(), pieces);
    header[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    let mut out = HeaderBuffer::new();
    let mut ip = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ip.len() + header_len + len) as u16,
        ..ipv4::Header::new(SRC, DST, protocol::TCP)
    }
    .emit(&mut ip);
    out.extend(ip);
    out.extend(header.iter().copied());
    PacketOut {
        header: out,
        payload: Chunks::from(text),
        checksum: None,
        segment_size: 0,
    }
}

/// Is the segment's checksum right?
pub(super) fn verifies(packet: &PacketIn) -> bool {
    let ip = ipv4::Header::parse(&packet.data);
    ip.is_ok_and(|ip| tcp::verify(ip.src.into(), ip.dst.into(), ip.payload(&packet.data)))
}

/// What arrives, with its time, when time goes from deadline to deadline.
pub(super) fn drain(impairer: &mut Impairer) -> Vec<(Instant, PacketIn)> {
    let mut out = Vec::new();
    while let Some(at) = impairer.deadline() {
        while let Some(packet) = impairer.pop(at) {
            out.push((at, packet));
        }
    }
    assert_eq!(impairer.under_way(), 0);
    out
}

/// Pushes numbered packets, one a millisecond, and gives the numbers and times in order of arrival.
pub(super) fn run(impairer: &mut Impairer, count: u32, len: usize) -> Vec<(u32, Instant)> {
    let mut out = Vec::new();
    for n in 0..count {
        let now = at_ms(n.into());
        while let Some(at) = impairer.deadline().filter(|&at| at <= now) {
            let packet = impairer.pop(at).expect("the deadline says so");
            out.push((number_of(&packet), at));
        }
        impairer.push(now, numbered(n, len));
    }
    out.extend(
        drain(impairer)
            .into_iter()
            .map(|(at, packet)| (number_of(&packet), at)),
    );
    out
}

pub(super) fn unverified(packet: &PacketIn) -> bool {
    packet.checksum == Checksum::Unverified
}

pub(super) const MS: Duration = Duration::from_millis(1);
