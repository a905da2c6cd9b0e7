use crate::clock::Clock;
use crate::emitted::{Emitted, Packet};
use crate::ffi::descriptor;
use crate::network::Network;
use crate::options::Options;
use estab_posix::{Address, Errno, Posix, Waiting};
use estab_stack::{Stack, StackConfig};
use estab_tcp::{Instant, Settings};
use std::collections::BTreeSet;

/// Timers run in one turn at most. The next turn goes on.
const TIMERS_MAX: usize = 10_000;
/// Later than everything.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// What the lock guards.
pub(crate) struct State {
    pub(crate) posix: Posix,
    pub(super) emitted: Emitted,
    /// Something was emitted since the last [`super::Plugin::tell`].
    pub(super) has_emitted: bool,
    /// Rises when the stack has moved; a call that waits sleeps while it stands still.
    pub(super) generation: u64,
    /// The last generation that was told.
    pub(super) told: u64,
    /// When the thread wakes of itself.
    pub(super) wakes_at: Instant,
    pub(super) stopping: bool,
    network: Network,
    clock: Clock,
    now: Instant,
    /// Our descriptors. Each is an open descriptor of the kernel too, as long as the tool has not closed it.
    descriptors: BTreeSet<i32>,
    lost: bool,
}

/// What [`State::advance`] did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advanced {
    /// The stack's time, which never goes back.
    pub(super) now: Instant,
    /// Did timers run?
    pub(super) ran: bool,
}

impl State {
    pub(super) fn new(options: Options, clock: Clock) -> Result<Self, String> {
        let mut stack = Stack::new(StackConfig {
            // The same in each run, so that a script that failed finds the same ports and numbers again. No network sees them.
            seed: [0; 32],
            settings: Settings::default(),
        });
        let network = Network::new(&mut stack, options)?;
        Ok(Self {
            posix: Posix::new(stack),
            emitted: Emitted::default(),
            has_emitted: false,
            generation: 0,
            told: 0,
            wakes_at: Instant::ZERO,
            stopping: false,
            network,
            clock,
            now: Instant::ZERO,
            descriptors: BTreeSet::new(),
            lost: false,
        })
    }

    /// Runs the timers that are due, each at its own time, so that what they send is stamped with it however late the thread woke.
    pub(super) fn advance(&mut self, now: Instant) -> Advanced {
        let now = now.max(self.now);
        let mut ran = false;
        for _ in 0..TIMERS_MAX {
            let Some(due) = self.posix.poll_timeout().filter(|due| *due <= now) else {
                break;
            };
            self.now = self.now.max(due);
            self.posix.handle_timeout(self.now);
            self.transmit();
            ran = true;
        }
        self.now = now;
        Advanced { now, ran }
    }

    pub(super) fn next_timer(&self) -> Instant {
        self.posix.poll_timeout().unwrap_or(NEVER)
    }

    /// Takes what the stack has to send.
    pub(super) fn transmit(&mut self) {
        while let Some((_, packet)) = self.posix.poll_transmit(self.now) {
            let packet = Packet {
                data: packet.to_bytes(),
                sent: self.clock.time_of_day(self.now),
            };
            if self.emitted.push(packet) {
                self.has_emitted = true;
            } else if !self.lost {
                self.lost = true;
                eprintln!("estab: packets are lost, since too many wait for netdev_receive");
            }
        }
    }

    pub(super) fn deliver(&mut self, now: Instant, packet: Vec<u8>) {
        let stack = self.posix.stack_mut();
        self.network.learn_from_packet(stack, &packet);
        let interface = self.network.interface;
        let packet = bytes::Bytes::from(packet);
        self.posix.handle_packet(now, interface, packet.into());
    }

    pub(super) fn set_settings(&mut self, settings: Settings) {
        *self.posix.stack_mut().settings_mut() = settings;
    }

    /// `bind` to this address follows.
    pub(super) fn learn(&mut self, address: &[u8]) {
        if let Ok(address) = Address::parse(address) {
            self.network.learn(self.posix.stack_mut(), address.ip());
        }
    }

    /// A packet to this address follows.
    pub(super) fn prepare(&mut self, remote: &[u8]) {
        if let Ok(remote) = Address::parse(remote) {
            self.network.prepare(self.posix.stack_mut(), remote.ip());
        }
    }

    /// # Errors
    /// `EBADF`: it is none of ours.
    pub(super) fn check(&self, fd: i32) -> Result<(), Errno> {
        let ours = self.descriptors.contains(&fd);
        ours.then_some(()).ok_or(Errno(libc::EBADF))
    }

    /// Gives a new descriptor of ours the number of one of the kernel's, from `least` on.
    pub(super) fn adopt(&mut self, now: Instant, fd: i32, least: i32) -> Result<i32, Errno> {
        let number = descriptor::open(least);
        let adopted = number.and_then(|number| {
            let renamed = self.rename(now, fd, number);
            renamed.inspect_err(|_| descriptor::close(number))
        });
        adopted.inspect_err(|_| {
            // It was never given out, and has nothing to wait for.
            let _ = self.posix.close(now, fd, &mut Waiting::new());
        })
    }

    fn rename(&mut self, now: Instant, fd: i32, number: i32) -> Result<i32, Errno> {
        if self.descriptors.remove(&number) {
            // The tool closed the kernel's, as it does with what a script leaves open, and now the number came back.
            let _ = self.posix.close(now, number, &mut Waiting::new());
        }
        if fd != number {
            self.posix.rename(fd, number)?;
        }
        self.descriptors.insert(number);
        Ok(number)
    }

    /// Our descriptor is closed; so is the kernel's.
    pub(super) fn forget(&mut self, fd: i32) {
        if self.descriptors.remove(&fd) {
            descriptor::close(fd);
        }
    }
}
