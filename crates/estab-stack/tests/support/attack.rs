//! A host under attack: whatever peers, strangers and its own applications do, it does not panic, comes to rest, keeps its
//! limits, and forgets everything in the end.
#![allow(missing_docs, unreachable_pub, dead_code)]

use super::choices::Choices;
use bytes::Bytes;
use core::time::Duration;
use estab_stack::*;
use estab_tcp::{Flags, IcmpErrorKind, Instant, Settings, Shutdown};
use estab_wire::tcp::{
    self, Header, Options, SackBlock, SegmentOptions, SeqNum, SynOptions, Timestamps,
    UnscaledWindow,
};
use estab_wire::{ipv4, ipv6, protocol, udp};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const OWN4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const OWN6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
const FLOWS_MAX: usize = 16;
const SOCKETS_MAX: usize = 48;
/// No answer to one packet, call or time-out is longer.
const PACKETS_MAX: usize = 20_000;
const UNDECIDED_MAX: u32 = 4;

/// A connection, or what looks like one, as the attacker sees it.
#[derive(Clone, Copy, Debug)]
struct Flow {
    host: SocketAddr,
    attacker: SocketAddr,
    /// What the host sent: first and next sequence number, what it acknowledges, where its window ends.
    first: u32,
    nxt: u32,
    acked: u32,
    edge: u32,
    scale: u8,
    timestamp: Option<u32>,
    /// What the attacker sent.
    sent: u32,
}

pub struct World<'a> {
    choices: Choices<'a>,
    host: Stack,
    interfaces: [InterfaceId; 2],
    now: Instant,
    flows: Vec<Flow>,
    sockets: Vec<SocketId>,
    interceptor: Option<SocketId>,
    requests: Vec<RequestId>,
    /// The last packet that the host sent, to be quoted.
    quote: Bytes,
}

/// The check: `cargo test` runs it on seeds, a fuzz target on bytes.
pub fn check(choices: Choices<'_>) {
    let mut world = World::new(choices);
    while world.choices.go_on() {
        world.step();
        world.settle();
        world.check_limits();
    }
    world.end();
}

impl<'a> World<'a> {
    fn new(mut choices: Choices<'a>) -> Self {
        let settings = Settings {
            tcp_max_syn_backlog: choices.of(&[4096, 3]),
            tcp_syncookies: choices.of(&[1, 0, 2]),
            tcp_max_orphans: choices.of(&[65_536, 0, 2]),
            tcp_max_tw_buckets: choices.of(&[1000, 0, 2]),
            tcp_mem: choices.of(&[4 << 30, 0, 100_000]),
            tcp_abort_on_overflow: choices.once_in(4),
            tcp_timestamps: !choices.once_in(3),
            tcp_sack: !choices.once_in(3),
            tcp_window_scaling: !choices.once_in(3),
            tcp_rfc1337: !choices.once_in(3),
            tcp_tw_reuse: !choices.once_in(3),
            tcp_rmem: choices.of(&[(128 << 10, 64 << 20), (1, 1), (3000, 10_000)]),
            tcp_wmem: choices.of(&[(64 << 10, 64 << 20), (1, 1), (3000, 10_000)]),
            ..Settings::default()
        };
        let mut host = Stack::new(StackConfig {
            seed: [9; 32],
            settings,
        });
        let offload = choices.of(&[0, 65_000]);
        let mtu = choices.of(&[1500, 1280, 9000]);
        let interfaces = [Medium::Ip, Medium::Ethernet].map(|medium| {
            host.add_interface(InterfaceConfig {
                name: "link".into(),
                medium,
                hardware_address: [2, 0, 0, 0, 0, 1],
                mtu,
                checksum_offload: false,
                segmentation_offload: offload,
            })
        });
        for (interface, address, prefix_len) in [
            (interfaces[0], IpAddr::from(OWN4), 24),
            (interfaces[0], IpAddr::from(OWN6), 64),
            (interfaces[1], IpAddr::from([10, 1, 0, 1]), 24),
        ] {
            let address = Cidr {
                address,
                prefix_len,
            };
            host.add_address(interface, address).expect("an address");
        }
        let mut world = Self {
            choices,
            host,
            interfaces,
            now: Instant::ZERO + Duration::from_secs(1_000_000),
            flows: Vec::new(),
            sockets: Vec::new(),
            interceptor: None,
            requests: Vec::new(),
            quote: Bytes::new(),
        };
        world.listen(80, 1);
        world.listen(81, 100);
        world.open_udp();
        if world.choices.once_in(2) {
            world.host.set_any_address(world.interfaces[0], true);
            world.interceptor = world.host.intercept(world.now, UNDECIDED_MAX).ok();
        }
        world
    }

