//! The driver: it moves packets between the devices and the stack, and supplies the waiting that the stack leaves out.
//!
//! The rules:
//!
//! - The stack has one owner at a time, for a batch of packets or for one call ([`Core`] behind one lock).
//! - No system call on a device and no waker under that lock: who must be woken, and what must be sent, is collected
//!   under it and done after it.
//! - A call sends what it caused itself, on its own thread, before it returns.
//! - Packets leave in the order in which the stack made them: one thread writes at a time (`writing`), and what others
//!   cause meanwhile is written by it.
//! - Locks nest in one order only: a device's, then the core's. The core's is never held when a device's is taken.

mod background;
mod block;
pub(crate) mod leadership;
mod port;
mod transmit;
mod turn;
pub(crate) mod waits;

#[cfg(feature = "tokio")]
pub(crate) mod task;

use crate::clock::{Clock, NEVER};
pub(crate) use block::Patience;
use estab_device::{Device, TxBatch};
use estab_stack::{Error, InterfaceId, SocketId, Stack, StackEvent};
use estab_tcp::Instant;
use leadership::{Leader, Leadership, Next};
use port::{Port, PortState, PortWaker, RxBuffers};
use rustix::event::EventfdFlags;
use rustix::fd::OwnedFd;
use slotmap::SecondaryMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;
pub(crate) use turn::DEVICES_MAX;
use waits::{Waits, Wakes};

/// What the driver has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverCounters {
    /// Packets and frames that came from devices; what a device coalesced counts once.
    pub packets_in: u64,
    /// Packets and frames handed to devices; a super-segment counts once.
    pub packets_out: u64,
    /// Packets dropped since the device that they were for failed, or was full while another was not.
    pub packets_dropped: u64,
    /// Calls on a device that failed.
    pub device_errors: u64,
    /// Times that a leader waited for its devices.
    pub sleeps: u64,
    /// Times that somebody who waited for its devices was interrupted.
    pub kicks: u64,
    /// Times that a thread which waited for a socket was woken by another.
    pub thread_wakes: u64,
    /// Times that the background thread took over.
    pub background_leads: u64,
}

/// What the lock protects.
pub(crate) struct Core {
    pub(crate) stack: Stack,
    pub(crate) waits: Waits,
    pub(crate) lead: Leadership<Thread>,
    /// Sockets that somebody holds, for shutting down in order.
    pub(crate) sockets: SecondaryMap<SocketId, ()>,
    pub(crate) counters: DriverCounters,
    /// The host was shut down: no new socket.
    pub(crate) down: bool,
    /// The last handle is gone: the task ends, and the background thread too when everything is delivered, at the latest
    /// then.
    ending: Option<Instant>,
    /// How long that may take.
    grace: Duration,
    wakes: Wakes,
    /// The socket that the leader waits for had an event.
    told: bool,
    /// The leader waits for its devices until then; `None`: nobody does, or was told to look already.
    asleep_until: Option<Instant>,
    /// Somebody writes to the devices. Whatever else is to be sent is sent by that thread.
    writing: bool,
    ports: Vec<PortState>,
    tx: Vec<TxBatch>,
    rx: Vec<RxBuffers>,
    /// Polls the driver task again.
    #[cfg(feature = "tokio")]
    task_waker: Option<std::task::Waker>,
    #[cfg(feature = "tokio")]
    next_future: u64,
}

/// The driver of a host.
pub(crate) struct Driver {
    core: Mutex<Core>,
    ports: Vec<Port>,
    clock: Clock,
    /// Interrupts the thread that leads from a socket call.
    leader_kick: OwnedFd,
    /// Interrupts the background thread.
    background_kick: OwnedFd,
}

/// A device on its way into a driver, with the interface that it has in the stack.
pub(crate) struct NewPort {
    pub(crate) interface: InterfaceId,
    pub(crate) device: Box<dyn Device>,
}

pub(crate) type CoreGuard<'a> = MutexGuard<'a, Core>;

impl Driver {
    /// Takes over the stack and the devices, and starts the background thread.
    pub(crate) fn start(
        stack: Stack,
        clock: Clock,
        devices: Vec<NewPort>,
    ) -> io::Result<Arc<Self>> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let leader_kick = rustix::event::eventfd(0, flags)?;
        let background_kick = rustix::event::eventfd(0, flags)?;
        let ports = devices
            .into_iter()
            .map(Port::new)
            .collect::<io::Result<Vec<_>>>()?;
        let core = Core {
            stack,
            waits: Waits::default(),
            lead: Leadership::new(),
            sockets: SecondaryMap::new(),
            counters: DriverCounters::default(),
            down: false,
            ending: None,
            grace: LINGER_DEFAULT,
            wakes: Wakes::default(),
            told: false,
            asleep_until: None,
            writing: false,
            ports: ports.iter().map(Port::initial_state).collect(),
            tx: Vec::new(),
            rx: Vec::new(),
            #[cfg(feature = "tokio")]
            task_waker: None,
            #[cfg(feature = "tokio")]
            next_future: 0,
        };
        let driver = Arc::new(Self {
            core: Mutex::new(core),
            ports,
            clock,
            leader_kick,
            background_kick,
        });
        for (index, port) in driver.ports.iter().enumerate() {
            port.device()
                .set_waker(Some(PortWaker::waker(&driver, index)));
        }
        background::spawn(Arc::clone(&driver))?;
        Ok(driver)
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn lock(&self) -> CoreGuard<'_> {
        // A panic under the lock is a bug of the stack or of a user's sink; the other sockets go on.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call on the stack that sends nothing and wakes nobody.
    pub(crate) fn look<T>(&self, call: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let mut core = self.lock();
        call(&mut core, self.now())
    }

