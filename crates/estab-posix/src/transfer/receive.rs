//! `recvfrom` and `recvmsg`.

use crate::file::FileId;
use crate::waiting::ready;
use crate::{Address, Errno, Polled, Posix, Waiting};
use core::task::Poll;
use estab_stack::{Error, MessageFlags, OptionName, Readiness, SocketId, SocketOption};
use estab_tcp::Instant;

/// What `recvfrom` gives: the length as the call returns it, and the sender for datagrams.
#[derive(Debug)]
pub struct Received {
    /// Bytes copied; with `MSG_TRUNC` the datagram's length, or the bytes of the stream that were thrown away.
    pub len: usize,
    /// The datagram's sender.
    pub address: Option<Address>,
}

/// What `recvmsg` gives.
#[derive(Debug)]
pub struct ReceivedMessage {
    /// As [`Received::len`].
    pub len: usize,
    /// The datagram's sender.
    pub address: Option<Address>,
    /// `msg_flags`: `MSG_TRUNC`, `MSG_OOB`, `MSG_CMSG_CLOEXEC`.
    pub flags: i32,
    /// Control messages. No option asks for any yet.
    pub control: Vec<u8>,
}

/// A call's buffer and flags.
struct Wish<'a> {
    file: FileId,
    id: SocketId,
    buffer: &'a mut [u8],
    flags: MessageFlags,
    wait_all: bool,
    dont_wait: bool,
}

