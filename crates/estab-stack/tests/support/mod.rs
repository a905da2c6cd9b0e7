//! Two stacks on a link in memory, in virtual time.
#![allow(dead_code, unreachable_pub, missing_docs)]

use bytes::Bytes;
use core::time::Duration;
use estab_stack::*;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, Flags, FourTuple, Header, Instant, Settings, State};
use estab_wire::{ipv4, protocol, tcp};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub const A: usize = 0;
pub const B: usize = 1;
pub const ADDRESS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
/// Time that a packet takes.
const DELAY: Duration = Duration::from_millis(1);

/// Decides about a packet on the link: from whom, and the packet.
type Filter = Box<dyn FnMut(usize, &Bytes) -> bool>;

pub struct Pair {
    pub now: Instant,
    pub hosts: [Stack; 2],
    pub interfaces: [InterfaceId; 2],
    /// Packets on their way: when they arrive, to whom, what.
    wire: VecDeque<(Instant, usize, Bytes)>,
    /// Packets that passed the link, with the sender.
    pub seen: Vec<(usize, Bytes)>,
    pub events: [Vec<StackEvent>; 2],
    /// `false` loses the packet.
    filter: Option<Filter>,
}

pub fn pair() -> Pair {
    pair_with(Settings::default(), Settings::default())
}

/// The same settings at both ends.
pub fn pair_both(change: impl FnOnce(&mut Settings)) -> Pair {
    let mut settings = Settings::default();
    change(&mut settings);
    pair_with(settings.clone(), settings)
}

pub fn pair_with(a: Settings, b: Settings) -> Pair {
    let mut hosts = [(1, a), (2, b)].map(|(seed, settings)| {
        Stack::new(StackConfig {
            seed: [seed; 32],
            settings,
        })
    });
    let interfaces = [A, B].map(|host| {
        let interface = hosts[host].add_interface(InterfaceConfig {
            name: "link".into(),
            medium: Medium::Ip,
            hardware_address: [0; 6],
            mtu: 1500,
            checksum_offload: false,
            segmentation_offload: 0,
        });
        let address = Cidr {
            address: ADDRESS[host].into(),
            prefix_len: 8,
        };
        hosts[host]
            .add_address(interface, address)
            .expect("an address");
        interface
    });
    Pair {
        now: Instant::ZERO + Duration::from_secs(1000),
        hosts,
        interfaces,
        wire: VecDeque::new(),
        seen: Vec::new(),
        events: [Vec::new(), Vec::new()],
        filter: None,
    }
}

pub fn at(host: usize, port: u16) -> SocketAddr {
    SocketAddr::from((ADDRESS[host], port))
}

