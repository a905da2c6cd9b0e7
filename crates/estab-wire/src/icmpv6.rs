//! ICMP for IPv6 (RFC 4443) and neighbour discovery (RFC 4861).

mod ndp;

pub use ndp::{NdpOption, NdpOptionBuffer, NdpOptions, PrefixInformation};

use crate::checksum::pseudo_header;
use crate::{Error, protocol};
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use core::net::{IpAddr, Ipv6Addr};

/// Length of the part that every message has; echo data and quoted packets begin behind it.
pub const HEADER_LEN: usize = 8;

/// The hop limit of packets that carry neighbour discovery. One with less came from another link, and must be
/// dropped (RFC 4861).
pub const NDP_HOP_LIMIT: u8 = 255;

/// Types of messages.
mod kind {
    pub(super) const DESTINATION_UNREACHABLE: u8 = 1;
    pub(super) const PACKET_TOO_BIG: u8 = 2;
    pub(super) const TIME_EXCEEDED: u8 = 3;
    pub(super) const PARAMETER_PROBLEM: u8 = 4;
    pub(super) const ECHO_REQUEST: u8 = 128;
    pub(super) const ECHO_REPLY: u8 = 129;
    pub(super) const ROUTER_SOLICITATION: u8 = 133;
    pub(super) const ROUTER_ADVERTISEMENT: u8 = 134;
    pub(super) const NEIGHBOR_SOLICITATION: u8 = 135;
    pub(super) const NEIGHBOR_ADVERTISEMENT: u8 = 136;
}

/// Codes of [`Message::DestinationUnreachable`].
pub mod unreachable {
    /// No route to the destination.
    pub const NO_ROUTE: u8 = 0;
    /// Administratively prohibited.
    pub const PROHIBITED: u8 = 1;
    /// Beyond the scope of the source address.
    pub const BEYOND_SCOPE: u8 = 2;
    /// Address unreachable.
    pub const ADDRESS: u8 = 3;
    /// Port unreachable.
    pub const PORT: u8 = 4;
    /// The source address failed a policy.
    pub const SOURCE_POLICY: u8 = 5;
    /// The route rejects packets.
    pub const REJECT_ROUTE: u8 = 6;
}

/// Codes of [`Message::TimeExceeded`].
pub mod time_exceeded {
    /// The hop limit ran out on the way.
    pub const HOP_LIMIT: u8 = 0;
    /// Not all fragments came in time.
    pub const REASSEMBLY: u8 = 1;
}

/// Codes of [`Message::ParameterProblem`].
pub mod parameter_problem {
    /// Erroneous header field.
    pub const HEADER_FIELD: u8 = 0;
    /// Unrecognised next header.
    pub const NEXT_HEADER: u8 = 1;
    /// Unrecognised option.
    pub const OPTION: u8 = 2;
    /// The first fragment does not hold all headers (RFC 7112).
    pub const INCOMPLETE_CHAIN: u8 = 3;
}

