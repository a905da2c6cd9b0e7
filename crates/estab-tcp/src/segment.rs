use crate::Chunks;
use bytes::Bytes;
use core::net::IpAddr;
use estab_wire::tcp::{Flags, Header};

/// The two ECN bits of the IP header (RFC 3168 section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Ecn {
    /// Not ECN-capable.
    #[default]
    NotEct = 0,
    /// ECN-capable, codepoint 1.
    Ect1 = 1,
    /// ECN-capable, codepoint 0.
    Ect0 = 2,
    /// Congestion experienced.
    Ce = 3,
}

/// What TCP sees and sets of the IP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpMeta {
    /// The two ECN bits.
    pub ecn: Ecn,
    /// TOS or traffic class, with the ECN bits zero.
    pub tos: u8,
    /// TTL or hop limit; 0 in what is sent means the stack's default.
    pub hop_limit: u8,
    /// Outbound: must not be fragmented (IPv4 DF).
    pub dont_fragment: bool,
}

/// A parsed segment with a verified checksum; up to 64 KiB when a device or the stack coalesced it.
#[derive(Clone, Debug)]
pub struct SegmentIn {
    /// The header; of the first segment, but PSH and FIN of the last, when coalesced.
    pub header: Header,
    /// From the IP header.
    pub ip: IpMeta,
    /// The text.
    pub payload: Bytes,
    /// How many wire segments this was made of, at least 1.
    pub segments: u16,
    /// Payload bytes of each of them but the last; 0 when `segments` is 1.
    pub segment_size: u16,
}

impl SegmentIn {
    /// SEG.LEN: text, SYN and FIN counted (RFC 9293 section 3.4).
    pub fn seq_len(&self) -> u32 {
        self.payload.len() as u32
            + u32::from(self.header.flags.syn())
            + u32::from(self.header.flags.fin())
    }
}

/// A segment to send: one header and the chunks behind it, up to 64 KiB. Owns references, borrows nothing.
#[derive(Clone, Debug)]
pub struct SegmentOut {
    /// The header; FIN and PSH belong to the last cut only.
    pub header: Header,
    /// For the IP header.
    pub ip: IpMeta,
    /// The text.
    pub payload: Chunks,
    /// Where a device or the stack cuts it into wire segments; payload that is not longer is one segment.
    pub segment_size: u16,
}

impl SegmentOut {
    /// SEG.LEN: text, SYN and FIN counted.
    pub fn seq_len(&self) -> u32 {
        let controls = u32::from(self.header.flags.contains(Flags::SYN))
            + u32::from(self.header.flags.contains(Flags::FIN));
        self.payload.len() as u32 + controls
    }
}

/// An ICMP error about a segment of this connection, which the stack has already matched to it by its addresses and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Sequence number of the segment that the message quotes.
    pub seq: estab_wire::tcp::SeqNum,
    /// What it says.
    pub kind: IcmpErrorKind,
    /// Who sent it.
    pub from: IpAddr,
}

/// Kinds of ICMP errors as TCP tells them apart (RFC 1122 4.2.3.9, RFC 5461).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpErrorKind {
    /// Network unreachable: soft.
    NetUnreachable,
    /// Host or address unreachable: soft.
    HostUnreachable,
    /// Protocol unreachable: hard.
    ProtocolUnreachable,
    /// Port unreachable: hard.
    PortUnreachable,
    /// Administratively prohibited: hard before the connection is synchronised.
    Prohibited,
    /// Fragmentation needed, or packet too big, with the next hop's MTU (0 when it was not told).
    PacketTooBig {
        /// Bytes of an IP packet that fit.
        mtu: u32,
    },
    /// Hop limit exceeded: soft.
    TimeExceeded,
    /// Parameter problem.
    ParameterProblem,
}
