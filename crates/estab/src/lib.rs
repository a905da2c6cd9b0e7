//! estab
#![forbid(unsafe_code)]

mod clock;
mod driver;
mod error;
mod host;
mod net;
mod options;
mod request;
mod socket;

pub use driver::DriverCounters;
pub use estab_stack::{
    Cidr, Counters, InterfaceId, Linger, MessageFlags, OptionName, Readiness, Route, SocketOption,
    UdpReceived,
};
pub use estab_tcp::{IcmpErrorKind, Settings, State, TcpInfo};
pub use host::{Host, HostBuilder, Report, Undelivered};
pub use net::{
    Incoming, Interceptor, IntoIncoming, Request, TcpListener, TcpSocket, TcpStream, UdpSocket,
};

#[cfg(feature = "tokio")]
pub mod tokio;