/// A message. Quoted packets begin with an IPv6 header: see
/// [`ipv6::Header::parse_quoted`](crate::ipv6::Header::parse_quoted).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A packet could not be delivered.
    DestinationUnreachable {
        /// One of [`unreachable`](mod@unreachable).
        code: u8,
        /// As much of it as fits.
        quoted: &'a [u8],
    },
    /// A packet did not fit the next link.
    PacketTooBig {
        /// Bytes of a packet that would have fit.
        mtu: u32,
        /// As much of it as fits.
        quoted: &'a [u8],
    },
    /// A packet, or a fragment of it, lived too long.
    TimeExceeded {
        /// One of [`time_exceeded`].
        code: u8,
        /// As much of it as fits.
        quoted: &'a [u8],
    },
    /// A packet had something wrong in its headers.
    ParameterProblem {
        /// One of [`parameter_problem`].
        code: u8,
        /// Offset of the byte; may lie behind what is quoted.
        pointer: u32,
        /// As much of it as fits.
        quoted: &'a [u8],
    },
    /// Asks for an [`EchoReply`](Self::EchoReply) with the same content.
    EchoRequest {
        /// Tells one asker from another.
        ident: u16,
        /// Tells one question from another.
        seq: u16,
        /// Anything.
        data: &'a [u8],
    },
    /// The answer.
    EchoReply {
        /// As in the request.
        ident: u16,
        /// As in the request.
        seq: u16,
        /// As in the request.
        data: &'a [u8],
    },
    /// Asks routers to advertise themselves.
    RouterSolicitation {
        /// May have the source's link-layer address.
        options: NdpOptions<'a>,
    },
    /// A router tells how this link is to be used.
    RouterAdvertisement {
        /// Hop limit to send with; 0: not told.
        hop_limit: u8,
        /// Addresses are to be had by DHCPv6 (the M bit).
        managed: bool,
        /// Other configuration is to be had by DHCPv6 (the O bit).
        other_config: bool,
        /// How long this is a default router, in seconds; 0: it is none.
        lifetime_s: u16,
        /// How long a neighbour counts as reachable after it was confirmed, in milliseconds; 0: not told.
        reachable_ms: u32,
        /// Between solicitations that are repeated, in milliseconds; 0: not told.
        retrans_ms: u32,
        /// May have the source's link-layer address, the MTU, prefixes.
        options: NdpOptions<'a>,
    },
    /// Asks for the link-layer address of a neighbour, or whether it is still there.
    NeighborSolicitation {
        /// The neighbour.
        target: Ipv6Addr,
        /// May have the source's link-layer address.
        options: NdpOptions<'a>,
    },
    /// A neighbour tells its link-layer address.
    NeighborAdvertisement {
        /// The sender is a router (the R bit).
        router: bool,
        /// It answers a solicitation (the S bit).
        solicited: bool,
        /// It replaces what is known already (the O bit).
        override_entry: bool,
        /// Whose link-layer address.
        target: Ipv6Addr,
        /// May have the target's link-layer address.
        options: NdpOptions<'a>,
    },
}

/// Room for the longest part of a message that is not data, quoted packet or options.
type Fixed = ArrayVec<u8, 24>;

