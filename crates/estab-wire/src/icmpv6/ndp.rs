use super::Message;
use crate::Error;
use crate::ethernet::Address;
use crate::ipv6::is_solicited_node;
use arrayvec::ArrayVec;
use core::net::Ipv6Addr;
use zerocopy::byteorder::network_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const MANAGED: u8 = 0x80;
const OTHER_CONFIG: u8 = 0x40;

const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

const ON_LINK: u8 = 0x80;
const AUTONOMOUS: u8 = 0x40;

/// Types of options.
mod kind {
    pub(super) const SOURCE_LINK_ADDRESS: u8 = 1;
    pub(super) const TARGET_LINK_ADDRESS: u8 = 2;
    pub(super) const PREFIX_INFORMATION: u8 = 3;
    pub(super) const MTU: u8 = 5;
}

/// A prefix that a router advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixInformation {
    /// The prefix; bits behind `prefix_len` mean nothing.
    pub prefix: Ipv6Addr,
    /// Bits of the prefix. As it came: may be more than 128.
    pub prefix_len: u8,
    /// Addresses with it are neighbours (the L bit).
    pub on_link: bool,
    /// Hosts may make addresses with it (the A bit).
    pub autonomous: bool,
    /// How long it is valid, in seconds; all ones: for ever.
    pub valid_s: u32,
    /// How long addresses made with it are preferred, in seconds; all ones: for ever.
    pub preferred_s: u32,
}

/// An option of a neighbour discovery message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NdpOption {
    /// The link-layer address of who sent the message.
    SourceLinkAddress(Address),
    /// The link-layer address of who the message is about.
    TargetLinkAddress(Address),
    /// The MTU that all on this link are to use.
    Mtu(u32),
    /// A prefix.
    Prefix(PrefixInformation),
}

/// Room for any option.
pub type NdpOptionBuffer = ArrayVec<u8, 32>;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct PrefixLayout {
    prefix_len: u8,
    flags: u8,
    valid_s: U32,
    preferred_s: U32,
    reserved: U32,
    prefix: [u8; 16],
}

impl NdpOption {
    /// The option as it stands in a message.
    pub fn to_bytes(&self) -> NdpOptionBuffer {
        let mut out = NdpOptionBuffer::new();
        match self {
            Self::SourceLinkAddress(address) => {
                out.extend([kind::SOURCE_LINK_ADDRESS, 1]);
                out.extend(address.0);
            }
            Self::TargetLinkAddress(address) => {
                out.extend([kind::TARGET_LINK_ADDRESS, 1]);
                out.extend(address.0);
            }
            Self::Mtu(mtu) => {
                out.extend([kind::MTU, 1, 0, 0]);
                out.extend(mtu.to_be_bytes());
            }
            Self::Prefix(information) => {
                out.extend([kind::PREFIX_INFORMATION, 4]);
                let bytes: [u8; 30] = zerocopy::transmute!(information.layout());
                out.extend(bytes);
            }
        }
        out
    }

    /// Unknown types, and lengths that are not those of Ethernet or of the type, are nothing that we know.
    fn from_parts(kind: u8, data: &[u8]) -> Option<Self> {
        Some(match kind {
            kind::SOURCE_LINK_ADDRESS => Self::SourceLinkAddress(Address(data.try_into().ok()?)),
            kind::TARGET_LINK_ADDRESS => Self::TargetLinkAddress(Address(data.try_into().ok()?)),
            kind::MTU => {
                let [_, _, mtu @ ..]: [u8; 6] = data.try_into().ok()?;
                Self::Mtu(u32::from_be_bytes(mtu))
            }
            kind::PREFIX_INFORMATION => {
                Self::Prefix(PrefixLayout::ref_from_bytes(data).ok()?.information())
            }
            _ => return None,
        })
    }
}

impl PrefixInformation {
    fn layout(&self) -> PrefixLayout {
        let mut flags = 0;
        if self.on_link {
            flags |= ON_LINK;
        }
        if self.autonomous {
            flags |= AUTONOMOUS;
        }
        PrefixLayout {
            prefix_len: self.prefix_len,
            flags,
            valid_s: self.valid_s.into(),
            preferred_s: self.preferred_s.into(),
            reserved: 0.into(),
            prefix: self.prefix.octets(),
        }
    }
}

impl PrefixLayout {
    fn information(&self) -> PrefixInformation {
        PrefixInformation {
            prefix: self.prefix.into(),
            prefix_len: self.prefix_len,
            on_link: self.flags & ON_LINK != 0,
            autonomous: self.flags & AUTONOMOUS != 0,
            valid_s: self.valid_s.get(),
            preferred_s: self.preferred_s.get(),
        }
    }
}

/// The options of a message, with lengths that were checked.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct NdpOptions<'a>(&'a [u8]);

impl<'a> NdpOptions<'a> {
    /// No options.
    pub const NONE: Self = Self(&[]);

