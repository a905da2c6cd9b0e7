use crate::sockets::Kind;
use crate::{Error, SocketId, Stack};

/// How much a socket's queues hold, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queues {
    /// What the next call can read at most, up to the urgent mark (`SIOCINQ`); of a UDP socket the next datagram.
    pub readable: usize,
    /// Queued and not acknowledged, the FIN counted (`SIOCOUTQ`).
    pub unacknowledged: usize,
    /// Queued and not yet sent, the FIN counted (`SIOCOUTQNSD`).
    pub unsent: usize,
    /// The next byte to read is the one after the urgent mark (`SIOCATMARK`).
    pub at_mark: bool,
    /// Connections that wait to be accepted.
    pub acceptable: usize,
    /// A listener's backlog.
    pub backlog: usize,
    /// Datagrams that wait, empty ones counted.
    pub datagrams: usize,
}

impl Stack {
    /// How much the socket's queues hold.
    ///
    /// # Errors
    /// [`Error::BadSocket`].
    pub fn queues(&self, socket: SocketId) -> Result<Queues, Error> {
        Ok(match &self.sockets.get(socket)?.kind {
            Kind::Stream(id) => {
                self.tcp
                    .connections
                    .get(*id)
                    .map_or_else(Queues::default, |kept| {
                        let connection = &kept.connection;
                        let fin = usize::from(connection.is_fin_outstanding());
                        let unsent_fin = usize::from(connection.is_fin_unsent());
                        Queues {
                            readable: connection.readable_until_mark(),
                            unacknowledged: connection.unsent_or_unacked() + fin,
                            unsent: connection.unsent() + unsent_fin,
                            at_mark: connection.is_at_mark(),
                            ..Queues::default()
                        }
                    })
            }
            Kind::Listener(listener) => Queues {
                acceptable: listener.queue.len(),
                backlog: listener.backlog,
                ..Queues::default()
            },
            Kind::Udp(udp) => udp.queues(),
            Kind::Fresh | Kind::Interceptor(_) | Kind::Accepting(_) | Kind::Failed(..) => {
                Queues::default()
            }
        })
    }
}
