//! Who drives the devices: leader and followers.
//!
//! One thread at a time, the leader, waits for the devices and handles what comes. It is one of the threads that wait
//! in a socket call, or the driver task of a tokio runtime, or, only when nobody else has led for a while, the
//! background thread. This type decides who; it holds no lock and wakes nobody itself. It is used under the lock of
//! the core, and each method says whom its caller has to wake once the lock is released.
//!
//! Three rules make it cheap:
//!
//! - A leader that leaves with the result of its own call keeps a lease when the last batches were for itself alone:
//!   leadership stays vacant and nobody is woken, since the same thread will be back in a moment. That is an echo.
//! - When the batches are all for one follower, it becomes the leader with the wake-up that it gets anyway.
//! - The background thread looks at the clock, not the threads: it ticks while there is traffic, takes over (or
//!   appoints a follower) when leadership was vacant for a whole tick, and parks when a leader stays.

#[cfg(test)]
mod tests;

use slotmap::DenseSlotMap;

slotmap::new_key_type! {
    /// A thread that waits in a socket call.
    pub(crate) struct Member;
}

/// Batches in a row for one thread before leadership follows it.
const STREAK_MIN: u8 = 4;

/// Ticks without any change of leadership before the background thread parks.
const QUIET_TICKS_MAX: u8 = 4;

/// Who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leader {
    /// Nobody; the background thread ticks.
    Vacant,
    /// A thread in a socket call.
    Member(Member),
    /// The background thread.
    Background,
    /// The driver task.
    Task,
}

/// Whom the caller has to wake after unlocking.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Next<W> {
    /// Nobody.
    Nobody,
    /// This thread: it leads now.
    Member(W),
    /// The background thread: it has to tick, or to see that it was relieved.
    Background,
    /// The driver task: it leads now.
    Task,
}

/// What the background thread does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// It leads: wait for the devices.
    Lead,
    /// Come back after the grace period.
    Again,
    /// Wait until woken.
    Park,
}

/// Which waiting threads a batch has woken, the leader itself not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Woken {
    /// None.
    #[default]
    Nobody,
    /// One.
    One(Member),
    /// More than one, or a task.
    Many,
}

impl Woken {
    /// One more was woken.
    pub(crate) fn add(&mut self, member: Member) {
        *self = match *self {
            Self::Nobody => Self::One(member),
            Self::One(other) if other == member => return,
            _ => Self::Many,
        };
    }
}

/// The state of the hand-over. `W` wakes a thread.
#[derive(Debug)]
pub(crate) struct Leadership<W> {
    leader: Leader,
    /// The background thread or the task leads and only waits: whoever comes may take over at once.
    idle: bool,
    members: DenseSlotMap<Member, Waiting<W>>,
    has_task: bool,
    /// Counts changes of leadership.
    epoch: u64,
    /// `epoch` at the last tick.
    seen: u64,
    quiet_ticks: u8,
    /// The background thread will look again by itself.
    ticking: bool,
    /// The thread that the last batches were for, and how many.
    favourite: u64,
    streak: u8,
}

#[derive(Debug)]
struct Waiting<W> {
    waker: W,
    thread: u64,
}

impl<W: Clone> Leadership<W> {
    /// Nobody leads. The background thread is about to tick.
    pub(crate) fn new() -> Self {
        Self {
            leader: Leader::Vacant,
            idle: false,
            members: DenseSlotMap::with_key(),
            has_task: false,
            epoch: 0,
            seen: 0,
            quiet_ticks: 0,
            ticking: true,
            favourite: 0,
            streak: 0,
        }
    }

    /// Who leads.
    pub(crate) fn leader(&self) -> Leader {
        self.leader
    }

    /// Does this thread lead?
    pub(crate) fn leads(&self, member: Member) -> bool {
        self.leader == Leader::Member(member)
    }

    /// How to wake a waiting thread; `None` when it has left.
    pub(crate) fn waker(&self, member: Member) -> Option<W> {
        self.members.get(member).map(|m| m.waker.clone())
    }

    /// A thread begins to wait in a socket call. It leads at once when nobody does who has packets in hand; then
    /// `Next` says who has to notice that.
    pub(crate) fn enter(&mut self, waker: W, thread: u64) -> (Member, Next<W>) {
        let member = self.members.insert(Waiting { waker, thread });
        let relieved = match self.leader {
            Leader::Vacant => Next::Nobody,
            // The task sees it when its reactor next wakes it: it then registers to be called back.
            Leader::Task if self.idle => Next::Nobody,
            Leader::Background if self.idle => Next::Background,
            _ => return (member, Next::Nobody),
        };
        self.set(Leader::Member(member));
        (member, relieved)
    }

    /// A waiting thread returns: with its result, for its time-out, or because it panicked.
    pub(crate) fn leave(&mut self, member: Member) -> Next<W> {
        let Some(gone) = self.members.remove(member) else {
            return Next::Nobody;
        };
        if self.leader != Leader::Member(member) {
            return Next::Nobody;
        }
        if self.streak >= STREAK_MIN && self.favourite == gone.thread && !self.has_task {
            return self.vacate();
        }
        self.appoint()
    }

