//! A device under the driver.

use super::{Driver, NewPort};
use estab_device::{Device, RxBatch};
use estab_stack::InterfaceId;
use estab_tcp::Instant;
use rustix::fd::OwnedFd;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

/// How soon a device that failed is tried again.
const RETRY_FAILED: Duration = Duration::from_millis(50);

/// How soon a device that is full is tried again when it has no descriptor to wait for. It may also have a waker.
const RETRY_FULL: Duration = Duration::from_millis(1);

/// A device, its lock, and its descriptor to wait on.
pub(super) struct Port {
    pub(super) interface: InterfaceId,
    device: Mutex<Box<dyn Device>>,
    /// A duplicate, so that waiting needs no lock on the device.
    pub(super) descriptor: Option<Arc<OwnedFd>>,
}

impl Port {
    pub(super) fn new(new: NewPort) -> io::Result<Self> {
        let descriptor = new.device.wait_on().descriptor;
        let descriptor = descriptor.map(|fd| fd.try_clone_to_owned()).transpose()?;
        Ok(Self {
            interface: new.interface,
            device: Mutex::new(new.device),
            descriptor: descriptor.map(Arc::new),
        })
    }

    pub(super) fn initial_state(&self) -> PortState {
        PortState {
            interface: self.interface,
            has_descriptor: self.descriptor.is_some(),
            pending: true,
            blocked: false,
            deadline: self.device().wait_on().deadline,
            retry: None,
            signals: 0,
            signals_seen: 0,
            failing: false,
            bulk: false,
        }
    }

    pub(super) fn device(&self) -> MutexGuard<'_, Box<dyn Device>> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the core knows of a device without touching it.
#[derive(Debug)]
pub(super) struct PortState {
    pub(super) interface: InterfaceId,
    pub(super) has_descriptor: bool,
    /// There may be something to receive: it said so, or the last batch was full.
    pub(super) pending: bool,
    /// It took no more; what is left waits in `tx`.
    pub(super) blocked: bool,
    /// When something that it holds back becomes due, or a failed device is tried again.
    pub(super) deadline: Option<Instant>,
    /// When a device that is full, and cannot be waited for, is tried again.
    pub(super) retry: Option<Instant>,
    /// Counts what a device without a descriptor has signalled, ...
    pub(super) signals: u64,
    /// ... and what it had when the batch was taken that is being written.
    pub(super) signals_seen: u64,
    /// Its last call failed. It is left alone until the deadline.
    pub(super) failing: bool,
    /// Packets come in batches.
    pub(super) bulk: bool,
}

impl PortState {
    /// When there is something to do about it at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        [self.deadline, self.retry].into_iter().flatten().min()
    }

    /// The device left something in its batch.
    pub(super) fn block(&mut self, now: Instant) {
        if self.signals != self.signals_seen {
            // It has said meanwhile that there is room again.
            return;
        }
        self.blocked = true;
        if !self.has_descriptor {
            self.retry = Some(now + RETRY_FULL);
        }
    }

    /// A call on the device failed: the next one is tried a little later.
    pub(super) fn fail(&mut self, now: Instant) {
        self.failing = true;
        self.pending = false;
        self.blocked = false;
        self.deadline = Some(now + RETRY_FAILED);
    }
}

/// What became of a call in which a user's device panicked.
pub(super) fn panicked() -> io::Error {
    io::Error::other("the device panicked")
}

/// Where a device puts what it received. While packets come one by one they are also taken so: the read that would
/// find nothing more costs as much as one that finds something.
pub(super) struct RxBuffers {
    one: RxBatch,
    many: RxBatch,
}

/// Packets taken from a device at once; not more, so that the lock is free again soon.
const RX_BATCH_MAX: usize = 64;

impl Default for RxBuffers {
    fn default() -> Self {
        Self {
            one: RxBatch::new(1),
            many: RxBatch::new(RX_BATCH_MAX),
        }
    }
}

impl RxBuffers {
    /// For the next call of `receive`; both are empty then.
    pub(super) fn batch(&mut self, bulk: bool) -> &mut RxBatch {
        if bulk { &mut self.many } else { &mut self.one }
    }
}

/// Wakes the driver when a device without a descriptor has something, or takes more.
pub(super) struct PortWaker {
    driver: Weak<Driver>,
    index: usize,
}

impl PortWaker {
    pub(super) fn waker(driver: &Arc<Driver>, index: usize) -> Waker {
        Waker::from(Arc::new(Self {
            driver: Arc::downgrade(driver),
            index,
        }))
    }
}

impl Wake for PortWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(driver) = self.driver.upgrade() else {
            return;
        };
        let mut core = driver.lock();
        if let Some(port) = core.ports.get_mut(self.index) {
            port.pending = true;
            port.blocked = false;
            port.signals += 1;
        }
        let kick = core.interrupt(true);
        let mut wakes = core.take_wakes();
        drop(core);
        wakes.wake();
        driver.kick_for(kick);
    }
}
