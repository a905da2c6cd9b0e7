//! The network of a command: the same options for every command that has one.

mod cidr;

use crate::capture_file;
use crate::exit::Failure;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use estab::{Cidr, Host, Settings};
use estab_device::impair::{ImpairConfig, Impaired};
use estab_device::url::{DeviceUrl, OpenedDevice};
use estab_device::{Device, netlink};
use estab_stack::{HostSink, Medium, settings_table};
use estab_trace::{LiveLadder, Tee};
use std::io::{self, stderr};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

const HEADING: &str = "Network";
/// The device of a command that names none.
const DEVICE: &str = "tun:estab0";
/// estab's address when none is given.
const ADDRESS: &str = "10.217.0.2/24";

/// Options of the network.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = HEADING)]
pub(crate) struct NetworkArgs {
    /// The device: tun:NAME or tap:NAME; one that does not exist is made, and removed at the end
    ///
    /// Options may follow, such as tun:estab0?mtu=1400&offload=off. One that exists already keeps its MTU, addresses and
    /// state, whatever they say.
    #[arg(long, value_name = "URL", default_value = DEVICE)]
    device: DeviceUrl,

    /// An address of estab with its network; may be given several times, for both families
    #[arg(long, value_name = "CIDR", value_parser = cidr::parse, default_value = ADDRESS)]
    address: Vec<Cidr>,

    /// The kernel's address on a device that is created [default: the first other one of each --address]
    #[arg(long, value_name = "CIDR", value_parser = cidr::parse)]
    host_address: Vec<Cidr>,

    /// Where packets for other networks go; once for each family [default: the kernel's address]
    #[arg(long, value_name = "ADDRESS")]
    gateway: Vec<IpAddr>,

    /// Set a setting of estab by Linux's name, such as tcp_syn_retries=3
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    sysctl: Vec<(String, String)>,

    /// Write all packets to this file, with states and drop reasons as comments
    #[arg(long, value_name = "FILE")]
    pcapng: Option<PathBuf>,

    /// Print the ladder of states and segments as it happens, on standard error
    #[arg(long)]
    trace: bool,

    /// Make the link worse, such as loss=1%,delay=20ms,reorder=2%
    #[arg(long, value_name = "SPEC")]
    impair: Option<ImpairConfig>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A host of estab on its device.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) host: Host,
    /// The device's name.
    device: String,
    addresses: Vec<Cidr>,
}

impl NetworkArgs {
    /// Opens the device and starts a host on it.
    ///
    /// # Errors
    /// The device cannot be opened or set up, or an option makes no sense; the text says what to do.
    pub(crate) fn open(&self) -> Result<Network> {
        let settings = self.settings().context(Failure::Usage)?;
        let kernel_addresses = self.kernel_addresses().context(Failure::Usage)?;
        let opened = open_device(&self.device, &kernel_addresses).context(Failure::Network)?;
        let (name, medium) = (opened.name, opened.device.capabilities().medium);
        let device: Box<dyn Device> = match &self.impair {
            Some(config) => Box::new(Impaired::new(opened.device, config)),
            None => opened.device,
        };
        let mut builder = Host::builder()
            .settings(settings)
            .boxed_device(name.clone(), device);
        for cidr in &self.address {
            builder = builder.address(cidr.address, cidr.prefix_len);
        }
        for gateway in self.gateways(&kernel_addresses) {
            builder = builder.gateway(gateway);
        }
        if let Some(sink) = self.sink(&name, medium)? {
            builder = builder.sink(sink);
        }
        let host = builder
            .build()
            .context("cannot start the host")
            .context(Failure::Network)?;
        Ok(Network {
            host,
            device: name,
            addresses: self.address.clone(),
        })
    }

    fn settings(&self) -> Result<Settings> {
        let mut settings = Settings::default();
        for (name, value) in &self.sysctl {
            let setting = settings_table::find(name)
                .with_context(|| format!("there is no setting {name:?}"))?;
            let set = setting.set(&mut settings, value);
            set.map_err(|_| anyhow!("{name} takes {}, not {value:?}", setting.expected()))?;
        }
        Ok(settings)
    }

