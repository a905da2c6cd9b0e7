//! One TCP connection without IO and without a clock (RFC 9293).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod acks;
mod calls;
mod chunks;
mod congestion;
mod connection;
mod error;
pub mod event;
mod half_open;
mod handshake;
mod info;
mod input;
mod isn;
mod look;
mod options;
mod output;
mod receive;
mod record;
mod recovery;
mod rng;
mod rtt;
mod segment;
mod send;
mod settings;
mod state;
mod stats;
mod time;
mod time_wait;
mod timeout;
mod timer;

pub use chunks::Chunks;
pub use connection::{Connection, FourTuple, Shutdown};
pub use error::{ConnectionError, ReceiveError, SendError};
pub use estab_wire::tcp::{Flags, Header, SeqNum};
pub use event::{ConnectionEvent, Event, Interest, Sink};
pub use half_open::{CookieOptions, HalfOpen, HalfOpenDisposition, Opening};
pub use info::TcpInfo;
pub use isn::IsnGenerator;
pub use options::{CongestionControl, SocketOptions};
pub use rng::Rng;
pub use segment::{Ecn, IcmpError, IcmpErrorKind, IpMeta, SegmentIn, SegmentOut};
pub use settings::Settings;
pub use state::{Cause, State};
pub use time::Instant;
pub use time_wait::{TimeWait, TimeWaitDisposition};

/// Goes to every verb that may decide something: the time, the stack's settings, and where decisions are reported.
pub struct Cx<'a> {
    /// Now, on estab's clock.
    pub now: Instant,
    /// Settings of the whole stack.
    pub settings: &'a Settings,
    /// Receives the events that it is interested in.
    pub sink: Option<&'a mut dyn Sink>,
}

#[cfg(test)]
mod tests;
