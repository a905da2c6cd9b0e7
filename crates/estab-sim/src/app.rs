//! Applications: small state machines that a host runs.

use core::any::Any;
use estab_stack::Stack;
use estab_tcp::Instant;

/// A program on a simulated host. It never waits: it is polled after each event of its host's stack, and when the time
/// that it asked for has come.
pub trait App: Any + Send {
    /// Does what can be done now.
    fn poll(&mut self, stack: &mut Stack, now: Instant);

    /// When to poll it even if nothing happens.
    fn wake_at(&self) -> Option<Instant> {
        None
    }

    /// Has it done all it wanted?
    fn is_done(&self) -> bool;
}

mod listener;
mod pattern;
mod peer;

pub use listener::{Listener, Reports};
pub use pattern::Pattern;
pub use peer::{Ending, Peer, PeerConfig, PeerReport, Reporter};
