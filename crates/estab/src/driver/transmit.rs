//! The way out: what the stack wants to send is written by one thread at a time, without the lock.

use super::port::panicked;
use super::{Core, CoreGuard, Driver, Kick, Wakes};
use estab_device::TxBatch;
use estab_tcp::Instant;
use smallvec::SmallVec;

/// Packets taken from the stack before they are written.
const TX_BATCH_MAX: usize = 64;

/// Packets that wait for a device which takes no more, while other devices do.
const TX_QUEUE_MAX: usize = 1024;

/// Batches that one call writes before it leaves the rest to the leader.
const ROUNDS_MAX: usize = 64;

/// What has to be done without the lock, after a call or a batch.
struct Errands {
    /// This thread writes. The batch of each port, those of blocked ports among them.
    output: Option<Vec<TxBatch>>,
    wakes: Wakes,
    kick: Kick,
}

impl Errands {
    fn is_empty(&self) -> bool {
        self.output.is_none() && self.wakes.is_empty() && self.kick == Kick::Nobody
    }
}

impl Driver {
    /// Releases the lock; sends and tells what was caused under it.
    pub(crate) fn finish<'a>(&'a self, core: CoreGuard<'a>, now: Instant) {
        self.finish_with(core, now, Kick::Nobody);
    }

    /// The same, and interrupts who has to notice a change of leadership.
    pub(super) fn finish_with<'a>(&'a self, mut core: CoreGuard<'a>, mut now: Instant, kick: Kick) {
        for _ in 0..ROUNDS_MAX {
            let errands = core.errands(now);
            drop(core);
            let Some(relocked) = self.run(errands, now) else {
                return self.kick_for(kick);
            };
            core = relocked;
            // Others may have called meanwhile: the stack's time must not go back.
            now = self.now();
        }
        // Others keep this thread writing: the rest is for whoever leads. Its first step is to look for output.
        let leader = core.interrupt(true);
        let mut wakes = core.take_wakes();
        drop(core);
        wakes.wake();
        self.kick_for(leader);
        self.kick_for(kick);
    }

    /// One round of it. True when the lock was released meanwhile, so that anything may have changed.
    pub(super) fn flush<'a>(
        &'a self,
        mut core: CoreGuard<'a>,
        now: Instant,
    ) -> (CoreGuard<'a>, bool) {
        let errands = core.errands(now);
        if errands.is_empty() {
            return (core, false);
        }
        drop(core);
        let core = self.run(errands, now);
        (core.unwrap_or_else(|| self.lock()), true)
    }

    /// Does what is to be done. When something was written there may be more: then the lock is taken again.
    fn run(&self, errands: Errands, now: Instant) -> Option<CoreGuard<'_>> {
        let Errands {
            output,
            mut wakes,
            kick,
        } = errands;
        let writing = output.map(|batches| {
            let mut writing = Writing::new(self, batches);
            writing.write(now);
            writing
        });
        wakes.wake();
        self.kick_for(kick);
        writing.map(|mut writing| writing.end(now))
    }
}

impl Core {
    fn errands(&mut self, now: Instant) -> Errands {
        let writes = self.pull(now);
        self.dispatch();
        let output = writes.then(|| std::mem::take(&mut self.tx));
        let leader = std::mem::take(&mut self.wakes.leader);
        self.told |= leader;
        let kick = self.interrupt(leader);
        Errands {
            output,
            wakes: self.take_wakes(),
            kick,
        }
    }

    pub(super) fn take_wakes(&mut self) -> Wakes {
        if self.wakes.is_empty() {
            return Wakes::default();
        }
        let wakes = std::mem::take(&mut self.wakes);
        self.counters.thread_wakes += wakes.thread_count();
        wakes
    }

    /// Takes packets from the stack. True when there are some to write, and nobody else writes: then the caller does.
    fn pull(&mut self, now: Instant) -> bool {
        let all_blocked = !self.ports.is_empty() && self.ports.iter().all(|port| port.blocked);
        if self.writing || all_blocked {
            return false;
        }
        self.tx.resize_with(self.ports.len(), TxBatch::default);
        let waiting = |port: (&super::PortState, &TxBatch)| !port.0.blocked && !port.1.is_empty();
        let mut writes = self.ports.iter().zip(&self.tx).any(waiting);
        for _ in 0..TX_BATCH_MAX {
            let Some((interface, packet)) = self.stack.poll_transmit(now) else {
                break;
            };
            let index = self.ports.iter().position(|p| p.interface == interface);
            let Some(index) = index else {
                self.counters.packets_dropped += 1;
                continue;
            };
            let (port, batch) = (&self.ports[index], &mut self.tx[index]);
            if port.failing || batch.len() >= TX_QUEUE_MAX {
                self.counters.packets_dropped += 1;
                continue;
            }
            batch.push(packet);
            writes |= !port.blocked;
        }
        for port in &mut self.ports {
            port.signals_seen = port.signals;
        }
        self.writing = writes;
        writes
    }
}

/// The right to write. However it ends, the next thread can have it.
struct Writing<'a> {
    driver: &'a Driver,
    batches: Vec<TxBatch>,
    outcomes: SmallVec<[Outcome; 2]>,
    ended: bool,
    /// The port whose device is being called. Still there when that panicked.
    calling: Option<usize>,
}

/// What became of a port's batch.
struct Outcome {
    index: usize,
    sent: usize,
    failed: Option<std::io::Error>,
    deadline: Option<Instant>,
}

impl<'a> Writing<'a> {
    fn new(driver: &'a Driver, batches: Vec<TxBatch>) -> Self {
        Self {
            driver,
            batches,
            outcomes: SmallVec::new(),
            ended: false,
            calling: None,
        }
    }

    fn write(&mut self, now: Instant) {
        for (index, batch) in self.batches.iter_mut().enumerate() {
            if batch.is_empty() {
                continue;
            }
            let before = batch.len();
            self.calling = Some(index);
            let mut device = self.driver.ports[index].device();
            let failed = device.transmit(now, batch).err();
            self.outcomes.push(Outcome {
                index,
                sent: before - batch.len().min(before),
                failed,
                deadline: device.wait_on().deadline,
            });
            self.calling = None;
        }
    }
}

impl<'a> Writing<'a> {
    /// Takes the lock and gives the right back.
    fn end(&mut self, now: Instant) -> CoreGuard<'a> {
        self.ended = true;
        let mut core = self.driver.lock();
        core.writing = false;
        core.tx = std::mem::take(&mut self.batches);
        for outcome in self.outcomes.drain(..) {
            core.written(now, outcome);
        }
        if let Some(index) = self.calling {
            core.written(
                now,
                Outcome {
                    index,
                    sent: 0,
                    failed: Some(panicked()),
                    deadline: None,
                },
            );
        }
        core
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.ended {
            drop(self.end(self.driver.now()));
        }
    }
}

impl Core {
    fn written(&mut self, now: Instant, outcome: Outcome) {
        let Outcome {
            index,
            sent,
            failed,
            deadline,
        } = outcome;
        let (port, batch) = (&mut self.ports[index], &mut self.tx[index]);
        self.counters.packets_out += sent as u64;
        if let Some(error) = failed {
            self.counters.device_errors += 1;
            self.counters.packets_dropped += batch.len() as u64;
            while batch.pop().is_some() {}
            if !port.failing {
                tracing::warn!(interface = port.interface.0, %error, "a device cannot send");
            }
            port.fail(now);
            return;
        }
        port.deadline = deadline;
        if !batch.is_empty() {
            port.block(now);
        }
    }
}
