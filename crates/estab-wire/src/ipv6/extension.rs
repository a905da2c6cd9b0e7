use super::{HEADER_LEN, Header};
use crate::{Error, protocol};
use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// How many extension headers a packet may have; those of the order that RFC 8200 section 4.1 recommends are six.
pub const EXTENSION_HEADERS_MAX: usize = 8;

/// A fragment header (RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHeader {
    /// What the whole packet's fragmentable part begins with.
    pub next_header: u8,
    /// Where in the fragmentable part this one's belongs, in bytes; a multiple of 8.
    pub fragment_offset: u16,
    /// Not the last fragment.
    pub more_fragments: bool,
    /// Tells the fragments of one packet from those of others.
    pub identification: u32,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct FragmentLayout {
    next_header: u8,
    reserved: u8,
    offset_more: U16,
    identification: U32,
}

impl FragmentHeader {
    /// Length of a fragment header.
    pub const LEN: usize = 8;

    /// Reads a fragment header.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    pub fn parse(header: &[u8]) -> Result<Self, Error> {
        let Ok((layout, _)) = FragmentLayout::ref_from_prefix(header) else {
            return Err(Error::Truncated);
        };
        let offset_more = layout.offset_more.get();
        Ok(Self {
            next_header: layout.next_header,
            fragment_offset: offset_more & 0xfff8,
            more_fragments: offset_more & 1 != 0,
            identification: layout.identification.get(),
        })
    }

    /// Writes the header. Of `fragment_offset` the three lowest bits are lost.
    pub fn emit(&self, out: &mut [u8; Self::LEN]) {
        *out = zerocopy::transmute!(FragmentLayout {
            next_header: self.next_header,
            reserved: 0,
            offset_more: (self.fragment_offset & 0xfff8 | u16::from(self.more_fragments)).into(),
            identification: self.identification.into(),
        });
    }

    /// A packet in one fragment (RFC 6946): there is nothing to reassemble.
    pub const fn is_atomic(&self) -> bool {
        self.fragment_offset == 0 && !self.more_fragments
    }
}

/// A fragment header and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The header.
    pub header: FragmentHeader,
    /// Where it begins, from the start of the packet. The unfragmentable part ends there, and the fragment's
    /// share of the fragmentable part begins [`FragmentHeader::LEN`] after it.
    pub offset: usize,
    /// Where the byte is that announces it; [`FragmentHeader::next_header`] takes its place in the reassembled
    /// packet.
    pub announced_at: usize,
}

/// What stands behind the extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upper {
    /// A protocol that is not an extension header this module knows. It may be [`protocol::NO_NEXT_HEADER`].
    pub protocol: u8,
    /// Where it begins, from the start of the packet; at most the packet's length.
    pub offset: usize,
    /// Where the byte is that announces it: what an ICMPv6 parameter problem with code 1 points to when nobody
    /// knows the protocol.
    pub announced_at: usize,
    /// The packet has a fragment header. Unless that [is atomic](FragmentHeader::is_atomic), the walk ended at it:
    /// `protocol` and `offset` are those of the fragmentable part, which may begin with more extension headers,
    /// to be walked when the packet is whole.
    pub fragment: Option<Fragment>,
}

/// The ICMPv6 parameter problem that a packet deserves (RFC 4443).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterProblem {
    /// 0: erroneous header field; 1: unrecognised next header; 2: unrecognised option.
    pub code: u8,
    /// Where, from the start of the packet.
    pub pointer: u32,
    /// It is to be sent even when the packet was for a multicast address.
    pub even_to_multicast: bool,
}

/// Why a packet must be dropped because of its extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkError {
    /// Drop it and say nothing.
    Discard(Error),
    /// Drop it and answer.
    Parameter(ParameterProblem),
}

impl core::fmt::Display for WalkError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Discard(error) => error.fmt(f),
            Self::Parameter(problem) => write!(
                f,
                "parameter problem, code {}, at byte {}",
                problem.code, problem.pointer
            ),
        }
    }
}

impl core::error::Error for WalkError {}

/// Where the fixed header announces what follows it.
const NEXT_HEADER_OFFSET: usize = 6;

const TRUNCATED: WalkError = WalkError::Discard(Error::Truncated);

