//! A host's TCP/IP without IO and without a clock: interfaces, neighbours, routes, ICMP, UDP, listeners, ports,
//! demultiplexing, and the semantics of sockets without waiting.
//!
//! A [`Stack`] is given packets and the time; it gives packets, events and a time at which to wake it. No call waits: what
//! cannot be done now gives [`Error::WouldBlock`] with the condition to wait for, and [`Stack::poll_event`] says when it has
//! come. Whoever embeds a stack moves the packets; the crate `estab` does that with threads or tokio and puts sockets on top.
//!
//! # Example
//!
//! Two hosts on a wire that is a function: connect, send, close.
//!
//! ```
//! use core::time::Duration;
//! use estab_stack::{Cidr, Error, InterfaceConfig, InterfaceId, Medium, MessageFlags, Stack, StackConfig};
//! use estab_tcp::{Instant, Settings};
//!
//! /// A host with one interface and one address.
//! fn host(seed: u8, address: [u8; 4]) -> Result<(Stack, InterfaceId), Error> {
//!     // A program takes its seed from the system's random numbers.
//!     let mut stack = Stack::new(StackConfig { seed: [seed; 32], settings: Settings::default() });
//!     let link = stack.add_interface(InterfaceConfig {
//!         name: "link".into(),
//!         medium: Medium::Ip,
//!         hardware_address: [0; 6],
//!         mtu: 1500,
//!         checksum_offload: false,
//!         segmentation_offload: 0,
//!     });
//!     stack.add_address(link, Cidr { address: address.into(), prefix_len: 24 })?;
//!     Ok((stack, link))
//! }
//!
//! /// Carries packets until neither host has one, then lets a while pass.
//! fn carry(now: &mut Instant, a: &mut (Stack, InterfaceId), b: &mut (Stack, InterfaceId)) {
//!     loop {
//!         let mut quiet = true;
//!         while let Some((_, packet)) = a.0.poll_transmit(*now) {
//!             b.0.handle_packet(*now, b.1, packet.to_bytes().into());
//!             quiet = false;
//!         }
//!         while let Some((_, packet)) = b.0.poll_transmit(*now) {
//!             a.0.handle_packet(*now, a.1, packet.to_bytes().into());
//!             quiet = false;
//!         }
//!         if quiet {
//!             break;
//!         }
//!     }
//!     *now += Duration::from_millis(50);
//!     a.0.handle_timeout(*now);
//!     b.0.handle_timeout(*now);
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let mut now = Instant::ZERO;
//! let mut server = host(1, [192, 0, 2, 1])?;
//! let mut client = host(2, [192, 0, 2, 2])?;
//!
//! let listener = server.0.tcp_socket(false)?;
//! server.0.bind(listener, "192.0.2.1:7".parse().unwrap())?;
//! server.0.listen(now, listener, 16)?;
//!
//! let socket = client.0.tcp_socket(false)?;
//! let started = client.0.connect(now, socket, "192.0.2.1:7".parse().unwrap(), None);
//! assert_eq!(started, Err(Error::InProgress));
//! carry(&mut now, &mut client, &mut server);
//!
//! let (accepted, peer) = server.0.accept(now, listener)?;
//! assert_eq!(Ok(peer), client.0.local_address(socket));
//! client.0.send(now, socket, b"hello", MessageFlags::default())?;
//! client.0.close(now, socket, false)?; // What was sent is still delivered.
//! carry(&mut now, &mut client, &mut server);
//!
//! let mut buffer = [0; 16];
//! let len = server.0.receive(now, accepted, &mut buffer, MessageFlags::default())?;
//! assert_eq!(&buffer[..len], b"hello");
//! assert_eq!(server.0.receive(now, accepted, &mut buffer, MessageFlags::default()), Ok(0));
//! server.0.close(now, accepted, false)?;
//! server.0.close(now, listener, false)?;
//! carry(&mut now, &mut client, &mut server);
//!
//! // The client closed first: a small record waits in TIME-WAIT. The server is through.
//! assert_eq!(client.0.counters().time_wait, 1);
//! assert_eq!(server.0.counters().connections, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Inside
//!
//! | Module | Job |
//! |---|---|
//! | `stack` | the verbs |
//! | `ip` | interfaces, neighbours, routes, ICMP, fragments |
//! | `tcp` | which connection, record or listener a segment belongs to; the calls of TCP sockets |
//! | `udp` | UDP sockets |
//! | `sockets` | what each socket is, and the queue of what is to be told |
//! | `ports`, `receivers`, `table`, `timers` | what is looked up: in constant time, or in the logarithm of their number |
//! | [`options`], [`settings_table`] | the tables of socket options and of settings |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod counters;
mod echo;
mod error;
pub mod event;
mod interface;
mod ip;
mod layers;
pub mod options;
mod packet;
mod ports;
mod queues;
mod rate_limit;
mod receivers;
mod report;
mod secrets;
pub mod segmentation;
pub mod settings_table;
mod socket;
mod sockets;
mod stack;
mod table;
mod tcp;
mod timers;
mod udp;
#[cfg(test)]
mod work;

pub use counters::Counters;
pub use error::{Error, Wait};
pub use event::{HostEvent, HostSink};
pub use interface::{Cidr, InterfaceConfig, InterfaceId, Route};
pub use ip::{Echo, EchoReply, IpCounters};
pub use layers::Layers;
pub use packet::{Checksum, ChecksumOffload, HeaderBuffer, Medium, PacketIn, PacketOut};
pub use queues::Queues;
pub use socket::{
    Decision, Linger, MessageFlags, OptionName, Readiness, Request, RequestId, SocketId,
    SocketOption, StackEvent, UdpReceived,
};
pub use stack::{Stack, StackConfig};
