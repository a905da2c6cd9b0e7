//! A leader's turn: wait for the devices, take what came, and give it to the stack.

use super::leadership::Leader;
use super::port::{RxBuffers, panicked};
use super::{Core, CoreGuard, Driver};
use crate::clock::NEVER;
use estab_device::TxBatch;
use estab_tcp::Instant;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, BorrowedFd};
use smallvec::SmallVec;
use std::io;

/// A set of ports, by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PortSet(u64);

/// Devices of a host, at most: the sets have this many bits.
pub(crate) const DEVICES_MAX: usize = 64;

impl PortSet {
    pub(super) fn add(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    pub(super) fn contains(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    #[cfg(feature = "tokio")]
    pub(super) const ALL: Self = Self(u64::MAX);

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What a leader does in its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Look into these without waiting.
    pub(super) pending: PortSet,
    /// They hold something back that is due now.
    pub(super) due: PortSet,
    /// They take no more: wait for room.
    pub(super) blocked: PortSet,
    /// Leave these alone.
    pub(super) failing: PortSet,
    /// Take a batch from these, a single packet from the others.
    pub(super) bulk: PortSet,
    /// Wait no longer than this.
    pub(super) until: Instant,
}

/// What became of a port.
struct Received {
    index: usize,
    count: usize,
    bulk: bool,
    failed: Option<io::Error>,
    deadline: Option<Instant>,
}

/// Packets that a leader has taken and not yet handed over.
#[derive(Default)]
pub(super) struct Catch {
    buffers: Vec<RxBuffers>,
    ports: SmallVec<[Received; 2]>,
}

impl Catch {
    /// Did this port's batch leave room, so that the device has no more?
    #[cfg(feature = "tokio")]
    pub(super) fn is_drained(&mut self, index: usize) -> bool {
        let received = self.ports.iter().find(|received| received.index == index);
        received.is_none_or(|received| {
            received.failed.is_some() || self.buffers[index].batch(received.bulk).room() > 0
        })
    }
}

impl Plan {
    /// Is there nothing to do before that time?
    pub(super) fn waits(&self, now: Instant) -> bool {
        self.pending.is_empty() && self.due.is_empty() && self.until > now
    }
}

impl Driver {
    /// A thread's turn: waits for the devices, at most until `until`, and handles what came; the time afterwards. It
    /// handles nothing when it was relieved meanwhile.
    pub(super) fn turn<'a>(
        &'a self,
        mut core: CoreGuard<'a>,
        who: Leader,
        now: Instant,
        until: Instant,
    ) -> (CoreGuard<'a>, Instant) {
        let plan = core.plan(now, until);
        let mut catch = core.take_catch();
        let waits = plan.waits(now);
        if waits {
            core.asleep_until = Some(plan.until);
            core.counters.sleeps += 1;
        }
        drop(core);
        let mut ready = plan.pending;
        let mut writable = PortSet::default();
        // A single device that has more needs no asking.
        if waits || self.ports.len() > 1 {
            (ready, writable) = self.wait(&plan, who, now, if waits { plan.until } else { now });
        }
        if who == Leader::Background {
            let mut core = self.lock();
            if !core.lead.resume(who) {
                core.give_back(&plan);
                return (core, self.now());
            }
            core.asleep_until = None;
            drop(core);
        }
        self.receive(ready, &plan, self.now(), &mut catch);
        let mut core = self.lock();
        // Read again under the lock: others may have called meanwhile, and the stack's time must not go back.
        let now = self.now();
        core.asleep_until = None;
        core.unblock(writable);
        core.handle(now, catch);
        (core, now)
    }

    /// Waits for the descriptors; the ports to receive from, and those that have room again.
    fn wait(&self, plan: &Plan, who: Leader, now: Instant, until: Instant) -> (PortSet, PortSet) {
        let kick = if who == Leader::Background {
            &self.background_kick
        } else {
            &self.leader_kick
        };
        let mut indexes = SmallVec::<[usize; 4]>::new();
        let mut polls = SmallVec::<[PollFd<'_>; 4]>::new();
        polls.push(PollFd::new(kick, PollFlags::IN));
        for (index, port) in self.ports.iter().enumerate() {
            let Some(descriptor) = &port.descriptor else {
                continue;
            };
            if plan.failing.contains(index) {
                continue;
            }
            let mut events = PollFlags::IN;
            events.set(PollFlags::OUT, plan.blocked.contains(index));
            indexes.push(index);
            polls.push(PollFd::new(descriptor, events));
        }
        self.poll(&mut polls, now, until);
        if !polls[0].revents().is_empty() {
            drain(kick.as_fd());
        }
        let (mut ready, mut writable) = (plan.pending, PortSet::default());
        for (index, poll) in indexes.into_iter().zip(&polls[1..]) {
            let revents = poll.revents();
            // An error is told by the call that follows.
            if revents.intersects(PollFlags::IN | PollFlags::ERR | PollFlags::HUP) {
                ready.add(index);
            }
            if revents.intersects(PollFlags::OUT | PollFlags::ERR | PollFlags::HUP) {
                writable.add(index);
            }
        }
        (ready, writable)
    }

    fn poll(&self, polls: &mut [PollFd<'_>], now: Instant, until: Instant) {
        let timeout = (until != NEVER).then(|| {
            let left = until - now;
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        // EINTR is like a time-out: whoever called looks again.
        let _ = rustix::event::poll(polls, timeout.as_ref());
    }

    /// Waits for a kick of the background thread alone.
    pub(super) fn wait_for_kick(&self, until: Instant) {
        let mut polls = [PollFd::new(&self.background_kick, PollFlags::IN)];
        self.poll(&mut polls, self.now(), until);
        if !polls[0].revents().is_empty() {
            drain(self.background_kick.as_fd());
        }
    }

    /// Takes what has come. Without the lock of the core.
    pub(super) fn receive(&self, ready: PortSet, plan: &Plan, now: Instant, catch: &mut Catch) {
        let mut calling = Calling {
            driver: self,
            index: None,
        };
        for (index, port) in self.ports.iter().enumerate() {
            let due = plan.due.contains(index);
            if !due && !ready.contains(index) {
                continue;
            }
            let bulk = plan.bulk.contains(index);
            let batch = catch.buffers[index].batch(bulk);
            let room = batch.room();
            calling.index = Some(index);
            let mut device = port.device();
            let mut result = device.receive(now, batch);
            if due && result.is_ok() {
                // What the device held back goes out with an empty batch too.
                let mut nothing = TxBatch::default();
                result = device.transmit(now, &mut nothing).and(result);
            }
            catch.ports.push(Received {
                index,
                count: room - batch.room().min(room),
                bulk,
                failed: result.err(),
                deadline: device.wait_on().deadline,
            });
            calling.index = None;
        }
    }
}

/// A device is being called. Should it panic, it counts as failing, and is tried again later.
struct Calling<'a> {
    driver: &'a Driver,
    index: Option<usize>,
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let Some(index) = self.index else { return };
        let mut core = self.driver.lock();
        let now = self.driver.now();
        core.asleep_until = None;
        core.receive_failed(now, index, &panicked());
    }
}

/// Empties the counter of an eventfd.
fn drain(eventfd: BorrowedFd<'_>) {
    let _ = rustix::io::read(eventfd, &mut [0; 8]);
}

impl Core {
    /// What the leader has to look at next.
    pub(super) fn plan(&mut self, now: Instant, until: Instant) -> Plan {
        let mut plan = Plan {
            pending: PortSet::default(),
            due: PortSet::default(),
            blocked: PortSet::default(),
            failing: PortSet::default(),
            bulk: PortSet::default(),
            until: until.min(self.next_deadline()),
        };
        for (index, port) in self.ports.iter_mut().enumerate() {
            if port.retry.is_some_and(|retry| retry <= now) {
                port.retry = None;
                port.blocked = false;
                plan.due.add(index);
            }
            if port.deadline.is_some_and(|deadline| deadline <= now) {
                port.deadline = None;
                port.failing = false;
                plan.due.add(index);
            }
            if port.failing {
                plan.failing.add(index);
                continue;
            }
            if std::mem::take(&mut port.pending) {
                plan.pending.add(index);
            }
            if port.blocked {
                plan.blocked.add(index);
            }
            if port.bulk {
                plan.bulk.add(index);
            }
        }
        plan
    }

    /// The leader was relieved before it did what it had planned: the next one does it.
    pub(super) fn give_back(&mut self, plan: &Plan) {
        for (index, port) in self.ports.iter_mut().enumerate() {
            port.pending |= plan.pending.contains(index);
            if plan.due.contains(index) {
                port.deadline = Some(Instant::ZERO);
            }
        }
    }

    /// The leader's buffers; there is one leader, so they are there.
    pub(super) fn take_catch(&mut self) -> Catch {
        let mut buffers = std::mem::take(&mut self.rx);
        buffers.resize_with(self.ports.len(), RxBuffers::default);
        Catch {
            buffers,
            ports: SmallVec::new(),
        }
    }

    /// These ports take packets again.
    pub(super) fn unblock(&mut self, writable: PortSet) {
        for (index, port) in self.ports.iter_mut().enumerate() {
            if writable.contains(index) {
                port.blocked = false;
            }
        }
    }

    fn receive_failed(&mut self, now: Instant, index: usize, error: &io::Error) {
        let port = &mut self.ports[index];
        tracing::warn!(interface = port.interface.0, %error, "a device cannot receive");
        port.fail(now);
        self.counters.device_errors += 1;
    }

    /// Gives what was taken, and the time, to the stack.
    pub(super) fn handle(&mut self, now: Instant, mut catch: Catch) {
        for received in catch.ports.drain(..) {
            let port = &mut self.ports[received.index];
            let batch = catch.buffers[received.index].batch(received.bulk);
            while let Some(packet) = batch.pop() {
                self.stack.handle_packet(now, port.interface, packet);
            }
            let full = received.count >= batch.room();
            self.counters.packets_in += received.count as u64;
            match received.failed {
                None => {
                    port.deadline = received.deadline;
                    port.pending |= full;
                    port.bulk = if received.bulk {
                        received.count > 1
                    } else {
                        full
                    };
                }
                Some(error) => self.receive_failed(now, received.index, &error),
            }
        }
        self.rx = catch.buffers;
        if self.stack.poll_timeout().is_some_and(|due| due <= now) {
            self.stack.handle_timeout(now);
        }
        self.dispatch();
    }
}
