//! The world of a scenario in real time: estab's stack, the cable with its rules, and the kernel behind a TUN device.

use super::lab::Holder;
use super::observer::Observer;
use super::sysctl;
use estab_device::tuntap::{TunTap, TunTapConfig};
use estab_device::{Device, RxBatch, netlink};
use estab_sim::stage::{Setup, SinkMaker};
use estab_sim::{End, Link, LinkConfig, Seen};
use estab_stack::{Cidr, InterfaceConfig, InterfaceId, Medium, Stack, StackConfig};
use estab_tcp::Instant;
use estab_trace::{Collector, Environment, HostRecord, Record, Tee};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

const DEVICE: &str = "estab0";
/// The kernel's own timers tell us nothing: so often its sockets are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Packets taken from the kernel at once.
const BATCH: usize = 64;

/// The two hosts and what lies between them.
pub(crate) struct Real {
    start: std::time::Instant,
    setup: Setup,
    seed: u64,
    stack: Stack,
    interface: InterfaceId,
    device: TunTap,
    batch: RxBatch,
    link: Link,
    collector: Collector,
    sinks: Option<SinkMaker>,
    pub(super) observer: Observer,
    pub(super) sockets: Vec<Holder>,
}

impl Real {
    /// Sets up both hosts in the network namespace of the calling thread, which must be one made for this.
    ///
    /// # Errors
    /// The namespace does not allow what is needed.
    pub(crate) fn new(
        setup: Setup,
        seed: u64,
        collector: &Collector,
        sinks: Option<SinkMaker>,
    ) -> io::Result<Self> {
        let [_, kernel] = &setup.settings;
        sysctl::apply(kernel)?;
        if !setup.v6 {
            sysctl::disable_ipv6()?;
        }
        let config = TunTapConfig {
            // Each segment is to be seen as it would be on a wire.
            offload: false,
            mtu: Some(setup.mtu[End::B as usize]),
            ..TunTapConfig::tun(DEVICE)
        };
        let device = TunTap::open(&config)?;
        let cidr = cidr(setup.v6, End::B);
        netlink::add_address(device.index(), cidr.address, cidr.prefix_len)?;
        netlink::set_up(device.index())?;
        let observer = Observer::new(collector, cidr.address, kernel.tcp_fin_timeout);
        let link = LinkConfig {
            mtu: setup.mtu,
            ..LinkConfig::default().delay(setup.delay)
        };
        let (stack, interface) = estab(&setup, seed, collector, sinks.as_ref());
        Ok(Self {
            start: now(),
            stack,
            interface,
            device,
            batch: RxBatch::new(BATCH),
            link: Link::new(link, seed),
            observer,
            sockets: Vec::new(),
            collector: collector.clone(),
            setup,
            seed,
            sinks,
        })
    }

    pub(super) fn clock(&self) -> Instant {
        Instant::ZERO + (now() - self.start)
    }

    pub(super) fn v6(&self) -> bool {
        self.setup.v6
    }

    pub(super) fn address_of(&self, host: End) -> IpAddr {
        cidr(self.setup.v6, host).address
    }

    pub(super) fn stack(&self) -> &Stack {
        &self.stack
    }

    pub(super) fn stack_mut(&mut self) -> &mut Stack {
        &mut self.stack
    }