    /// Checks the lengths of options that stand one behind the other, as [`NdpOption::to_bytes`] makes them.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when one has length 0, [`Error::Truncated`] when one ends behind the last byte: the
    /// whole message must be dropped then (RFC 4861).
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut rest = bytes;
        while let [_, len, ..] = *rest {
            if len == 0 {
                return Err(Error::Malformed);
            }
            rest = rest.get(usize::from(len) * 8..).ok_or(Error::Truncated)?;
        }
        if rest.is_empty() {
            Ok(Self(bytes))
        } else {
            Err(Error::Truncated)
        }
    }

    /// The bytes that were checked.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The options that are known, in their order.
    pub fn iter(&self) -> impl Iterator<Item = NdpOption> + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (&[kind, len], _) = rest.split_first_chunk()?;
            let (option, after) = rest.split_at_checked(usize::from(len) * 8)?;
            rest = after;
            Some(NdpOption::from_parts(kind, option.get(2..)?))
        })
        .flatten()
    }

    /// The first source link-layer address.
    pub fn source_link_address(&self) -> Option<Address> {
        self.iter().find_map(|option| match option {
            NdpOption::SourceLinkAddress(address) => Some(address),
            _ => None,
        })
    }

    /// The first target link-layer address.
    pub fn target_link_address(&self) -> Option<Address> {
        self.iter().find_map(|option| match option {
            NdpOption::TargetLinkAddress(address) => Some(address),
            _ => None,
        })
    }

    /// The first MTU.
    pub fn mtu(&self) -> Option<u32> {
        self.iter().find_map(|option| match option {
            NdpOption::Mtu(mtu) => Some(mtu),
            _ => None,
        })
    }

    /// The prefixes, in their order.
    pub fn prefixes(&self) -> impl Iterator<Item = PrefixInformation> + use<'a> {
        self.iter().filter_map(|option| match option {
            NdpOption::Prefix(information) => Some(information),
            _ => None,
        })
    }
}

impl core::fmt::Debug for NdpOptions<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The second four bytes of an advertisement.
pub(super) fn first_word(message: &Message<'_>) -> u32 {
    let bytes = match *message {
        Message::RouterAdvertisement {
            hop_limit,
            managed,
            other_config,
            lifetime_s,
            ..
        } => {
            let [a, b] = lifetime_s.to_be_bytes();
            let flags = bit(managed, MANAGED) | bit(other_config, OTHER_CONFIG);
            [hop_limit, flags, a, b]
        }
        Message::NeighborAdvertisement {
            router,
            solicited,
            override_entry,
            ..
        } => {
            let flags =
                bit(router, ROUTER) | bit(solicited, SOLICITED) | bit(override_entry, OVERRIDE);
            [flags, 0, 0, 0]
        }
        _ => [0; 4],
    };
    u32::from_be_bytes(bytes)
}

fn bit(on: bool, bit: u8) -> u8 {
    if on { bit } else { 0 }
}

pub(super) fn router_solicitation<'a>(src: Ipv6Addr, body: &'a [u8]) -> Result<Message<'a>, Error> {
    let options = NdpOptions::new(body)?;
    if src.is_unspecified() && options.source_link_address().is_some() {
        return Err(Error::Malformed);
    }
    Ok(Message::RouterSolicitation { options })
}

pub(super) fn router_advertisement<'a>(
    src: Ipv6Addr,
    [hop_limit, flags, a, b]: [u8; 4],
    body: &'a [u8],
) -> Result<Message<'a>, Error> {
    let Some((&[c, d, e, f, g, h, i, j], options)) = body.split_first_chunk() else {
        return Err(Error::Truncated);
    };
    if !src.is_unicast_link_local() {
        return Err(Error::Malformed);
    }
    Ok(Message::RouterAdvertisement {
        hop_limit,
        managed: flags & MANAGED != 0,
        other_config: flags & OTHER_CONFIG != 0,
        lifetime_s: u16::from_be_bytes([a, b]),
        reachable_ms: u32::from_be_bytes([c, d, e, f]),
        retrans_ms: u32::from_be_bytes([g, h, i, j]),
        options: NdpOptions::new(options)?,
    })
}

pub(super) fn neighbor_solicitation<'a>(
    src: Ipv6Addr,
    dst: Ipv6Addr,
    body: &'a [u8],
) -> Result<Message<'a>, Error> {
    let (target, options) = target_and_options(body)?;
    // A host that has no address yet asks whether the target is free: it can only ask all, and not for itself.
    if src.is_unspecified() && (!is_solicited_node(dst) || options.source_link_address().is_some())
    {
        return Err(Error::Malformed);
    }
    Ok(Message::NeighborSolicitation { target, options })
}

pub(super) fn neighbor_advertisement<'a>(
    dst: Ipv6Addr,
    flags: u8,
    body: &'a [u8],
) -> Result<Message<'a>, Error> {
    let (target, options) = target_and_options(body)?;
    let solicited = flags & SOLICITED != 0;
    // Who asked is told alone.
    if solicited && dst.is_multicast() {
        return Err(Error::Malformed);
    }
    Ok(Message::NeighborAdvertisement {
        router: flags & ROUTER != 0,
        solicited,
        override_entry: flags & OVERRIDE != 0,
        target,
        options,
    })
}

fn target_and_options(body: &[u8]) -> Result<(Ipv6Addr, NdpOptions<'_>), Error> {
    let Some((&target, options)) = body.split_first_chunk::<16>() else {
        return Err(Error::Truncated);
    };
    let target = Ipv6Addr::from(target);
    if target.is_multicast() {
        return Err(Error::Malformed);
    }
    Ok((target, NdpOptions::new(options)?))
}
