//! `sendto` and `sendmsg`.

use super::control;
use crate::address::{self, Given};
use crate::file::FileId;
use crate::waiting::ready;
use crate::{Errno, Polled, Posix, Waiting};
use core::task::Poll;
use estab_stack::{Error, MessageFlags, SocketId};
use estab_tcp::{Instant, State};

/// What `sendmsg` takes beside the data.
#[derive(Debug, Default)]
pub struct Message<'a> {
    /// `msg_name`.
    pub address: Option<&'a [u8]>,
    /// `msg_control`.
    pub control: &'a [u8],
}

/// Flags that ask for what is not there.
const REFUSED: i32 = libc::MSG_ZEROCOPY | libc::MSG_FASTOPEN;
/// Such flags for datagrams.
const REFUSED_DATAGRAM: i32 = REFUSED | libc::MSG_OOB | libc::MSG_MORE | libc::MSG_DONTROUTE;

impl Posix {
    /// `sendto`, and `send`: sends with flags. On a stream `MSG_MORE`, `MSG_EOR`, `MSG_OOB` and `MSG_DONTWAIT` are obeyed, and the address is
    /// not looked at. A blocking call returns when all is queued.
    ///
    /// # Errors
    /// `EAGAIN`: no room, and the call may not wait or `SO_SNDTIMEO` has passed. `EPIPE`. `EOPNOTSUPP`: `MSG_ZEROCOPY`, `MSG_FASTOPEN`; for
    /// datagrams also `MSG_OOB`, `MSG_MORE`, `MSG_DONTROUTE`. What ended the connection, once. For datagrams also `EDESTADDRREQ`, `EMSGSIZE`,
    /// and those of an address.
    pub fn sendto(
        &mut self,
        now: Instant,
        fd: i32,
        data: &[u8],
        flags: i32,
        address: Option<&[u8]>,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let file = ready!(self.waiting_file(fd, waiting));
        self.send(now, file, data, flags, address, waiting)
    }

    /// `sendmsg`: the buffers one after the other.
    ///
    /// # Errors
    /// Those of [`Self::sendto`]. `EINVAL`: a control message that Linux would refuse, or that it would obey.
    pub fn sendmsg(
        &mut self,
        now: Instant,
        fd: i32,
        data: &[u8],
        message: &Message<'_>,
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let file = ready!(self.waiting_file(fd, waiting));
        let stream = ready!(self.file_socket(file)).stream;
        ready!(control::check(message.control, stream));
        self.send(now, file, data, flags, message.address, waiting)
    }

    pub(crate) fn send(
        &mut self,
        now: Instant,
        file: FileId,
        data: &[u8],
        flags: i32,
        address: Option<&[u8]>,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let stream = ready!(self.file_socket(file)).stream;
        ready!(address.map_or(Ok(()), address::check_storage));
        let refused = if stream { REFUSED } else { REFUSED_DATAGRAM };
        if flags & refused != 0 {
            return Poll::Ready(Err(Errno::EOPNOTSUPP));
        }
        match stream {
            true => self.send_stream(now, file, data, flags, waiting),
            false => self.send_datagram(now, file, data, flags, address, waiting),
        }
    }

    fn send_stream(
        &mut self,
        now: Instant,
        file: FileId,
        data: &[u8],
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let id = ready!(self.file_socket(file)).id;
        let message = MessageFlags {
            urgent: flags & libc::MSG_OOB != 0,
            more: flags & libc::MSG_MORE != 0,
            end_of_record: flags & libc::MSG_EOR != 0,
            ..MessageFlags::default()
        };
        loop {
            let done = waiting.done;
            if done > 0 && self.has_error(id) {
                // Said by the next call.
                return Poll::Ready(Ok(done));
            }
            let rest = data.get(done..).unwrap_or(&[]);
            let sent = match rest.is_empty() && self.is_opening(id) {
                true => Err(Error::WouldBlock(estab_stack::Wait::Writable)),
                false => self.stack.send(now, id, rest, message),
            };
            match sent {
                Ok(n) => {
                    waiting.done = done + n;
                    if n == rest.len() {
                        return Poll::Ready(Ok(waiting.done));
                    }
                }
                Err(Error::WouldBlock(_)) => {
                    if !self.may_not_wait_to_send(now, file, flags, waiting) {
                        return Poll::Pending;
                    }
                    let nothing = done == 0;
                    return Poll::Ready(if nothing {
                        Err(Errno::EAGAIN)
                    } else {
                        Ok(done)
                    });
                }
                Err(_) if done > 0 => return Poll::Ready(Ok(done)),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn is_opening(&self, id: SocketId) -> bool {
        matches!(
            self.stack.state(id),
            Ok(State::SynSent | State::SynReceived)
        )
    }

    fn may_not_wait_to_send(
        &self,
        now: Instant,
        file: FileId,
        flags: i32,
        waiting: &mut Waiting,
    ) -> bool {
        let limit = self.file_socket(file).ok();
        let limit = limit.and_then(|socket| socket.send_timeout);
        let nonblock = self.get(file).is_ok_and(|file| file.nonblock);
        flags & libc::MSG_DONTWAIT != 0 || nonblock || waiting.is_over(now, limit)
    }

    fn send_datagram(
        &mut self,
        now: Instant,
        file: FileId,
        data: &[u8],
        flags: i32,
        address: Option<&[u8]>,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        let socket = ready!(self.file_socket(file));
        let (id, v6) = (socket.id, socket.v6);
        let to = match address.map(|bytes| address::for_send(bytes, v6)) {
            None => None,
            Some(given) => match ready!(given) {
                Given::Unspecified => None,
                Given::Address(to) if to.port() == 0 => {
                    return Poll::Ready(Err(Errno::EINVAL));
                }
                Given::Address(to) => Some(to),
            },
        };
        match self.stack.send_to(now, id, data, to) {
            Err(Error::WouldBlock(_)) => {
                if self.may_not_wait_to_send(now, file, flags, waiting) {
                    return Poll::Ready(Err(Errno::EAGAIN));
                }
                Poll::Pending
            }
            result => Poll::Ready(result.map_err(Errno::from)),
        }
    }
}
