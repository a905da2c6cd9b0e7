//! Hosts, links, and the clock that jumps from deadline to deadline.

use crate::link::Link;
use crate::{App, End, LinkConfig, LinkCounters, Rule};
use bytes::Bytes;
use core::time::Duration;
use estab_device::carry;
use estab_device::impair::Impairments;
use estab_stack::{
    Cidr, HostSink, InterfaceConfig, InterfaceId, Medium, Stack, StackConfig, StackEvent,
};
use estab_tcp::{Instant, Rng, Settings};

/// A host of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(usize);

/// A link of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(usize);

type SinkMaker = Box<dyn Fn() -> Box<dyn HostSink> + Send>;

struct Host {
    name: String,
    settings: Settings,
    stack: Stack,
    sink: Option<SinkMaker>,
    /// To which end of which link each interface belongs, with its addresses; what a reboot brings back.
    interfaces: Vec<Attached>,
    apps: Vec<Box<dyn App>>,
}

struct Attached {
    id: InterfaceId,
    link: LinkId,
    end: End,
    addresses: Vec<Cidr>,
}

/// Packets that hosts may exchange in one instant before the network says that it is caught in a loop.
const PACKETS_PER_INSTANT_MAX: u64 = 1_000_000;

/// Hosts joined by links, in virtual time. The same seed and the same calls give the same packets, on any machine.
///
/// ```
/// use core::time::Duration;
/// use estab_sim::{LinkConfig, Network};
/// use estab_tcp::Settings;
///
/// let mut net = Network::new(1);
/// let a = net.add_host("a", Settings::default());
/// let b = net.add_host("b", Settings::default());
/// net.join(a, "10.0.0.1/24", b, "10.0.0.2/24", LinkConfig::default());
///
/// let listener = net.call(b, |stack, now| {
///     let socket = stack.tcp_socket(false)?;
///     stack.bind(socket, "10.0.0.2:7".parse().unwrap())?;
///     stack.listen(now, socket, 8)?;
///     Ok::<_, estab_stack::Error>(socket)
/// })?;
/// net.call(a, |stack, now| {
///     let socket = stack.tcp_socket(false)?;
///     let _ = stack.connect(now, socket, "10.0.0.2:7".parse().unwrap(), None);
///     Ok::<_, estab_stack::Error>(())
/// })?;
/// let opened = net.run_until(Duration::from_secs(1), |net| {
///     net.call(b, |stack, now| stack.accept(now, listener)).is_ok()
/// });
/// assert!(opened);
/// // One and a half round trips.
/// assert_eq!(net.now().as_nanos(), 30_000_000);
/// # Ok::<(), estab_stack::Error>(())
/// ```
pub struct Network {
    now: Instant,
    rng: Rng,
    hosts: Vec<Host>,
    links: Vec<Link>,
    in_this_instant: u64,
}

