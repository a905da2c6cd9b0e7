//! The network of a command: the same options for every command that has one.

mod cidr;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use estab_stack::Cidr;
use std::net::IpAddr;
use std::path::PathBuf;

const HEADING: &str = "Network";
/// The device of a command that names none.
const DEVICE: &str = "tun:estab0";
/// estab's address when none is given.
const ADDRESS: &str = "10.217.0.2/24";

/// Options of the network.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = HEADING)]
pub(crate) struct NetworkArgs {
    /// The device: tun:NAME or tap:NAME. One that does not exist is created, and removed at the end
    #[arg(long, value_name = "URL", default_value = DEVICE)]
    device: String,

    /// An address of estab with its network; may be given several times, for both families
    #[arg(long, value_name = "CIDR", value_parser = cidr::parse, default_value = ADDRESS)]
    address: Vec<Cidr>,

    /// The kernel's address on a device that is created [default: the first other one of each --address]
    #[arg(long, value_name = "CIDR", value_parser = cidr::parse)]
    host_address: Vec<Cidr>,

    /// Where packets for other networks go; once for each family [default: the kernel's address]
    #[arg(long, value_name = "ADDRESS")]
    gateway: Vec<IpAddr>,

    /// Set a setting of estab, by Linux's name without net.ipv4, such as tcp_syn_retries=3
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
    impair: Option<String>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let name = name.trim().trim_start_matches("net.ipv4.");
    Ok((name.to_owned(), value.trim().to_owned()))
}

impl NetworkArgs {
    /// The kernel's addresses on a device that is created.
    fn kernel_addresses(&self) -> Result<Vec<Cidr>> {
        if !self.host_address.is_empty() {
            return Ok(self.host_address.clone());
        }
        let others = self.address.iter().map(|&own| {
            cidr::first_other(own).with_context(|| {
                let own = cidr::show(own);
                format!("the network of {own} has no other address: give the kernel's side one with --host-address")
            })
        });
        others.collect()
    }
}
