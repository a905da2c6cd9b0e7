use super::{App, Peer, PeerConfig, Reporter};
use core::net::SocketAddr;
use estab_stack::{Error, SocketId, SocketOption, Stack};
use estab_tcp::Instant;
use std::sync::{Arc, Mutex, PoisonError};

/// The reports of a listener's peers, in the order of accepting.
#[derive(Clone, Debug, Default)]
pub struct Reports(Arc<Mutex<Vec<Reporter>>>);

impl Reports {
    /// Those of all peers so far.
    pub fn all(&self) -> Vec<Reporter> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Listens, and runs a [`Peer`] on each connection.
pub struct Listener {
    at: SocketAddr,
    backlog: u32,
    config: PeerConfig,
    socket: Option<SocketId>,
    peers: Vec<Peer>,
    /// It closes after so many.
    expected: usize,
    accepted: usize,
    reports: Reports,
    /// Why it could not listen.
    failed: Option<Error>,
}

impl Listener {
    /// Listens at an address until `expected` connections have come.
    pub fn new(
        at: SocketAddr,
        backlog: u32,
        expected: usize,
        config: PeerConfig,
    ) -> (Self, Reports) {
        let reports = Reports::default();
        let listener = Self {
            at,
            backlog,
            config,
            socket: None,
            peers: Vec::new(),
            expected,
            accepted: 0,
            reports: reports.clone(),
            failed: None,
        };
        (listener, reports)
    }

    fn listen(&self, stack: &mut Stack, now: Instant) -> Result<SocketId, Error> {
        let socket = stack.tcp_socket(self.at.is_ipv6())?;
        stack.set_option(now, socket, SocketOption::ReuseAddress(true))?;
        for option in &self.config.options {
            stack.set_option(now, socket, option.clone())?;
        }
        stack.bind(socket, self.at)?;
        stack.listen(now, socket, self.backlog)?;
        Ok(socket)
    }

    fn accept(&mut self, stack: &mut Stack, now: Instant, listener: SocketId) {
        while self.accepted < self.expected
            && let Ok((socket, _)) = stack.accept(now, listener)
        {
            let mut config = self.config.clone();
            config.seed = config.seed.wrapping_add(self.accepted as u64);
            self.accepted += 1;
            let (peer, report) = Peer::accepted(socket, config);
            self.peers.push(peer);
            let mut reports = self
                .reports
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            reports.push(report);
        }
        if self.accepted >= self.expected {
            // A listener has nothing to say when it closes.
            let _ = stack.close(now, listener, false);
            self.socket = None;
        }
    }
}

impl App for Listener {
    fn poll(&mut self, stack: &mut Stack, now: Instant) {
        if self.socket.is_none() && self.accepted < self.expected && self.failed.is_none() {
            match self.listen(stack, now) {
                Ok(socket) => self.socket = Some(socket),
                Err(error) => self.failed = Some(error),
            }
        }
        if let Some(listener) = self.socket {
            self.accept(stack, now, listener);
        }
        for peer in &mut self.peers {
            peer.poll(stack, now);
        }
        self.peers.retain(|peer| !peer.is_done());
    }

    fn wake_at(&self) -> Option<Instant> {
        self.peers.iter().filter_map(App::wake_at).min()
    }

    fn is_done(&self) -> bool {
        self.failed.is_some() || (self.accepted >= self.expected && self.peers.is_empty())
    }
}
