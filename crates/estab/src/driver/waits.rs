//! Who waits for which socket.

use super::leadership::{Leadership, Member, Woken};
use estab_stack::{Readiness, SocketId, Wait};
use slotmap::SecondaryMap;
use smallvec::SmallVec;
use std::task::Waker;
use std::thread::Thread;

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest {
    readiness: Readiness,
    /// The end of a lingering close.
    closed: bool,
}

const ALWAYS: Readiness = Readiness::HANG_UP.with(Readiness::ERROR);

impl Interest {
    pub(crate) const READ: Self = Self {
        readiness: Readiness::READABLE
            .with(Readiness::READ_CLOSED)
            .with(ALWAYS),
        closed: false,
    };
    pub(crate) const WRITE: Self = Self {
        readiness: Readiness::WRITABLE.with(ALWAYS),
        closed: false,
    };
    pub(crate) const CLOSED: Self = Self {
        readiness: Readiness::NONE,
        closed: true,
    };

    /// Also `other`.
    #[cfg(feature = "tokio")]
    pub(crate) const fn with(self, other: Readiness) -> Self {
        Self {
            readiness: self.readiness.with(other),
            closed: self.closed,
        }
    }

    /// Errors and hang-ups, which everybody is told.
    #[cfg(feature = "tokio")]
    pub(crate) const ERRORS: Self = Self {
        readiness: ALWAYS,
        closed: false,
    };
}

impl From<Wait> for Interest {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Readable => Self::READ,
            Wait::Writable => Self::WRITE,
            Wait::Closed => Self::CLOSED,
        }
    }
}

/// Tells the calls of one socket apart.
#[cfg_attr(not(feature = "tokio"), allow(dead_code))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A thread in a call. It leaves the list by itself.
    Member(Member),
    /// The task that polls to read, as `AsyncRead` does: there is one.
    Reader,
    /// The task that polls to write.
    Writer,
    /// A future.
    Future(u64),
}

#[derive(Debug)]
struct Entry {
    key: Key,
    interest: Interest,
    /// Of a task; `None` for a thread.
    waker: Option<Waker>,
}

/// The waiting calls of all sockets. A socket takes no memory here before somebody waits for it.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    sockets: SecondaryMap<SocketId, SmallVec<[Entry; 2]>>,
}

impl Waits {
    /// Waits from now on. A task that waits already only changes its waker.
    pub(crate) fn add(
        &mut self,
        socket: SocketId,
        key: Key,
        interest: Interest,
        waker: Option<&Waker>,
    ) {
        let Some(slot) = self.sockets.entry(socket) else {
            return;
        };
        let entries = slot.or_default();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) {
            entry.interest = interest;
            if let (Some(old), Some(new)) = (&mut entry.waker, waker) {
                old.clone_from(new);
            }
            return;
        }
        entries.push(Entry {
            key,
            interest,
            waker: waker.cloned(),
        });
    }

    /// Waits no longer.
    pub(crate) fn remove(&mut self, socket: SocketId, key: Key) {
        if let Some(entries) = self.sockets.get_mut(socket) {
            entries.retain(|entry| entry.key != key);
        }
    }

    /// The readiness of a socket rose.
    pub(crate) fn ready(
        &mut self,
        socket: SocketId,
        readiness: Readiness,
        lead: &Leadership<Thread>,
        wakes: &mut Wakes,
    ) {
        self.wake(socket, lead, wakes, |interest| {
            interest.readiness.intersects(readiness)
        });
    }

    /// A lingering close is over.
    pub(crate) fn closed(
        &mut self,
        socket: SocketId,
        lead: &Leadership<Thread>,
        wakes: &mut Wakes,
    ) {
        self.wake(socket, lead, wakes, |interest| interest.closed);
    }

    /// The socket is gone: everybody must look.
    pub(crate) fn gone(&mut self, socket: SocketId, lead: &Leadership<Thread>, wakes: &mut Wakes) {
        self.wake(socket, lead, wakes, |_| true);
        self.sockets.remove(socket);
    }

    fn wake(
        &mut self,
        socket: SocketId,
        lead: &Leadership<Thread>,
        wakes: &mut Wakes,
        mut who: impl FnMut(&Interest) -> bool,
    ) {
        let Some(entries) = self.sockets.get_mut(socket) else {
            return;
        };
        entries.retain(|entry| {
            if !who(&entry.interest) {
                return true;
            }
            if let Key::Member(member) = entry.key {
                wakes.add_member(member, lead);
                return true;
            }
            wakes.add_task(entry.waker.take());
            false
        });
    }
}

/// Whom to wake once the lock is released.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    threads: SmallVec<[Thread; 4]>,
    tasks: SmallVec<[Waker; 4]>,
    /// Among those woken is the leader, which may wait for its devices.
    pub(crate) leader: bool,
    /// Which followers a batch woke.
    pub(crate) woken: Woken,
}

impl Wakes {
    fn add_member(&mut self, member: Member, lead: &Leadership<Thread>) {
        if lead.leads(member) {
            self.leader = true;
        } else if let Some(thread) = lead.waker(member) {
            self.woken.add(member);
            self.threads.push(thread);
        }
    }

    fn add_task(&mut self, waker: Option<Waker>) {
        self.woken = Woken::Many;
        self.tasks.extend(waker);
    }

    /// One more thread.
    pub(crate) fn add_thread(&mut self, thread: Thread) {
        self.threads.push(thread);
    }

    /// The driver task.
    #[cfg(feature = "tokio")]
    pub(crate) fn add_waker(&mut self, waker: Option<Waker>) {
        self.tasks.extend(waker);
    }

    pub(crate) fn thread_count(&self) -> u64 {
        self.threads.len() as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.threads.is_empty() && self.tasks.is_empty()
    }

    /// Wakes them. Never under the lock: a waker is user code.
    pub(crate) fn wake(&mut self) {
        for thread in self.threads.drain(..) {
            thread.unpark();
        }
        for waker in self.tasks.drain(..) {
            waker.wake();
        }
    }
}

impl Drop for Wakes {
    /// A panic between collecting and waking loses no wake-up.
    fn drop(&mut self) {
        self.wake();
    }
}