/// Walks over the extension headers of `packet`, whose fixed header is `header`, as the packet's destination does.
///
/// Hop-by-hop options, destination options, routing headers without segments left and fragment headers are
/// understood; of the options only padding and what may be skipped.
///
/// # Errors
///
/// [`WalkError::Discard`] when a header ends behind the packet, when there are more than
/// [`EXTENSION_HEADERS_MAX`], or when an unknown option asks for it; [`WalkError::Parameter`] for an unknown option
/// that asks for that, a routing header with segments left, and hop-by-hop options elsewhere than first.
#[inline]
pub fn walk(header: &Header, packet: &[u8]) -> Result<Upper, WalkError> {
    let end = packet
        .len()
        .min(HEADER_LEN + usize::from(header.payload_len));
    let Some(packet) = packet
        .get(..end)
        .filter(|packet| packet.len() >= HEADER_LEN)
    else {
        return Err(TRUNCATED);
    };
    let upper = Upper {
        protocol: header.next_header,
        offset: HEADER_LEN,
        announced_at: NEXT_HEADER_OFFSET,
        fragment: None,
    };
    if is_extension(upper.protocol) {
        walk_extensions(packet, upper)
    } else {
        Ok(upper)
    }
}

const fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        protocol::HOP_BY_HOP
            | protocol::DESTINATION_OPTIONS
            | protocol::ROUTING
            | protocol::FRAGMENT
    )
}

fn walk_extensions(packet: &[u8], mut upper: Upper) -> Result<Upper, WalkError> {
    for _ in 0..EXTENSION_HEADERS_MAX {
        let step = step(packet, &mut upper)?;
        // RFC 8200 section 4: only directly behind the fixed header, so never behind another.
        if upper.protocol == protocol::HOP_BY_HOP {
            return Err(parameter(1, upper.announced_at));
        }
        if step == Step::Stop || !is_extension(upper.protocol) {
            return Ok(upper);
        }
    }
    Err(WalkError::Discard(Error::Malformed))
}

#[derive(PartialEq)]
enum Step {
    Continue,
    Stop,
}

/// Passes over one extension header, the one that `upper` names.
fn step(packet: &[u8], upper: &mut Upper) -> Result<Step, WalkError> {
    let offset = upper.offset;
    let Some(&[next, len, _, segments_left, ..]) = packet.get(offset..) else {
        return Err(TRUNCATED);
    };
    let len = match upper.protocol {
        protocol::FRAGMENT => FragmentHeader::LEN,
        _ => 8 + 8 * usize::from(len),
    };
    let Some(extension) = packet.get(offset..offset + len) else {
        return Err(TRUNCATED);
    };
    let mut result = Step::Continue;
    match upper.protocol {
        protocol::ROUTING => {
            // RFC 8200 section 4.4; types that one must know to go on, RFC 5095's type 0 among them, are unknown here.
            if segments_left != 0 {
                return Err(parameter(0, offset + 2));
            }
        }
        protocol::FRAGMENT => {
            let header = FragmentHeader::parse(extension).map_err(WalkError::Discard)?;
            if upper.fragment.is_some() {
                return Err(WalkError::Discard(Error::Malformed));
            }
            upper.fragment = Some(Fragment {
                header,
                offset,
                announced_at: upper.announced_at,
            });
            if !header.is_atomic() {
                result = Step::Stop;
            }
        }
        _ => check_options(extension, offset)?,
    }
    upper.protocol = next;
    upper.offset = offset + len;
    upper.announced_at = offset;
    Ok(result)
}

/// Looks for options that forbid to go on (RFC 8200 section 4.2).
fn check_options(extension: &[u8], offset: usize) -> Result<(), WalkError> {
    const PAD1: u8 = 0;
    let mut at = 2;
    while let Some(&option) = extension.get(at) {
        if option == PAD1 {
            at += 1;
            continue;
        }
        let Some(&len) = extension.get(at + 1) else {
            return Err(TRUNCATED);
        };
        let next = at + 2 + usize::from(len);
        if next > extension.len() {
            return Err(TRUNCATED);
        }
        // PadN and router alert have the bits that say "skip".
        match option >> 6 {
            0 => {}
            1 => return Err(WalkError::Discard(Error::Unsupported)),
            action => {
                return Err(WalkError::Parameter(ParameterProblem {
                    code: 2,
                    pointer: (offset + at) as u32,
                    even_to_multicast: action == 2,
                }));
            }
        }
        at = next;
    }
    Ok(())
}

fn parameter(code: u8, pointer: usize) -> WalkError {
    WalkError::Parameter(ParameterProblem {
        code,
        pointer: pointer as u32,
        even_to_multicast: false,
    })
}