    fn listen(&mut self, port: u16, backlog: u32) {
        let socket = self.host.tcp_socket(true).expect("a socket");
        let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let reuse = SocketOption::ReuseAddress(true);
        let _ = self.host.set_option(self.now, socket, reuse);
        let _ = self.host.bind(socket, any);
        let _ = self.host.listen(self.now, socket, backlog);
        self.sockets.push(socket);
    }

    fn open_udp(&mut self) {
        let socket = self.host.udp_socket(true).expect("a socket");
        let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 53));
        let _ = self.host.bind(socket, any);
        self.sockets.push(socket);
    }

    fn step(&mut self) {
        match self.choices.below(32) {
            0..3 => self.open_flow(),
            3..8 => self.friendly(),
            8..16 => self.hostile(),
            16..18 => self.icmp(),
            18 => self.fragment(),
            19 => self.datagram(),
            20 => self.frame(),
            21..24 => self.wait(),
            24 => self.connect(),
            25 => self.accept(),
            26..28 => self.transfer(),
            28 => self.set_option(),
            29 => self.decide(),
            30 => self.close(),
            _ => self.call(),
        }
    }
}

/// Packets.
impl World<'_> {
    fn inject(&mut self, packet: Vec<u8>) {
        let mut packet = PacketIn::from(Bytes::from(packet));
        if self.choices.once_in(8) {
            packet.segments = self.choices.of(&[1, 2, 44, u16::MAX]);
            packet.segment_size = self.choices.of(&[0, 1, 1000, u16::MAX]);
        }
        self.host
            .handle_packet(self.now, self.interfaces[0], packet);
    }

    fn addresses(&mut self) -> (IpAddr, IpAddr) {
        let last = self.choices.below(4) as u8;
        match self.choices.below(4) {
            0 => (
                Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, last.into()).into(),
                OWN6.into(),
            ),
            1 => (IpAddr::from([10, 0, 0, 50 + last]), [192, 0, 2, 7].into()),
            _ => (IpAddr::from([10, 0, 0, 50 + last]), OWN4.into()),
        }
    }

    /// A SYN from a new, or a known, port.
    fn open_flow(&mut self) {
        if self.flows.len() >= FLOWS_MAX {
            let at = self.choices.below(FLOWS_MAX as u32) as usize;
            self.flows.swap_remove(at);
        }
        let (from, to) = self.addresses();
        let port = 1000 + self.choices.below(20) as u16;
        let sent = self.choices.near(&[0, 5000, u32::MAX]);
        let flow = Flow {
            host: SocketAddr::new(to, self.choices.of(&[80, 81, 80, 81, 82])),
            attacker: SocketAddr::new(from, port),
            first: 0,
            nxt: 0,
            acked: 0,
            edge: 0,
            scale: 0,
            timestamp: self.choices.once_in(2).then_some(0),
            sent: sent.wrapping_add(1),
        };
        let options = self.syn_options();
        let header = header(&flow, Flags::SYN, sent, 0, 65_535, options);
        self.flows.push(flow);
        self.inject(segment(&flow, header, &[]));
    }

    fn syn_options(&mut self) -> Options {
        Options::Syn(SynOptions {
            mss: self
                .choices
                .of(&[Some(1460), None, Some(0), Some(1), Some(u16::MAX)]),
            window_scale: self
                .choices
                .of(&[Some(7), None, Some(0), Some(14), Some(255)]),
            sack_permitted: !self.choices.once_in(3),
            timestamps: (!self.choices.once_in(3)).then(|| Timestamps {
                value: self.choices.near(&[1, u32::MAX]),
                echo: 0,
            }),
        })
    }

    fn flow(&mut self) -> Option<Flow> {
        let count = u32::try_from(self.flows.len()).ok().filter(|n| *n > 0)?;
        let at = self.choices.below(count) as usize;
        self.flows.get(at).copied()
    }

    /// What a peer would send: it brings connections into their later states.
    fn friendly(&mut self) {
        let Some(flow) = self.flow() else {
            return;
        };
        let len = self.choices.of(&[0, 0, 1, 100, 1460]);
        let fin = self.choices.once_in(6);
        let flags = Flags::ACK | if fin { Flags::FIN } else { Flags::NONE };
        let options = Options::Segment(SegmentOptions {
            timestamps: flow.timestamp.map(|echo| Timestamps {
                value: self.clock(),
                echo,
            }),
            ..SegmentOptions::default()
        });
        let window = self.choices.of(&[65_535, 65_535, 0, 1, 1000]);
        let header = header(&flow, flags, flow.acked, flow.nxt, window, options);
        self.inject(segment(&flow, header, &vec![7; len]));
    }

    /// The attacker's timestamps run ahead of what its SYN said.
    fn clock(&self) -> u32 {
        1_000_000u32.wrapping_add((self.now.as_nanos() / 1_000_000) as u32)
    }

    /// What nobody should send.
    fn hostile(&mut self) {
        let Some(flow) = self.flow() else {
            return;
        };
        let seq = self
            .choices
            .near(&[flow.acked, flow.edge, flow.sent, flow.acked]);
        let ack = self.choices.near(&[flow.nxt, flow.first, flow.nxt, 0]);
        let flags = match self.choices.below(12) {
            0..4 => Flags::ACK,
            4 => Flags::SYN,
            5 => Flags::SYN | Flags::ACK,
            6 => Flags::RST,
            7 => Flags::RST | Flags::ACK,
            8 => Flags::FIN | Flags::ACK,
            9 => Flags::URG | Flags::ACK,
            _ => Flags::from_bits(self.choices.any() as u16),
        };
        let options = if flags.syn() {
            self.syn_options()
        } else {
            self.segment_options(&flow)
        };
        let window = self.choices.of(&[65_535, 0, 1, 500, 2]);
        let mut header = header(&flow, flags, seq, ack, window, options);
        header.urgent = self.choices.of(&[0, 1, 2, 700, u16::MAX]);
        let len = self.choices.of(&[0, 0, 1, 2, 100, 1460, 9000, 60_000]);
        self.inject(segment(&flow, header, &vec![8; len]));
    }

    fn segment_options(&mut self, flow: &Flow) -> Options {
        let clock = self.clock();
        let mut options = SegmentOptions {
            timestamps: (!self.choices.once_in(4)).then(|| Timestamps {
                value: self.choices.near(&[clock]),
                echo: self.choices.near(&[flow.timestamp.unwrap_or(0)]),
            }),
            ..SegmentOptions::default()
        };
        for _ in 0..self.choices.below(3) {
            options.sack.push(SackBlock {
                left: SeqNum(self.choices.near(&[flow.nxt, flow.first])),
                right: SeqNum(self.choices.near(&[flow.nxt, flow.first])),
            });
        }
        Options::Segment(options)
    }

    /// An ICMP error about what the host sent.
    fn icmp(&mut self) {
        use estab_wire::icmpv4::Message;
        let Some(20) = self.quote.first().map(|byte| (byte & 15) * 4) else {
            return;
        };
        let mut quoted = self.quote[..self.quote.len().min(200)].to_vec();
        if self.choices.once_in(3) && quoted.len() >= 28 {
            let seq = u32::from_be_bytes(quoted[24..28].try_into().expect("four bytes"));
            let seq = self.choices.near(&[seq]);
            quoted[24..28].copy_from_slice(&seq.to_be_bytes());
        }
        let Ok(about) = ipv4::Header::parse_quoted(&quoted) else {
            return;
        };
        let message = match self.choices.below(4) {
            0 => Message::TimeExceeded {
                code: 0,
                quoted: &quoted,
            },
            1 => Message::DestinationUnreachable {
                code: self.choices.below(16) as u8,
                next_hop_mtu: 0,
                quoted: &quoted,
            },
            _ => Message::DestinationUnreachable {
                code: 4,
                next_hop_mtu: self.choices.of(&[0, 1, 68, 552, 1000, 1499, 65_535]),
                quoted: &quoted,
            },
        };
        let mut body = Vec::new();
        message.emit(&mut body);
        self.inject(ip(
            Ipv4Addr::new(10, 0, 0, 99).into(),
            about.src.into(),
            protocol::ICMP,
            &body,
        ));
    }

    /// A piece of a datagram that may never be whole.
    fn fragment(&mut self) {
        let mut header = ipv4::Header::new(
            Ipv4Addr::new(10, 0, 0, 50 + self.choices.below(3) as u8),
            OWN4,
            self.choices.of(&[protocol::TCP, protocol::UDP]),
        );
        header.identification = self.choices.below(3) as u16;
        header.more_fragments = self.choices.once_in(2);
        header.fragment_offset = self.choices.below(5) as u16 * 8;
        if self.choices.once_in(10) {
            header.fragment_offset = 0xfff8;
        }
        let data = vec![0x50; self.choices.of(&[8, 16, 24, 1400])];
        header.total_len = (ipv4::HEADER_LEN + data.len()) as u16;
        let mut packet = [0; ipv4::HEADER_LEN];
        header.emit(&mut packet);
        self.inject([&packet[..], &data].concat());
    }

    fn datagram(&mut self) {
        let (from, to) = self.addresses();
        let data = vec![1; self.choices.of(&[0, 1, 1000, 30_000])];
        let header = udp::Header {
            src_port: 1000 + self.choices.below(3) as u16,
            dst_port: self.choices.of(&[53, 54]),
            len: (udp::HEADER_LEN + data.len()) as u16,
        };
        let mut start = [0; udp::HEADER_LEN];
        header.emit(&mut start);
        let mut datagram = [&start[..], &data].concat();
        let sum = udp::checksum(from, to, [&datagram[..]].into_iter());
        datagram[udp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
        self.inject(ip(from, to, protocol::UDP, &datagram));
    }

    /// On the Ethernet interface: ARP of all kinds, and SYNs that make the host ask for neighbours.
    fn frame(&mut self) {
        use estab_wire::{arp, ethernet};
        let sender = Ipv4Addr::new(10, 1, 0, self.choices.below(256) as u8);
        let own = Ipv4Addr::new(10, 1, 0, 1);
        let mac = ethernet::Address([2, 0, 0, 0, 1, self.choices.below(3) as u8]);
        let is_arp = self.choices.once_in(2);
        let mut start = [0; ethernet::HEADER_LEN];
        let ethertype = if is_arp {
            ethernet::EtherType::ARP
        } else {
            ethernet::EtherType::IPV4
        };
        ethernet::Header {
            dst: ethernet::Address([2, 0, 0, 0, 0, 1]),
            src: mac,
            ethertype,
        }
        .emit(&mut start);
        let body = if is_arp {
            let mut body = [0; arp::PACKET_LEN];
            arp::Packet {
                operation: self
                    .choices
                    .of(&[arp::Operation::Request, arp::Operation::Reply]),
                sender_hardware: mac,
                sender_protocol: sender,
                target_hardware: ethernet::Address::default(),
                target_protocol: self.choices.of(&[own, sender]),
            }
            .emit(&mut body);
            body.to_vec()
        } else {
            let flow = Flow {
                host: SocketAddr::from((own, 80)),
                attacker: SocketAddr::from((sender, 1000)),
                first: 0,
                nxt: 0,
                acked: 0,
                edge: 0,
                scale: 0,
                timestamp: None,
                sent: 0,
            };
            let options = self.syn_options();
            let seq = self.choices.any();
            segment(&flow, header(&flow, Flags::SYN, seq, 0, 1000, options), &[])
        };
        let frame = Bytes::from([&start[..], &body].concat());
        self.host
            .handle_packet(self.now, self.interfaces[1], frame.into());
    }
}

