//! The calls `send` and `receive`.

use super::ConnectionId;
use crate::sockets::Kind;
use crate::{Error, MessageFlags, SocketId, Stack, Wait};
use bytes::Bytes;
use estab_tcp::{Instant, ReceiveError, SendError};

impl Stack {
    /// SEND (RFC 9293 3.10.2): queues a copy of as much as there is room for, and gives its length. A UDP socket sends a datagram
    /// to its peer.
    ///
    /// # Errors
    /// `WouldBlock(Writable)`; [`Error::BrokenPipe`] when sending was shut down or there is no connection;
    /// [`Error::Connection`] with what ended it, once.
    pub fn send(
        &mut self,
        now: Instant,
        socket: SocketId,
        data: &[u8],
        flags: MessageFlags,
    ) -> Result<usize, Error> {
        if matches!(self.sockets.get(socket)?.kind, Kind::Udp(_)) {
            return self.send_to(now, socket, data, None);
        }
        let id = self.sending(socket)?;
        let wanted = data.len();
        let allowed = self.may_take(id, socket, wanted)?;
        let data = data.get(..allowed).unwrap_or(data);
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::BadSocket);
        };
        let mut cx = self.reporter.cx(now, &self.settings);
        let result = if flags.urgent {
            kept.connection.send_urgent(&mut cx, data)
        } else {
            kept.connection.send(&mut cx, data, flags.more)
        };
        if flags.end_of_record && wanted > 0 && result == Ok(wanted) {
            kept.connection.end_record();
        }
        self.touched(now, id);
        result.map_err(Error::from)
    }

    /// Queues owned bytes without a copy: as much as there is room for is taken from the front of `data`, and its length given.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_bytes(
        &mut self,
        now: Instant,
        socket: SocketId,
        data: &mut Bytes,
    ) -> Result<usize, Error> {
        if matches!(self.sockets.get(socket)?.kind, Kind::Udp(_)) {
            let sent = self.send_to(now, socket, data, None)?;
            data.clear();
            return Ok(sent);
        }
        let id = self.sending(socket)?;
        let allowed = self.may_take(id, socket, data.len())?;
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::BadSocket);
        };
        let mut cx = self.reporter.cx(now, &self.settings);
        let mut piece = data.slice(..allowed);
        let result = kept.connection.send_bytes(&mut cx, &mut piece);
        if let Ok(taken) = result {
            *data = data.slice(taken..);
        }
        self.touched(now, id);
        result.map_err(Error::from)
    }

    /// RECEIVE (RFC 9293 3.10.3): copies what is there. `Ok(0)` is the end of the stream. With `truncate` the buffer's length
    /// counts and nothing is copied; with `urgent` the urgent byte is read; with `peek` what is read stays. A UDP socket receives a
    /// datagram.
    ///
    /// # Errors
    /// `WouldBlock(Readable)`; [`Error::NotConnected`]; [`Error::Invalid`] when there is no urgent byte;
    /// [`Error::Connection`] with what ended the connection, once.
    pub fn receive(
        &mut self,
        now: Instant,
        socket: SocketId,
        buffer: &mut [u8],
        flags: MessageFlags,
    ) -> Result<usize, Error> {
        let id = match self.sockets.get(socket)?.kind {
            Kind::Stream(id) => id,
            Kind::Udp(_) => {
                let received = self.receive_from(now, socket, buffer, flags)?;
                let whole = flags.truncate;
                return Ok(if whole {
                    received.datagram_len
                } else {
                    received.len
                });
            }
            Kind::Accepting(_) => return Err(Error::WouldBlock(Wait::Readable)),
            Kind::Failed(..) => return self.failed(socket, Ok(0)),
            // As in Linux, which looks for the urgent byte first.
            Kind::Fresh if flags.urgent => return Err(Error::Invalid),
            Kind::Fresh => return self.failed(socket, Err(Error::NotConnected)),
            Kind::Listener(_) | Kind::Interceptor(_) => return Err(Error::NotConnected),
        };
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::BadSocket);
        };
        let connection = &mut kept.connection;
        let mut cx = self.reporter.cx(now, &self.settings);
        let result = match flags {
            MessageFlags {
                urgent: true, peek, ..
            } => match buffer.first_mut() {
                Some(first) => connection.receive_urgent(peek).map(|byte| {
                    *first = byte;
                    1
                }),
                None => Ok(0),
            },
            MessageFlags {
                peek: true,
                truncate: true,
                ..
            } => connection
                .peek(&mut [])
                .map(|_| connection.readable_bytes().min(buffer.len())),
            MessageFlags { peek: true, .. } => connection.peek(buffer),
            MessageFlags { truncate: true, .. } => connection.discard(&mut cx, buffer.len()),
            _ => connection.receive(&mut cx, buffer),
        };
        self.touched(now, id);
        result.map_err(Error::from)
    }

    /// The connection that a socket sends on.
    fn sending(&mut self, socket: SocketId) -> Result<ConnectionId, Error> {
        match self.sockets.get(socket)?.kind {
            Kind::Stream(id) => Ok(id),
            Kind::Accepting(_) => Err(Error::WouldBlock(Wait::Writable)),
            Kind::Fresh | Kind::Failed(..) => self.failed(socket, Err(Error::BrokenPipe)),
            _ => Err(Error::BrokenPipe),
        }
    }

    /// An accepted request that failed, or a socket that was disconnected: its error once, then what a dead connection gives.
    fn failed<T>(&mut self, socket: SocketId, then: Result<T, Error>) -> Result<T, Error> {
        match self.take_error(socket)? {
            Some(error) => Err(error.into()),
            None => then,
        }
    }

    /// How many bytes `tcp_mem` lets a connection take.
    fn may_take(
        &mut self,
        id: ConnectionId,
        socket: SocketId,
        wanted: usize,
    ) -> Result<usize, Error> {
        let Some(kept) = self.tcp.connections.get(id) else {
            return Err(Error::BadSocket);
        };
        let allowance = usize::try_from(self.allowance(kept)).unwrap_or(usize::MAX);
        if allowance == 0 && wanted > 0 && !kept.connection.is_write_closed() {
            self.starve(id, socket);
            return Err(Error::WouldBlock(Wait::Writable));
        }
        Ok(wanted.min(allowance))
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::WouldBlock => Self::WouldBlock(Wait::Writable),
            SendError::Closed => Self::BrokenPipe,
            SendError::Failed(error) => Self::Connection(error),
        }
    }
}

impl From<ReceiveError> for Error {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::WouldBlock => Self::WouldBlock(Wait::Readable),
            ReceiveError::NoUrgent => Self::Invalid,
            ReceiveError::Failed(error) => Self::Connection(error),
        }
    }
}
