//! A second thread for calls that may block, so that the script goes on meanwhile.

use super::clock::{self, sleep_precisely};
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{fs, io, thread};

type Job<T> = Box<dyn FnOnce() -> T + Send>;

/// What both threads see.
#[derive(Debug, Default)]
struct Shared {
    /// Its number, 0 until it runs.
    thread: AtomicI32,
    /// Is it between the begin and the end of a job?
    working: AtomicBool,
}

impl Shared {
    fn begin(&self) {
        sleep_precisely();
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        self.thread.store(thread, Ordering::Release);
    }
}

/// The thread. It is in the namespace of the thread that made it. One that never comes back from its call is left
/// behind when this is dropped, and ends with its call.
#[derive(Debug)]
pub(crate) struct Worker<T> {
    jobs: Sender<Job<T>>,
    results: Receiver<T>,
    ready: OwnedFd,
    shared: Arc<Shared>,
    busy: bool,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread or no descriptor.
    pub(crate) fn new() -> io::Result<Self> {
        let ready = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let notify = ready.try_clone()?;
        let (jobs, accepted) = channel();
        let (finished, results) = channel();
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let (running, runs) = channel();
        thread::Builder::new()
            .name("blocking call".into())
            .spawn(move || {
                own.begin();
                // Whoever waits for it is there.
                let _ = running.send(());
                work(&accepted, &finished, &notify, &own);
            })?;
        // The first call is not to pay for that.
        runs.recv().map_err(io::Error::other)?;
        Ok(Self {
            jobs,
            results,
            ready,
            shared,
            busy: false,
        })
    }

    /// Its thread comes before all others from now on, if the system allows that.
    pub(crate) fn comes_first(&self) {
        clock::first(self.shared.thread.load(Ordering::Acquire));
    }

    /// Is a call on its way?
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Makes a call; none may be on its way. False: the thread is gone.
    pub(crate) fn start(&mut self, job: impl FnOnce() -> T + Send + 'static) -> bool {
        debug_assert!(!self.busy, "one call at a time");
        self.busy = self.jobs.send(Box::new(job)).is_ok();
        self.busy
    }

    /// What the call came to, when it has returned.
    pub(crate) fn take(&mut self) -> Option<T> {
        let result = self.results.try_recv().ok()?;
        self.busy = false;
        Some(result)
    }

    /// Is it in its call, and asleep there? The system knows.
    pub(crate) fn is_asleep(&self) -> bool {
        let thread = self.shared.thread.load(Ordering::Acquire);
        if thread == 0 || !self.shared.working.load(Ordering::Acquire) {
            return false;
        }
        let state = fs::read_to_string(format!("/proc/self/task/{thread}/stat"));
        // The state stands behind the name, which is in parentheses.
        state.is_ok_and(|text| {
            text.rsplit(')')
                .next()
                .is_some_and(|rest| rest.starts_with(" S"))
        }) && self.shared.working.load(Ordering::Acquire)
    }

    /// Whoever waited for [`ready`](Self::ready) is awake, and looks.
    pub(crate) fn woken(&self) {
        // Nothing there: it was for another reason.
        let _ = rustix::io::read(&self.ready, &mut [0_u8; 8]);
    }

    /// Readable when a call has returned, until [`woken`](Self::woken).
    pub(crate) fn ready(&self) -> BorrowedFd<'_> {
        self.ready.as_fd()
    }
}

fn work<T>(jobs: &Receiver<Job<T>>, results: &Sender<T>, notify: &OwnedFd, shared: &Shared) {
    for job in jobs {
        shared.working.store(true, Ordering::Release);
        let result = job();
        shared.working.store(false, Ordering::Release);
        if results.send(result).is_err() {
            return;
        }
        // It fails only when the counter is full: then it is ready anyway.
        let _ = rustix::io::write(notify, &1_u64.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::Worker;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::sync::mpsc::channel;

    #[test]
    fn calls_are_made_one_after_the_other_and_their_results_wake_the_waiter() {
        let mut worker = Worker::new().unwrap();
        for number in 0..3 {
            assert!(worker.start(move || number));
            assert!(worker.is_busy());
            let result = loop {
                if let Some(result) = worker.take() {
                    break result;
                }
                poll(&mut [PollFd::new(&worker.ready(), PollFlags::IN)], None).unwrap();
                worker.woken();
            };
            assert_eq!(result, number);
            assert!(!worker.is_busy());
        }
        assert_eq!(worker.take(), None);
        // The last word of the thread may come after its result was taken.
        let wait = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        poll(
            &mut [PollFd::new(&worker.ready(), PollFlags::IN)],
            Some(&wait),
        )
        .unwrap();
        worker.woken();
        let none = poll(
            &mut [PollFd::new(&worker.ready(), PollFlags::IN)],
            Some(&Timespec::default()),
        );
        assert_eq!(none, Ok(0), "a wait would not wait");
    }

    #[test]
    fn a_call_that_waits_is_told_from_one_that_works() {
        let mut worker = Worker::new().unwrap();
        assert!(!worker.is_asleep(), "it has no call");
        let (end, ended) = channel::<()>();
        assert!(worker.start(move || ended.recv().is_err()));
        while !worker.is_asleep() {
            std::thread::yield_now();
        }
        drop(end);
        while worker.take().is_none() {
            std::thread::yield_now();
        }
        assert!(!worker.is_asleep());
    }
}
