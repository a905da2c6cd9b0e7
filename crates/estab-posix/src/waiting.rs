use crate::file::{ClosingId, FileId};
use crate::{Errno, Posix};
use core::task::Poll;
use core::time::Duration;
use estab_tcp::Instant;

/// The result of a call that may wait. `Pending`: make the same call with the same [`Waiting`] again when the network or
/// the clock has moved, and at [`Waiting::deadline`] at the latest.
pub type Polled<T> = Poll<Result<T, Errno>>;

/// How far a call that waits has come. A new one for each call.
///
/// One whose call was not brought to its end may be dropped: what it has done stays done. Only a `close` that waits should be called until
/// it is over, for its socket is kept until then.
#[derive(Debug, Default)]
pub struct Waiting {
    pub(crate) deadline: Option<Instant>,
    /// Bytes that were moved.
    pub(crate) done: usize,
    /// What `connect` gives when it waits no longer.
    pub(crate) unfinished: Option<Errno>,
    /// What the descriptor stood for when the call began.
    pub(crate) file: Option<FileId>,
    pub(crate) closing: Option<ClosingId>,
}

impl Waiting {
    /// The call has not begun.
    pub const fn new() -> Self {
        Self {
            deadline: None,
            done: 0,
            unfinished: None,
            file: None,
            closing: None,
        }
    }

    /// When the call ends of itself (time-outs of `poll`, `SO_RCVTIMEO`, ...).
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Bytes that the call has moved so far: others that wait for them should look again.
    pub const fn done(&self) -> usize {
        self.done
    }

    /// The call waits, for at most `limit`. True when that is over.
    pub(crate) fn is_over(&mut self, now: Instant, limit: Option<Duration>) -> bool {
        if let Some(limit) = limit {
            let deadline = *self.deadline.get_or_insert(now + limit);
            return now >= deadline;
        }
        false
    }
}

impl Posix {
    /// What a descriptor of a call that waits stands for. One that was closed meanwhile, and given out again perhaps, ends the
    /// call.
    pub(crate) fn waiting_file(&self, fd: i32, waiting: &mut Waiting) -> Result<FileId, Errno> {
        let file = self.table.file(fd)?;
        if *waiting.file.get_or_insert(file) != file {
            return Err(Errno::EBADF);
        }
        Ok(file)
    }
}

/// `value?` for results that may wait.
macro_rules! ready {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return core::task::Poll::Ready(Err(crate::Errno::from(error))),
        }
    };
}
pub(crate) use ready;