pub fn any(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

impl Pair {
    pub fn filter(&mut self, filter: impl FnMut(usize, &Bytes) -> bool + 'static) {
        self.filter = Some(Box::new(filter));
    }

    pub fn no_filter(&mut self) {
        self.filter = None;
    }

    /// Lets the hosts send what they have.
    pub fn flush(&mut self) {
        for host in [A, B] {
            while let Some((_, packet)) = self.hosts[host].poll_transmit(self.now) {
                let packet = packet.to_bytes();
                let passes = self.filter.as_mut().is_none_or(|f| f(host, &packet));
                if passes {
                    self.seen.push((host, packet.clone()));
                    self.wire.push_back((self.now + DELAY, 1 - host, packet));
                }
            }
            while let Some(event) = self.hosts[host].poll_event() {
                self.events[host].push(event);
            }
        }
    }

    /// One step in time; false when nothing is to come before `until`.
    fn step(&mut self, until: Instant) -> bool {
        self.flush();
        let timers = self.hosts.iter().filter_map(Stack::poll_timeout);
        let packets = self.wire.front().map(|(at, ..)| *at);
        let Some(next) = timers.chain(packets).min().filter(|next| *next <= until) else {
            return false;
        };
        self.now = self.now.max(next);
        while let Some((at, to, packet)) = self.wire.pop_front() {
            if at > self.now {
                self.wire.push_front((at, to, packet));
                break;
            }
            let interface = self.interfaces[to];
            self.hosts[to].handle_packet(self.now, interface, packet.into());
            self.flush();
        }
        for host in &mut self.hosts {
            host.handle_timeout(self.now);
        }
        self.flush();
        true
    }

    /// Lets this time pass.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        let mut steps = 0;
        while self.step(until) {
            steps += 1;
            assert!(steps < 1_000_000, "nothing comes to rest");
        }
        self.now = until;
    }

    /// A few round trips, shorter than any time-out.
    pub fn settle(&mut self) {
        self.run(Duration::from_millis(50));
    }

    pub fn run_secs(&mut self, secs: u64) {
        self.run(Duration::from_secs(secs));
    }

    /// Gives a host a packet as if it came over the link.
    pub fn inject(&mut self, to: usize, packet: Bytes) {
        let interface = self.interfaces[to];
        self.hosts[to].handle_packet(self.now, interface, packet.into());
        self.flush();
    }

    // Calls.

    pub fn tcp(&mut self, host: usize) -> SocketId {
        self.hosts[host].tcp_socket(false).expect("a socket")
    }

    pub fn udp(&mut self, host: usize) -> SocketId {
        self.hosts[host].udp_socket(false).expect("a socket")
    }

    pub fn listen(&mut self, host: usize, port: u16, backlog: u32) -> SocketId {
        let socket = self.tcp(host);
        self.hosts[host].bind(socket, any(port)).expect("bind");
        self.hosts[host]
            .listen(self.now, socket, backlog)
            .expect("listen");
        socket
    }

    pub fn connect(&mut self, host: usize, to: SocketAddr) -> SocketId {
        let socket = self.tcp(host);
        let result = self.hosts[host].connect(self.now, socket, to, None);
        assert_eq!(result, Err(Error::InProgress));
        self.flush();
        socket
    }

    pub fn accept(&mut self, host: usize, listener: SocketId) -> SocketId {
        let (socket, _) = self.hosts[host]
            .accept(self.now, listener)
            .expect("a connection waits");
        self.flush();
        socket
    }

    /// A connection from A to a listener at B's port 80: listener, A's socket, B's socket.
    pub fn connected(&mut self) -> (SocketId, SocketId, SocketId) {
        let listener = self.listen(B, 80, 8);
        let client = self.connect(A, at(B, 80));
        self.settle();
        let server = self.accept(B, listener);
        assert_eq!(self.state(A, client), State::Established);
        assert_eq!(self.state(B, server), State::Established);
        (listener, client, server)
    }

    pub fn send(&mut self, host: usize, socket: SocketId, data: &[u8]) -> Result<usize, Error> {
        let result = self.hosts[host].send(self.now, socket, data, MessageFlags::default());
        self.flush();
        result
    }

    pub fn receive(&mut self, host: usize, socket: SocketId) -> Result<Vec<u8>, Error> {
        let mut buffer = vec![0; 1 << 20];
        let flags = MessageFlags::default();
        let result = self.hosts[host].receive(self.now, socket, &mut buffer, flags);
        self.flush();
        result.map(|len| {
            buffer.truncate(len);
            buffer
        })
    }

    pub fn close(&mut self, host: usize, socket: SocketId) -> Result<(), Error> {
        let result = self.hosts[host].close(self.now, socket, false);
        self.flush();
        result
    }

    pub fn close_waiting(&mut self, host: usize, socket: SocketId) -> Result<(), Error> {
        let result = self.hosts[host].close(self.now, socket, true);
        self.flush();
        result
    }

    pub fn set(&mut self, host: usize, socket: SocketId, option: SocketOption) {
        self.hosts[host]
            .set_option(self.now, socket, option)
            .expect("an option");
    }

    pub fn state(&self, host: usize, socket: SocketId) -> State {
        self.hosts[host].state(socket).expect("a TCP socket")
    }

    pub fn ready(&self, host: usize, socket: SocketId, what: Readiness) -> bool {
        self.hosts[host].readiness(socket).contains(what)
    }

    pub fn error(&mut self, host: usize, socket: SocketId) -> Option<ConnectionError> {
        self.hosts[host].take_error(socket).expect("a socket")
    }

    pub fn counters(&self, host: usize) -> Counters {
        self.hosts[host].counters()
    }

    pub fn dropped(&self, host: usize, reason: DropReason) -> u64 {
        self.counters(host).dropped(reason)
    }

    /// TCP segments that a host sent, as header and length of the text.
    pub fn sent(&self, host: usize) -> Vec<(Header, usize)> {
        self.seen
            .iter()
            .filter(|(from, _)| *from == host)
            .filter_map(|(_, packet)| parse(packet))
            .map(|(_, header, text)| (header, text.len()))
            .collect()
    }

    /// How many TCP segments of a host had these flags.
    pub fn sent_with(&self, host: usize, flags: Flags) -> usize {
        let sent = self.sent(host);
        sent.iter()
            .filter(|(header, _)| header.flags.contains(flags))
            .count()
    }

    /// All that may be left when everything was closed.
    pub fn assert_nothing_left(&self) {
        for host in [A, B] {
            let counters = self.counters(host);
            let left = [
                ("sockets", counters.sockets),
                ("connections", counters.connections),
                ("orphans", counters.orphans),
                ("half_open", counters.half_open),
                ("time_wait", counters.time_wait),
                ("requests", counters.requests),
                ("ports", counters.ports),
                ("timers", counters.timers),
                ("buffered", counters.buffered),
            ];
            for (name, count) in left {
                assert_eq!(count, 0, "{name} of host {host}");
            }
            assert_eq!(self.hosts[host].poll_timeout(), None, "host {host}");
        }
    }
}

