//! TUN and TAP devices against the kernel, in a namespace of their own.
#![cfg(target_os = "linux")]

use bytes::Bytes;
use estab_device::namespace::testing::privileged_test;
use estab_device::tuntap::{TunTap, TunTapConfig};
use estab_device::{Device, RxBatch, TxBatch, netlink};
use estab_stack::{Checksum, ChecksumOffload, HeaderBuffer, Layers, Medium, PacketIn, PacketOut};
use estab_tcp::{Chunks, Instant};
use estab_wire::checksum::{Sum, pseudo_header};
use estab_wire::tcp::{Flags, Options, SegmentOptions, SeqNum, SynOptions, UnscaledWindow};
use estab_wire::{ethernet, ipv4, protocol, tcp, udp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

const KERNEL: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const US: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
const NOW: Instant = Instant::ZERO;

/// A device with the kernel at [`KERNEL`].
fn open(config: &TunTapConfig) -> TunTap {
    let device = TunTap::open(config).expect("a device");
    assert!(device.was_created());
    netlink::set_up(device.index()).expect("up");
    netlink::add_address(device.index(), KERNEL.into(), 24).expect("an address");
    device
}

fn tun(offload: bool) -> TunTap {
    open(&TunTapConfig {
        offload,
        ..TunTapConfig::tun("estab-t0")
    })
}

/// Waits for the packet that `accept` likes, the last one of its batch that counts; others, such as the kernel's router
/// solicitations, are skipped.
fn wait_for<T>(device: &mut TunTap, mut accept: impl FnMut(&PacketIn) -> Option<T>) -> T {
    let mut batch = RxBatch::new(16);
    for _ in 0..20 {
        device.receive(NOW, &mut batch).expect("receive");
        while let Some(packet) = batch.pop() {
            if let Some(found) = accept(&packet) {
                return found;
            }
        }
        let mut wait = [PollFd::new(device, PollFlags::IN)];
        let second = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        poll(&mut wait, Some(&second)).expect("poll");
    }
    panic!("the packet did not come");
}

fn send(device: &mut TunTap, packet: PacketOut) {
    let mut batch = TxBatch::default();
    batch.push(packet);
    assert_eq!(device.transmit(NOW, &mut batch).expect("transmit"), 1);
}

fn ip_header(protocol: u8, payload_len: usize) -> HeaderBuffer {
    let mut out = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ipv4::HEADER_LEN + payload_len) as u16,
        ..ipv4::Header::new(US, KERNEL, protocol)
    }
    .emit(&mut out);
    out.into_iter().collect()
}

