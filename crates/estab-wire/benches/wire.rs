//! Cost of what is done for every packet: checksum, parse, emit.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use estab_wire::checksum::Sum;
use estab_wire::tcp::{
    Flags, Header, Options, SackBlock, SegmentOptions, SeqNum, SynOptions, Timestamps,
    UnscaledWindow,
};
use estab_wire::{ipv4, ipv6, protocol, tcp};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn checksum(c: &mut Criterion) {
    let bytes: Vec<u8> = (0..65536u32).map(|i| (i * 7 + i / 256) as u8).collect();
    let mut group = c.benchmark_group("checksum");
    for len in [20, 40, 576, 1460, 16384, 65483] {
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::from_parameter(len), |b| {
            b.iter(|| {
                let mut sum = Sum::new();
                sum.add_bytes(black_box(&bytes[..len]));
                sum.finish()
            });
        });
    }
    group.finish();
    let (src, dst) = (
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(Ipv4Addr::BROADCAST),
    );
    c.bench_function("tcp/verify/1460", |b| {
        b.iter(|| tcp::verify(black_box(src), black_box(dst), black_box(&bytes[..1460])));
    });
}

fn header(flags: Flags, options: Options) -> Header {
    Header {
        src_port: 49152,
        dst_port: 80,
        seq: SeqNum(0x0102_0304),
        ack: SeqNum(0x0506_0708),
        flags,
        window: UnscaledWindow(502),
        urgent: 0,
        options,
    }
}

fn tcp_headers(c: &mut Criterion) {
    let timestamps = Some(Timestamps {
        value: 1_000_000,
        echo: 999_000,
    });
    let block = |n: u32| SackBlock {
        left: SeqNum(n * 10_000),
        right: SeqNum(n * 10_000 + 1448),
    };
    let headers = [
        ("plain", header(Flags::ACK, Options::NONE)),
        (
            "timestamps",
            header(
                Flags::ACK,
                Options::Segment(SegmentOptions {
                    timestamps,
                    sack: [].into_iter().collect(),
                }),
            ),
        ),
        (
            "sack",
            header(
                Flags::ACK,
                Options::Segment(SegmentOptions {
                    timestamps,
                    sack: (1..4).map(block).collect(),
                }),
            ),
        ),
        (
            "syn",
            header(
                Flags::SYN,
                Options::Syn(SynOptions {
                    mss: Some(1460),
                    window_scale: Some(10),
                    sack_permitted: true,
                    timestamps,
                }),
            ),
        ),
    ];
    for (name, header) in headers {
        let mut bytes = [0; tcp::HEADER_LEN_MAX];
        let len = header.emit(&mut bytes);
        c.bench_function(&format!("tcp/parse/{name}"), |b| {
            b.iter(|| Header::parse(black_box(&bytes[..len])));
        });
        c.bench_function(&format!("tcp/emit/{name}"), |b| {
            let mut out = [0; tcp::HEADER_LEN_MAX];
            b.iter(|| black_box(&header).emit(black_box(&mut out)));
        });
    }
}

fn ip_headers(c: &mut Criterion) {
    let header = ipv4::Header::new(Ipv4Addr::LOCALHOST, Ipv4Addr::BROADCAST, protocol::TCP);
    let mut bytes = [0; ipv4::HEADER_LEN];
    header.emit(&mut bytes);
    c.bench_function("ipv4/parse", |b| {
        b.iter(|| ipv4::Header::parse(black_box(&bytes)));
    });
    c.bench_function("ipv4/emit", |b| {
        b.iter(|| black_box(&header).emit(black_box(&mut bytes)));
    });

    let header = ipv6::Header::new(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, protocol::TCP);
    let mut bytes = [0; ipv6::HEADER_LEN];
    header.emit(&mut bytes);
    c.bench_function("ipv6/parse and walk", |b| {
        b.iter(|| {
            let header = ipv6::Header::parse(black_box(&bytes)).ok()?;
            ipv6::walk(&header, &bytes).ok()
        });
    });
    c.bench_function("ipv6/emit", |b| {
        b.iter(|| black_box(&header).emit(black_box(&mut bytes)));
    });
}

criterion_group!(benches, checksum, tcp_headers, ip_headers);
criterion_main!(benches);
