//! A host whose IP layer is under test, and packets as its peers make them.

extern crate std;

use crate::ip::{Delivery, IpCx, IpLayer, Outgoing, Transport, TransportIn};
use crate::{
    Cidr, HostEvent, HostSink, InterfaceConfig, InterfaceId, Medium, PacketIn, PacketOut, Route,
};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::IpAddr;
use core::time::Duration;
use estab_tcp::{Chunks, Instant, Interest, IpMeta, Settings};
use estab_wire::ethernet::{Address as Mac, EtherType};
use estab_wire::{arp, ethernet, ipv4, ipv6, protocol};
use std::sync::{Arc, Mutex};

pub(super) const OWN_MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);
pub(super) const PEER_MAC: Mac = Mac([2, 0, 0, 0, 0, 2]);
pub(super) const IF0: InterfaceId = InterfaceId(0);
pub(super) const IF1: InterfaceId = InterfaceId(1);

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn cidr(text: &str) -> Cidr {
    let (address, len) = text.split_once('/').unwrap();
    Cidr {
        address: ip(address),
        prefix_len: len.parse().unwrap(),
    }
}

/// Notes drops and ICMP messages.
struct Notes(Arc<Mutex<Vec<String>>>);

impl HostSink for Notes {
    fn interest(&self) -> Interest {
        Interest::ALL
    }
    fn event(&mut self, _now: Instant, event: &HostEvent<'_>) {
        let note = match event {
            HostEvent::Drop { reason } => format!("drop {}", reason.describe().0),
            HostEvent::Icmp {
                sent, kind, code, ..
            } => {
                format!("icmp {} {kind} {code}", if *sent { "out" } else { "in" })
            }
            HostEvent::PacketIn { .. } => "in".to_string(),
            HostEvent::PacketOut { .. } => "out".to_string(),
            _ => return,
        };
        self.0.lock().unwrap().push(note);
    }
}

