//! Networks of estab hosts in virtual time.
#![forbid(unsafe_code)]

mod app;
pub mod checkers;
pub mod craft;
pub mod lab;
mod link;
mod network;
mod rule;
mod seen;
pub mod stage;
pub mod swarm;

pub use app::{App, Ending, Listener, Pattern, Peer, PeerConfig, PeerReport, Reporter, Reports};
pub use link::{Link, LinkConfig, LinkCounters};
pub use network::{HostId, LinkId, Network, cidr};
pub use rule::{End, Filter, Rule};
pub use seen::{Seen, Transport};
