//! The one table of the stack's settings: what they are called, what they do, how they are read and written as text.

mod linux;

pub use linux::{from_linux, linux_name};

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::time::Duration;
use estab_tcp::Settings;

/// A setting, after Linux's `sysctl` names where Linux has it.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The full name, such as `net.ipv4.tcp_syn_retries`. [`find`] also takes what follows its last dot.
    pub name: &'static str,
    /// What it does.
    pub effect: &'static str,
    access: Access,
}

/// How the value is stored, its unit, and what values are allowed, both ends included.
#[derive(Clone, Copy)]
enum Access {
    Bool(fn(&mut Settings) -> &mut bool),
    U8(fn(&mut Settings) -> &mut u8, u8, u8),
    U16(fn(&mut Settings) -> &mut u16, u16, u16),
    U32(fn(&mut Settings) -> &mut u32, &'static str, u32, u32),
    Bytes(fn(&mut Settings) -> &mut u64, u64, u64),
    /// "first largest".
    BytePair(fn(&mut Settings) -> &mut (u32, u32), u32, u32),
    /// "first last".
    PortRange(fn(&mut Settings) -> &mut (u16, u16)),
    Seconds(fn(&mut Settings) -> &mut Duration, u64, u64),
    Millis(fn(&mut Settings) -> &mut Duration, u64, u64),
}

/// Why a setting was not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// There is none of this name.
    Unknown,
    /// The text is not one of its values.
    Value {
        /// What it takes, in words.
        expected: String,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no such setting"),
            Self::Value { expected } => write!(f, "expected {expected}"),
        }
    }
}

impl core::error::Error for SettingError {}

macro_rules! table {
    ($($prefix:literal $field:ident: $kind:ident $(($($limit:expr),*))? = $effect:literal;)*) => {
        /// All settings, in the order in which they are documented.
        pub const TABLE: &[Setting] = &[$(Setting {
            name: concat!($prefix, ".", stringify!($field)),
            effect: $effect,
            access: Access::$kind(|settings| &mut settings.$field $($(, $limit)*)?),
        },)*];
    };
}

const MAX_SECONDS: u64 = 10_000_000;
const MAX_BUFFER: u32 = 1 << 30;