pub(super) struct Host {
    pub(super) ip: IpLayer,
    pub(super) now: Instant,
    pub(super) settings: Settings,
    sink: Box<dyn HostSink>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Host {
    pub(super) fn new() -> Self {
        let notes = Arc::new(Mutex::new(Vec::new()));
        Self {
            ip: IpLayer::new(1),
            now: Instant::from_nanos(1_000_000_000),
            settings: Settings::default(),
            sink: Box::new(Notes(notes.clone())),
            notes,
        }
    }

    /// A host with one interface of IP packets and these addresses.
    pub(super) fn tun(addresses: &[&str]) -> Self {
        let mut host = Self::new();
        host.add_interface(|config| config.medium = Medium::Ip, addresses);
        host
    }

    /// A host with one Ethernet interface and these addresses. What it says about them is dropped.
    pub(super) fn ethernet(addresses: &[&str]) -> Self {
        let mut host = Self::new();
        host.add_interface(|_| {}, addresses);
        host.transmit();
        host
    }

    pub(super) fn add_interface(
        &mut self,
        change: impl FnOnce(&mut InterfaceConfig),
        addresses: &[&str],
    ) -> InterfaceId {
        let mut config = InterfaceConfig {
            name: "test".to_string(),
            medium: Medium::Ethernet,
            hardware_address: OWN_MAC.0,
            mtu: 1500,
            checksum_offload: false,
            segmentation_offload: 0,
        };
        change(&mut config);
        let id = self.ip.add_interface(config);
        for address in addresses {
            self.with(|ip, cx| ip.add_address(cx, id, cidr(address)))
                .unwrap();
        }
        id
    }

    pub(super) fn add_route(&mut self, to: &str, gateway: Option<&str>, interface: InterfaceId) {
        let route = Route {
            destination: cidr(to),
            gateway: gateway.map(ip),
            interface,
            mss: None,
        };
        self.ip.add_route(route).unwrap();
    }

    pub(super) fn with<T>(&mut self, f: impl FnOnce(&mut IpLayer, &mut IpCx<'_>) -> T) -> T {
        let mut cx = IpCx {
            now: self.now,
            settings: &self.settings,
            sink: Some(self.sink.as_mut()),
        };
        f(&mut self.ip, &mut cx)
    }

    pub(super) fn receive(&mut self, packet: impl Into<Bytes>) -> Option<Delivery> {
        let packet = PacketIn::from(packet.into());
        self.with(|ip, cx| ip.handle_packet(cx, IF0, packet))
    }

    /// Receives something that is for a transport.
    pub(super) fn receive_transport(&mut self, packet: impl Into<Bytes>) -> TransportIn {
        match self.receive(packet) {
            Some(Delivery::Tcp(delivered) | Delivery::Udp(delivered)) => delivered,
            other => panic!("not delivered: {other:?}, {:?}", self.notes()),
        }
    }

    /// All that it has to send, in one piece each.
    pub(super) fn transmit(&mut self) -> Vec<Bytes> {
        self.transmit_out()
            .iter()
            .map(|(_, packet)| packet.to_bytes())
            .collect()
    }

    pub(super) fn transmit_out(&mut self) -> Vec<(InterfaceId, PacketOut)> {
        let mut out = Vec::new();
        while let Some(packet) = self.with(|ip, cx| ip.poll_transmit(cx)) {
            out.push(packet);
        }
        out
    }

    /// The only packet that it has to send.
    pub(super) fn transmit_one(&mut self) -> Bytes {
        let mut all = self.transmit();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Lets time pass, stopping at each deadline.
    pub(super) fn advance(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(at) = self.ip.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.with(|ip, cx| ip.handle_timeout(cx));
            assert_ne!(
                self.ip.poll_timeout(),
                Some(at),
                "the deadline was dealt with"
            );
        }
        self.now = until;
    }

    /// Drops and ICMP messages since the last time, and `in` and `out` for packets.
    pub(super) fn notes(&mut self) -> Vec<String> {
        core::mem::take(&mut *self.notes.lock().unwrap())
    }

    pub(super) fn send_udp(
        &mut self,
        src: &str,
        dst: &str,
        len: usize,
    ) -> Result<(), crate::Error> {
        self.send_udp_with(src, dst, len, IpMeta::default())
    }

    pub(super) fn send_udp_with(
        &mut self,
        src: &str,
        dst: &str,
        len: usize,
        meta: IpMeta,
    ) -> Result<(), crate::Error> {
        let header = udp_header(1000, 2000, len);
        let out = Outgoing {
            transport: Transport::Udp,
            src: ip(src),
            dst: ip(dst),
            interface: None,
            meta,
            header: &header,
            payload: Chunks::from(pattern(len)),
            segment_size: 0,
        };
        self.with(|ip, cx| ip.send(cx, out))
    }
}

/// Bytes of which no two near ones are the same.
pub(super) fn pattern(len: usize) -> Bytes {
    (0..len)
        .map(|at| (at % 251) as u8)
        .collect::<Vec<_>>()
        .into()
}

pub(super) fn udp_header(src_port: u16, dst_port: u16, len: usize) -> [u8; 8] {
    let [a, b] = src_port.to_be_bytes();
    let [c, d] = dst_port.to_be_bytes();
    let [e, f] = (len as u16 + 8).to_be_bytes();
    [a, b, c, d, e, f, 0, 0]
}

/// A datagram with a right checksum.
pub(super) fn udp(src: &str, dst: &str, payload: &[u8]) -> Vec<u8> {
    let mut datagram = udp_header(1000, 2000, payload.len()).to_vec();
    datagram.extend_from_slice(payload);
    let sum = naive_checksum(Some((ip(src), ip(dst), protocol::UDP)), &datagram);
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    datagram
}

/// A TCP header without options.
pub(super) fn tcp_header(seq: u32, flags: u8) -> [u8; 20] {
    let mut header = [0; 20];
    header[0..2].copy_from_slice(&1000_u16.to_be_bytes());
    header[2..4].copy_from_slice(&2000_u16.to_be_bytes());
    header[4..8].copy_from_slice(&seq.to_be_bytes());
    header[8..12].copy_from_slice(&77_u32.to_be_bytes());
    header[12] = 5 << 4;
    header[13] = flags;
    header[14..16].copy_from_slice(&500_u16.to_be_bytes());
    header
}

/// An IP packet of the version of its addresses.
pub(super) fn packet(src: &str, dst: &str, number: u8, payload: &[u8]) -> Vec<u8> {
    packet_with(src, dst, number, payload, 64)
}

pub(super) fn packet_with(src: &str, dst: &str, number: u8, payload: &[u8], ttl: u8) -> Vec<u8> {
    match (ip(src), ip(dst)) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let total_len = (ipv4::HEADER_LEN + payload.len()) as u16;
            packet_v4(
                ipv4::Header {
                    total_len,
                    ttl,
                    ..ipv4::Header::new(src, dst, number)
                },
                payload,
            )
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut out = [0; ipv6::HEADER_LEN];
            ipv6::Header {
                payload_len: payload.len() as u16,
                hop_limit: ttl,
                ..ipv6::Header::new(src, dst, number)
            }
            .emit(&mut out);
            [&out[..], payload].concat()
        }
        _ => panic!("one family"),
    }
}

