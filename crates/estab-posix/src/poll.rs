//! What files are ready for, in Linux's bits, and `poll`.

use crate::file::{FileId, Kind};
use crate::socket::Socket;
use crate::table::OPEN_MAX;
use crate::{Errno, Polled, Posix, Waiting};
use core::task::Poll;
use core::time::Duration;
use estab_stack::Readiness;
use estab_tcp::Instant;

/// Events, as `poll` and epoll number them alike.
pub(crate) type Mask = u32;

pub(crate) const IN: Mask = libc::EPOLLIN as Mask;
pub(crate) const PRI: Mask = libc::EPOLLPRI as Mask;
pub(crate) const OUT: Mask = libc::EPOLLOUT as Mask;
pub(crate) const ERR: Mask = libc::EPOLLERR as Mask;
pub(crate) const HUP: Mask = libc::EPOLLHUP as Mask;
pub(crate) const RDNORM: Mask = libc::EPOLLRDNORM as Mask;
pub(crate) const WRNORM: Mask = libc::EPOLLWRNORM as Mask;
pub(crate) const WRBAND: Mask = libc::EPOLLWRBAND as Mask;
pub(crate) const RDHUP: Mask = libc::EPOLLRDHUP as Mask;
const NVAL: Mask = libc::POLLNVAL as Mask;

/// `struct pollfd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollFd {
    /// The descriptor; a negative one is passed over.
    pub fd: i32,
    /// The events asked for.
    pub events: i16,
    /// What there is of them, or `POLLERR`, `POLLHUP`, `POLLNVAL`.
    pub revents: i16,
}

/// What a change of readiness may mean to who waits.
pub(crate) fn mask_of(ready: Readiness) -> Mask {
    [
        (Readiness::READABLE, IN | RDNORM),
        (Readiness::WRITABLE, OUT | WRNORM | WRBAND),
        (Readiness::READ_CLOSED, IN | RDNORM | RDHUP),
        (Readiness::HANG_UP, HUP),
        (Readiness::ERROR, ERR),
        (Readiness::PRIORITY, PRI),
    ]
    .into_iter()
    .filter(|(bit, _)| ready.contains(*bit))
    .fold(0, |mask, (_, bits)| mask | bits)
}

impl Posix {
    /// Waits until one of the descriptors is ready, or the time has passed; a negative time is none. Gives the number of those that
    /// are.
    ///
    /// # Errors
    /// `EINVAL`: more than [`OPEN_MAX`] of them.
    pub fn poll(
        &mut self,
        now: Instant,
        fds: &mut [PollFd],
        timeout_ms: i32,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        if fds.len() > OPEN_MAX {
            return Poll::Ready(Err(Errno::EINVAL));
        }
        // An epoll may be among them.
        self.pass_events_on();
        let mut ready = 0;
        for polled in fds {
            // The sign is a bit like the others.
            let wanted = Mask::from(polled.events as u16) | ERR | HUP | NVAL;
            let mask = match self.table.file(polled.fd) {
                _ if polled.fd < 0 => 0,
                Ok(file) => self.mask(file) & wanted,
                Err(_) => NVAL,
            };
            polled.revents = mask as u16 as i16;
            ready += usize::from(mask != 0);
        }
        let limit = milliseconds(timeout_ms);
        if ready > 0 || waiting.is_over(now, limit) {
            return Poll::Ready(Ok(ready));
        }
        Poll::Pending
    }

    /// What a file is ready for now.
    pub(crate) fn mask(&self, file: FileId) -> Mask {
        match self.get(file).map(|file| &file.kind) {
            Ok(Kind::Socket(socket)) if socket.stream => self.stream_mask(socket),
            Ok(Kind::Socket(socket)) => self.datagram_mask(socket),
            Ok(Kind::PipeReader(pipe)) => self.pipe_reader_mask(*pipe),
            Ok(Kind::PipeWriter(pipe)) => self.pipe_writer_mask(*pipe),
            Ok(Kind::Epoll(epoll)) => self.epoll_mask(epoll),
            Err(_) => 0,
        }
    }

    fn stream_mask(&self, socket: &Socket) -> Mask {
        let ready = self.stack.readiness(socket.id);
        let has = |bit, bits: Mask| if ready.contains(bit) { bits } else { 0 };
        let mut mask = has(Readiness::WRITABLE, OUT | WRNORM)
            | has(Readiness::READ_CLOSED, IN | RDNORM | RDHUP)
            | has(Readiness::HANG_UP, HUP)
            | has(Readiness::ERROR, ERR)
            | has(Readiness::PRIORITY, PRI);
        // An error is nothing to read.
        let queues = self.stack.queues(socket.id).unwrap_or_default();
        if ready.contains(Readiness::READABLE) && queues.readable + queues.acceptable > 0 {
            mask |= IN | RDNORM;
        }
        mask
    }

    fn datagram_mask(&self, socket: &Socket) -> Mask {
        let ready = self.stack.readiness(socket.id);
        let has = |bit, bits: Mask| if ready.contains(bit) { bits } else { 0 };
        let queued = self.stack.queues(socket.id).unwrap_or_default().datagrams;
        let readable = if queued > 0 { IN | RDNORM } else { 0 };
        readable
            | has(Readiness::WRITABLE, OUT | WRNORM | WRBAND)
            | has(Readiness::READ_CLOSED, IN | RDNORM | RDHUP)
            | has(Readiness::HANG_UP, HUP)
            | has(Readiness::ERROR, ERR)
    }
}

/// A time-out as `poll` and `epoll_wait` take it.
pub(crate) fn milliseconds(timeout_ms: i32) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}