/// The application and the clock.
impl World<'_> {
    fn wait(&mut self) {
        let next = self.host.poll_timeout();
        self.now = match (self.choices.below(6), next) {
            (0..3, Some(next)) => self.now.max(next),
            (3, _) => self.now + Duration::from_secs(self.choices.below(300).into()),
            (4, _) if self.choices.once_in(8) => {
                self.now + Duration::from_secs(self.choices.below(5_000_000).into())
            }
            _ => self.now + Duration::from_millis(self.choices.below(500).into()),
        };
        self.host.handle_timeout(self.now);
        let next = self.host.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "timers move on");
    }

    fn socket(&mut self) -> SocketId {
        let at = self.choices.below(self.sockets.len() as u32) as usize;
        self.sockets[at]
    }

    fn connect(&mut self) {
        if self.sockets.len() >= SOCKETS_MAX {
            return self.close();
        }
        let socket = self.host.tcp_socket(true).expect("a socket");
        self.sockets.push(socket);
        let (attacker, _) = self.addresses();
        let to = self.choices.of(&[
            SocketAddr::new(attacker, 90),
            SocketAddr::new(attacker, 90),
            SocketAddr::from((OWN4, 80)),
            SocketAddr::from((Ipv4Addr::BROADCAST, 90)),
        ]);
        let timeout = self
            .choices
            .of(&[None, Some(Duration::from_secs(3)), Some(Duration::ZERO)]);
        let _ = self.host.connect(self.now, socket, to, timeout);
    }

    fn accept(&mut self) {
        let listener = self.socket();
        if let Ok((socket, _)) = self.host.accept(self.now, listener) {
            self.sockets.push(socket);
        }
    }

    fn transfer(&mut self) {
        let socket = self.socket();
        let len = self.choices.of(&[0, 1, 100, 3000, 100_000]);
        let flags = MessageFlags {
            peek: self.choices.once_in(5),
            urgent: self.choices.once_in(5),
            more: self.choices.once_in(5),
            end_of_record: self.choices.once_in(5),
            truncate: self.choices.once_in(5),
        };
        let mut buffer = vec![3; len];
        if self.choices.once_in(2) {
            let _ = self.host.send(self.now, socket, &buffer, flags);
        } else {
            let _ = self.host.receive(self.now, socket, &mut buffer, flags);
        }
    }

    fn duration(&mut self) -> Duration {
        match self.choices.below(4) {
            0 => Duration::ZERO,
            1 => Duration::from_millis(self.choices.below(1000).into()),
            2 => Duration::from_secs(self.choices.any().into()),
            _ => Duration::from_secs(self.choices.below(1000).into()),
        }
    }

    fn set_option(&mut self) {
        use SocketOption as O;
        let socket = self.socket();
        let on = self.choices.once_in(2);
        let byte = self.choices.below(256) as u8;
        let number = self.choices.near(&[0, 1000, u32::MAX]);
        let time = self.duration();
        let option = match self.choices.below(25) {
            0 => O::ReuseAddress(on),
            1 => O::ReusePort(on),
            2 => O::Keepalive(on),
            3 => O::Linger(Linger::Off),
            4 => O::Linger(Linger::Abort),
            5 => O::Linger(Linger::Wait(time)),
            6 => O::OobInline(on),
            7 => O::SendBuffer(number),
            8 => O::ReceiveBuffer(number),
            9 => O::ReceiveLowWater(number),
            10 => O::NoDelay(on),
            11 => O::Cork(on),
            12 => O::QuickAck(on),
            13 => O::MaxSegment(number as u16),
            14 => O::KeepaliveIdle(time),
            15 => O::KeepaliveInterval(time),
            16 => O::KeepaliveCount(byte),
            17 => O::SynRetries(byte),
            18 => O::Linger2(time),
            19 => O::UserTimeout(time),
            20 => O::WindowClamp(number),
            21 => O::NotSentLowWater(number),
            22 => O::DeferAccept(time),
            23 => O::Tos(byte),
            _ => O::HopLimit(byte),
        };
        let _ = self.host.set_option(self.now, socket, option);
    }

    fn decide(&mut self) {
        let Some(interceptor) = self.interceptor else {
            return;
        };
        if let Ok(request) = self.host.next_request(interceptor) {
            self.requests.push(request.id);
        }
        if self.choices.once_in(2) {
            return;
        }
        let Some(request) = self.requests.pop() else {
            return;
        };
        let decision = self.choices.of(&[
            Decision::Accept,
            Decision::Refuse,
            Decision::Drop,
            Decision::Unreachable(IcmpErrorKind::HostUnreachable),
        ]);
        if let Ok(Some(socket)) = self.host.decide(self.now, request, decision) {
            self.sockets.push(socket);
        }
    }

    /// The two listeners and the UDP socket stay, mostly.
    fn close(&mut self) {
        let at = self.choices.below(self.sockets.len() as u32) as usize;
        if at < 3 && !self.choices.once_in(10) {
            return;
        }
        let socket = self.sockets[at];
        let result = match self.choices.below(4) {
            0 => self.host.abort(self.now, socket),
            1 => self.host.close(self.now, socket, true),
            _ => self.host.close(self.now, socket, false),
        };
        if !matches!(result, Err(Error::WouldBlock(_))) {
            self.sockets.swap_remove(at);
        }
        if self.sockets.is_empty() {
            self.listen(80, 2);
        }
    }

    fn call(&mut self) {
        let socket = self.socket();
        match self.choices.below(6) {
            0 => drop(self.host.shutdown(self.now, socket, Shutdown::Read)),
            1 | 2 => drop(self.host.shutdown(self.now, socket, Shutdown::Write)),
            3 => drop(self.host.shutdown(self.now, socket, Shutdown::Both)),
            4 => drop(self.host.take_error(socket)),
            _ => drop(self.host.info(socket)),
        }
    }
}

