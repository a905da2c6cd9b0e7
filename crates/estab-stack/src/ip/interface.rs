//! Interfaces and our addresses.

use super::address::{directed_broadcast, is_link_local_v6, is_valid, link_local, network};
use super::route_table::Origin;
use super::{IpCx, IpLayer};
use crate::{Cidr, Error, InterfaceConfig, InterfaceId, Medium, Route};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use estab_wire::ethernet::{self, Address as Mac};
use estab_wire::ipv6::solicited_node;

/// The smallest MTU with which IPv6 works (RFC 8200 section 5).
pub(super) const IPV6_MTU_MIN: u16 = 1280;

/// An interface with its addresses.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) config: InterfaceConfig,
    pub(super) addresses: Vec<Cidr>,
    pub(super) any_address: bool,
    /// Of IPv6 packets; a router may tell a smaller one than the link's.
    pub(super) mtu_v6: u16,
}

impl Interface {
    pub(super) const fn mac(&self) -> Mac {
        Mac(self.config.hardware_address)
    }

    pub(super) fn is_ethernet(&self) -> bool {
        self.config.medium == Medium::Ethernet
    }

    pub(super) fn link_header_len(&self) -> usize {
        if self.is_ethernet() {
            ethernet::HEADER_LEN
        } else {
            0
        }
    }

    /// Largest IP packet of this family.
    pub(super) const fn mtu(&self, v6: bool) -> u16 {
        if v6 { self.mtu_v6 } else { self.config.mtu }
    }

    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|cidr| cidr.address == address)
    }

    /// Limited broadcast, or that of one of the interface's networks?
    pub(super) fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        address.is_broadcast()
            || self
                .addresses
                .iter()
                .any(|cidr| directed_broadcast(*cidr) == Some(address))
    }

    /// Do we listen to the solicitations for one of our addresses there?
    pub(super) fn is_solicited_node(&self, group: Ipv6Addr) -> bool {
        self.addresses
            .iter()
            .any(|cidr| matches!(cidr.address, IpAddr::V6(v6) if solicited_node(v6) == group))
    }

    pub(super) fn link_local(&self) -> Option<Ipv6Addr> {
        self.addresses.iter().find_map(|cidr| match cidr.address {
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(v6),
            _ => None,
        })
    }
}

impl IpLayer {
    /// Adds an interface. A device that cuts segments must complete their checksums too, else it is not asked to.
    pub(crate) fn add_interface(&mut self, mut config: InterfaceConfig) -> InterfaceId {
        if !config.checksum_offload {
            config.segmentation_offload = 0;
        }
        let id = InterfaceId(self.interfaces.len() as u16);
        let mtu_v6 = config.mtu;
        self.interfaces.push(Interface {
            config,
            addresses: Vec::new(),
            any_address: false,
            mtu_v6,
        });
        id
    }

    pub(super) fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        self.interfaces.get(usize::from(id.0))
    }

    fn interface_mut(&mut self, id: InterfaceId) -> Result<&mut Interface, Error> {
        self.interfaces
            .get_mut(usize::from(id.0))
            .ok_or(Error::Invalid)
    }

    /// Adds an address with the route to its network. On Ethernet it is announced, without the probing of RFC 4862
    /// and RFC 5227 before: whoever configures an address vouches for it. The first IPv6 address of an
    /// Ethernet interface brings a link-local one with it (RFC 4291), and asks for routers.
    pub(crate) fn add_address(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        address: Cidr,
    ) -> Result<(), Error> {
        let entry = self.interface_mut(interface)?;
        let ip = address.address;
        if !is_valid(address) || ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
            return Err(Error::Invalid);
        }
        if ip.is_ipv6() && entry.config.mtu < IPV6_MTU_MIN {
            return Err(Error::NotSupported);
        }
        if entry.has(ip) {
            return Err(Error::AddressInUse);
        }
        let first_v6 = ip.is_ipv6() && entry.is_ethernet() && entry.link_local().is_none();
        if first_v6 && !is_link_local_v6(ip) {
            let own = IpAddr::V6(link_local(entry.mac()));
            self.insert_address(
                cx,
                interface,
                Cidr {
                    address: own,
                    prefix_len: 64,
                },
            )?;
        }
        self.insert_address(cx, interface, address)?;
        if first_v6 {
            self.solicit_routers(cx, interface);
        }
        Ok(())
    }

    fn insert_address(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        address: Cidr,
    ) -> Result<(), Error> {
        self.interface_mut(interface)?.addresses.push(address);
        let at = self
            .local
            .partition_point(|other| *other <= (address.address, interface));
        self.local.insert(at, (address.address, interface));
        let route = Route {
            destination: network(address),
            gateway: None,
            interface,
            mss: None,
        };
        self.routes.add(route, Origin::OnLink)?;
        self.announce(cx, interface, address.address);
        Ok(())
    }

    /// Removes an address, and the route to its network when no other address is in it.
    pub(crate) fn remove_address(
        &mut self,
        interface: InterfaceId,
        address: IpAddr,
    ) -> Result<(), Error> {
        let entry = self.interface_mut(interface)?;
        let at = entry
            .addresses
            .iter()
            .position(|cidr| cidr.address == address);
        let gone = entry
            .addresses
            .remove(at.ok_or(Error::AddressNotAvailable)?);
        let still_used = entry
            .addresses
            .iter()
            .any(|other| network(*other) == network(gone));
        if !still_used {
            self.routes.remove_on_link(interface, gone);
        }
        self.local.retain(|other| *other != (address, interface));
        Ok(())
    }

    /// Adds a route that the program wants.
    pub(crate) fn add_route(&mut self, route: Route) -> Result<(), Error> {
        self.interface_mut(route.interface)?;
        self.routes.add(route, Origin::Static)
    }

    /// Removes what [`Self::add_route`] added for this destination.
    pub(crate) fn remove_route(&mut self, destination: Cidr) -> Result<(), Error> {
        self.routes.remove(destination)
    }

    /// Takes packets for any unicast destination as ours. What no route covers is then sent over this interface,
    /// since whoever is answered came from there.
    pub(crate) fn set_any_address(
        &mut self,
        interface: InterfaceId,
        on: bool,
    ) -> Result<(), Error> {
        self.interface_mut(interface)?.any_address = on;
        Ok(())
    }

    /// Is it an address of ours (127.0.0.0/8 and ::1 too)? Any-address mode makes no difference here.
    pub(crate) fn is_local(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.is_configured(address)
    }

    /// Has the program given it to one of our interfaces?
    pub(super) fn is_configured(&self, address: IpAddr) -> bool {
        self.local
            .binary_search_by_key(&address, |(local, _)| *local)
            .is_ok()
    }

    /// Limited broadcast, or that of a network of ours?
    pub(crate) fn is_broadcast(&self, address: IpAddr) -> bool {
        let IpAddr::V4(v4) = address else {
            return false;
        };
        v4.is_broadcast()
            || self
                .interfaces
                .iter()
                .any(|interface| interface.is_broadcast(v4))
    }

    /// Our addresses, loopback left out.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (InterfaceId, Cidr)> + '_ {
        self.interfaces
            .iter()
            .enumerate()
            .flat_map(|(id, interface)| {
                let id = InterfaceId(id as u16);
                interface.addresses.iter().map(move |cidr| (id, *cidr))
            })
    }
}
