//! Simulations whose options and faults are drawn from a seed: what nobody thought of trying.
//!
//! A seed is a whole bug report: `ESTAB_SEED=1234 cargo test -p estab-sim --test random` runs it again and prints what
//! happened.

use crate::checkers::{self, Violation};
use crate::{
    Ending, HostId, LinkConfig, LinkId, Listener, Network, Pattern, Peer, PeerConfig, Reporter,
    Reports,
};
use core::net::SocketAddr;
use core::time::Duration;
use estab_device::impair::{Impairments, Loss, Probability};
use estab_stack::{Medium, SocketOption};
use estab_tcp::{Interest, Rng, Settings};
use estab_trace::{Collector, Record};

/// What a seed stands for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The link.
    pub link: LinkConfig,
    /// Settings of both hosts.
    pub settings: [Settings; 2],
    /// Addresses are of IPv6.
    pub v6: bool,
    /// The connections, each from one host to the other.
    pub connections: Vec<Connection>,
    /// What happens in the middle of it.
    pub fault: Fault,
}

/// One connection of a plan.
#[derive(Clone, Debug)]
pub struct Connection {
    /// From host b to host a, not from a to b.
    pub reverse: bool,
    /// The end that connects.
    pub client: PeerConfig,
    /// The end that accepts.
    pub server: PeerConfig,
}

/// A fault that chance on the link is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None: all must arrive.
    None,
    /// The cable is cut for a while: all must still arrive.
    Cut {
        /// When.
        after: Duration,
        /// For how long.
        lasts: Duration,
    },
    /// A host crashes: what had arrived must be right, and nothing may be left.
    Reboot {
        /// When.
        after: Duration,
        /// Host b, not a.
        second: bool,
    },
    /// The path's MTU shrinks: all must still arrive.
    Narrow {
        /// When.
        after: Duration,
        /// To this many bytes.
        mtu: u16,
    },
}

/// Draws with names that read well.
struct Dice(Rng);

impl Dice {
    fn one_in(&mut self, n: u32) -> bool {
        self.0.below(n) == 0
    }

    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.0.below(high - low + 1)
    }

    fn millis(&mut self, low: u32, high: u32) -> Duration {
        Duration::from_millis(self.between(low, high).into())
    }

    fn any<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.below(of.len() as u32) as usize]
    }

    fn ppm(&mut self, highest: u32) -> Probability {
        Probability::from_ppm(self.0.below(highest))
    }
}

impl Plan {
    /// What this seed stands for.
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice(Rng::new(seed));
        let v6 = dice.one_in(4);
        let link = dice.link(v6);
        let mut settings = [dice.settings(), dice.settings()];
        if link.ways.iter().any(loses_or_reorders) {
            // A cookie comes back in the first segments of a connection only. When these are lost or overtaken, the next one meets
            // a listener that knows nothing, and is reset (RFC 9293 3.10.7.2): cookies are for floods.
            for settings in &mut settings {
                settings.tcp_syncookies = 1;
            }
        }
        let connections = (0..dice.between(1, 3)).map(|_| dice.connection()).collect();
        Self {
            seed,
            settings,
            v6,
            fault: dice.fault(v6, link.medium),
            link,
            connections,
        }
    }
}

fn loses_or_reorders(way: &Impairments) -> bool {
    let never = [way.corrupt, way.reorder] == [Probability::ZERO; 2];
    way.loss != Loss::None || way.rate.is_some() || !never
}

impl Dice {
    fn link(&mut self, v6: bool) -> LinkConfig {
        let floor = if v6 { 1280 } else { 576 };
        let mtus = [1500, 1500, 1500, 1280, 9000, floor];
        LinkConfig {
            medium: if self.one_in(3) {
                Medium::Ethernet
            } else {
                Medium::Ip
            },
            mtu: [self.any(&mtus), self.any(&mtus)],
            segmentation_offload: if self.one_in(3) { 65_535 } else { 0 },
            ways: [self.way(), self.way()],
        }
    }

    /// Each fault is there or not, so that none hides behind the others.
    fn way(&mut self) -> Impairments {
        let mut way = Impairments {
            delay: self.millis(0, 100),
            ..Impairments::default()
        };
        if self.one_in(2) {
            way.loss = Loss::Random(self.ppm(80_000));
        } else if self.one_in(4) {
            let mean = self.ppm(40_000);
            way.loss = Loss::bursts(mean, 3.0).unwrap_or_default();
        }
        if self.one_in(3) {
            way.duplicate = self.ppm(100_000);
        }
        if self.one_in(3) {
            way.reorder = self.ppm(100_000);
        }
        if self.one_in(3) {
            way.corrupt = self.ppm(20_000);
        }
        if self.one_in(3) {
            way.jitter = self.millis(0, 50);
        }
        if self.one_in(4) {
            way.rate = Some(u64::from(self.between(200, 20_000)) * 1000);
        }
        way
    }

