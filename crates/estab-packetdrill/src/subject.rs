//! What a script is played against: a stack with system calls above it and packets below.
//!
//! The runner speaks of a [`Subject`] only in raw terms: descriptors, Linux's numbers, bytes of `sockaddr`s and packets. What they mean in
//! the script is the runner's business.

mod call;
mod estab;
#[cfg(target_os = "linux")]
mod kernel;

pub use call::{EpollEvent, Outcome, Output, PollFd, SystemCall};
pub use estab::estab;
pub(crate) use estab::linux_defaults;
#[cfg(target_os = "linux")]
pub use kernel::kernel;

use bytes::Bytes;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

/// The three ways to play a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpVersion {
    /// IPv4 sockets, IPv4 packets.
    #[default]
    V4,
    /// IPv6 sockets, IPv6 packets.
    V6,
    /// IPv6 sockets with mapped addresses, IPv4 packets.
    Mapped,
}

impl IpVersion {
    /// All three.
    pub const ALL: [Self; 3] = [Self::V4, Self::V6, Self::Mapped];

    /// Its name in scripts and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
            Self::Mapped => "ipv4-mapped-ipv6",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// Are sockets of `AF_INET6`?
    pub const fn sockets_are_v6(self) -> bool {
        !matches!(self, Self::V4)
    }

    /// Are packets of IPv6?
    pub const fn packets_are_v6(self) -> bool {
        matches!(self, Self::V6)
    }
}

impl fmt::Display for IpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The network around a subject: one interface, one address, and the rest of the world behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Which sockets and packets.
    pub ip_version: IpVersion,
    /// The subject's address; of the packets' family.
    pub local_ip: IpAddr,
    /// Length of its network's prefix.
    pub prefix_len: u8,
    /// The peer that the script plays; of the packets' family.
    pub remote_ip: IpAddr,
    /// The router towards all that is not in the local network; of the packets' family.
    pub gateway_ip: IpAddr,
    /// The interface's MTU, bytes.
    pub mtu: u16,
}

/// Why a subject cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectError {
    /// It cannot do this: the script is skipped.
    Unsupported(String),
    /// Something outside the script went wrong: the script fails.
    Broken(String),
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(what) | Self::Broken(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for SubjectError {}

/// Why a setting was not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// There is none of this name.
    Unknown,
    /// It does not take this value.
    Value {
        /// What it takes, in words.
        expected: String,
    },
    /// Something else, in words.
    Other(String),
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// It returned at once.
    Done(Outcome),
    /// It waits: [`Subject::finished`] gives its outcome later.
    Pending,
}

/// A packet that the subject emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// When, since the script's start.
    pub time: Duration,
    /// From the IP header on.
    pub packet: Bytes,
}

/// Something that happened inside a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When, since the script's start.
    pub time: Duration,
    /// In a few words, such as `SYN-SENT -> ESTABLISHED (rcv SYN,ACK)`.
    pub text: String,
}

/// A stack with system calls above it and packets below it, that is played against.
///
/// All times count from the script's start, and never run backwards. No method blocks for longer than [`wait`](Self::wait) is told to.
pub trait Subject {
    /// Its name, for messages.
    fn name(&self) -> &'static str;

    /// Is its time virtual, so that everything happens exactly when it is asked to?
    fn is_virtual(&self) -> bool;

    /// The time begins: the script's start is now. Called once, before the first event and after the settings of the opening command.
    fn begin(&mut self) {}

    /// The time.
    fn now(&self) -> Duration;

    /// Lets time pass until `until`; less when a packet is emitted or the pending call returns, or one of the two was not fetched yet.
    /// All that is due at `until` has happened when it returns.
    ///
    /// # Errors
    /// [`SubjectError::Broken`].
    fn wait(&mut self, until: Duration) -> Result<(), SubjectError>;

    /// Makes a call. At most one waits at a time: while it does, calls return at once whether or not they are done
    /// (`Err` when they cannot).
    ///
    /// # Errors
    /// [`SubjectError::Unsupported`]: it has no such call.
    fn start(&mut self, call: SystemCall) -> Result<Started, SubjectError>;

    /// The outcome of the call that waited, once, and when it returned.
    fn finished(&mut self) -> Option<(Outcome, Duration)>;

    /// A packet, from its IP header on, arrives now.
    ///
    /// # Errors
    /// [`SubjectError::Broken`].
    fn inject(&mut self, packet: &[u8]) -> Result<(), SubjectError>;

    /// The next packet that it emitted.
    fn emitted(&mut self) -> Option<Emitted>;

    /// Sets a setting by Linux's name (`net.ipv4.tcp_sack`).
    ///
    /// # Errors
    /// [`SettingError`].
    fn set_setting(&mut self, name: &str, value: &str) -> Result<(), SettingError>;

    /// Linux's `struct tcp_info` of a socket, as long as the subject fills it.
    ///
    /// # Errors
    /// The errno of `getsockopt`.
    fn tcp_info(&mut self, fd: i32) -> Result<Vec<u8>, i32>;

    /// What it did inside since the last call of this: changes of state, drops, timers. A subject that cannot be looked into has nothing.
    fn take_notes(&mut self) -> Vec<Note> {
        Vec::new()
    }

    /// The script is over: what is still open is closed. No packet after this counts.
    fn finish(&mut self);
}

/// Makes the subject of a script, once its network is known.
pub type MakeSubject =
    Arc<dyn Fn(&Network) -> Result<Box<dyn Subject>, SubjectError> + Send + Sync>;
