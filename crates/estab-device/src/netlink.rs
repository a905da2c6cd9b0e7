//! Linux's network configuration through netlink: links, addresses and routes of the namespace that the calling
//! thread is in.
//!
//! Each function opens a socket of its own, asks for one thing and waits for the kernel's answer, which comes at once.

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

/// How often the route to a new IPv6 address is looked for: all in all for a second.
const LOCAL_ROUTE_LOOKS: u32 = 1000;
const LOCAL_ROUTE_INTERVAL: Duration = Duration::from_millis(1);

/// What the kernel says about a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number in this namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Bytes of an IP packet that it takes.
    pub mtu: u32,
    /// Administratively up?
    pub up: bool,
    /// The kernel's Ethernet address, where the link has one.
    pub hardware_address: Option<[u8; 6]>,
}

/// The link of this name.
///
/// # Errors
/// [`NotFound`](io::ErrorKind::NotFound) when there is none.
pub fn link(name: &str) -> io::Result<Link> {
    let mut query = LinkMessage::default();
    query
        .attributes
        .push(LinkAttribute::IfName(name.to_owned()));
    let answer = request(RouteNetlinkMessage::GetLink(query), 0)
        .map_err(|error| explain(error, &format!("look for the device {name}")))?;
    let Some(RouteNetlinkMessage::NewLink(found)) = answer else {
        return Err(io::Error::other("the kernel did not describe the device"));
    };
    let mut link = Link {
        index: found.header.index,
        up: found.header.flags.contains(LinkFlags::Up),
        ..Link::default()
    };
    for attribute in found.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
            LinkAttribute::Address(address) => link.hardware_address = address.try_into().ok(),
            _ => {}
        }
    }
    Ok(link)
}

/// The number of the link of this name.
///
/// # Errors
/// [`NotFound`](io::ErrorKind::NotFound) when there is none.
pub fn link_index(name: &str) -> io::Result<u32> {
    link(name).map(|link| link.index)
}

/// Sets a link administratively up.
///
/// # Errors
/// No such link; no permission.
pub fn set_up(index: u32) -> io::Result<()> {
    set_up_state(index, LinkFlags::Up)
}

/// Sets a link administratively down.
///
/// # Errors
/// No such link; no permission.
pub fn set_down(index: u32) -> io::Result<()> {
    set_up_state(index, LinkFlags::empty())
}

fn set_up_state(index: u32, state: LinkFlags) -> io::Result<()> {
    let mut change = LinkMessage::default();
    change.header.index = index;
    change.header.flags = state;
    change.header.change_mask = LinkFlags::Up;
    acknowledged(
        RouteNetlinkMessage::SetLink(change),
        0,
        "set the device up or down",
    )
}

/// Sets how many bytes of an IP packet a link takes.
///
/// # Errors
/// No such link; no permission; more or less than the device can.
pub fn set_mtu(index: u32, mtu: u32) -> io::Result<()> {
    let mut change = LinkMessage::default();
    change.header.index = index;
    change.attributes.push(LinkAttribute::Mtu(mtu));
    acknowledged(
        RouteNetlinkMessage::SetLink(change),
        0,
        &format!("set the MTU to {mtu}"),
    )
}

/// Sets how many packets the kernel keeps for a link before it drops some (`txqueuelen`).
///
/// # Errors
/// No such link; no permission.
pub fn set_queue_len(index: u32, packets: u32) -> io::Result<()> {
    let mut change = LinkMessage::default();
    change.header.index = index;
    change.attributes.push(LinkAttribute::TxQueueLen(packets));
    acknowledged(
        RouteNetlinkMessage::SetLink(change),
        0,
        "set the length of the device's queue",
    )
}

/// Removes a link.
///
/// # Errors
/// No such link; no permission; not a kind that can be removed.
pub fn delete_link(index: u32) -> io::Result<()> {
    let mut link = LinkMessage::default();
    link.header.index = index;
    acknowledged(RouteNetlinkMessage::DelLink(link), 0, "remove the device")
}

