//! A host's TCP/IP without IO and without a clock: interfaces, neighbours, routes, ICMP, UDP, listeners, ports,
//! demultiplexing, and the semantics of sockets without waiting.
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

pub use counters::Counters;
pub use error::{Error, Wait};
pub use event::{HostEvent, HostSink};
pub use interface::{Cidr, InterfaceConfig, InterfaceId, Route};
pub use ip::{Echo, EchoReply, IpCounters};
pub use layers::Layers;
pub use packet::{Checksum, ChecksumOffload, HeaderBuffer, Medium, PacketIn, PacketOut};
pub use socket::{
    Decision, Linger, MessageFlags, OptionName, Readiness, Request, RequestId, SocketId,
    SocketOption, StackEvent, UdpReceived,
};
pub use stack::{Stack, StackConfig};