    /// The leader has handled a batch. `own`: it was for the leader's own call, which is now complete. True when
    /// leadership went to the one thread that was woken.
    pub(crate) fn batch(&mut self, own: bool, woken: Woken) -> bool {
        let Leader::Member(leader) = self.leader else {
            return false;
        };
        let only = match (own, woken) {
            (true, Woken::Nobody) => leader,
            (false, Woken::One(member)) => member,
            (false, Woken::Nobody) => return false,
            _ => {
                self.streak = 0;
                return false;
            }
        };
        let Some(thread) = self.members.get(only).map(|m| m.thread) else {
            return false;
        };
        if self.favourite != thread {
            self.favourite = thread;
            self.streak = 0;
        }
        self.streak = self.streak.saturating_add(1);
        if only == leader || self.streak < STREAK_MIN {
            return false;
        }
        self.set(Leader::Member(only));
        true
    }

    /// The background thread's time has come. It calls this whenever it does not lead.
    pub(crate) fn tick(&mut self) -> (Tick, Next<W>) {
        self.ticking = true;
        let changed = self.seen != self.epoch;
        self.seen = self.epoch;
        match self.leader {
            Leader::Background => (Tick::Lead, Next::Nobody),
            Leader::Vacant if changed => (Tick::Again, Next::Nobody),
            Leader::Vacant => {
                // The lease is over: whoever held it is busy with something else.
                self.streak = 0;
                if self.has_task || !self.members.is_empty() {
                    let next = self.appoint();
                    return (Tick::Again, next);
                }
                self.set(Leader::Background);
                (Tick::Lead, Next::Nobody)
            }
            Leader::Member(_) | Leader::Task => {
                self.quiet_ticks = if changed { 0 } else { self.quiet_ticks + 1 };
                if self.quiet_ticks < QUIET_TICKS_MAX {
                    return (Tick::Again, Next::Nobody);
                }
                self.quiet_ticks = 0;
                self.ticking = false;
                (Tick::Park, Next::Nobody)
            }
        }
    }

    /// There are no calls any more, and no task is wanted: the background thread leads to the end. False while the task
    /// has packets in hand.
    pub(crate) fn end(&mut self) -> bool {
        self.has_task = false;
        match self.leader {
            Leader::Background => true,
            Leader::Task if !self.idle => false,
            _ => {
                self.set(Leader::Background);
                true
            }
        }
    }

    /// The background thread or the task begins to wait, with nothing in hand. False when it has to leave first:
    /// somebody else leads, or waits to. The caller then calls [`relieve`](Self::relieve).
    pub(crate) fn rest(&mut self, who: Leader) -> bool {
        if self.leader != who || self.is_awaited(who) {
            return false;
        }
        self.idle = true;
        true
    }

    /// The background thread or the task is back from waiting: does it still lead?
    pub(crate) fn resume(&mut self, who: Leader) -> bool {
        if self.leader != who {
            return false;
        }
        self.idle = false;
        true
    }

    /// The background thread or the task gives leadership to somebody who waits for it, if it still has it.
    pub(crate) fn relieve(&mut self, who: Leader) -> Next<W> {
        if self.leader == who && self.is_awaited(who) {
            return self.appoint();
        }
        Next::Nobody
    }

    /// Would somebody better lead than the background thread or the task?
    fn is_awaited(&self, who: Leader) -> bool {
        !self.members.is_empty() || (who == Leader::Background && self.has_task)
    }

    #[cfg(any(feature = "tokio", test))]
    /// The driver task runs: does it lead? It takes over from the background thread, never from a thread in a call.
    pub(crate) fn task_enter(&mut self) -> (bool, Next<W>) {
        match self.leader {
            Leader::Task => {
                self.idle = false;
                (true, Next::Nobody)
            }
            Leader::Vacant => {
                self.set(Leader::Task);
                (true, Next::Nobody)
            }
            Leader::Background if self.idle => {
                self.set(Leader::Task);
                (true, Next::Background)
            }
            // The background thread is in the middle of a batch, and hands over after it.
            Leader::Background | Leader::Member(_) => (false, Next::Nobody),
        }
    }

    #[cfg(any(feature = "tokio", test))]
    /// The driver task is gone, with its runtime.
    pub(crate) fn task_gone(&mut self) -> Next<W> {
        self.has_task = false;
        if self.leader == Leader::Task {
            return self.appoint();
        }
        Next::Nobody
    }

    #[cfg(any(feature = "tokio", test))]
    /// A driver task is about to begin. False when there is one already.
    pub(crate) fn task_came(&mut self) -> bool {
        !std::mem::replace(&mut self.has_task, true)
    }

    fn set(&mut self, leader: Leader) {
        self.leader = leader;
        self.idle = false;
        self.epoch += 1;
    }

    /// Somebody who waits leads from now on.
    fn appoint(&mut self) -> Next<W> {
        if let Some((member, waiting)) = self.members.iter().next() {
            let waker = waiting.waker.clone();
            self.set(Leader::Member(member));
            return Next::Member(waker);
        }
        if self.has_task {
            self.set(Leader::Task);
            return Next::Task;
        }
        self.vacate()
    }

    /// Nobody leads; the background thread watches.
    fn vacate(&mut self) -> Next<W> {
        self.set(Leader::Vacant);
        if self.ticking {
            return Next::Nobody;
        }
        self.ticking = true;
        Next::Background
    }
}