/// Gives the kernel's side of a link an address, with the route to its network; one that it has already is no error.
///
/// An IPv6 address is not probed for duplicates. The kernel makes the route by which it takes packets for the address a
/// moment later, on a thread of its own; that is waited for, at most a second, so that the first packets are not lost.
///
/// # Errors
/// No such link; no permission; not an address that a host can have.
pub fn add_address(index: u32, address: IpAddr, prefix_len: u8) -> io::Result<()> {
    let mut message = AddressMessage::default();
    message.header.family = family(address);
    message.header.prefix_len = prefix_len;
    message.header.index = index;
    message.attributes = vec![
        AddressAttribute::Local(address),
        AddressAttribute::Address(address),
    ];
    if address.is_ipv6() {
        message
            .attributes
            .push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    acknowledged(
        RouteNetlinkMessage::NewAddress(message),
        NLM_F_CREATE | NLM_F_REPLACE,
        &format!("add the address {address}/{prefix_len}"),
    )?;
    if address.is_ipv6() {
        await_local_route(address);
    }
    Ok(())
}

/// Waits until packets for an address are the kernel's own, but not for ever: on a link that is down that may come only
/// when it goes up.
#[allow(
    clippy::disallowed_methods,
    reason = "the acknowledgement comes before the route is there: one has to look for it"
)]
fn await_local_route(address: IpAddr) {
    for _ in 0..LOCAL_ROUTE_LOOKS {
        if is_local(address) {
            return;
        }
        thread::sleep(LOCAL_ROUTE_INTERVAL);
    }
}

/// Does the kernel take packets for this address itself?
fn is_local(address: IpAddr) -> bool {
    let mut query = RouteMessage::default();
    query.header.address_family = family(address);
    query.header.destination_prefix_length = 128;
    query.attributes = vec![RouteAttribute::Destination(address.into())];
    // Without any route the answer is an error.
    matches!(
        request(RouteNetlinkMessage::GetRoute(query), 0),
        Ok(Some(RouteNetlinkMessage::NewRoute(route))) if route.header.kind == RouteType::Local
    )
}

/// Sends packets to a network over a link, through a gateway or straight; replaces a route to the same network.
///
/// # Errors
/// No such link, or it is down; no permission; the gateway cannot be reached over the link.
pub fn add_route(
    destination: IpAddr,
    prefix_len: u8,
    gateway: Option<IpAddr>,
    index: u32,
) -> io::Result<()> {
    let mut message = RouteMessage::default();
    message.header.address_family = family(destination);
    message.header.destination_prefix_length = prefix_len;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.kind = RouteType::Unicast;
    message.header.scope = match gateway {
        None if destination.is_ipv4() => RouteScope::Link,
        _ => RouteScope::Universe,
    };
    message.attributes = vec![
        RouteAttribute::Destination(destination.into()),
        RouteAttribute::Oif(index),
    ];
    if let Some(gateway) = gateway {
        message
            .attributes
            .push(RouteAttribute::Gateway(gateway.into()));
    }
    acknowledged(
        RouteNetlinkMessage::NewRoute(message),
        NLM_F_CREATE | NLM_F_REPLACE,
        &format!("add the route to {destination}/{prefix_len}"),
    )
}

const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

fn acknowledged(message: RouteNetlinkMessage, flags: u16, purpose: &str) -> io::Result<()> {
    match request(message, NLM_F_ACK | flags) {
        Ok(_) => Ok(()),
        Err(error) => Err(explain(error, purpose)),
    }
}

/// Sends one message and gives the answer: the kernel's message, or `None` for an acknowledgement.
fn request(message: RouteNetlinkMessage, flags: u16) -> io::Result<Option<RouteNetlinkMessage>> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);

    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&bytes, 0)?;
    let (answer, _) = socket.recv_from_full()?;
    let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    match answer.payload {
        NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io()),
        NetlinkPayload::InnerMessage(inner) => Ok(Some(inner)),
        _ => Ok(None),
    }
}

/// Says what could not be done, and what to do about it.
fn explain(error: io::Error, purpose: &str) -> io::Error {
    let kind = match error.raw_os_error() {
        Some(libc::ENODEV) => io::ErrorKind::NotFound,
        _ => error.kind(),
    };
    let advice = match kind {
        io::ErrorKind::PermissionDenied => format!(": {}", crate::namespace::PERMISSION_ADVICE),
        io::ErrorKind::NotFound => ": there is no such device".to_owned(),
        _ => String::new(),
    };
    io::Error::new(kind, format!("cannot {purpose}: {error}{advice}"))
}