    fn settings(&mut self) -> Settings {
        let mut settings = Settings {
            tcp_timestamps: !self.one_in(4),
            tcp_window_scaling: !self.one_in(4),
            tcp_sack: !self.one_in(4),
            tcp_dsack: !self.one_in(4),
            // Chance must not be mistaken for a dead peer.
            tcp_syn_retries: 10,
            tcp_synack_retries: 10,
            tcp_orphan_retries: 12,
            ..Settings::default()
        };
        if self.one_in(4) {
            settings.tcp_syncookies = 2;
        }
        if self.one_in(4) {
            // Long enough for the last ACK to be lost a few times.
            settings.tcp_time_wait = self.millis(40_000, 80_000);
        }
        settings
    }

    fn connection(&mut self) -> Connection {
        let [up, down] = [self.0.next_u64(), self.0.next_u64()].map(Pattern::new);
        let mut client = self.peer(up, down);
        let mut server = self.peer(down, up);
        // One of them must end first.
        let linger = Ending::Linger(Duration::from_secs(600));
        client.ending = self.any(&[Ending::ShutdownThenRead, linger]);
        server.ending = self.any(&[Ending::ShutdownThenRead, Ending::ReadThenClose, linger]);
        if self.one_in(6) {
            let ending = self.any(&[Ending::CloseAtOnce, Ending::Abort]);
            let end = if self.one_in(2) {
                &mut client
            } else {
                &mut server
            };
            end.ending = ending;
            // Whoever is left alone finds out.
            for end in [&mut client, &mut server] {
                end.options.push(SocketOption::Keepalive(true));
                end.options
                    .push(SocketOption::KeepaliveIdle(Duration::from_secs(60)));
            }
        }
        Connection {
            reverse: self.one_in(2),
            client,
            server,
        }
    }

    fn peer(&mut self, sends: Pattern, gets: Pattern) -> PeerConfig {
        let mut options = Vec::new();
        if self.one_in(3) {
            options.push(SocketOption::NoDelay(true));
        }
        if self.one_in(4) {
            options.push(SocketOption::ReceiveBuffer(self.between(2048, 65_536)));
        }
        if self.one_in(4) {
            options.push(SocketOption::SendBuffer(self.between(4096, 65_536)));
        }
        if self.one_in(5) {
            options.push(SocketOption::MaxSegment(self.between(100, 1400) as u16));
        }
        if self.one_in(6) {
            options.push(SocketOption::Keepalive(true));
        }
        let most = self.any(&[0, 1, 1000, 20_000, 200_000]);
        PeerConfig {
            send: u64::from(self.0.below(most + 1)),
            sends,
            gets,
            write_max: self.any(&[1000, 5000, 65_536]),
            read_max: self.any(&[500, 5000, 65_536]),
            think: if self.one_in(6) {
                self.millis(1, 300)
            } else {
                Duration::ZERO
            },
            ending: Ending::ShutdownThenRead,
            options,
            seed: self.0.next_u64(),
        }
    }

    fn fault(&mut self, v6: bool, medium: Medium) -> Fault {
        let after = self.millis(0, 3000);
        match self.0.below(8) {
            0 => Fault::Cut {
                after,
                lasts: self.millis(10, 5_000),
            },
            1 => Fault::Reboot {
                after,
                second: self.one_in(2),
            },
            // The router in the middle is one of IP packets.
            2 if medium == Medium::Ip => Fault::Narrow {
                after,
                mtu: if v6 {
                    1280
                } else {
                    self.between(600, 1400) as u16
                },
            },
            _ => Fault::None,
        }
    }
}

/// A run of a plan.
pub struct Run {
    plan: Plan,
    network: Network,
    hosts: [HostId; 2],
    link: LinkId,
    collector: Collector,
    ends: Vec<(Reporter, Reports)>,
}

/// Longer than any plan takes when nothing hangs.
const LIMIT: Duration = Duration::from_secs(6 * 3600);

