//! An intercepted request, for both layers.

use crate::host::Handle;
use crate::socket::Socket;
use estab_stack::{Decision, Error, Request};
use std::fmt;
use std::io;

/// A request that somebody has to decide. Dropping it refuses.
pub(crate) struct Undecided {
    host: Handle,
    request: Request,
    decided: bool,
}

impl Undecided {
    pub(crate) fn new(host: &Handle, request: Request) -> Self {
        Self {
            host: host.clone(),
            request,
            decided: false,
        }
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    /// Answers the SYN. The socket is writable when the handshake is complete.
    pub(crate) fn accept(mut self) -> io::Result<Socket> {
        self.decided = true;
        let id = self.request.id;
        Socket::open(&self.host, |stack, now| {
            let socket = stack.decide(now, id, Decision::Accept)?;
            socket.ok_or(Error::BadSocket)
        })
    }

    pub(crate) fn reject(mut self, decision: Decision) {
        self.decide(decision);
    }

    fn decide(&mut self, decision: Decision) {
        self.decided = true;
        let id = self.request.id;
        self.host.call(|core, now| {
            // The client may have given up: then there is nobody to answer.
            let _ = core.stack.decide(now, id, decision);
        });
    }
}

impl Drop for Undecided {
    fn drop(&mut self) {
        if !self.decided {
            self.decide(Decision::Refuse);
        }
    }
}

impl fmt::Debug for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}
