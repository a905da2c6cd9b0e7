use crate::Medium;
use alloc::string::String;
use core::net::IpAddr;

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The address.
    pub address: IpAddr,
    /// Bits of the prefix.
    pub prefix_len: u8,
}

/// An interface of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceId(pub u16);

impl InterfaceId {
    /// The scope id of link-local IPv6 addresses on this interface: one more than its number, since 0 means none.
    pub const fn scope_id(self) -> u32 {
        self.0 as u32 + 1
    }

    pub(crate) fn from_scope_id(scope_id: u32) -> Option<Self> {
        u16::try_from(scope_id.checked_sub(1)?).ok().map(Self)
    }
}

/// What the stack must know of a device.
#[derive(Clone, Debug)]
pub struct InterfaceConfig {
    /// A name for messages.
    pub name: String,
    /// What it carries.
    pub medium: Medium,
    /// Our Ethernet address; not used when the medium is IP.
    pub hardware_address: [u8; 6],
    /// Bytes of an IP packet that the link takes.
    pub mtu: u16,
    /// The device completes transport checksums.
    pub checksum_offload: bool,
    /// The device cuts TCP super-segments up to this payload; 0: it does not.
    pub segmentation_offload: u32,
}

/// Where packets to some addresses go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// These addresses.
    pub destination: Cidr,
    /// Through this router; `None`: they are neighbours.
    pub gateway: Option<IpAddr>,
    /// Over this interface.
    pub interface: InterfaceId,
    /// MSS announced to them and used towards them at most.
    pub mss: Option<u16>,
}
