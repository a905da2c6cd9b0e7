//! The kernel's connections, as its packets show them: so much that each can be reset at the end.

use estab_stack::{Layers, Medium};
use estab_wire::tcp::{
    CHECKSUM_OFFSET, Flags, HEADER_LEN_MAX, Header, Options, SegmentOptions, SeqNum, UnscaledWindow,
};
use estab_wire::{ipv4, ipv6, protocol, tcp};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Most connections of a script that are remembered.
const FLOWS_MAX: usize = 4096;

/// What a reset of a connection has to say.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// What the kernel acknowledged last: the only number at which it takes a reset for sure.
    ack: Option<SeqNum>,
    /// What it sent last, for a SYN that nobody answered.
    next: SeqNum,
}

/// Connections by the kernel's end and the other.
#[derive(Debug, Default)]
pub(crate) struct Flows(BTreeMap<(SocketAddr, SocketAddr), Seen>);

impl Flows {
    /// The kernel sent this packet.
    pub(crate) fn see(&mut self, packet: &[u8]) {
        let Some(layers) = Layers::find(Medium::Ip, packet) else {
            return;
        };
        let segment = packet.get(layers.transport..).unwrap_or_default();
        let (true, Ok((header, _))) = (layers.protocol == protocol::TCP, Header::parse(segment))
        else {
            return;
        };
        let from = SocketAddr::new(layers.src, header.src_port);
        let to = SocketAddr::new(layers.dst, header.dst_port);
        if header.flags.rst() {
            self.0.remove(&(from, to));
        } else if self.0.len() < FLOWS_MAX || self.0.contains_key(&(from, to)) {
            let ack = header.flags.ack().then_some(header.ack);
            let next = header.seq + 1;
            self.0.insert((from, to), Seen { ack, next });
        }
    }

    /// Packets that reset all of them, when they arrive at the kernel.
    pub(crate) fn resets(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.0.iter().filter_map(|((kernel, peer), seen)| {
            let header = Header {
                src_port: peer.port(),
                dst_port: kernel.port(),
                seq: seen.ack.unwrap_or(SeqNum(0)),
                ack: seen.next,
                flags: if seen.ack.is_some() {
                    Flags::RST
                } else {
                    Flags::RST | Flags::ACK
                },
                window: UnscaledWindow(0),
                urgent: 0,
                options: Options::Segment(SegmentOptions::default()),
            };
            packet(peer.ip(), kernel.ip(), &header)
        })
    }
}

/// A packet with a segment without payload. `None`: addresses of two families.
fn packet(src: IpAddr, dst: IpAddr, header: &Header) -> Option<Vec<u8>> {
    let mut segment = [0; HEADER_LEN_MAX];
    let len = header.emit(&mut segment);
    let segment = &mut segment[..len];
    let sum = tcp::checksum(src, dst, std::iter::once(&*segment));
    segment[CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    let ip = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut header = ipv4::Header::new(src, dst, protocol::TCP);
            header.total_len = (ipv4::HEADER_LEN + len) as u16;
            let mut bytes = [0; ipv4::HEADER_LEN];
            header.emit(&mut bytes);
            bytes.to_vec()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut header = ipv6::Header::new(src, dst, protocol::TCP);
            header.payload_len = len as u16;
            let mut bytes = [0; ipv6::HEADER_LEN];
            header.emit(&mut bytes);
            bytes.to_vec()
        }
        _ => return None,
    };
    Some([&ip, &*segment].concat())
}

#[cfg(test)]
mod tests {
    use super::{Flows, packet};
    use estab_wire::ipv4;
    use estab_wire::tcp::{Flags, Header, Options, SegmentOptions, SeqNum, UnscaledWindow};
    use std::net::IpAddr;

    fn segment(port: u16, flags: Flags) -> Vec<u8> {
        let header = Header {
            src_port: 8080,
            dst_port: port,
            seq: SeqNum(100),
            ack: SeqNum(7),
            flags,
            window: UnscaledWindow(1000),
            urgent: 0,
            options: Options::Segment(SegmentOptions::default()),
        };
        let (src, dst) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        packet(src, dst, &header).unwrap()
    }

    #[test]
    fn each_connection_that_the_kernel_did_not_reset_is_reset_where_it_takes_one() {
        let mut flows = Flows::default();
        flows.see(&segment(1, Flags::ACK));
        flows.see(&segment(2, Flags::ACK));
        flows.see(&segment(2, Flags::RST));
        flows.see(&segment(3, Flags::SYN));
        flows.see(b"no packet");
        let resets: Vec<Header> = flows
            .resets()
            .map(|packet| Header::parse(&packet[ipv4::HEADER_LEN..]).unwrap().0)
            .collect();
        assert_eq!(resets.len(), 2);
        assert_eq!(
            (resets[0].src_port, resets[0].seq, resets[0].flags),
            (1, SeqNum(7), Flags::RST)
        );
        assert_eq!((resets[1].src_port, resets[1].ack), (3, SeqNum(101)));
        assert!(resets[1].flags.rst() && resets[1].flags.ack());
    }
}