fn packet(header: HeaderBuffer, pieces: &[&'static [u8]]) -> PacketOut {
    let mut payload = Chunks::new();
    for piece in pieces {
        payload.push(Bytes::from_static(piece));
    }
    PacketOut {
        header,
        payload,
        checksum: None,
        segment_size: 0,
    }
}

fn echo_request(link_header: &[u8]) -> PacketOut {
    let mut header: HeaderBuffer = link_header.iter().copied().collect();
    let mut icmp = [8, 0, 0, 0, 1, 2, 3, 4];
    let mut sum = Sum::new();
    sum.add_bytes(&icmp);
    sum.add_bytes(b"hello, kernel");
    icmp[2..4].copy_from_slice(&sum.finish().to_be_bytes());
    header.extend(ip_header(protocol::ICMP, icmp.len() + 13));
    header.extend(icmp);
    packet(header, &[b"hello, ", b"kernel"])
}

/// The text of an echo reply to us.
fn echo_reply(medium: Medium) -> impl Fn(&PacketIn) -> Option<Bytes> {
    move |packet| {
        let layers = Layers::find(medium, &packet.data)?;
        let is_reply = layers.protocol == protocol::ICMP
            && layers.dst == US
            && packet.data[layers.transport] == 0;
        is_reply.then(|| packet.data.slice(layers.transport + 8..layers.end))
    }
}

#[test]
fn the_kernel_answers_a_ping_over_tun() {
    privileged_test("the_kernel_answers_a_ping_over_tun", || {
        for offload in [false, true] {
            let mut device = tun(offload);
            assert_eq!(device.capabilities().mtu, 1500);
            send(&mut device, echo_request(&[]));
            let text = wait_for(&mut device, echo_reply(Medium::Ip));
            assert_eq!(text, "hello, kernel", "offload {offload}");
            assert_eq!(device.counters().sent, 1);
        }
        let gone = netlink::link("estab-t0").expect_err("it goes with its owner");
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn the_kernel_answers_a_ping_over_tap() {
    privileged_test("the_kernel_answers_a_ping_over_tap", || {
        for offload in [false, true] {
            let mut device = open(&TunTapConfig {
                offload,
                hardware_address: Some([2, 9, 9, 9, 9, 9]),
                ..TunTapConfig::tap("estab-t1")
            });
            assert_eq!(device.capabilities().hardware_address, [2, 9, 9, 9, 9, 9]);
            let kernel = netlink::link("estab-t1")
                .expect("the device")
                .hardware_address;
            let mut frame = [0; ethernet::HEADER_LEN];
            ethernet::Header {
                dst: ethernet::Address(kernel.expect("Ethernet")),
                src: ethernet::Address([2, 9, 9, 9, 9, 9]),
                ethertype: ethernet::EtherType::IPV4,
            }
            .emit(&mut frame);
            send(&mut device, echo_request(&frame));
            // The kernel asks for our address first.
            let reply = wait_for(&mut device, arp_reply);
            send(&mut device, packet(reply, &[]));
            let text = wait_for(&mut device, echo_reply(Medium::Ethernet));
            assert_eq!(text, "hello, kernel", "offload {offload}");
        }
    });
}

/// The answer to an ARP request for our address (RFC 826), made from the request.
fn arp_reply(request: &PacketIn) -> Option<HeaderBuffer> {
    if request.data.get(12..14)? != [0x08, 0x06] {
        return None;
    }
    let mut frame = request.data.get(..42)?.to_vec();
    frame[21] = 2;
    frame.copy_within(22..32, 32);
    frame[22..28].copy_from_slice(&[2, 9, 9, 9, 9, 9]);
    frame[28..32].copy_from_slice(&US.octets());
    frame.copy_within(6..12, 0);
    Some(frame.into_iter().collect())
}

#[test]
fn checksums_from_the_kernel_are_whole_or_vouched_for() {
    privileged_test("checksums_from_the_kernel_are_whole_or_vouched_for", || {
        for offload in [false, true] {
            let mut device = tun(offload);
            let socket = UdpSocket::bind((KERNEL, 0)).expect("bind");
            socket.send_to(b"hello", (US, 7)).expect("send");
            let packet = wait_for(&mut device, |packet| {
                let layers = Layers::find(Medium::Ip, &packet.data)?;
                (layers.protocol == protocol::UDP).then(|| packet.clone())
            });
            let datagram = &packet.data[20..];
            let is_whole = udp::verify(KERNEL.into(), US.into(), datagram);
            match packet.checksum {
                Checksum::Valid => assert!(offload),
                Checksum::Unverified => assert!(is_whole && !offload),
            }
        }
    });
}

/// Our end of a connection by hand.
struct Hand {
    seq: u32,
    ack: u32,
    port: u16,
    kernel_port: u16,
}

impl Hand {
    fn segment(&self, flags: Flags, payload: &[&'static [u8]], offload: Option<u16>) -> PacketOut {
        let options = if flags.syn() {
            Options::Syn(SynOptions {
                mss: Some(1460),
                window_scale: Some(7),
                ..SynOptions::default()
            })
        } else {
            Options::Segment(SegmentOptions::default())
        };
        let header = tcp::Header {
            src_port: self.port,
            dst_port: self.kernel_port,
            seq: SeqNum(self.seq),
            ack: SeqNum(self.ack),
            flags,
            window: UnscaledWindow(if flags.syn() { 65_535 } else { 4000 }),
            urgent: 0,
            options,
        };
        let mut out = [0; tcp::HEADER_LEN_MAX];
        let len = header.emit(&mut out);
        let text: usize = payload.iter().map(|piece| piece.len()).sum();
        let mut sum = pseudo_header(US.into(), KERNEL.into(), protocol::TCP, (len + text) as u32);
        if offload.is_none() {
            sum.add_bytes(&out[..len]);
            for piece in payload {
                sum.add_bytes(piece);
            }
        }
        let field = if offload.is_none() {
            sum.finish()
        } else {
            sum.folded()
        };
        out[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&field.to_be_bytes());
        let mut headers = ip_header(protocol::TCP, len + text);
        headers.extend(out[..len].iter().copied());
        PacketOut {
            checksum: offload.map(|_| ChecksumOffload {
                start: 20,
                offset: tcp::CHECKSUM_OFFSET as u16,
            }),
            segment_size: offload.unwrap_or(0),
            ..packet(headers, payload)
        }
    }
}

/// The header and the length of the text of a segment to us.
fn segment(packet: &PacketIn) -> Option<(tcp::Header, usize)> {
    let layers = Layers::find(Medium::Ip, &packet.data)?;
    if layers.protocol != protocol::TCP {
        return None;
    }
    let segment = &packet.data[layers.transport..layers.end];
    let (header, offset) = tcp::Header::parse(segment).ok()?;
    Some((header, segment.len() - offset))
}

/// Opens a connection to a listener of the kernel's.
fn connect(device: &mut TunTap) -> (Hand, TcpStream) {
    let listener = TcpListener::bind((KERNEL, 0)).expect("listen");
    let mut hand = Hand {
        seq: 1000,
        ack: 0,
        port: 4000,
        kernel_port: listener.local_addr().expect("an address").port(),
    };
    send(device, hand.segment(Flags::SYN, &[], None));
    let (syn_ack, _) = wait_for(device, segment);
    assert_eq!(syn_ack.flags, Flags::SYN | Flags::ACK);
    (hand.seq, hand.ack) = (1001, syn_ack.seq.0.wrapping_add(1));
    send(device, hand.segment(Flags::ACK, &[], None));
    let (stream, _) = listener.accept().expect("accept");
    let limit = Some(Duration::from_secs(10));
    stream.set_read_timeout(limit).expect("a time-out");
    (hand, stream)
}

static TEXT: [u8; 20_000] = {
    let mut text = [0; 20_000];
    let mut n = 0;
    while n < text.len() {
        text[n] = (n % 251) as u8;
        n += 1;
    }
    text
};

#[test]
fn the_kernel_takes_super_segments_and_gives_them() {
    privileged_test("the_kernel_takes_super_segments_and_gives_them", || {
        let mut device = tun(true);
        let (mut hand, mut stream) = connect(&mut device);
        let (head, tail) = TEXT.split_at(7777);
        send(
            &mut device,
            hand.segment(Flags::ACK | Flags::PSH, &[head, tail], Some(1400)),
        );
        let mut received = vec![0; TEXT.len()];
        stream.read_exact(&mut received).expect("all of it");
        assert_eq!(received, TEXT);
        assert_eq!(device.counters().refused, 0);

        hand.seq += TEXT.len() as u32;
        stream.write_all(&TEXT).expect("write");
        let large = wait_for(&mut device, |packet| {
            let (header, len) = segment(packet)?;
            (len > 1460).then(|| (packet.clone(), header, len))
        });
        let (packet, header, len) = large;
        assert_eq!(header.seq, SeqNum(hand.ack));
        assert_eq!(packet.checksum, Checksum::Valid);
        assert_eq!(usize::from(packet.segments), len.div_ceil(1460));
        assert_eq!(packet.segment_size, 1460);
    });
}

#[test]
fn without_offload_a_super_segment_is_cut_in_software() {
    privileged_test("without_offload_a_super_segment_is_cut_in_software", || {
        let mut device = tun(false);
        assert_eq!(device.capabilities().segmentation_offload, 0);
        let (hand, mut stream) = connect(&mut device);
        send(&mut device, hand.segment(Flags::ACK, &[&TEXT], Some(1400)));
        let mut received = vec![0; TEXT.len()];
        stream.read_exact(&mut received).expect("all of it");
        assert_eq!(received, TEXT);
        assert_eq!(device.counters().sent, 2 + 15);
    });
}

#[test]
fn an_existing_device_is_left_as_it_is() {
    privileged_test("an_existing_device_is_left_as_it_is", || {
        let first = TunTap::open(&TunTapConfig::tun("estab-t2")).expect("make it");
        set_persistent(&first);
        netlink::set_mtu(first.index(), 1280).expect("an MTU");
        drop(first);
        let config = TunTapConfig {
            mtu: Some(9000),
            ..TunTapConfig::tun("estab-t2")
        };
        for _ in 0..2 {
            let second = TunTap::open(&config).expect("open it");
            assert!(!second.was_created());
            assert_eq!(second.capabilities().mtu, 1280);
            let link = netlink::link("estab-t2").expect("the device");
            assert_eq!((link.mtu, link.up), (1280, false));
        }
    });
}

fn set_persistent(device: &TunTap) {
    const TUNSETPERSIST: libc::Ioctl = 0x4004_54cb;
    // SAFETY: the argument is an integer.
    let result = unsafe { libc::ioctl(device.as_fd().as_raw_fd(), TUNSETPERSIST, 1) };
    assert_eq!(result, 0);
}

#[test]
fn a_device_is_made_with_the_mtu_that_was_asked_for() {
    privileged_test("a_device_is_made_with_the_mtu_that_was_asked_for", || {
        let device = open(&TunTapConfig {
            mtu: Some(9000),
            ..TunTapConfig::tun("estab-t5")
        });
        let link = netlink::link("estab-t5").expect("the device");
        assert_eq!((device.capabilities().mtu, link.mtu), (9000, 9000));
    });
}

#[test]
fn what_an_earlier_user_agreed_with_the_kernel_does_not_matter() {
    privileged_test(
        "what_an_earlier_user_agreed_with_the_kernel_does_not_matter",
        || {
            const TUNSETVNETHDRSZ: libc::Ioctl = 0x4004_54d8;
            let first = open(&TunTapConfig::tun("estab-t6"));
            set_persistent(&first);
            let size: libc::c_int = 12;
            // SAFETY: the argument points to an int.
            let result = unsafe { libc::ioctl(first.as_fd().as_raw_fd(), TUNSETVNETHDRSZ, &size) };
            assert_eq!(result, 0);
            drop(first);
            for offload in [true, false, true] {
                let mut device = TunTap::open(&TunTapConfig {
                    offload,
                    ..TunTapConfig::tun("estab-t6")
                })
                .expect("it is there");
                send(&mut device, echo_request(&[]));
                let text = wait_for(&mut device, echo_reply(Medium::Ip));
                assert_eq!(text, "hello, kernel", "offload {offload}");
            }
        },
    );
}

#[test]
fn large_datagrams_are_cut_by_the_kernel() {
    privileged_test("large_datagrams_are_cut_by_the_kernel", || {
        let mut device = tun(true);
        let socket = UdpSocket::bind((KERNEL, 0)).expect("bind");
        let size: libc::c_int = 500;
        // SAFETY: the value points to an int of the length that is given.
        let result = unsafe {
            let value = (&raw const size).cast();
            let descriptor = socket.as_raw_fd();
            libc::setsockopt(descriptor, libc::SOL_UDP, libc::UDP_SEGMENT, value, 4)
        };
        assert_eq!(result, 0);
        socket.send_to(&[7; 1400], (US, 7)).expect("send");
        let mut lens = Vec::new();
        wait_for(&mut device, |packet| {
            let layers = Layers::find(Medium::Ip, &packet.data)?;
            if layers.protocol == protocol::UDP {
                lens.push(packet.data.len() - 28);
            }
            (lens.len() == 3).then_some(())
        });
        assert_eq!(lens, [500, 500, 400]);
        assert_eq!(device.counters().malformed, 0);
    });
}

#[test]
fn what_passes_is_counted_and_what_does_not_is_an_error() {
    privileged_test(
        "what_passes_is_counted_and_what_does_not_is_an_error",
        || {
            let mut device = TunTap::open(&TunTapConfig::tun("estab-t3")).expect("a device");
            send(&mut device, echo_request(&[]));
            assert_eq!(device.counters().refused, 1, "it is down");
            netlink::set_up(device.index()).expect("up");
            send(&mut device, packet([0x77; 40].into_iter().collect(), &[]));
            assert_eq!(device.counters().refused, 2, "not IP");
            send(&mut device, echo_request(&[]));
            assert_eq!(device.counters().refused, 2);
            let mut batch = RxBatch::new(64);
            device
                .receive(NOW, &mut batch)
                .expect("the kernel's own packets");

            netlink::delete_link(device.index()).expect("remove it");
            let error = device.receive(NOW, &mut RxBatch::new(1)).expect_err("gone");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            assert!(error.to_string().contains("estab-t3"), "{error}");
        },
    );
}

#[test]
fn errors_say_what_to_do() {
    privileged_test("errors_say_what_to_do", || {
        let _busy = TunTap::open(&TunTapConfig::tun("estab-t4")).expect("a device");
        let error = TunTap::open(&TunTapConfig::tun("estab-t4")).expect_err("in use");
        assert!(error.to_string().contains("another program"), "{error}");
        let error = TunTap::open(&TunTapConfig::tap("estab-t4")).expect_err("TUN");
        assert!(error.to_string().contains("other kind"), "{error}");
        let error = TunTap::open(&TunTapConfig::tun("lo")).expect_err("loopback");
        assert!(error.to_string().contains("other kind"), "{error}");
    });
}
