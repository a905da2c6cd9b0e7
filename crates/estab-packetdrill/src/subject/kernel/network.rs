//! The kernel's network for one script: a namespace with a TUN device, whose other end the runner holds.

use super::super::Network;
use super::sysctl;
use estab_device::namespace::NetworkNamespace;
use estab_device::netlink;
use estab_device::tuntap::{TunTap, TunTapConfig};
use std::io;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network namespace that the calling thread is in until this is dropped.
#[derive(Debug)]
pub(crate) struct Inside {
    before: NetworkNamespace,
    /// Threads are in namespaces: this one goes back.
    thread: PhantomData<*const ()>,
}

impl Inside {
    /// Makes a namespace and moves the calling thread into it.
    ///
    /// # Errors
    /// The system does not allow it.
    pub(crate) fn new() -> io::Result<Self> {
        let before = NetworkNamespace::current()?;
        NetworkNamespace::new()?.enter()?;
        Ok(Self {
            before,
            thread: PhantomData,
        })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // The thread came from there. If it cannot go back, what it does next fails for want of a route.
        let _ = self.before.enter();
    }
}

/// Sets up the namespace of the calling thread: settings, device, addresses, routes.
///
/// # Errors
/// The namespace does not allow what is needed.
pub(crate) fn set_up(network: &Network) -> io::Result<TunTap> {
    sysctl::apply_defaults()?;
    let device = TunTap::open(&TunTapConfig {
        // Each segment is to be seen as it would be on a wire.
        offload: false,
        mtu: Some(network.mtu),
        ..TunTapConfig::tun("tun0")
    })?;
    netlink::set_up(device.index())?;
    netlink::add_address(device.index(), network.local_ip, network.prefix_len)?;
    // All the rest of the world is behind the device.
    let anywhere = match network.local_ip {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    netlink::add_route(anywhere, 0, None, device.index())?;
    Ok(device)
}