impl<'a> Message<'a> {
    /// Reads the payload of an IPv6 packet.
    ///
    /// Messages of neighbour discovery are validated as RFC 4861 asks, but for the hop limit, which is the caller's
    /// to compare with [`NDP_HOP_LIMIT`] when [`is_ndp`](Self::is_ndp).
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::Checksum`]; [`Error::Malformed`] when a rule of the message's type is broken;
    /// [`Error::Unsupported`] for other types.
    pub fn parse(src: Ipv6Addr, dst: Ipv6Addr, message: &'a [u8]) -> Result<Self, Error> {
        let Some((&[kind, code, _, _, a, b, c, d], body)) = message.split_first_chunk() else {
            return Err(Error::Truncated);
        };
        let mut sum = pseudo_header_v6(src, dst, message.len());
        sum.add_bytes(message);
        if !sum.is_valid() {
            return Err(Error::Checksum);
        }
        let (ident, seq) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let word = u32::from_be_bytes([a, b, c, d]);
        // RFC 4443 has codes for the first three and the parameter problem only.
        if code != 0 && kind >= kind::ECHO_REQUEST {
            return Err(Error::Malformed);
        }
        Ok(match kind {
            kind::DESTINATION_UNREACHABLE => Self::DestinationUnreachable { code, quoted: body },
            kind::PACKET_TOO_BIG => Self::PacketTooBig {
                mtu: word,
                quoted: body,
            },
            kind::TIME_EXCEEDED => Self::TimeExceeded { code, quoted: body },
            kind::PARAMETER_PROBLEM => Self::ParameterProblem {
                code,
                pointer: word,
                quoted: body,
            },
            kind::ECHO_REQUEST => Self::EchoRequest {
                ident,
                seq,
                data: body,
            },
            kind::ECHO_REPLY => Self::EchoReply {
                ident,
                seq,
                data: body,
            },
            kind::ROUTER_SOLICITATION => ndp::router_solicitation(src, body)?,
            kind::ROUTER_ADVERTISEMENT => ndp::router_advertisement(src, [a, b, c, d], body)?,
            kind::NEIGHBOR_SOLICITATION => ndp::neighbor_solicitation(src, dst, body)?,
            kind::NEIGHBOR_ADVERTISEMENT => ndp::neighbor_advertisement(dst, a, body)?,
            _ => return Err(Error::Unsupported),
        })
    }

    /// Type, code, checksum 0, and all up to [`body`](Self::body).
    fn fixed(&self) -> Fixed {
        let (kind, code, word) = match *self {
            Self::DestinationUnreachable { code, .. } => (kind::DESTINATION_UNREACHABLE, code, 0),
            Self::PacketTooBig { mtu, .. } => (kind::PACKET_TOO_BIG, 0, mtu),
            Self::TimeExceeded { code, .. } => (kind::TIME_EXCEEDED, code, 0),
            Self::ParameterProblem { code, pointer, .. } => {
                (kind::PARAMETER_PROBLEM, code, pointer)
            }
            Self::EchoRequest { ident, seq, .. } => (kind::ECHO_REQUEST, 0, two(ident, seq)),
            Self::EchoReply { ident, seq, .. } => (kind::ECHO_REPLY, 0, two(ident, seq)),
            Self::RouterSolicitation { .. } => (kind::ROUTER_SOLICITATION, 0, 0),
            Self::RouterAdvertisement { .. } => {
                (kind::ROUTER_ADVERTISEMENT, 0, ndp::first_word(self))
            }
            Self::NeighborSolicitation { .. } => (kind::NEIGHBOR_SOLICITATION, 0, 0),
            Self::NeighborAdvertisement { .. } => {
                (kind::NEIGHBOR_ADVERTISEMENT, 0, ndp::first_word(self))
            }
        };
        let mut out = Fixed::new();
        out.extend([kind, code, 0, 0]);
        out.extend(word.to_be_bytes());
        match *self {
            Self::RouterAdvertisement {
                reachable_ms,
                retrans_ms,
                ..
            } => {
                out.extend(reachable_ms.to_be_bytes());
                out.extend(retrans_ms.to_be_bytes());
            }
            Self::NeighborSolicitation { target, .. }
            | Self::NeighborAdvertisement { target, .. } => out.extend(target.octets()),
            _ => {}
        }
        out
    }

    /// Echo data, quoted packet or options: the message's end, of any length.
    pub const fn body(&self) -> &'a [u8] {
        match *self {
            Self::EchoRequest { data, .. } | Self::EchoReply { data, .. } => data,
            Self::DestinationUnreachable { quoted, .. }
            | Self::PacketTooBig { quoted, .. }
            | Self::TimeExceeded { quoted, .. }
            | Self::ParameterProblem { quoted, .. } => quoted,
            Self::RouterSolicitation { options }
            | Self::RouterAdvertisement { options, .. }
            | Self::NeighborSolicitation { options, .. }
            | Self::NeighborAdvertisement { options, .. } => options.as_bytes(),
        }
    }

    /// All of the message before [`body`](Self::body), with the checksum: [`HEADER_LEN`] bytes, or 16 to 24 of
    /// neighbour discovery.
    pub fn header(&self, src: Ipv6Addr, dst: Ipv6Addr) -> ArrayVec<u8, 24> {
        let mut header = self.fixed();
        let mut sum = pseudo_header_v6(src, dst, header.len() + self.body().len());
        sum.add_bytes(&header);
        sum.add_bytes(self.body());
        if let Some([_, _, first, second, ..]) = header.first_chunk_mut::<HEADER_LEN>() {
            [*first, *second] = sum.finish().to_be_bytes();
        }
        header
    }

    /// Does it report an error? No message may be sent about such a one (RFC 4443).
    pub const fn is_error(&self) -> bool {
        matches!(
            self,
            Self::DestinationUnreachable { .. }
                | Self::PacketTooBig { .. }
                | Self::TimeExceeded { .. }
                | Self::ParameterProblem { .. }
        )
    }

    /// Does it belong to neighbour discovery?
    pub const fn is_ndp(&self) -> bool {
        matches!(
            self,
            Self::RouterSolicitation { .. }
                | Self::RouterAdvertisement { .. }
                | Self::NeighborSolicitation { .. }
                | Self::NeighborAdvertisement { .. }
        )
    }

    /// Appends the whole message.
    pub fn emit(&self, src: Ipv6Addr, dst: Ipv6Addr, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header(src, dst));
        out.extend_from_slice(self.body());
    }
}

fn pseudo_header_v6(src: Ipv6Addr, dst: Ipv6Addr, len: usize) -> crate::checksum::Sum {
    pseudo_header(
        IpAddr::V6(src),
        IpAddr::V6(dst),
        protocol::ICMPV6,
        len as u32,
    )
}

fn two(first: u16, second: u16) -> u32 {
    u32::from(first) << 16 | u32::from(second)
}
