//! What a host's sink hears of packets.

use estab_stack::{
    Cidr, HostEvent, HostSink, InterfaceConfig, Medium, PacketIn, Stack, StackConfig,
};
use estab_tcp::{Instant, Interest, Settings};
use estab_wire::tcp::{self, Flags, Header, Options, SeqNum, SynOptions, UnscaledWindow};
use estab_wire::{ipv4, protocol};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

struct Packets(Arc<Mutex<Vec<&'static str>>>);

impl HostSink for Packets {
    fn interest(&self) -> Interest {
        Interest::PACKET
    }
    fn event(&mut self, _now: Instant, event: &HostEvent<'_>) {
        let name = match event {
            HostEvent::PacketIn { .. } => "in",
            HostEvent::PacketOut { .. } => "out",
            _ => "other",
        };
        self.0.lock().unwrap().push(name);
    }
}

fn syn(src: Ipv4Addr, dst: Ipv4Addr) -> Vec<u8> {
    let header = Header {
        src_port: 4000,
        dst_port: 80,
        seq: SeqNum(1),
        ack: SeqNum(0),
        flags: Flags::SYN,
        window: UnscaledWindow(1000),
        urgent: 0,
        options: Options::Syn(SynOptions::default()),
    };
    let mut segment = [0; tcp::HEADER_LEN_MAX];
    let len = header.emit(&mut segment);
    let segment = &mut segment[..len];
    let sum = tcp::checksum(src.into(), dst.into(), [&*segment].into_iter());
    segment[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    let mut ip = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ip.len() + len) as u16,
        ..ipv4::Header::new(src, dst, protocol::TCP)
    }
    .emit(&mut ip);
    [&ip, &*segment].concat()
}

#[test]
fn each_packet_is_reported_once() {
    let mut stack = Stack::new(StackConfig {
        seed: [1; 32],
        settings: Settings::default(),
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    stack.set_sink(Some(Box::new(Packets(seen.clone()))));
    let interface = stack.add_interface(InterfaceConfig {
        name: "t".into(),
        medium: Medium::Ip,
        hardware_address: [0; 6],
        mtu: 1500,
        checksum_offload: false,
        segmentation_offload: 0,
    });
    let own = Ipv4Addr::new(10, 0, 0, 1);
    let cidr = Cidr {
        address: own.into(),
        prefix_len: 24,
    };
    stack.add_address(interface, cidr).unwrap();
    let now = Instant::from_nanos(1);
    let packet = PacketIn::from(bytes::Bytes::from(syn(Ipv4Addr::new(10, 0, 0, 2), own)));
    stack.handle_packet(now, interface, packet);
    assert!(stack.poll_transmit(now).is_some(), "the RST");
    assert!(stack.poll_transmit(now).is_none());
    assert_eq!(*seen.lock().unwrap(), ["in", "out"]);
}