    /// One call on the stack; what it caused is sent and told before this returns.
    pub(crate) fn call<T>(&self, call: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let mut core = self.lock();
        let now = self.now();
        let result = call(&mut core, now);
        self.finish(core, now);
        result
    }

    /// How long what is queued may be delivered after the last handle is gone.
    pub(crate) fn set_grace(&self, grace: Duration) {
        self.lock().grace = grace;
    }

    /// The last handle is gone. The background thread delivers what is queued, and ends.
    pub(crate) fn end(&self) {
        let mut core = self.lock();
        let now = self.now();
        core.ending = Some(now + core.grace);
        #[cfg(feature = "tokio")]
        {
            let waker = core.task_waker.take();
            core.wakes.add_waker(waker);
        }
        self.finish(core, now);
        self.kick(&self.background_kick);
    }

    /// Interrupts a `poll` on this descriptor.
    fn kick(&self, eventfd: &OwnedFd) {
        // It fails only when the counter is full, and then it is readable.
        let _ = rustix::io::write(eventfd, &1u64.to_ne_bytes());
    }

    fn kick_for(&self, kick: Kick) {
        match kick {
            Kick::Nobody => {}
            Kick::Leader => self.kick(&self.leader_kick),
            Kick::Background => self.kick(&self.background_kick),
        }
    }
}

/// How long what is queued may be delivered after the last handle is gone, when the program does not say.
const LINGER_DEFAULT: Duration = Duration::from_secs(5);

/// Whose `poll` has to be interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kick {
    Nobody,
    Leader,
    Background,
}

impl Core {
    /// Passes the stack's events on to those who wait.
    fn dispatch(&mut self) {
        while let Some(event) = self.stack.poll_event() {
            match event {
                StackEvent::Ready(socket, readiness) => {
                    self.waits
                        .ready(socket, readiness, &self.lead, &mut self.wakes);
                }
                StackEvent::Closed(socket) => {
                    self.waits.closed(socket, &self.lead, &mut self.wakes);
                }
            }
        }
    }

    /// Which followers the batch woke that was handled last.
    fn take_woken(&mut self) -> leadership::Woken {
        std::mem::take(&mut self.wakes.woken)
    }

    /// Did the socket that the leader waits for have an event, since this was last asked?
    fn take_told(&mut self) -> bool {
        std::mem::take(&mut self.told) | std::mem::take(&mut self.wakes.leader)
    }

    /// A call's result as `std` would give it.
    pub(crate) fn outcome<T>(&self, result: Result<T, Error>) -> io::Result<T> {
        result.map_err(|error| match error {
            Error::BadSocket if self.down => crate::error::down(),
            error => crate::error::io_error(error),
        })
    }

    /// For a future that may wait.
    #[cfg(feature = "tokio")]
    pub(crate) fn new_key(&mut self) -> waits::Key {
        self.next_future += 1;
        waits::Key::Future(self.next_future)
    }

    /// Takes an accepted connection from a listener, and registers its socket.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        listener: SocketId,
    ) -> Result<(SocketId, SocketAddr), Error> {
        self.check_up()?;
        let (socket, peer) = self.stack.accept(now, listener)?;
        self.sockets.insert(socket, ());
        Ok((socket, peer))
    }

    /// A socket is gone from the stack: forgets it, and wakes those who waited for it.
    pub(crate) fn forget(&mut self, socket: SocketId) {
        self.sockets.remove(socket);
        self.waits.gone(socket, &self.lead, &mut self.wakes);
    }

    /// After the last handle is gone: is everything delivered, or the time over?
    fn is_over(&self, now: Instant) -> bool {
        self.ending
            .is_some_and(|until| now >= until || self.stack.counters().connections == 0)
    }

    /// Refuses every call once the host is down.
    pub(crate) fn check_up(&self) -> Result<(), Error> {
        if self.down {
            return Err(Error::BadSocket);
        }
        Ok(())
    }

    /// Remembers whom a change of leadership has to wake.
    fn follow(&mut self, next: Next<Thread>) -> Kick {
        match next {
            Next::Nobody => Kick::Nobody,
            Next::Member(thread) => {
                self.wakes.add_thread(thread);
                Kick::Nobody
            }
            Next::Background => Kick::Background,
            Next::Task => {
                #[cfg(feature = "tokio")]
                {
                    let waker = self.task_waker.take();
                    self.wakes.add_waker(waker);
                }
                Kick::Nobody
            }
        }
    }

    /// Who waits for the devices, and must look again now: something is due earlier, or there is something to do.
    fn interrupt(&mut self, wanted: bool) -> Kick {
        let Some(until) = self.asleep_until else {
            return Kick::Nobody;
        };
        if !wanted && self.stack.poll_timeout().is_none_or(|due| due >= until) {
            return Kick::Nobody;
        }
        self.asleep_until = None;
        self.counters.kicks += 1;
        match self.lead.leader() {
            Leader::Vacant => Kick::Nobody,
            Leader::Member(_) => Kick::Leader,
            Leader::Background => Kick::Background,
            Leader::Task => self.follow(Next::Task),
        }
    }

    /// When the stack or a device has something to do by itself.
    fn next_deadline(&self) -> Instant {
        let devices = self.ports.iter().filter_map(PortState::due);
        devices
            .chain(self.stack.poll_timeout())
            .min()
            .unwrap_or(NEVER)
    }
}

/// Identifies the calling thread to the hand-over.
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}