table! {
    "net.ipv4" tcp_syn_retries: U8(1, 127) = "SYNs resent before an active open gives up.";
    "net.ipv4" tcp_synack_retries: U8(1, 127) = "SYN-ACKs resent before a half-open connection is forgotten.";
    "net.ipv4" tcp_retries2: U8(1, 127) = "Retransmissions of data before the connection times out.";
    "net.ipv4" tcp_orphan_retries: U8(1, 127) = "Retransmissions before an orphan, a connection that no socket holds, is given up.";
    "net.ipv4" tcp_max_orphans: U32("connections", 0, u32::MAX) = "Most orphans; beyond it a closed connection is reset.";
    "net.ipv4" tcp_max_tw_buckets: U32("records", 0, u32::MAX) = "Most TIME-WAIT records; beyond it TIME-WAIT is cut short.";
    "net.ipv4" tcp_fin_timeout: Seconds(1, MAX_SECONDS) = "Life of an orphan in FIN-WAIT-2.";
    "net.ipv4" tcp_time_wait: Seconds(0, MAX_SECONDS) = "2 MSL, the length of TIME-WAIT. Linux has it fixed.";
    "net.ipv4" tcp_rfc1337: Bool = "RSTs are ignored in TIME-WAIT.";
    "net.ipv4" tcp_max_syn_backlog: U32("records", 1, u32::MAX) = "Most half-open connections of one listener.";
    "net.core" somaxconn: U32("connections", 0, u32::MAX) = "Largest backlog of a listener.";
    "net.ipv4" tcp_syncookies: U8(0, 2) = "SYN cookies: 0 never, 1 when the SYN queue is full, 2 always.";
    "net.ipv4" tcp_abort_on_overflow: Bool = "A full accept queue answers the third ACK with RST instead of dropping it.";
    "net.ipv4" tcp_keepalive_time: Seconds(1, MAX_SECONDS) = "Idle time before the first keep-alive probe.";
    "net.ipv4" tcp_keepalive_intvl: Seconds(1, MAX_SECONDS) = "Time between keep-alive probes.";
    "net.ipv4" tcp_keepalive_probes: U8(1, 127) = "Unanswered keep-alive probes before the connection is dead.";
    "net.ipv4" tcp_window_scaling: Bool = "Window scaling is offered and accepted.";
    "net.ipv4" tcp_timestamps: Bool = "Timestamps are offered and accepted.";
    "net.ipv4" tcp_sack: Bool = "SACK is offered and accepted.";
    "net.ipv4" tcp_dsack: Bool = "D-SACK blocks are sent for what came twice.";
    "net.ipv4" tcp_rmem: BytePair(1, MAX_BUFFER) = "Receive buffer: first size, and largest when it grows by itself.";
    "net.ipv4" tcp_wmem: BytePair(1, MAX_BUFFER) = "Send buffer: first size, and largest when it grows by itself.";
    "net.ipv4" tcp_mem: Bytes(0, u64::MAX) = "Data held by all connections together. Beyond it data is not taken, save 4096 bytes for each connection.";
    "net.ipv4" tcp_rto_min: Millis(1, 120_000) = "Smallest retransmission time-out.";
    "net.ipv4" tcp_rto_max: Millis(1, 120_000) = "Largest retransmission time-out.";
    "net.ipv4" tcp_rto_initial: Millis(1, 120_000) = "Retransmission time-out before a round trip was measured.";
    "net.ipv4" tcp_delack_min: Millis(0, 500) = "Shortest delay of an acknowledgement.";
    "net.ipv4" tcp_delack_max: Millis(0, 500) = "Longest delay of an acknowledgement.";
    "net.ipv4" tcp_init_cwnd: U32("segments", 1, 1000) = "Initial congestion window.";
    "net.ipv4" tcp_reordering: U8(1, 127) = "Duplicate acknowledgements that mean a loss.";
    "net.ipv4" tcp_invalid_ratelimit: Millis(0, 60_000) = "Least time between two answers to invalid segments of one connection; doubled, up to 32 times, until something valid comes.";
    "net.ipv4" tcp_slow_start_after_idle: Bool = "The congestion window shrinks after idleness.";
    "net.ipv4" tcp_tw_reuse: Bool = "`connect` may take over a four-tuple in TIME-WAIT when timestamps allow it.";
    "net.ipv4" tcp_resets_per_sec: U32("RSTs a second", 0, u32::MAX) = "Most RSTs to segments of no connection. Linux has no such limit.";
    "net.ipv4" min_pmtu: U16(552, 65_535) = "Smallest path MTU that an ICMP message is believed about, bytes, IPv4.";
    "net.ipv4" ip_default_ttl: U8(1, 255) = "TTL and hop limit of what is sent.";
    "net.ipv4" ip_local_port_range: PortRange = "Ports given to sockets that ask for none.";
    "net.ipv4" icmp_msgs_per_sec: U32("messages a second", 0, u32::MAX) = "Most ICMP errors.";
    "net.ipv4" icmp_echo_ignore_all: Bool = "Echo requests are ignored.";
    "net.core" rmem_default: U32("bytes", 256, MAX_BUFFER) = "Receive queue of a UDP socket, each datagram's overhead counted.";
}

/// The setting of a name; `tcp_sack` is enough for `net.ipv4.tcp_sack`.
pub fn find(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| {
        setting.name == name
            || setting
                .name
                .rsplit_once('.')
                .is_some_and(|(_, short)| short == name)
    })
}

impl Setting {
    /// The value as text.
    pub fn get(&self, settings: &Settings) -> String {
        let mut copy = settings.clone();
        let s = &mut copy;
        match self.access {
            Access::Bool(field) => u8::from(*field(s)).to_string(),
            Access::U8(field, ..) => field(s).to_string(),
            Access::U16(field, ..) => field(s).to_string(),
            Access::U32(field, ..) => field(s).to_string(),
            Access::Bytes(field, ..) => field(s).to_string(),
            Access::BytePair(field, ..) => {
                let (first, largest) = *field(s);
                format!("{first} {largest}")
            }
            Access::PortRange(field) => {
                let (first, last) = *field(s);
                format!("{first} {last}")
            }
            Access::Seconds(field, ..) => (field(s).as_nanos() as f64 / 1e9).to_string(),
            Access::Millis(field, ..) => (field(s).as_nanos() as f64 / 1e6).to_string(),
        }
    }