    pub(super) fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }

    pub(super) fn tell(&self, host: End, what: Environment) {
        self.collector.push(Record {
            time: self.clock(),
            host: host.name().into(),
            event: HostRecord::Environment(what),
        });
    }

    /// Starts estab's host anew; its sockets are gone.
    pub(super) fn reboot_estab(&mut self) {
        self.seed = self.seed.wrapping_add(1);
        let (stack, interface) =
            estab(&self.setup, self.seed, &self.collector, self.sinks.as_ref());
        (self.stack, self.interface) = (stack, interface);
    }

    /// Takes what estab's host wants to send.
    pub(super) fn flush(&mut self) {
        let now = self.clock();
        while let Some((_, packet)) = self.stack.poll_transmit(now) {
            self.link.send(now, End::A, packet.to_bytes().into());
        }
        // Whoever waits for readiness asks for it.
        while self.stack.poll_event().is_some() {}
    }

    /// Takes what the kernel has sent.
    pub(super) fn take_from_kernel(&mut self, now: Instant) -> bool {
        let mut any = false;
        // An error means that the device is gone, and with it the scenario: its expectations will say so.
        while self
            .device
            .receive(now, &mut self.batch)
            .is_ok_and(|count| count > 0)
        {
            while let Some(packet) = self.batch.pop() {
                let Some(seen) = Seen::parse(Medium::Ip, &packet.data) else {
                    continue;
                };
                // Not what the kernel says to multicast groups of its own accord.
                if seen.dst == self.address_of(End::A) && seen.src == self.address_of(End::B) {
                    self.observer.sends(now, &seen);
                    self.link.send(now, End::B, packet);
                    any = true;
                }
            }
        }
        any
    }

    /// Does what is due. False: nothing was.
    fn work(&mut self) -> bool {
        let now = self.clock();
        let mut any = self.take_from_kernel(now);
        while let Some((end, packet)) = self.link.receive(now) {
            any = true;
            match end {
                End::A => {
                    self.stack.handle_packet(now, self.interface, packet);
                    self.flush();
                }
                End::B => self.give_to_kernel(now, &packet.data),
            }
        }
        if self.stack.poll_timeout().is_some_and(|at| at <= now) {
            self.stack.handle_timeout(now);
            self.flush();
            any = true;
        }
        self.learn_all(now);
        self.observer.expire(now);
        any
    }

    fn give_to_kernel(&mut self, now: Instant, packet: &[u8]) {
        if let Some(seen) = Seen::parse(Medium::Ip, packet) {
            self.observer.receives(now, &seen);
        }
        // What the kernel refuses is lost, as on a wire; TCP will say so.
        let _ = rustix::io::write(&self.device, packet);
        self.learn_all(now);
        self.take_from_kernel(now);
    }

    /// Lets time pass until something may have happened, at most until then. False: it is then.
    pub(super) fn turn(&mut self, until: Instant) -> bool {
        let any = self.work();
        let now = self.clock();
        if any || now >= until {
            return now < until;
        }
        let due = [
            self.link.due(),
            self.stack.poll_timeout(),
            self.observer.due(),
        ];
        let wake = due
            .into_iter()
            .flatten()
            .fold(until.min(now + LOOK_INTERVAL), Instant::min);
        self.sleep(wake.since(now));
        self.work();
        true
    }

    fn sleep(&self, duration: Duration) {
        let timeout = Timespec {
            tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: duration.subsec_nanos().into(),
        };
        let mut fds = [PollFd::new(&self.device, PollFlags::IN)];
        // Interrupted: that is a reason to look, too.
        let _ = poll(&mut fds, Some(&timeout));
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a scenario against the kernel is played in real time"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// The same addresses as on the simulator.
fn cidr(v6: bool, host: End) -> Cidr {
    let last = host as u8 + 1;
    if v6 {
        let address = IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, last.into()]);
        Cidr {
            address,
            prefix_len: 64,
        }
    } else {
        Cidr {
            address: IpAddr::from([10, 0, 0, last]),
            prefix_len: 24,
        }
    }
}

/// Host `a`.
fn estab(
    setup: &Setup,
    seed: u64,
    collector: &Collector,
    sinks: Option<&SinkMaker>,
) -> (Stack, InterfaceId) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let [settings, _] = setup.settings.clone();
    let mut stack = Stack::new(StackConfig {
        seed: bytes,
        settings,
    });
    let name = End::A.name();
    let collects = collector.sink(name);
    stack.set_sink(Some(match sinks.and_then(|sinks| sinks(name)) {
        Some(more) => Box::new(Tee::new().with(collects).with(more)),
        None => collects,
    }));
    let interface = stack.add_interface(InterfaceConfig {
        name: DEVICE.into(),
        medium: Medium::Ip,
        hardware_address: [0; 6],
        mtu: setup.mtu[End::A as usize],
        checksum_offload: false,
        segmentation_offload: 0,
    });
    let added = stack.add_address(interface, cidr(setup.v6, End::A));
    debug_assert!(added.is_ok(), "an address of a new host");
    (stack, interface)
}