impl Run {
    /// Sets everything up. `interest` is what the record will hold; checking needs the states and errors at least.
    pub fn new(plan: Plan, interest: Interest) -> Self {
        let mut network = Network::new(plan.seed);
        let [settings_a, settings_b] = plan.settings.clone();
        let a = network.add_host("a", settings_a);
        let b = network.add_host("b", settings_b);
        let collector = Collector::with(interest.with(Interest::STATE), 10_000_000);
        for (host, name) in [(a, "a"), (b, "b")] {
            let collector = collector.clone();
            network.set_sink(host, move || collector.sink(name));
        }
        let addresses = if plan.v6 {
            ["fd00::1/64", "fd00::2/64"]
        } else {
            ["10.0.0.1/24", "10.0.0.2/24"]
        };
        let link = network.join(a, addresses[0], b, addresses[1], plan.link.clone());
        let mut run = Self {
            plan,
            network,
            hosts: [a, b],
            link,
            collector,
            ends: Vec::new(),
        };
        run.start();
        run
    }

    /// A seed's plan, run and checked; every fourth also for what its segments say.
    ///
    /// # Errors
    /// What did not hold.
    pub fn check(seed: u64) -> Result<Vec<Record>, Violation> {
        let plan = Plan::draw(seed);
        let segments = seed.is_multiple_of(4);
        let mtu = plan.link.mtu;
        let interest = if segments {
            Interest::SEGMENT
        } else {
            Interest::NONE
        };
        let mut run = Self::new(plan, interest);
        run.go()?;
        let records = run.collector.take();
        if segments {
            checkers::segments_fit(&records, mtu)?;
            checkers::windows_are_kept(&records, false)?;
        }
        Ok(records)
    }

    fn start(&mut self) {
        let ips: [core::net::IpAddr; 2] = if self.plan.v6 {
            [1, 2].map(|n| [0xfd00, 0, 0, 0, 0, 0, 0, n].into())
        } else {
            [1, 2].map(|n| [10, 0, 0, n].into())
        };
        for (index, connection) in self.plan.connections.clone().into_iter().enumerate() {
            let (from, to) = if connection.reverse { (1, 0) } else { (0, 1) };
            let at = SocketAddr::new(ips[to], 1000 + index as u16);
            let (listener, reports) = Listener::new(at, 4, 1, connection.server);
            self.network.add_app(self.hosts[to], listener);
            let (peer, report) = Peer::connect(at, connection.client);
            self.network.add_app(self.hosts[from], peer);
            self.ends.push((report, reports));
        }
    }

    /// What was recorded.
    pub const fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Runs it to its end and checks what must hold.
    ///
    /// # Errors
    /// What did not hold.
    pub fn go(&mut self) -> Result<(), Violation> {
        self.fault();
        let done = self.network.run_until(LIMIT, |net| net.apps_done());
        let rebooted = matches!(self.plan.fault, Fault::Reboot { .. });
        let plans = &self.plan.connections;
        let orderly = plans.iter().map(|plan| {
            plan.client.ending.is_orderly() && plan.server.ending.is_orderly() && !rebooted
        });
        let orderly: Vec<bool> = orderly.collect();
        // A client may be gone before the listener heard of it; that one waits for ever then.
        if !done && orderly.iter().all(|orderly| *orderly) {
            let reports = self.reports();
            return Err(Violation(format!("not done after {LIMIT:?}: {reports:?}")));
        }
        for ((client, server), orderly) in self.reports().into_iter().zip(orderly) {
            match server {
                Some(server) if orderly => checkers::streams_are_equal(&client, &server)?,
                Some(server) => checkers::streams_are_prefixes(&client, &server)?,
                None if orderly => {
                    return Err(Violation(format!("never accepted: {client:?}")));
                }
                None => {}
            }
        }
        if rebooted || !done {
            // Who survived may wait for ever for a peer that is gone, and that is right: nobody asked for keep-alive.
            return Ok(());
        }
        checkers::nothing_is_left(&mut self.network, LIMIT)
    }

    fn fault(&mut self) {
        match self.plan.fault {
            Fault::None => {}
            Fault::Cut { after, lasts } => {
                self.network.run_for(after);
                self.network.cut(self.link, true);
                self.network.run_for(lasts);
                self.network.cut(self.link, false);
            }
            Fault::Reboot { after, second } => {
                self.network.run_for(after);
                self.network.reboot(self.hosts[usize::from(second)]);
            }
            Fault::Narrow { after, mtu } => {
                self.network.run_for(after);
                self.network.narrow(self.link, Some(mtu));
            }
        }
    }

    fn reports(&self) -> Vec<(crate::PeerReport, Option<crate::PeerReport>)> {
        let each = self.ends.iter().map(|(client, server)| {
            let server = server.all().first().map(Reporter::now);
            (client.now(), server)
        });
        each.collect()
    }
}