impl Network {
    /// No hosts yet.
    pub fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            rng: Rng::new(seed),
            hosts: Vec::new(),
            links: Vec::new(),
            in_this_instant: 0,
        }
    }

    /// Now, in virtual time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Adds a host.
    pub fn add_host(&mut self, name: &str, settings: Settings) -> HostId {
        let stack = Stack::new(StackConfig {
            seed: seed_bytes(&mut self.rng),
            settings: settings.clone(),
        });
        self.hosts.push(Host {
            name: name.into(),
            settings,
            stack,
            sink: None,
            interfaces: Vec::new(),
            apps: Vec::new(),
        });
        HostId(self.hosts.len() - 1)
    }

    /// Joins two hosts by a link, with one address each.
    ///
    /// # Panics
    /// When an address is not written like `10.0.0.1/24` or `fd00::1/64`.
    pub fn join(
        &mut self,
        a: HostId,
        address_a: &str,
        b: HostId,
        address_b: &str,
        config: LinkConfig,
    ) -> LinkId {
        self.join_many(a, &[cidr(address_a)], b, &[cidr(address_b)], config)
    }

    /// Joins two hosts by a link, with any number of addresses each.
    pub fn join_many(
        &mut self,
        a: HostId,
        addresses_a: &[Cidr],
        b: HostId,
        addresses_b: &[Cidr],
        config: LinkConfig,
    ) -> LinkId {
        let link = LinkId(self.links.len());
        for (end, host, addresses) in [(End::A, a, addresses_a), (End::B, b, addresses_b)] {
            let attached = Attached {
                id: InterfaceId(0),
                link,
                end,
                addresses: addresses.to_vec(),
            };
            let host = &mut self.hosts[host.0];
            host.interfaces.push(attached);
            let index = host.interfaces.len() - 1;
            host.attach(index, &config);
        }
        let seed = self.rng.next_u64();
        self.links.push(Link::new(config, seed));
        link
    }

    /// Gives a host a sink for its events; the function makes one anew after each reboot.
    pub fn set_sink(
        &mut self,
        host: HostId,
        make: impl Fn() -> Box<dyn HostSink> + Send + 'static,
    ) {
        let host = &mut self.hosts[host.0];
        host.stack.set_sink(Some(make()));
        host.sink = Some(Box::new(make));
    }

    /// The host's name.
    pub fn name(&self, host: HostId) -> &str {
        &self.hosts[host.0].name
    }

    /// A host's interface, in the order in which it was joined to links.
    ///
    /// # Panics
    /// When it has not so many.
    pub fn interface(&self, host: HostId, nth: usize) -> InterfaceId {
        self.hosts[host.0].interfaces[nth].id
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len()).map(HostId)
    }

    /// Looks at a host's stack.
    pub fn stack(&self, host: HostId) -> &Stack {
        &self.hosts[host.0].stack
    }

    /// Calls a host's stack, and sends what the call caused.
    pub fn call<T>(&mut self, host: HostId, call: impl FnOnce(&mut Stack, Instant) -> T) -> T {
        let now = self.now;
        let result = call(&mut self.hosts[host.0].stack, now);
        self.flush(host.0);
        result
    }

    /// Runs a program on a host.
    pub fn add_app(&mut self, host: HostId, app: impl App) {
        let now = self.now;
        let at = &mut self.hosts[host.0];
        at.apps.push(Box::new(app));
        if let Some(app) = at.apps.last_mut() {
            app.poll(&mut at.stack, now);
        }
        self.flush(host.0);
    }

    /// Have all programs done what they wanted?
    pub fn apps_done(&self) -> bool {
        let mut apps = self.hosts.iter().flat_map(|host| &host.apps);
        apps.all(|app| app.is_done())
    }

    /// Crashes a host and starts it again: its connections are gone and it says nothing to anybody. Its programs are
    /// gone too.
    pub fn reboot(&mut self, host: HostId) {
        let seed = seed_bytes(&mut self.rng);
        let host = &mut self.hosts[host.0];
        host.apps.clear();
        host.stack = Stack::new(StackConfig {
            seed,
            settings: host.settings.clone(),
        });
        host.stack.set_sink(host.sink.as_ref().map(|make| make()));
        for index in 0..host.interfaces.len() {
            let config = self.links[host.interfaces[index].link.0].config.clone();
            host.attach(index, &config);
        }
    }

    /// Adds a rule to a link, behind those it has.
    pub fn add_rule(&mut self, link: LinkId, rule: Rule) {
        self.links[link.0].add_rule(rule);
    }

    /// From now on this happens to what one end of a link sends.
    pub fn set_impairments(&mut self, link: LinkId, from: End, impairments: Impairments) {
        self.links[link.0].set_impairments(from, impairments);
    }

    /// Puts a router with a small link into the middle: it answers with ICMP to packets of more bytes and drops them.
    pub fn narrow(&mut self, link: LinkId, mtu: Option<u16>) {
        self.links[link.0].set_narrow(mtu);
    }

    /// Cuts a cable: what is under way is lost, and what is sent from now on. Or mends it.
    pub fn cut(&mut self, link: LinkId, cut: bool) {
        self.links[link.0].set_cut(cut);
    }

    /// Puts a packet in front of the host at this end of a link, as if somebody had sent it.
    pub fn inject(&mut self, link: LinkId, to: End, packet: Bytes) {
        self.links[link.0].inject(to, packet);
    }

    /// What a link did.
    pub fn link_counters(&self, link: LinkId) -> LinkCounters {
        self.links[link.0].counters()
    }

    /// Is nothing under way on any link?
    pub fn links_idle(&self) -> bool {
        self.links.iter().all(|link| link.due().is_none())
    }

    /// Lets time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.step(until) {}
    }

    /// Lets time pass until something holds, at most so long. Whether it held.
    pub fn run_until(&mut self, limit: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let until = self.now + limit;
        loop {
            if holds(self) {
                return true;
            }
            if !self.step(until) {
                return holds(self);
            }
        }
    }

    /// Lets time pass until nothing would ever happen again, at most so long. Whether it came to that.
    pub fn run_to_rest(&mut self, limit: Duration) -> bool {
        let until = self.now + limit;
        while self.next_deadline().is_some_and(|next| next <= until) {
            self.step(until);
        }
        self.next_deadline().is_none()
    }

    /// When something will happen next without anybody calling.
    pub fn next_deadline(&self) -> Option<Instant> {
        let links = self.links.iter().filter_map(Link::due);
        let stacks = self
            .hosts
            .iter()
            .filter_map(|host| host.stack.poll_timeout());
        let apps = self.hosts.iter().flat_map(|host| &host.apps);
        let apps = apps.filter_map(|app| app.wake_at());
        let next = links.chain(stacks).chain(apps).min();
        next.map(|next| next.max(self.now))
    }

    /// Goes to the next moment at which something happens, and lets it happen; not beyond `until`. `false`: nothing
    /// happens until then, and it is then.
    ///
    /// # Panics
    /// When hosts exchange packets without end in one instant, which is a bug of theirs.
    pub fn step(&mut self, until: Instant) -> bool {
        let next = self.next_deadline().filter(|next| *next <= until);
        let Some(next) = next else {
            self.now = self.now.max(until);
            self.in_this_instant = 0;
            return false;
        };
        if next > self.now {
            self.now = next;
            self.in_this_instant = 0;
        }
        self.deliver();
        for index in 0..self.hosts.len() {
            let now = self.now;
            let host = &mut self.hosts[index];
            if host.stack.poll_timeout().is_some_and(|at| at <= now) {
                host.stack.handle_timeout(now);
            }
            host.wake_apps(now);
            self.flush(index);
        }
        true
    }

    /// Hands over what has arrived, packet by packet, each with what it causes.
    fn deliver(&mut self) {
        let now = self.now;
        for index in 0..self.links.len() {
            while let Some((end, packet)) = self.links[index].receive(now) {
                self.in_this_instant += 1;
                assert!(
                    self.in_this_instant < PACKETS_PER_INSTANT_MAX,
                    "hosts exchange packets without end at {now:?}"
                );
                let Some((host, interface)) = self.interface_at(LinkId(index), end) else {
                    continue;
                };
                self.hosts[host].stack.handle_packet(now, interface, packet);
                self.flush(host);
            }
        }
    }

    fn interface_at(&self, link: LinkId, end: End) -> Option<(usize, InterfaceId)> {
        self.hosts.iter().enumerate().find_map(|(index, host)| {
            let mut attached = host.interfaces.iter();
            let found = attached.find(|at| at.link == link && at.end == end)?;
            Some((index, found.id))
        })
    }

    /// Sends what a host wants to send and tells its programs what happened, until neither is left.
    fn flush(&mut self, index: usize) {
        let now = self.now;
        loop {
            let host = &mut self.hosts[index];
            while let Some((interface, packet)) = host.stack.poll_transmit(now) {
                let attached = host.interfaces.iter().find(|at| at.id == interface);
                if let Some(at) = attached {
                    let link = &mut self.links[at.link.0];
                    let packet = carry(&packet, link.config.segmentation_offload > 0);
                    link.send(now, at.end, packet);
                }
            }
            let mut happened = false;
            while let Some(StackEvent::Ready(..) | StackEvent::Closed(_)) = host.stack.poll_event()
            {
                happened = true;
            }
            if !happened {
                return;
            }
            for app in &mut host.apps {
                app.poll(&mut host.stack, now);
            }
        }
    }
}