impl Posix {
    /// `recvfrom`, and `recv`: receives with flags. `MSG_PEEK`, `MSG_DONTWAIT`, `MSG_OOB`, `MSG_TRUNC` and `MSG_WAITALL` are obeyed;
    /// what Linux does not know for such a socket is ignored here too.
    ///
    /// # Errors
    /// `EAGAIN`: nothing is there, and the call may not wait or `SO_RCVTIMEO` has passed; with `MSG_ERRQUEUE` always. `ENOTCONN`.
    /// `EINVAL`: `MSG_OOB`, and there is no urgent byte. What ended the connection, or what ICMP said of a datagram, once.
    pub fn recvfrom(
        &mut self,
        now: Instant,
        fd: i32,
        buffer: &mut [u8],
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<Received> {
        let file = ready!(self.waiting_file(fd, waiting));
        self.receive(now, file, buffer, flags, waiting)
            .map_ok(|message| Received {
                len: message.len,
                address: message.address,
            })
    }

    /// `recvmsg`: the buffers one after the other. `control_len`: room for control messages, bytes.
    ///
    /// # Errors
    /// Those of [`Self::recvfrom`].
    pub fn recvmsg(
        &mut self,
        now: Instant,
        fd: i32,
        buffer: &mut [u8],
        control_len: usize,
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<ReceivedMessage> {
        // There is nothing that could fail to fit.
        let _ = control_len;
        let file = ready!(self.waiting_file(fd, waiting));
        self.receive(now, file, buffer, flags, waiting)
    }

    pub(crate) fn receive(
        &mut self,
        now: Instant,
        file: FileId,
        buffer: &mut [u8],
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<ReceivedMessage> {
        let socket = ready!(self.file_socket(file));
        let stream = socket.stream;
        if flags & libc::MSG_ERRQUEUE != 0 {
            return Poll::Ready(Err(Errno::EAGAIN));
        }
        let wish = Wish {
            file,
            id: socket.id,
            buffer,
            flags: MessageFlags {
                peek: flags & libc::MSG_PEEK != 0,
                urgent: flags & libc::MSG_OOB != 0,
                truncate: flags & libc::MSG_TRUNC != 0,
                ..MessageFlags::default()
            },
            wait_all: flags & libc::MSG_WAITALL != 0,
            dont_wait: flags & libc::MSG_DONTWAIT != 0,
        };
        let received = match (stream, wish.flags.urgent) {
            (true, true) => Poll::Ready(self.receive_urgent(now, wish)),
            (true, false) => self.receive_stream(now, wish, waiting),
            (false, _) => self.receive_datagram(now, wish, waiting),
        };
        received.map_ok(|message| ReceivedMessage {
            flags: message.flags | flags & libc::MSG_CMSG_CLOEXEC,
            ..message
        })
    }

    /// The urgent byte, for which no call waits.
    fn receive_urgent(&mut self, now: Instant, wish: Wish<'_>) -> Result<ReceivedMessage, Errno> {
        let mut byte = [0];
        self.stack.receive(now, wish.id, &mut byte, wish.flags)?;
        let mut flags = libc::MSG_OOB;
        match wish.buffer.first_mut() {
            Some(_) if wish.flags.truncate => {}
            Some(first) => *first = byte[0],
            None => flags |= libc::MSG_TRUNC,
        }
        let len = wish.buffer.len().min(1);
        Ok(of_stream(len, flags))
    }

    fn receive_stream(
        &mut self,
        now: Instant,
        wish: Wish<'_>,
        waiting: &mut Waiting,
    ) -> Polled<ReceivedMessage> {
        let len = wish.buffer.len();
        let target = self.least_to_receive(wish.id, len, wish.wait_all);
        loop {
            let done = waiting.done;
            if done > 0 && self.receiving_ends(wish.id) {
                return Poll::Ready(Ok(of_stream(done, 0)));
            }
            let room = wish.buffer.get_mut(done..).unwrap_or(&mut []);
            match self.stack.receive(now, wish.id, room, wish.flags) {
                // What was only looked at is looked at again with what follows.
                Ok(n) if wish.flags.peek && n < target && !self.reached_end(wish.id, n) => {
                    if self.may_not_wait(now, &wish, waiting) {
                        return Poll::Ready(Ok(of_stream(n, 0)));
                    }
                    return Poll::Pending;
                }
                Ok(n) => {
                    waiting.done = done + n;
                    if n == 0 || wish.flags.peek || waiting.done >= target {
                        return Poll::Ready(Ok(of_stream(waiting.done, 0)));
                    }
                }
                Err(Error::WouldBlock(_)) => {
                    if !self.may_not_wait(now, &wish, waiting) {
                        return Poll::Pending;
                    }
                    let nothing = done == 0;
                    return Poll::Ready(match nothing {
                        true => Err(Errno::EAGAIN),
                        false => Ok(of_stream(done, 0)),
                    });
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// So many bytes end the waiting of a call.
    fn least_to_receive(&self, id: SocketId, len: usize, wait_all: bool) -> usize {
        let low_water = match self.stack.option(id, OptionName::ReceiveLowWater) {
            Ok(SocketOption::ReceiveLowWater(bytes)) => bytes as usize,
            _ => 1,
        };
        let target = if wait_all { len } else { low_water.min(len) };
        target.max(1)
    }

    /// A call that has got something returns it: behind it are an urgent mark, an error or the end.
    fn receiving_ends(&self, id: SocketId) -> bool {
        let queues = self.stack.queues(id).unwrap_or_default();
        queues.at_mark || (queues.readable == 0 && self.is_over(id))
    }

    /// Nothing can follow what was looked at.
    fn reached_end(&self, id: SocketId, len: usize) -> bool {
        let readable = self.stack.queues(id).map_or(0, |queues| queues.readable);
        len == 0 || (len >= readable && self.is_over(id))
    }

    fn is_over(&self, id: SocketId) -> bool {
        let over = Readiness::READ_CLOSED.with(Readiness::ERROR);
        self.stack.readiness(id).intersects(over)
    }

    fn may_not_wait(&self, now: Instant, wish: &Wish<'_>, waiting: &mut Waiting) -> bool {
        let limit = self.file_socket(wish.file).ok();
        let limit = limit.and_then(|socket| socket.receive_timeout);
        let nonblock = self.get(wish.file).is_ok_and(|file| file.nonblock);
        wish.dont_wait || nonblock || waiting.is_over(now, limit)
    }

    fn receive_datagram(
        &mut self,
        now: Instant,
        wish: Wish<'_>,
        waiting: &mut Waiting,
    ) -> Polled<ReceivedMessage> {
        let v6 = ready!(self.file_socket(wish.file)).v6;
        match self
            .stack
            .receive_from(now, wish.id, wish.buffer, wish.flags)
        {
            Ok(received) => {
                let cut = received.len < received.datagram_len;
                let len = match wish.flags.truncate {
                    true => received.datagram_len,
                    false => received.len,
                };
                Poll::Ready(Ok(ReceivedMessage {
                    len,
                    address: Some(Address::new(received.from, v6)),
                    flags: if cut { libc::MSG_TRUNC } else { 0 },
                    control: Vec::new(),
                }))
            }
            Err(Error::WouldBlock(_)) => {
                if self.may_not_wait(now, &wish, waiting) {
                    return Poll::Ready(Err(Errno::EAGAIN));
                }
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

fn of_stream(len: usize, flags: i32) -> ReceivedMessage {
    ReceivedMessage {
        len,
        address: None,
        flags,
        control: Vec::new(),
    }
}
