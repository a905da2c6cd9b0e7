//! Back to a socket without a connection: `connect` with `AF_UNSPEC`.

use super::ConnectionId;
use crate::sockets::Kind;
use crate::{Error, SocketId, Stack};
use estab_tcp::{Cause, ConnectionError, Instant, State};

impl Stack {
    /// Ends what the socket does, and keeps the socket with its options and the port that it was bound to: it can be connected or
    /// listen anew. A connection is reset, what it has queued is dropped, and its pending error says so; an error that is pending
    /// already stays. A listener gives its port up. A UDP socket loses its peer.
    ///
    /// # Errors
    /// [`Error::NotSupported`]: a listener for any address and port.
    pub fn disconnect(&mut self, now: Instant, socket: SocketId) -> Result<(), Error> {
        match self.sockets.get(socket)?.kind {
            Kind::Fresh => return Ok(()),
            Kind::Interceptor(_) => return Err(Error::NotSupported),
            Kind::Udp(_) => return self.udp_forget_peer(socket),
            Kind::Listener(_) => {
                self.end_listener(now, socket);
                self.sockets.get_mut(socket)?.bound = false;
            }
            Kind::Accepting(id) => {
                self.end_half_open(now, id, Cause::Abort);
                self.sockets.get_mut(socket)?.error = Some(ConnectionError::Reset);
            }
            Kind::Failed(..) => {}
            Kind::Stream(id) => self.disconnect_stream(now, socket, id)?,
        }
        self.sockets.get_mut(socket)?.kind = Kind::Fresh;
        self.refresh(socket);
        Ok(())
    }

    fn disconnect_stream(
        &mut self,
        now: Instant,
        socket: SocketId,
        id: ConnectionId,
    ) -> Result<(), Error> {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::BadSocket);
        };
        if kept.ended {
            let error = kept.connection.take_error();
            self.sockets.get_mut(socket)?.error = error;
        } else {
            let told = kept.connection.state() != State::LastAck || kept.connection.buffered() > 0;
            let mut cx = self.reporter.cx(now, &self.settings);
            kept.connection.abort(&mut cx);
            self.touched(now, id);
            self.sockets.get_mut(socket)?.error = told.then_some(ConnectionError::Reset);
        }
        self.forget_connection(id);
        Ok(())
    }

    /// A UDP socket's peer goes, and so does a port that nobody asked for.
    fn udp_forget_peer(&mut self, socket: SocketId) -> Result<(), Error> {
        self.udp_disconnect(socket)?;
        let state = self.sockets.get_mut(socket)?;
        if !state.bound
            && let Some(hold) = state.hold.take()
        {
            self.udp.receivers.remove(hold.scope, hold.port, socket);
            self.udp.ports.release(hold);
        }
        Ok(())
    }
}
