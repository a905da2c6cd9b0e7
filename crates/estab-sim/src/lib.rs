//! Networks of estab hosts in virtual time: an hour of TCP in milliseconds, and the same each time.
//!
//! - [`Network`] joins hosts by links and jumps from deadline to deadline. Links delay, lose, reorder and corrupt by
//!   chance that comes from a seed ([`estab_device::impair`]), or do one thing to one packet ([`Rule`]).
//! - [`App`]s run on its hosts; [`Peer`] and [`Listener`] move a [`Pattern`] and check it.
//! - [`checkers`] say what must hold after a run.
//! - [`swarm`] draws whole simulations from a seed.
//! - [`lab`] has the scenarios that show what TCP does, played on a [`stage`].
//!
//! Two hosts exchange a megabyte over a link that loses one packet in fifty:
//!
//! ```
//! use core::time::Duration;
//! use estab_device::impair::{Loss, Probability};
//! use estab_sim::{LinkConfig, Listener, Network, Pattern, Peer, PeerConfig, checkers};
//! use estab_tcp::Settings;
//!
//! let mut net = Network::new(42);
//! let a = net.add_host("a", Settings::default());
//! let b = net.add_host("b", Settings::default());
//! let mut link = LinkConfig::default().delay(Duration::from_millis(5));
//! link.ways[0].loss = Loss::Random(Probability::from_ppm(20_000));
//! net.join(a, "10.0.0.1/24", b, "10.0.0.2/24", link);
//!
//! let data = Pattern::new(7);
//! let at = "10.0.0.2:80".parse()?;
//! let (listener, servers) = Listener::new(at, 1, 1, PeerConfig { gets: data, ..Default::default() });
//! let (client, sent) = Peer::connect(at, PeerConfig { send: 1 << 20, sends: data, ..Default::default() });
//! net.add_app(b, listener);
//! net.add_app(a, client);
//!
//! assert!(net.run_until(Duration::from_secs(600), |net| net.apps_done()));
//! checkers::streams_are_equal(&sent.now(), &servers.all()[0].now())?;
//! checkers::nothing_is_left(&mut net, Duration::from_secs(600))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
