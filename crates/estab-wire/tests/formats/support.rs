use estab_wire::tcp::{
    Flags, Header, Options, SackBlock, SegmentOptions, SeqNum, SynOptions, Timestamps,
    UnscaledWindow,
};
use estab_wire::{ipv4, ipv6};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of a string such as `45 00 0014`; blanks mean nothing.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    assert_eq!(digits.len() % 2, 0, "whole bytes");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

pub(crate) fn v4() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from)
}

pub(crate) fn v6() -> impl Strategy<Value = Ipv6Addr> {
    any::<u128>().prop_map(Ipv6Addr::from)
}

pub(crate) fn link_local() -> impl Strategy<Value = Ipv6Addr> {
    any::<u64>().prop_map(|n| Ipv6Addr::from(0xfe80u128 << 112 | u128::from(n)))
}

pub(crate) fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=max)
}

prop_compose! {
    /// Of a packet with `payload_len` bytes behind it.
    pub(crate) fn ipv4_header(payload_len: u16)(
        src in v4(), dst in v4(), protocol: u8, tos: u8, ttl: u8, identification: u16,
        dont_fragment: bool, more_fragments: bool, offset in 0u16..0x2000,
    ) -> ipv4::Header {
        ipv4::Header {
            src, dst, protocol, tos, ttl, identification, dont_fragment, more_fragments,
            fragment_offset: offset * 8,
            header_len: 20,
            total_len: 20 + payload_len,
        }
    }
}

prop_compose! {
    /// Of a packet with `payload_len` bytes behind it.
    pub(crate) fn ipv6_header(payload_len: u16)(
        src in v6(), dst in v6(), traffic_class: u8, flow_label in 0u32..1 << 20,
        next_header: u8, hop_limit: u8,
    ) -> ipv6::Header {
        ipv6::Header { traffic_class, flow_label, payload_len, next_header, hop_limit, src, dst }
    }
}

fn timestamps() -> impl Strategy<Value = Option<Timestamps>> {
    option::of(any::<(u32, u32)>().prop_map(|(value, echo)| Timestamps { value, echo }))
}

fn syn_options() -> impl Strategy<Value = Options> {
    let mss = option::of(any::<u16>());
    let window_scale = option::of(any::<u8>());
    (mss, window_scale, any::<bool>(), timestamps()).prop_map(
        |(mss, window_scale, sack_permitted, timestamps)| {
            Options::Syn(SynOptions {
                mss,
                window_scale,
                sack_permitted,
                timestamps,
            })
        },
    )
}

fn segment_options() -> impl Strategy<Value = Options> {
    let block = any::<(u32, u32)>().prop_map(|(left, right)| SackBlock {
        left: SeqNum(left),
        right: SeqNum(right),
    });
    (timestamps(), vec(block, 0..=4)).prop_map(|(timestamps, sack)| {
        let room = if timestamps.is_some() { 3 } else { 4 };
        Options::Segment(SegmentOptions {
            timestamps,
            sack: sack.into_iter().take(room).collect(),
        })
    })
}

/// Every header that can be written down without loss.
pub(crate) fn tcp_header() -> impl Strategy<Value = Header> {
    let flags = (0u16..0x1000).prop_map(Flags::from_bits);
    let with_options = flags.prop_flat_map(|flags| {
        let options = if flags.syn() {
            syn_options().boxed()
        } else {
            segment_options().boxed()
        };
        (Just(flags), options)
    });
    let numbers = any::<(u16, u16, u32, u32, u16, u16)>();
    (numbers, with_options).prop_map(
        |((src_port, dst_port, seq, ack, window, urgent), (flags, options))| Header {
            src_port,
            dst_port,
            seq: SeqNum(seq),
            ack: SeqNum(ack),
            flags,
            window: UnscaledWindow(window),
            urgent,
            options,
        },
    )
}

/// The header as bytes, checksum 0.
pub(crate) fn emitted(header: &Header) -> Vec<u8> {
    let mut out = vec![0; header.header_len()];
    assert_eq!(header.emit(&mut out), out.len());
    out
}
