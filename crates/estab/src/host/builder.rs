use super::Host;
use crate::clock::Clock;
use crate::driver::{DEVICES_MAX, Driver, NewPort};
use crate::error;
use estab_device::Device;
use estab_stack::{Cidr, HostSink, InterfaceConfig, InterfaceId, Route, Stack, StackConfig};
use estab_tcp::Settings;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// Describes a host. Addresses, routes and gateways belong to the device that was named last.
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// # let device = estab_device::memory::pair(Default::default()).0;
/// let host = estab::Host::builder()
///     .device("lan0", device)
///     .address("10.0.0.2".parse().unwrap(), 24)
///     .gateway("10.0.0.1".parse().unwrap())
///     .build()?;
/// # drop(host);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct HostBuilder {
    devices: Vec<Described>,
    settings: Settings,
    seed: Option<[u8; 32]>,
    linger: Option<Duration>,
    sink: Option<Box<dyn HostSink>>,
    /// The first thing that was said about a device before any was named.
    misplaced: Option<&'static str>,
}

struct Described {
    name: String,
    device: Box<dyn Device>,
    addresses: Vec<Cidr>,
    routes: Vec<(Cidr, Option<IpAddr>, Option<u16>)>,
    any_address: bool,
}

impl HostBuilder {
    pub(super) fn new() -> Self {
        Self {
            devices: Vec::new(),
            settings: Settings::default(),
            seed: None,
            linger: None,
            sink: None,
            misplaced: None,
        }
    }

    /// Adds a device, under a name for messages. A host without any device reaches only itself.
    pub fn device(self, name: impl Into<String>, device: impl Device + 'static) -> Self {
        self.boxed_device(name, Box::new(device))
    }

    /// The same for a device whose type was decided at run time.
    pub fn boxed_device(mut self, name: impl Into<String>, device: Box<dyn Device>) -> Self {
        self.devices.push(Described {
            name: name.into(),
            device,
            addresses: Vec::new(),
            routes: Vec::new(),
            any_address: false,
        });
        self
    }

    fn last(mut self, what: &'static str, change: impl FnOnce(&mut Described)) -> Self {
        match self.devices.last_mut() {
            Some(device) => change(device),
            None => self.misplaced = self.misplaced.or(Some(what)),
        }
        self
    }

    /// An address of the device, and how many bits of it are its network's prefix.
    pub fn address(self, address: IpAddr, prefix_len: u8) -> Self {
        let cidr = Cidr {
            address,
            prefix_len,
        };
        self.last("an address needs a device", |d| d.addresses.push(cidr))
    }

    /// The router for all destinations of its family that have no better route.
    pub fn gateway(self, gateway: IpAddr) -> Self {
        let address = match gateway {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let everything = Cidr {
            address,
            prefix_len: 0,
        };
        self.route(everything, Some(gateway))
    }

    /// These destinations are reached over the device, through a router or directly.
    pub fn route(self, destination: Cidr, gateway: Option<IpAddr>) -> Self {
        let route = (destination, gateway, None);
        self.last("a route needs a device", |d| d.routes.push(route))
    }

    /// The same with an upper bound on the MSS, announced and used.
    pub fn route_with_mss(self, destination: Cidr, gateway: Option<IpAddr>, mss: u16) -> Self {
        let route = (destination, gateway, Some(mss));
        self.last("a route needs a device", |d| d.routes.push(route))
    }

    /// Packets to any destination that come over the device are taken as the host's own, and everything is reached
    /// over it: what [`Host::intercept`] needs.
    pub fn any_address(self, on: bool) -> Self {
        self.last("any_address needs a device", |d| d.any_address = on)
    }

    /// Settings by Linux's names; the default is [`Settings::default`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What secrets are derived from; by default the system's random numbers.
    pub fn seed(mut self, seed: [u8; 32]) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long the host goes on to deliver what was written after its last handle and socket were dropped; five seconds
    /// unless given. It takes only as long as the peers take to answer.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = Some(linger);
        self
    }

    /// Who receives the events of the host. See [`Host::set_sink`].
    pub fn sink(mut self, sink: Box<dyn HostSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Starts the host.
    ///
    /// # Errors
    /// Of kind [`InvalidInput`](io::ErrorKind::InvalidInput) when the description makes no sense; those of the system
    /// when it gives no random numbers, descriptor or thread.
    pub fn build(self) -> io::Result<Host> {
        if let Some(what) = self.misplaced {
            return Err(error::invalid(what));
        }
        if self.devices.len() > DEVICES_MAX {
            return Err(error::invalid("too many devices"));
        }
        let seed = match self.seed {
            Some(seed) => seed,
            None => random_seed()?,
        };
        let mut stack = Stack::new(StackConfig {
            seed,
            settings: self.settings,
        });
        stack.set_sink(self.sink);
        let ports = self
            .devices
            .into_iter()
            .map(|described| described.add_to(&mut stack))
            .collect::<io::Result<Vec<_>>>()?;
        let driver = Driver::start(stack, Clock::start(), ports)?;
        if let Some(linger) = self.linger {
            driver.set_grace(linger);
        }
        Ok(Host::new(driver))
    }
}

impl Described {
    fn add_to(self, stack: &mut Stack) -> io::Result<NewPort> {
        let capabilities = self.device.capabilities();
        let interface = stack.add_interface(InterfaceConfig {
            name: self.name,
            medium: capabilities.medium,
            hardware_address: capabilities.hardware_address,
            mtu: capabilities.mtu,
            checksum_offload: capabilities.checksum_offload,
            segmentation_offload: capabilities.segmentation_offload,
        });
        for address in self.addresses {
            let added = stack.add_address(interface, address);
            added.map_err(error::io_error)?;
        }
        for (destination, gateway, mss) in self.routes {
            let added = stack.add_route(Route {
                destination,
                gateway,
                interface,
                mss,
            });
            added.map_err(error::io_error)?;
        }
        if self.any_address {
            stack.set_any_address(interface, true);
            Self::route_everything(stack, interface)?;
        }
        Ok(NewPort {
            interface,
            device: self.device,
        })
    }

    /// Answers to clients anywhere leave by the device that their packets came from.
    fn route_everything(stack: &mut Stack, interface: InterfaceId) -> io::Result<()> {
        let v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let v6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        for address in [v4, v6] {
            let added = stack.add_route(Route {
                destination: Cidr {
                    address,
                    prefix_len: 0,
                },
                gateway: None,
                interface,
                mss: None,
            });
            added.map_err(error::io_error)?;
        }
        Ok(())
    }
}

fn random_seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(seed)
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.devices.iter().map(|d| d.name.as_str()).collect();
        f.debug_struct("HostBuilder")
            .field("devices", &names)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