impl Host {
    /// Makes the stack know an interface.
    fn attach(&mut self, index: usize, config: &LinkConfig) {
        let at = &mut self.interfaces[index];
        let [number, end] = [at.link.0, at.end as usize].map(|n| n as u8);
        at.id = self.stack.add_interface(InterfaceConfig {
            name: format!("link{}", at.link.0),
            medium: config.medium,
            hardware_address: match config.medium {
                Medium::Ip => [0; 6],
                Medium::Ethernet => [2, 0, 0, 0, number, end + 1],
            },
            mtu: config.mtu[at.end as usize],
            checksum_offload: config.segmentation_offload > 0,
            segmentation_offload: config.segmentation_offload,
        });
        for address in &at.addresses {
            let added = self.stack.add_address(at.id, *address);
            debug_assert!(added.is_ok(), "an address of a new host");
        }
    }

    fn wake_apps(&mut self, now: Instant) {
        for app in &mut self.apps {
            if app.wake_at().is_some_and(|at| at <= now) {
                app.poll(&mut self.stack, now);
            }
        }
    }
}

fn seed_bytes(rng: &mut Rng) -> [u8; 32] {
    let mut seed = [0; 32];
    for part in seed.chunks_exact_mut(8) {
        part.copy_from_slice(&rng.next_u64().to_le_bytes());
    }
    seed
}

/// Reads `10.0.0.1/24`.
///
/// # Panics
/// When it is not written so.
pub fn cidr(text: &str) -> Cidr {
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        Some(Cidr {
            address: address.parse().ok()?,
            prefix_len: prefix.parse().ok()?,
        })
    });
    parsed.unwrap_or_else(|| panic!("an address with its prefix, not {text:?}"))
}
