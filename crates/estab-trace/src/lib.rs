//! Printers of estab's events. Everything that is seen of a connection is made from one stream of typed events:
//! [`HostEvent`](estab_stack::HostEvent), which a host gives to its [`HostSink`](estab_stack::HostSink).
//!
//! [`Collector`] keeps the events of any number of hosts as [`Record`]s; from those
//!
//! - [`ladder()`] draws two hosts with their states and the segments between them,
//! - [`Text`] prints one line an event, segments as tcpdump writes them,
//! - [`Json`] prints one object a line.
//!
//! [`pcapng`] writes whole packets, with what they caused as comments.
//!
//! [`LiveLadder`] prints as it happens. The state table, which is the other thing to see, is printed by [`states`].
//!
//! ```
//! use estab_tcp::{Cause, Event, FourTuple, Instant, State};
//! use estab_stack::HostEvent;
//! use estab_trace::{Collector, Text};
//!
//! let collector = Collector::new();
//! // A stack does this with the sink that it is given by `set_sink`.
//! collector.sink("a").event(
//!     Instant::ZERO,
//!     &HostEvent::Tcp {
//!         connection: FourTuple {
//!             local: "10.0.0.1:49152".parse()?,
//!             remote: "10.0.0.2:80".parse()?,
//!         },
//!         event: Event::State {
//!             from: State::Closed,
//!             to: State::SynSent,
//!             cause: Cause::ActiveOpen,
//!         },
//!     },
//! );
//! assert_eq!(
//!     Text::print(&collector.records()).trim(),
//!     "0.000000 a  10.0.0.1.49152 - 10.0.0.2.80: CLOSED -> SYN-SENT, active OPEN"
//! );
//! # Ok::<(), core::net::AddrParseError>(())
//! ```
#![forbid(unsafe_code)]

mod collector;
mod describe;
pub mod json;
pub mod ladder;
pub mod pcapng;
mod record;
mod relative;
pub mod states;
mod text;

pub use collector::{Collector, Tee};
pub use json::Json;
pub use ladder::{LiveLadder, ladder};
pub use record::{Environment, HostRecord, Record, Segment, TcpRecord};
pub use relative::Relative;
pub use text::Text;
