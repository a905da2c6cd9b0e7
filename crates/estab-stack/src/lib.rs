//! A host's TCP/IP without IO and without a clock: interfaces, neighbours, routes, ICMP, UDP, listeners, ports,
//! demultiplexing, and the semantics of sockets without waiting.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;
pub mod event;
#[allow(dead_code, unused_imports, reason = "until the stack uses all of it")]
mod ip;
mod layers;
mod packet;
pub mod segmentation;
mod socket;
mod stack;

pub use error::{Error, Wait};
pub use event::{HostEvent, HostSink};
pub use ip::{Echo, EchoReply, IpCounters};
pub use layers::Layers;
pub use packet::{Checksum, ChecksumOffload, HeaderBuffer, Medium, PacketIn, PacketOut};
pub use socket::{
    Decision, Linger, MessageFlags, OptionName, Readiness, Request, RequestId, SocketId,
    SocketOption, StackEvent, UdpReceived,
};
pub use stack::{Cidr, Counters, InterfaceConfig, InterfaceId, Route, Stack, StackConfig};
