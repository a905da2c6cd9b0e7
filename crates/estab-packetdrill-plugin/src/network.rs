//! The one interface of the stack, and which addresses are ours.

#[cfg(test)]
mod tests;

use crate::options::Options;
use estab_stack::{Cidr, Error, InterfaceConfig, InterfaceId, Medium, Route, Stack};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The tool's default, bytes of a packet.
const MTU: u16 = 1500;
/// Taken when a connection is opened before anything told us an address; in the networks from which the tool takes its own.
const DEFAULT_V4: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 2);
const DEFAULT_V6: Ipv6Addr = Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0, 0, 0, 0, 2);

/// The interface by which the stack and the tool exchange packets.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) interface: InterfaceId,
    options: Options,
    has_v4: bool,
    has_v6: bool,
}

impl Network {
    /// Gives the stack its interface, and its address if it was told.
    ///
    /// # Errors
    /// The address is none that a host can have.
    pub(crate) fn new(stack: &mut Stack, options: Options) -> Result<Self, String> {
        let interface = stack.add_interface(InterfaceConfig {
            name: "packetdrill".into(),
            medium: Medium::Ip,
            hardware_address: [0; 6],
            mtu: options.mtu.unwrap_or(MTU),
            checksum_offload: false,
            segmentation_offload: 0,
        });
        let mut network = Self {
            interface,
            options,
            has_v4: false,
            has_v6: false,
        };
        if let Some(address) = network.options.local_ip {
            let added = network.add(stack, address);
            added.map_err(|_| format!("local_ip={address}: not the address of a host"))?;
        }
        Ok(network)
    }

    /// This address was given to `bind`, or a packet came for it: it is ours if we have none of its family.
    pub(crate) fn learn(&mut self, stack: &mut Stack, address: IpAddr) {
        let address = address.to_canonical();
        let ours = !address.is_unspecified() && !address.is_loopback() && !address.is_multicast();
        if ours && !self.has(address.is_ipv6()) {
            // What no host can have is an error of the call that named it.
            let _ = self.add(stack, address);
        }
    }

    /// Something is to be sent to this address: we need one of its family to send it from.
    pub(crate) fn prepare(&mut self, stack: &mut Stack, remote: IpAddr) {
        match remote.to_canonical() {
            IpAddr::V4(_) => self.learn(stack, DEFAULT_V4.into()),
            IpAddr::V6(_) => self.learn(stack, DEFAULT_V6.into()),
        }
    }

    /// A packet came in.
    pub(crate) fn learn_from_packet(&mut self, stack: &mut Stack, packet: &[u8]) {
        if let Some(destination) = destination(packet) {
            self.learn(stack, destination);
        }
    }

    fn has(&self, v6: bool) -> bool {
        if v6 { self.has_v6 } else { self.has_v4 }
    }

    fn add(&mut self, stack: &mut Stack, address: IpAddr) -> Result<(), Error> {
        let (prefix_len, any): (u8, IpAddr) = match address {
            // The tool's default networks.
            IpAddr::V4(_) => (self.options.prefix_len.unwrap_or(16), [0; 4].into()),
            IpAddr::V6(_) => (64, [0; 16].into()),
        };
        let cidr = Cidr {
            address,
            prefix_len,
        };
        stack.add_address(self.interface, cidr)?;
        let gateway = self.options.gateway_ip;
        stack.add_route(Route {
            destination: Cidr {
                address: any,
                prefix_len: 0,
            },
            gateway: gateway.filter(|gateway| gateway.is_ipv6() == address.is_ipv6()),
            interface: self.interface,
            mss: None,
        })?;
        match address {
            IpAddr::V4(_) => self.has_v4 = true,
            IpAddr::V6(_) => self.has_v6 = true,
        }
        Ok(())
    }
}

/// The destination of an IP packet.
fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => Some(<[u8; 4]>::try_from(packet.get(16..20)?).ok()?.into()),
        6 => Some(<[u8; 16]>::try_from(packet.get(24..40)?).ok()?.into()),
        _ => None,
    }
}
