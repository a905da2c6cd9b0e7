//! What a host spends: nothing on a SYN, and on a packet no more when there are many connections.

extern crate std;

use super::KeptHalfOpen;
use crate::work::{self, Work};
use crate::{
    Cidr, InterfaceConfig, InterfaceId, Medium, MessageFlags, SocketId, Stack, StackConfig,
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{Ipv4Addr, SocketAddr};
use estab_tcp::{Flags, Header, Instant, SeqNum, Settings};
use estab_wire::tcp::{self, Options, SynOptions, UnscaledWindow};
use estab_wire::{ipv4, protocol};

const OURS: Ipv4Addr = Ipv4Addr::new(10, 255, 0, 1);

/// A host with a listener at port 80.
struct Host {
    stack: Stack,
    link: InterfaceId,
    listener: SocketId,
    now: Instant,
}

/// A peer of it, by number, as it sees the connection: who, SND.NXT, RCV.NXT.
struct Peer {
    address: Ipv4Addr,
    seq: u32,
    ack: u32,
}

impl Host {
    fn new() -> Self {
        let mut stack = Stack::new(StackConfig {
            seed: [1; 32],
            settings: Settings {
                somaxconn: 100_000,
                tcp_max_syn_backlog: 100_000,
                tcp_syncookies: 0,
                ..Settings::default()
            },
        });
        let link = stack.add_interface(InterfaceConfig {
            name: "link".into(),
            medium: Medium::Ip,
            hardware_address: [0; 6],
            mtu: 1500,
            checksum_offload: false,
            segmentation_offload: 0,
        });
        let address = Cidr {
            address: OURS.into(),
            prefix_len: 8,
        };
        stack.add_address(link, address).unwrap();
        let now = Instant::from_nanos(1_000_000_000);
        let listener = stack.tcp_socket(false).unwrap();
        stack.bind(listener, SocketAddr::from((OURS, 80))).unwrap();
        stack.listen(now, listener, 100_000).unwrap();
        let mut host = Self {
            stack,
            link,
            listener,
            now,
        };
        host.answers();
        host
    }

    /// What it sends, until it has no more to send and to tell.
    fn answers(&mut self) -> Vec<(Header, usize)> {
        let mut answers = Vec::new();
        while let Some((_, packet)) = self.stack.poll_transmit(self.now) {
            let packet = packet.to_bytes();
            let ip = ipv4::Header::parse(&packet).unwrap();
            let segment = ip.payload(&packet);
            let (header, offset) = Header::parse(segment).unwrap();
            answers.push((header, segment.len() - offset));
        }
        while self.stack.poll_event().is_some() {}
        let _ = self.stack.poll_timeout();
        answers
    }

    /// A segment of a peer comes; the answers.
    fn hear(&mut self, peer: &mut Peer, flags: Flags, text: &[u8]) -> Vec<(Header, usize)> {
        let packet = packet(peer, flags, text);
        peer.seq += text.len() as u32 + u32::from(flags.syn()) + u32::from(flags.fin());
        self.stack.handle_packet(self.now, self.link, packet.into());
        let answers = self.answers();
        for (header, len) in &answers {
            let phantom = u32::from(header.flags.syn()) + u32::from(header.flags.fin());
            peer.ack = header.seq.0.wrapping_add(*len as u32 + phantom);
        }
        answers
    }

    fn half_open(&mut self, number: u32) -> Peer {
        let mut peer = Peer {
            address: Ipv4Addr::from_bits(u32::from_be_bytes([10, 1, 0, 0]) + number),
            seq: number,
            ack: 0,
        };
        let answers = self.hear(&mut peer, Flags::SYN, b"");
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].0.flags, Flags::SYN | Flags::ACK);
        peer
    }

    fn establish(&mut self, number: u32) -> (Peer, SocketId) {
        let mut peer = self.half_open(number);
        self.hear(&mut peer, Flags::ACK, b"");
        let (socket, _) = self.stack.accept(self.now, self.listener).unwrap();
        self.answers();
        (peer, socket)
    }

    /// Our end closes first.
    fn time_wait(&mut self, number: u32) -> Peer {
        let (mut peer, socket) = self.establish(number);
        self.close(&mut peer, socket);
        self.hear(&mut peer, Flags::ACK | Flags::FIN, b"");
        peer
    }

    fn close(&mut self, peer: &mut Peer, socket: SocketId) {
        self.stack.close(self.now, socket, false).unwrap();
        assert_eq!(self.answers().len(), 1);
        peer.ack += 1;
    }

    /// The work of each step in a connection's life, and of segments to nobody.
    fn life(&mut self, number: u32) -> Vec<Work> {
        let mut works = Vec::new();
        let mut peer = Peer {
            address: Ipv4Addr::from_bits(u32::from_be_bytes([10, 2, 0, 0]) + number),
            seq: 7,
            ack: 0,
        };
        let mut step = |host: &mut Self, peer: &mut Peer, flags, text: &[u8], answered| {
            let work = work::during(|| {
                assert_eq!(host.hear(peer, flags, text).len(), answered, "{flags}");
            });
            assert!(work.lookups > 0);
            works.push(work);
        };
        step(self, &mut peer, Flags::SYN, b"", 1);
        step(self, &mut peer, Flags::ACK, b"", 0);
        let (socket, _) = self.stack.accept(self.now, self.listener).unwrap();
        self.answers();
        step(self, &mut peer, Flags::ACK | Flags::PSH, b"question", 1);
        let none = MessageFlags::default();
        self.stack.send(self.now, socket, b"answer", none).unwrap();
        self.answers();
        peer.ack += 6;
        step(self, &mut peer, Flags::ACK, b"", 0);
        let mut buffer = [0; 8];
        self.stack
            .receive(self.now, socket, &mut buffer, none)
            .unwrap();
        self.close(&mut peer, socket);
        step(self, &mut peer, Flags::ACK, b"", 0);
        step(self, &mut peer, Flags::ACK | Flags::FIN, b"", 1);
        // In TIME-WAIT: its FIN again.
        peer.seq -= 1;
        step(self, &mut peer, Flags::ACK | Flags::FIN, b"", 1);
        // Of no connection.
        peer.address = Ipv4Addr::new(10, 3, 0, 1);
        step(self, &mut peer, Flags::ACK, b"", 1);
        works
    }
}

