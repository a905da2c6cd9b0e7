use super::Handle;
use crate::driver::Core;
use estab_stack::{Error, Linger, OptionName, SocketId, SocketOption};
use estab_tcp::{Instant, State};
use std::net::SocketAddr;
use std::time::Duration;

/// How often the counters are looked at while waiting for connections that no socket holds.
const INTERVAL: Duration = Duration::from_millis(5);

/// What [`Host::shutdown`](super::Host::shutdown) could not bring to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Connections that were open, and whose peer has not acknowledged all that was queued.
    pub undelivered: Vec<Undelivered>,
    /// Connections left at the deadline, closed by the application earlier or by the shutdown.
    pub connections: u64,
    /// Bytes in their queues, sent or received.
    pub bytes: u64,
}

impl Report {
    /// Everything was delivered and closed.
    pub fn is_complete(&self) -> bool {
        self.undelivered.is_empty() && self.connections == 0
    }
}

/// A connection that was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undelivered {
    /// Our end.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
    /// Bytes that were queued and not acknowledged when the shutdown began.
    pub bytes: u64,
}

/// A socket whose close goes on.
struct Closing {
    socket: SocketId,
    cut: Undelivered,
}

pub(super) fn shutdown(handle: &Handle, deadline: Duration) -> Report {
    let until = handle.now() + deadline;
    let mut closing = handle.call(|core, now| {
        core.down = true;
        let sockets: Vec<SocketId> = core.sockets.keys().collect();
        let closing = sockets
            .into_iter()
            .filter_map(|socket| close(core, now, socket, deadline));
        closing.collect::<Vec<_>>()
    });
    let mut undelivered = Vec::new();
    let finished = handle.block_until(until, INTERVAL, |core, now| {
        closing.retain(|closing| {
            let result = core.stack.close(now, closing.socket, true);
            match result {
                Err(Error::WouldBlock(_)) => true,
                Err(Error::BadSocket) | Ok(()) => false,
                Err(_) => {
                    undelivered.push(closing.cut.clone());
                    false
                }
            }
        });
        (closing.is_empty() && core.stack.counters().connections == 0).then_some(())
    });
    handle.call(|core, now| {
        let counters = core.stack.counters();
        undelivered.extend(closing.into_iter().map(|closing| closing.cut));
        core.stack.abort_connections(now);
        let (connections, bytes) = match finished {
            Some(()) => (0, 0),
            None => (counters.connections, counters.buffered),
        };
        Report {
            undelivered,
            connections,
            bytes,
        }
    })
}

/// Closes a socket with the time that is left to linger. What has to be waited for is returned.
fn close(core: &mut Core, now: Instant, socket: SocketId, linger: Duration) -> Option<Closing> {
    let cut = connection(core, socket);
    let wanted = core.stack.option(socket, OptionName::Linger);
    if cut.is_some() && wanted != Ok(SocketOption::Linger(Linger::Abort)) {
        let option = SocketOption::Linger(Linger::Wait(linger));
        // A socket that cannot linger has nothing to wait for.
        let _ = core.stack.set_option(now, socket, option);
    }
    let result = core.stack.close(now, socket, true);
    core.forget(socket);
    match (result, cut) {
        (Err(Error::WouldBlock(_)), Some(cut)) => Some(Closing { socket, cut }),
        _ => None,
    }
}

/// The ends of a connection, and what its peer has yet to acknowledge.
fn connection(core: &Core, socket: SocketId) -> Option<Undelivered> {
    if core.stack.state(socket).ok()? == State::Listen {
        return None;
    }
    let info = core.stack.info(socket).ok()?;
    Some(Undelivered {
        local: core.stack.local_address(socket).ok()?,
        remote: core.stack.remote_address(socket).ok()?,
        bytes: u64::from(info.unacked) + u64::from(info.notsent),
    })
}