    /// Reads a value from text and stores it.
    ///
    /// # Errors
    /// [`SettingError::Value`], and nothing is changed.
    pub fn set(&self, settings: &mut Settings, text: &str) -> Result<(), SettingError> {
        self.try_set(settings, text.trim())
            .ok_or_else(|| SettingError::Value {
                expected: self.expected(),
            })
    }

    fn try_set(&self, s: &mut Settings, text: &str) -> Option<()> {
        match self.access {
            Access::Bool(field) => *field(s) = number::<u8>(text, 0, 1)? == 1,
            Access::U8(field, min, max) => *field(s) = number(text, min, max)?,
            Access::U16(field, min, max) => *field(s) = number(text, min, max)?,
            Access::U32(field, _, min, max) => *field(s) = number(text, min, max)?,
            Access::Bytes(field, min, max) => *field(s) = number(text, min, max)?,
            Access::BytePair(field, min, max) => *field(s) = pair(text, min, max)?,
            Access::PortRange(field) => *field(s) = pair(text, 1, u16::MAX)?,
            Access::Seconds(field, min, max) => *field(s) = time(text, 1.0, min, max)?,
            Access::Millis(field, min, max) => *field(s) = time(text, 1e-3, min, max)?,
        }
        Some(())
    }

    /// The unit of the value; empty when it has none.
    pub const fn unit(&self) -> &'static str {
        match self.access {
            Access::Bool(_) | Access::U8(..) | Access::PortRange(_) => "",
            Access::U32(_, unit, ..) => unit,
            Access::U16(..) | Access::Bytes(..) | Access::BytePair(..) => "bytes",
            Access::Seconds(..) => "seconds",
            Access::Millis(..) => "milliseconds",
        }
    }

    /// What it takes, in words.
    pub fn expected(&self) -> String {
        let unit = self.unit();
        let space = if unit.is_empty() { "" } else { " " };
        match self.access {
            Access::Bool(_) => "0 or 1".into(),
            Access::U8(_, min, max) => format!("a number from {min} to {max}"),
            Access::U16(_, min, max) => format!("a number from {min} to {max}{space}{unit}"),
            Access::U32(_, _, min, max) => format!("a number from {min} to {max}{space}{unit}"),
            Access::Bytes(_, min, max) => format!("a number from {min} to {max}{space}{unit}"),
            Access::BytePair(_, min, max) => format!(
                "two numbers from {min} to {max}{space}{unit}, the first not more than the second"
            ),
            Access::PortRange(_) => "two ports, the first not more than the second".into(),
            Access::Seconds(_, min, max) | Access::Millis(_, min, max) => {
                format!("a time from {min} to {max}{space}{unit}")
            }
        }
    }

    /// Its default, as text.
    pub fn default(&self) -> String {
        self.get(&Settings::default())
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn number<T: core::str::FromStr + PartialOrd>(text: &str, min: T, max: T) -> Option<T> {
    let value = text.parse().ok()?;
    (min <= value && value <= max).then_some(value)
}

fn pair<T: core::str::FromStr + PartialOrd + Copy>(text: &str, min: T, max: T) -> Option<(T, T)> {
    let mut words = text.split([' ', '\t', ',', '-']).filter(|w| !w.is_empty());
    let (first, second) = (words.next()?, words.next()?);
    let pair = (number(first, min, max)?, number(second, min, max)?);
    (words.next().is_none() && pair.0 <= pair.1).then_some(pair)
}

fn time(text: &str, unit: f64, min: u64, max: u64) -> Option<Duration> {
    let value: f64 = text.parse().ok()?;
    if !(min as f64 <= value && value <= max as f64) {
        return None;
    }
    // Nanoseconds at most, so that what is read back is what was written.
    Duration::try_from_secs_f64(value * unit).ok()
}
