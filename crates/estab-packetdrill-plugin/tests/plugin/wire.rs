//! Packets as a script writes them: numbers relative to the first of each direction. Made and read by another library than estab.

use crate::tool::Tool;
use etherparse::{
    NetSlice, PacketBuilder, SlicedPacket, TcpHeader, TcpOptionElement, TransportSlice,
};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The peer's initial sequence number.
const ISN: u32 = 0xffff_ff00;

/// An address as calls have it, for the family of `AF_INET` or `AF_INET6`.
pub(crate) fn sockaddr(domain: i32, address: SocketAddr) -> Vec<u8> {
    let mut bytes = (domain as u16).to_ne_bytes().to_vec();
    bytes.extend(address.port().to_be_bytes());
    match (domain, address.ip()) {
        (libc::AF_INET, IpAddr::V4(ip)) => {
            bytes.extend(ip.octets());
            bytes.extend([0; 8]);
        }
        (_, ip) => {
            let ip = match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            bytes.extend([0; 4]);
            bytes.extend(ip.octets());
            bytes.extend([0; 4]);
        }
    }
    bytes
}

/// A segment that the stack sent.
#[derive(Debug)]
pub(crate) struct Seen {
    /// As a script writes it, without options.
    pub(crate) line: String,
    /// As a script writes them, without the values of timestamps.
    pub(crate) options: String,
    pub(crate) timestamps: Option<(u32, u32)>,
    pub(crate) at: Duration,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// One connection between a stack and the peer that a script plays.
pub(crate) struct Wire<'a> {
    tool: &'a Tool,
    pub(crate) local: Cell<SocketAddr>,
    pub(crate) remote: SocketAddr,
    isn: Cell<u32>,
}

impl<'a> Wire<'a> {
    pub(crate) fn new(tool: &'a Tool, local: SocketAddr, remote: SocketAddr) -> Self {
        let (local, isn) = (Cell::new(local), Cell::new(0));
        Self {
            tool,
            local,
            remote,
            isn,
        }
    }

    /// `< FLAGS seq:seq+len(len) ack N win W <options>`.
    pub(crate) fn inject(
        &self,
        flags: &str,
        seq: u32,
        len: usize,
        ack: u32,
        options: &[TcpOptionElement],
    ) {
        let mut tcp = TcpHeader::new(
            self.remote.port(),
            self.local.get().port(),
            ISN.wrapping_add(seq),
            32_792,
        );
        tcp.syn = flags.contains('S');
        tcp.fin = flags.contains('F');
        tcp.rst = flags.contains('R');
        tcp.psh = flags.contains('P');
        tcp.ack = flags.contains('.');
        if tcp.ack {
            tcp.acknowledgment_number = self.isn.get().wrapping_add(ack);
        }
        tcp.set_options(options).unwrap();
        let builder = match (self.remote.ip(), self.local.get().ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                PacketBuilder::ipv4(from.octets(), to.octets(), 255)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                PacketBuilder::ipv6(from.octets(), to.octets(), 255)
            }
            _ => unreachable!("one family"),
        };
        let mut packet = Vec::new();
        let builder = builder.tcp_header(tcp);
        builder.write(&mut packet, &vec![0; len]).unwrap();
        assert_eq!(self.tool.netdev_send(&packet), Ok(0));
    }

    /// The next packet that the stack sent.
    pub(crate) fn expect(&self) -> Seen {
        let (packet, at) = self.tool.netdev_receive();
        let sliced = SlicedPacket::from_ip(&packet).expect("a packet, and not the end of patience");
        let (from, to): (IpAddr, IpAddr) = match sliced.net.as_ref().unwrap() {
            NetSlice::Ipv4(ip) => {
                let ip = ip.header();
                assert_eq!(ip.header_checksum(), ip.to_header().calc_header_checksum());
                (ip.source_addr().into(), ip.destination_addr().into())
            }
            NetSlice::Ipv6(ip) => (
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
            ),
            other => panic!("{other:?}"),
        };
        let Some(TransportSlice::Tcp(slice)) = sliced.transport else {
            panic!("no TCP segment: {packet:x?}");
        };
        let (tcp, payload) = (slice.to_header(), slice.payload());
        let checksum = match (from, to) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                tcp.calc_checksum_ipv4_raw(a.octets(), b.octets(), payload)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                tcp.calc_checksum_ipv6_raw(a.octets(), b.octets(), payload)
            }
            _ => unreachable!("one family"),
        };
        assert_eq!(checksum, Ok(tcp.checksum));
        if tcp.syn {
            self.isn.set(tcp.sequence_number);
            self.local.set(SocketAddr::new(from, tcp.source_port));
        }
        let mut timestamps = None;
        let options: Vec<_> = tcp
            .options_iterator()
            .map(|option| match option.unwrap() {
                TcpOptionElement::Noop => "nop".into(),
                TcpOptionElement::MaximumSegmentSize(mss) => format!("mss {mss}"),
                TcpOptionElement::WindowScale(shift) => format!("wscale {shift}"),
                TcpOptionElement::SelectiveAcknowledgementPermitted => "sackOK".into(),
                TcpOptionElement::SelectiveAcknowledgement((from, to), _) => {
                    format!("sack {}:{}", from.wrapping_sub(ISN), to.wrapping_sub(ISN))
                }
                TcpOptionElement::Timestamp(value, echo) => {
                    timestamps = Some((value, echo));
                    "TS".into()
                }
            })
            .collect();
        Seen {
            line: self.line(&tcp, payload.len()),
            options: options.join(","),
            timestamps,
            at,
            local: SocketAddr::new(from, tcp.source_port),
            remote: SocketAddr::new(to, tcp.destination_port),
        }
    }

    fn line(&self, tcp: &TcpHeader, len: usize) -> String {
        let flags = [
            (tcp.fin, 'F'),
            (tcp.syn, 'S'),
            (tcp.rst, 'R'),
            (tcp.psh, 'P'),
            (tcp.ack, '.'),
        ];
        let flags: String = flags
            .iter()
            .filter(|flag| flag.0)
            .map(|flag| flag.1)
            .collect();
        let first = tcp.sequence_number.wrapping_sub(self.isn.get());
        let mut line = format!("{flags} {first}:{}({len})", first.wrapping_add(len as u32));
        if tcp.ack {
            let ack = tcp.acknowledgment_number.wrapping_sub(ISN);
            line.push_str(&format!(" ack {ack}"));
        }
        line
    }

    /// The next segment stands in a script like this.
    pub(crate) fn expect_line(&self, line: &str) -> Seen {
        let seen = self.expect();
        assert_eq!(seen.line, line, "{seen:?}");
        seen
    }
}