fn packet(peer: &Peer, flags: Flags, text: &[u8]) -> Bytes {
    let header = Header {
        src_port: 5000,
        dst_port: 80,
        seq: SeqNum(peer.seq),
        ack: SeqNum(peer.ack),
        flags,
        window: UnscaledWindow(65_535),
        urgent: 0,
        options: if flags.syn() {
            Options::Syn(SynOptions::default())
        } else {
            Options::NONE
        },
    };
    let mut segment = [0; tcp::HEADER_LEN_MAX];
    let len = header.emit(&mut segment);
    let mut segment = [&segment[..len], text].concat();
    let sum = tcp::checksum(peer.address.into(), OURS.into(), [&segment[..]].into_iter());
    segment[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    let mut ip = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ip.len() + segment.len()) as u16,
        dont_fragment: true,
        ..ipv4::Header::new(peer.address, OURS, protocol::TCP)
    }
    .emit(&mut ip);
    [&ip[..], &segment].concat().into()
}

/// The same work with a handful of connections and with thousands: established, half-open and in TIME-WAIT.
#[test]
fn pitfall_the_work_for_a_packet_does_not_grow_with_the_number_of_connections() {
    let mut host = Host::new();
    let alone = host.life(0);
    let each = 10_000;
    for number in (0..3 * each).step_by(3) {
        host.establish(number);
        host.half_open(number + 1);
        host.time_wait(number + 2);
    }
    let counters = host.stack.counters();
    assert_eq!(counters.connections, u64::from(each));
    assert_eq!(counters.half_open, u64::from(each));
    assert_eq!(counters.time_wait, u64::from(each) + 1);
    let crowded = host.life(1);
    for (alone, crowded) in alone.iter().zip(&crowded) {
        assert_eq!(alone.lookups, crowded.lookups);
        assert!(crowded.timer_steps <= 8, "{crowded:?}");
    }
}

/// A SYN makes a record of fixed size, whatever the receive buffer is: it owns no memory besides itself.
#[test]
fn pitfall_a_syn_allocates_no_buffers() {
    assert!(!core::mem::needs_drop::<KeptHalfOpen>(), "it owns memory");
    assert!(size_of::<KeptHalfOpen>() <= 256);
    let mut host = Host::new();
    for number in 0..1000 {
        host.half_open(number);
    }
    let counters = host.stack.counters();
    assert_eq!(
        (counters.half_open, counters.connections, counters.buffered),
        (1000, 0, 0)
    );
}