/// What must hold.
impl World<'_> {
    /// The driver's part; what the host sends tells the attacker where it is.
    fn settle(&mut self) {
        let mut count = 0;
        while let Some((interface, packet)) = self.host.poll_transmit(self.now) {
            count += 1;
            assert!(count < PACKETS_MAX, "poll_transmit comes to an end");
            if interface == self.interfaces[0] {
                let packet = packet.to_bytes();
                self.watch(&packet);
                self.quote = packet;
            }
        }
        let mut count = 0;
        while self.host.poll_event().is_some() {
            count += 1;
            assert!(count < PACKETS_MAX, "poll_event comes to an end");
        }
    }

    fn watch(&mut self, packet: &[u8]) {
        let Some((from, to, header, len)) = parse(packet) else {
            return;
        };
        let known = self
            .flows
            .iter()
            .position(|flow| (flow.host, flow.attacker) == (from, to));
        let at = match known {
            Some(at) => at,
            None if header.flags.syn() && self.flows.len() < FLOWS_MAX => {
                self.flows.push(Flow {
                    host: from,
                    attacker: to,
                    first: header.seq.0,
                    nxt: header.seq.0,
                    acked: 5,
                    edge: 0,
                    scale: 0,
                    timestamp: None,
                    sent: 6,
                });
                self.flows.len() - 1
            }
            None => return,
        };
        let flow = &mut self.flows[at];
        if header.flags.rst() {
            return;
        }
        if let Options::Syn(options) = &header.options {
            flow.first = header.seq.0;
            flow.scale = options.window_scale.unwrap_or(0);
        }
        flow.nxt = header.seq.0.wrapping_add(len);
        if header.flags.ack() {
            flow.acked = header.ack.0;
            flow.edge = header
                .ack
                .0
                .wrapping_add(u32::from(header.window.0) << flow.scale);
        }
        flow.timestamp = header.options.timestamps().map(|ts| ts.value);
    }

    fn check_limits(&self) {
        let counters = self.host.counters();
        let settings = self.host.settings();
        let connections = counters.connections;
        assert!(counters.orphans <= connections);
        assert!(counters.time_wait <= settings.tcp_max_tw_buckets.into());
        assert!(counters.requests <= u64::from(UNDECIDED_MAX) + 4096);
        let sockets = self.sockets.len() as u64;
        let half_open = u64::from(settings.tcp_max_syn_backlog).min(100) * 2;
        assert!(counters.half_open <= half_open + sockets);
        // Each connection may take one more segment when the rest is used up, and UDP's queue has its own limit.
        let segment = 70_000;
        let udp = u64::from(settings.rmem_default);
        let most = settings.tcp_mem + udp + (connections + 1) * (4096 + segment);
        assert!(counters.buffered <= most, "{} bytes", counters.buffered);
    }

    /// Everybody goes; only time passes.
    fn end(mut self) {
        for socket in core::mem::take(&mut self.sockets) {
            let _ = self.host.close(self.now, socket, false);
            self.settle();
        }
        if let Some(interceptor) = self.interceptor {
            let _ = self.host.close(self.now, interceptor, false);
        }
        let mut steps = 0;
        while let Some(next) = self.host.poll_timeout() {
            self.now = self.now.max(next);
            self.host.handle_timeout(self.now);
            self.settle();
            steps += 1;
            assert!(steps < 20_000, "everything ends");
        }
        let counters = self.host.counters();
        for (name, count) in [
            ("sockets", counters.sockets),
            ("connections", counters.connections),
            ("orphans", counters.orphans),
            ("half_open", counters.half_open),
            ("time_wait", counters.time_wait),
            ("requests", counters.requests),
            ("ports", counters.ports),
            ("timers", counters.timers),
            ("buffered", counters.buffered),
        ] {
            assert_eq!(count, 0, "{name}");
        }
    }
}

