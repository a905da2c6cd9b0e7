//! One TCP connection without IO and without a clock (RFC 9293).
//!
//! [`Connection`] is told what the network, the clock and the application do, and is asked what to send and when to come back.
//! Nothing else goes in or out: the same calls give the same segments, on any machine. A [`HalfOpen`] record stands for it
//! while a listener's handshake is under way, a [`TimeWait`] record after its end. `estab-stack` builds hosts of these; use this crate
//! by itself to put TCP where there is no IP, or to see one connection at work.
//!
//! The files follow RFC 9293 section 3.10, step by step; what happens is reported as [`event`]s.
//!
//! # Example
//!
//! Two ends connect to each other at once, and one connection comes of it, from four segments (RFC 9293 section 3.5). There is no network
//! here: whatever one end gives, the other one gets.
//!
//! ```
//! use estab_tcp::{Connection, Cx, FourTuple, Instant, Opening, SegmentIn, SegmentOut, SeqNum};
//! use estab_tcp::{Settings, Shutdown, SocketOptions, State};
//!
//! /// A network that loses nothing: what comes out of one end goes into the other.
//! fn exchange(cx: &mut Cx<'_>, ends: &mut [Connection; 2]) {
//!     loop {
//!         let sent = [0, 1].map(|end| ends[end].poll_transmit(cx, 1));
//!         if sent.iter().all(Option::is_none) {
//!             return;
//!         }
//!         for (end, segment) in sent.into_iter().enumerate() {
//!             if let Some(segment) = segment {
//!                 ends[1 - end].handle_segment(cx, received(segment));
//!             }
//!         }
//!     }
//! }
//!
//! fn received(sent: SegmentOut) -> SegmentIn {
//!     let payload = sent.payload.pieces().concat().into();
//!     SegmentIn { header: sent.header, ip: sent.ip, payload, segments: 1, segment_size: 0 }
//! }
//!
//! let settings = Settings::default();
//! let mut cx = Cx { now: Instant::ZERO, settings: &settings, sink: None };
//! let addresses = ["192.0.2.1:1000".parse()?, "192.0.2.2:2000".parse()?];
//! let mut ends = [0, 1].map(|end| {
//!     let tuple = FourTuple { local: addresses[end], remote: addresses[1 - end] };
//!     let opening = Opening { iss: SeqNum(1000 * end as u32), timestamp_offset: 0, mss: 1460 };
//!     Connection::connect(&mut cx, tuple, opening, SocketOptions::default(), None)
//! });
//! exchange(&mut cx, &mut ends);
//! assert!(ends.iter().all(|end| end.state() == State::Established));
//!
//! ends[0].send(&mut cx, b"hello", false).expect("room");
//! ends[0].shutdown(&mut cx, Shutdown::Write);
//! exchange(&mut cx, &mut ends);
//! let mut buffer = [0; 16];
//! let len = ends[1].receive(&mut cx, &mut buffer).expect("something to read");
//! assert_eq!(&buffer[..len], b"hello");
//! assert_eq!([ends[0].state(), ends[1].state()], [State::FinWait2, State::CloseWait]);
//! # Ok::<(), core::net::AddrParseError>(())
//! ```
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
