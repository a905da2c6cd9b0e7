//! ICMP for IPv4 (RFC 792), with the next hop's MTU of RFC 1191.

use crate::Error;
use crate::checksum::Sum;
use alloc::vec::Vec;

/// Length of the part that every message has; echo data and quoted packets begin behind it.
pub const HEADER_LEN: usize = 8;

/// Types of messages.
mod kind {
    pub(super) const ECHO_REPLY: u8 = 0;
    pub(super) const DESTINATION_UNREACHABLE: u8 = 3;
    pub(super) const ECHO_REQUEST: u8 = 8;
    pub(super) const TIME_EXCEEDED: u8 = 11;
    pub(super) const PARAMETER_PROBLEM: u8 = 12;
}

/// Codes of [`Message::DestinationUnreachable`] (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812).
pub mod unreachable {
    /// Network unreachable.
    pub const NET: u8 = 0;
    /// Host unreachable.
    pub const HOST: u8 = 1;
    /// Protocol unreachable.
    pub const PROTOCOL: u8 = 2;
    /// Port unreachable.
    pub const PORT: u8 = 3;
    /// Fragmentation needed, and DF set.
    pub const FRAGMENTATION_NEEDED: u8 = 4;
    /// Source route failed.
    pub const SOURCE_ROUTE_FAILED: u8 = 5;
    /// Destination network unknown.
    pub const NET_UNKNOWN: u8 = 6;
    /// Destination host unknown.
    pub const HOST_UNKNOWN: u8 = 7;
    /// Source host isolated.
    pub const HOST_ISOLATED: u8 = 8;
    /// Network administratively prohibited.
    pub const NET_PROHIBITED: u8 = 9;
    /// Host administratively prohibited.
    pub const HOST_PROHIBITED: u8 = 10;
    /// Network unreachable for this type of service.
    pub const NET_TOS: u8 = 11;
    /// Host unreachable for this type of service.
    pub const HOST_TOS: u8 = 12;
    /// Communication administratively prohibited by a filter.
    pub const PROHIBITED: u8 = 13;
    /// Host precedence violation.
    pub const PRECEDENCE_VIOLATION: u8 = 14;
    /// Precedence cut-off.
    pub const PRECEDENCE_CUTOFF: u8 = 15;
}

/// Codes of [`Message::TimeExceeded`].
pub mod time_exceeded {
    /// The TTL ran out on the way.
    pub const TTL: u8 = 0;
    /// Not all fragments came in time.
    pub const REASSEMBLY: u8 = 1;
}

/// A message. Quoted packets begin with an IPv4 header: see
/// [`ipv4::Header::parse_quoted`](crate::ipv4::Header::parse_quoted).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
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
    /// A packet could not be delivered.
    DestinationUnreachable {
        /// One of [`unreachable`](mod@unreachable).
        code: u8,
        /// Bytes of a packet that would have fit, in [`FRAGMENTATION_NEEDED`](unreachable::FRAGMENTATION_NEEDED); 0 when not told.
        next_hop_mtu: u16,
        /// Its header and the beginning of its payload.
        quoted: &'a [u8],
    },
    /// A packet, or a fragment of it, lived too long.
    TimeExceeded {
        /// One of [`time_exceeded`].
        code: u8,
        /// Its header and the beginning of its payload.
        quoted: &'a [u8],
    },
    /// A packet had something wrong in its header.
    ParameterProblem {
        /// 0: `pointer` says where.
        code: u8,
        /// Offset of the byte.
        pointer: u8,
        /// Its header and the beginning of its payload.
        quoted: &'a [u8],
    },
}

impl<'a> Message<'a> {
    /// Reads the payload of an IPv4 packet.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::Checksum`]; [`Error::Malformed`] for an echo with a code;
    /// [`Error::Unsupported`] for other types.
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let Some((&[kind, code, _, _, a, b, c, d], body)) = message.split_first_chunk() else {
            return Err(Error::Truncated);
        };
        let mut sum = Sum::new();
        sum.add_bytes(message);
        if !sum.is_valid() {
            return Err(Error::Checksum);
        }
        let (first, second) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        Ok(match kind {
            kind::ECHO_REQUEST | kind::ECHO_REPLY if code != 0 => return Err(Error::Malformed),
            kind::ECHO_REQUEST => Self::EchoRequest {
                ident: first,
                seq: second,
                data: body,
            },
            kind::ECHO_REPLY => Self::EchoReply {
                ident: first,
                seq: second,
                data: body,
            },
            kind::DESTINATION_UNREACHABLE => Self::DestinationUnreachable {
                code,
                next_hop_mtu: second,
                quoted: body,
            },
            kind::TIME_EXCEEDED => Self::TimeExceeded { code, quoted: body },
            kind::PARAMETER_PROBLEM => Self::ParameterProblem {
                code,
                pointer: a,
                quoted: body,
            },
            _ => return Err(Error::Unsupported),
        })
    }

    /// The first [`HEADER_LEN`] bytes of the message, with its checksum. [`body`](Self::body) follows them.
    pub fn header(&self) -> [u8; HEADER_LEN] {
        let (kind, code, first, second) = match *self {
            Self::EchoRequest { ident, seq, .. } => (kind::ECHO_REQUEST, 0, ident, seq),
            Self::EchoReply { ident, seq, .. } => (kind::ECHO_REPLY, 0, ident, seq),
            Self::DestinationUnreachable {
                code, next_hop_mtu, ..
            } => (kind::DESTINATION_UNREACHABLE, code, 0, next_hop_mtu),
            Self::TimeExceeded { code, .. } => (kind::TIME_EXCEEDED, code, 0, 0),
            Self::ParameterProblem { code, pointer, .. } => {
                (kind::PARAMETER_PROBLEM, code, u16::from(pointer) << 8, 0)
            }
        };
        let ([a, b], [c, d]) = (first.to_be_bytes(), second.to_be_bytes());
        let mut sum = Sum::new();
        sum.add_bytes(&[kind, code, 0, 0, a, b, c, d]);
        sum.add_bytes(self.body());
        let [e, f] = sum.finish().to_be_bytes();
        [kind, code, e, f, a, b, c, d]
    }

    /// Echo data or quoted packet.
    pub const fn body(&self) -> &'a [u8] {
        match *self {
            Self::EchoRequest { data, .. } | Self::EchoReply { data, .. } => data,
            Self::DestinationUnreachable { quoted, .. }
            | Self::TimeExceeded { quoted, .. }
            | Self::ParameterProblem { quoted, .. } => quoted,
        }
    }

    /// Does it report an error? No message may be sent about such a one (RFC 1122 section 3.2.2).
    pub const fn is_error(&self) -> bool {
        !matches!(self, Self::EchoRequest { .. } | Self::EchoReply { .. })
    }

    /// Appends the whole message.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header());
        out.extend_from_slice(self.body());
    }
}