fn header(flow: &Flow, flags: Flags, seq: u32, ack: u32, window: u16, options: Options) -> Header {
    Header {
        src_port: flow.attacker.port(),
        dst_port: flow.host.port(),
        seq: SeqNum(seq),
        ack: SeqNum(ack),
        flags,
        window: UnscaledWindow(window),
        urgent: 0,
        options,
    }
}

/// The packet, its checksums right.
fn segment(flow: &Flow, header: Header, text: &[u8]) -> Vec<u8> {
    let (from, to) = (flow.attacker.ip(), flow.host.ip());
    let mut start = [0; tcp::HEADER_LEN_MAX];
    let len = header.emit(&mut start);
    let mut segment = [&start[..len], text].concat();
    let sum = tcp::checksum(from, to, [&segment[..]].into_iter());
    segment[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    ip(from, to, protocol::TCP, &segment)
}

fn ip(from: IpAddr, to: IpAddr, number: u8, body: &[u8]) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut start = [0; ipv4::HEADER_LEN];
            let mut header = ipv4::Header::new(from, to, number);
            header.total_len = (start.len() + body.len()) as u16;
            header.emit(&mut start);
            [&start[..], body].concat()
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut start = [0; ipv6::HEADER_LEN];
            let mut header = ipv6::Header::new(from, to, number);
            header.payload_len = body.len() as u16;
            header.emit(&mut start);
            [&start[..], body].concat()
        }
        _ => Vec::new(),
    }
}

/// A TCP segment of the host: from, to, header, SEG.LEN.
fn parse(packet: &[u8]) -> Option<(SocketAddr, SocketAddr, Header, u32)> {
    let (from, to, body): (IpAddr, IpAddr, &[u8]) = match packet.first()? >> 4 {
        4 => {
            let header = ipv4::Header::parse(packet).ok()?;
            let tcp = header.protocol == protocol::TCP && !header.is_fragment();
            let body = tcp.then(|| header.payload(packet))?;
            (header.src.into(), header.dst.into(), body)
        }
        _ => {
            let header = ipv6::Header::parse(packet).ok()?;
            let body = (header.next_header == protocol::TCP).then(|| header.payload(packet))?;
            (header.src.into(), header.dst.into(), body)
        }
    };
    let (header, offset) = Header::parse(body).ok()?;
    let len = (body.len() - offset) as u32
        + u32::from(header.flags.syn())
        + u32::from(header.flags.fin());
    let (from, to) = (
        SocketAddr::new(from, header.src_port),
        SocketAddr::new(to, header.dst_port),
    );
    Some((from, to, header, len))
}