pub(super) fn packet_v4(header: ipv4::Header, payload: &[u8]) -> Vec<u8> {
    let mut out = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ipv4::HEADER_LEN + payload.len()) as u16,
        ..header
    }
    .emit(&mut out);
    [&out[..], payload].concat()
}

pub(super) fn frame(dst: Mac, src: Mac, ethertype: EtherType, payload: &[u8]) -> Vec<u8> {
    let mut out = [0; ethernet::HEADER_LEN];
    ethernet::Header {
        dst,
        src,
        ethertype,
    }
    .emit(&mut out);
    [&out[..], payload].concat()
}

/// A frame to us with an IP packet from the peer.
pub(super) fn ip_frame(packet: &[u8]) -> Vec<u8> {
    let ethertype = if packet[0] >> 4 == 4 {
        EtherType::IPV4
    } else {
        EtherType::IPV6
    };
    frame(OWN_MAC, PEER_MAC, ethertype, packet)
}

pub(super) fn arp_frame(dst: Mac, packet: arp::Packet) -> Vec<u8> {
    let mut out = [0; arp::PACKET_LEN];
    packet.emit(&mut out);
    frame(dst, packet.sender_hardware, EtherType::ARP, &out)
}

/// What stands behind the IP header of a packet without options and extension headers.
pub(super) fn body(packet: &[u8]) -> &[u8] {
    &packet[if packet[0] >> 4 == 4 { 20 } else { 40 }..]
}

/// The Internet checksum as RFC 1071 describes it, one word after the other, so that a mistake in the real one shows.
pub(super) fn naive_checksum(pseudo: Option<(IpAddr, IpAddr, u8)>, bytes: &[u8]) -> u16 {
    let mut all = Vec::new();
    if let Some((src, dst, number)) = pseudo {
        for address in [src, dst] {
            match address {
                IpAddr::V4(v4) => all.extend(v4.octets()),
                IpAddr::V6(v6) => all.extend(v6.octets()),
            }
        }
        all.extend((bytes.len() as u32).to_be_bytes());
        all.extend([0, 0, 0, number]);
    }
    all.extend(bytes);
    if all.len() % 2 == 1 {
        all.push(0);
    }
    let mut sum = 0_u32;
    for word in all.chunks(2) {
        sum += u32::from(word[0]) << 8 | u32::from(word[1]);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Checks all checksums of an IP packet with TCP, UDP or ICMP directly behind its IP header, and its lengths.
pub(super) fn assert_checksums(packet: &[u8]) {
    let (src, dst, number) = if packet[0] >> 4 == 4 {
        assert_eq!(naive_checksum(None, &packet[..20]), 0, "the IPv4 header's");
        let header = ipv4::Header::parse(packet).unwrap();
        assert_eq!(usize::from(header.total_len), packet.len());
        (
            IpAddr::V4(header.src),
            IpAddr::V4(header.dst),
            header.protocol,
        )
    } else {
        let header = ipv6::Header::parse(packet).unwrap();
        assert_eq!(usize::from(header.payload_len) + 40, packet.len());
        (
            IpAddr::V6(header.src),
            IpAddr::V6(header.dst),
            header.next_header,
        )
    };
    let pseudo = (number != protocol::ICMP).then_some((src, dst, number));
    assert_eq!(naive_checksum(pseudo, body(packet)), 0, "the transport's");
}