    /// The kernel's addresses on a device that is created.
    fn kernel_addresses(&self) -> Result<Vec<Cidr>> {
        if !self.host_address.is_empty() {
            return Ok(self.host_address.clone());
        }
        let others = self.address.iter().map(|&own| {
            cidr::first_other(own).with_context(|| {
                format!(
                    "the network of {} has no other address: give the kernel's side one with \
                     --host-address",
                    cidr::show(own)
                )
            })
        });
        others.collect()
    }

    /// Those that were given, and for families without one the kernel's address.
    fn gateways(&self, kernel_addresses: &[Cidr]) -> Vec<IpAddr> {
        let mut gateways = self.gateway.clone();
        for v4 in [true, false] {
            let kernel = kernel_addresses.iter().map(|cidr| cidr.address);
            if !gateways.iter().any(|gateway| gateway.is_ipv4() == v4) {
                gateways.extend(kernel.clone().find(|address| address.is_ipv4() == v4));
            }
        }
        gateways
    }

    /// What receives the host's events.
    fn sink(&self, device: &str, medium: Medium) -> Result<Option<Box<dyn HostSink>>> {
        let mut tee = Tee::new();
        if self.trace {
            tee = tee.with(Box::new(LiveLadder::new("estab", stderr())));
        }
        if let Some(path) = &self.pcapng {
            let recorder = capture_file::recorder(capture_file::create_named(path)?, path)?;
            tee = tee.with(recorder.sink("estab", &[(device, medium)]));
        }
        let any = self.trace || self.pcapng.is_some();
        Ok(any.then(|| Box::new(tee) as Box<dyn HostSink>))
    }
}

/// Opens the device; one that is created gets the kernel's addresses and is set up.
fn open_device(url: &DeviceUrl, kernel_addresses: &[Cidr]) -> io::Result<OpenedDevice> {
    let opened = url.open()?;
    if let Some(index) = opened.created_link {
        for cidr in kernel_addresses {
            netlink::add_address(index, cidr.address, cidr.prefix_len)?;
        }
        netlink::set_up(index)?;
    }
    Ok(opened)
}

impl Network {
    /// What it is, in a line for people.
    pub(crate) fn describe(&self) -> String {
        let addresses: Vec<_> = self
            .addresses
            .iter()
            .map(|&cidr| cidr::show(cidr))
            .collect();
        format!("{} on {}", addresses.join(", "), self.device)
    }

    /// estab's addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().map(|cidr| cidr.address)
    }

    /// The address to listen at: any of ours, of both families when there are both.
    pub(crate) fn any(&self, port: u16) -> SocketAddr {
        let v6 = self.addresses().any(|address| address.is_ipv6());
        let any: IpAddr = match v6 {
            true => Ipv6Addr::UNSPECIFIED.into(),
            false => Ipv4Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(any, port)
    }

    /// The addresses of a host by its name, of the families that we have an address of. The system's resolver is asked.
    ///
    /// # Errors
    /// The name is not known, or has no address that we could reach.
    pub(crate) async fn resolve(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>> {
        let found = tokio::net::lookup_host((name, port)).await;
        let found = found.with_context(|| format!("cannot find the address of {name}"));
        let found: Vec<_> = found.context(Failure::Connection)?.collect();
        let reachable = |to: &SocketAddr| self.addresses().any(|own| own.is_ipv4() == to.is_ipv4());
        let (good, other): (Vec<_>, Vec<_>) = found.into_iter().partition(reachable);
        if let (true, Some(first)) = (good.is_empty(), other.first()) {
            let family = if first.is_ipv4() { "IPv4" } else { "IPv6" };
            let error =
                anyhow!("{name} has only addresses of {family}: give estab one with --address");
            return Err(error.context(Failure::Connection));
        }
        Ok(good)
    }

    /// Connects to the first address of a host that answers.
    ///
    /// # Errors
    /// None does.
    pub(crate) async fn connect(
        &self,
        name: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<estab::tokio::TcpStream> {
        let mut failed = anyhow!("{name} has no address").context(Failure::Connection);
        for address in self.resolve(name, port).await? {
            let connect = estab::tokio::TcpStream::connect(&self.host, address);
            let error = match tokio::time::timeout(timeout, connect).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => error,
                Err(_) => io::Error::from(io::ErrorKind::TimedOut),
            };
            failed = anyhow!(error).context(format!("{address} from {}", self.describe()));
            failed = failed.context(Failure::Connection);
        }
        Err(failed)
    }
}