/// A TCP segment in an IPv4 packet: its ends as the receiver sees them, header, text.
pub fn parse(packet: &[u8]) -> Option<(FourTuple, Header, Vec<u8>)> {
    let ip = ipv4::Header::parse(packet).ok()?;
    if ip.protocol != protocol::TCP {
        return None;
    }
    let segment = ip.payload(packet);
    assert!(
        tcp::verify(ip.src.into(), ip.dst.into(), segment),
        "the checksum of what a stack sends"
    );
    let (header, offset) = Header::parse(segment).ok()?;
    let tuple = FourTuple {
        local: SocketAddr::new(ip.dst.into(), header.dst_port),
        remote: SocketAddr::new(ip.src.into(), header.src_port),
    };
    Some((tuple, header, segment[offset..].to_vec()))
}

/// An IPv4 packet with a TCP segment.
pub fn packet(from: SocketAddr, to: SocketAddr, header: &Header, text: &[u8]) -> Bytes {
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (from.ip(), to.ip()) else {
        panic!("IPv4 only");
    };
    let mut header = header.clone();
    header.src_port = from.port();
    header.dst_port = to.port();
    let mut segment = [0; tcp::HEADER_LEN_MAX];
    let len = header.emit(&mut segment);
    let mut segment = [&segment[..len], text].concat();
    let sum = tcp::checksum(src.into(), dst.into(), [&segment[..]].into_iter());
    segment[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    let mut ip = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ip.len() + segment.len()) as u16,
        dont_fragment: true,
        ..ipv4::Header::new(src, dst, protocol::TCP)
    }
    .emit(&mut ip);
    [&ip[..], &segment].concat().into()
}

/// A header without options.
pub fn header(flags: Flags, seq: u32, ack: u32) -> Header {
    use estab_tcp::SeqNum;
    use estab_wire::tcp::{Options, SynOptions, UnscaledWindow};
    Header {
        src_port: 0,
        dst_port: 0,
        seq: SeqNum(seq),
        ack: SeqNum(ack),
        flags,
        window: UnscaledWindow(65_535),
        urgent: 0,
        options: if flags.syn() {
            Options::Syn(SynOptions::default())
        } else {
            Options::NONE
        },
    }
}

/// An ICMP error from `from` about a packet that A sent.
pub fn icmp(from: Ipv4Addr, quoted: &Bytes, kind: u8, code: u8, rest: u32) -> Bytes {
    let quoted = &quoted[..28];
    let mut message = vec![kind, code, 0, 0];
    message.extend(rest.to_be_bytes());
    message.extend(quoted);
    let mut sum = estab_wire::checksum::Sum::new();
    sum.add_bytes(&message);
    let sum = sum.finish();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    assert!(estab_wire::icmpv4::Message::parse(&message).is_ok());
    let mut ip = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ip.len() + message.len()) as u16,
        ..ipv4::Header::new(from, ADDRESS[A], protocol::ICMP)
    }
    .emit(&mut ip);
    [&ip[..], &message].concat().into()
}

/// A router says that a packet of A's is too long.
pub fn too_big(quoted: &Bytes, mtu: u32) -> Bytes {
    icmp(Ipv4Addr::new(10, 0, 0, 254), quoted, 3, 4, mtu)
}
