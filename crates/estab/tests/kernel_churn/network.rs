//! A host behind a TUN device, and the kernel at its other end.

use crate::LANES;
use crate::common::{eventually, kernel_serves};
use crate::watch::Watch;
use estab::{Host, Settings};
use estab_device::netlink;
use estab_device::tuntap::{TunTap, TunTapConfig};
use rustix::net::sockopt::set_tcp_congestion;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

/// Our 2 MSL. The kernel's is fixed at 60 s, and its records are not looked at.
const TIME_WAIT: Duration = Duration::from_millis(500);
/// Nothing is lost here, but a busy machine is slow: neither end may take that for a loss, since a FIN that came twice is
/// acknowledged twice, and the second ACK is answered with a RST.
const RTO_MIN: Duration = Duration::from_secs(1);
/// After so long nothing may be left of a closed connection.
pub(crate) const OVER_MAX: Duration = Duration::from_secs(5);

/// How the kernel's side works.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// Each packet is one segment; congestion control by Reno.
    PlainReno,
    /// Super-segments and checksum offload; congestion control by CUBIC.
    OffloadCubic,
}

impl Side {
    fn congestion(self) -> &'static str {
        match self {
            Self::PlainReno => "reno",
            Self::OffloadCubic => "cubic",
        }
    }
}

pub(crate) struct Network {
    pub(crate) host: Host,
    side: Side,
    number: u8,
}

/// The host's end in the last byte of an address.
const OURS: u8 = 2;
const KERNEL: u8 = 1;

impl Network {
    /// `number` is one that no host had before: a host that knows nothing of the connections of another before it, at
    /// the same address, opens with sequence numbers that the kernel's TIME-WAITs do not take.
    pub(crate) fn new(number: u8, side: Side, watch: Watch) -> Self {
        be_patient();
        let mut config = TunTapConfig::tun("estab0");
        config.offload = matches!(side, Side::OffloadCubic);
        let device = open(&config);
        netlink::add_address(device.index(), v4(number, KERNEL), 24).unwrap();
        netlink::add_address(device.index(), v6(number, KERNEL), 64).unwrap();
        netlink::set_up(device.index()).unwrap();
        kernel_serves(v4(number, KERNEL));
        kernel_serves(v6(number, KERNEL));
        let settings = Settings {
            tcp_time_wait: TIME_WAIT,
            tcp_rto_min: RTO_MIN,
            ..Settings::default()
        };
        let host = Host::builder()
            .settings(settings)
            .device("estab0", device)
            .address(v4(number, OURS), 24)
            .address(v6(number, OURS), 64)
            .sink(Box::new(watch))
            .build()
            .unwrap();
        Self { host, side, number }
    }

    /// Where the listener of a lane is, when it is ours.
    pub(crate) fn ours(&self, lane: u64) -> SocketAddr {
        self.server(lane, OURS)
    }

    /// The same when it is the kernel's.
    pub(crate) fn kernels(&self, lane: u64) -> SocketAddr {
        self.server(lane, KERNEL)
    }

    fn server(&self, lane: u64, end: u8) -> SocketAddr {
        let family = if lane < LANES / 2 { v4 } else { v6 };
        SocketAddr::new(
            family(self.number, end),
            5000 + u16::try_from(lane).unwrap(),
        )
    }

    /// Prepares a connected socket of the kernel's.
    pub(crate) fn prepare<S: AsFd>(&self, stream: S) -> io::Result<S> {
        set_tcp_congestion(&stream, self.side.congestion())?;
        Ok(stream)
    }
}

/// Opens the device, once the host that had it before has given it back.
fn open(config: &TunTapConfig) -> TunTap {
    let mut opened = None;
    eventually("the device is free", || match TunTap::open(config) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => false,
        result => {
            opened = Some(result.unwrap());
            true
        }
    });
    opened.unwrap()
}

/// What [`RTO_MIN`] is for us, for the kernel.
fn be_patient() {
    std::fs::write("/proc/sys/net/ipv4/tcp_early_retrans", "0").unwrap();
    // Linux has it since 6.11; before that its 200 ms have to do.
    let _ = std::fs::write(
        "/proc/sys/net/ipv4/tcp_rto_min_us",
        RTO_MIN.as_micros().to_string(),
    );
}

fn v4(number: u8, end: u8) -> IpAddr {
    Ipv4Addr::new(10, 77, number, end).into()
}

fn v6(number: u8, end: u8) -> IpAddr {
    Ipv6Addr::new(0xfd77, 0, 0, number.into(), 0, 0, 0, end.into()).into()
}
