//! Devices: what moves packets between a stack and a link.
//!
//! | Device | Moves packets |
//! |---|---|
//! | [`MemoryDevice`](memory::MemoryDevice) | between hosts in this process, over a cable ([`memory::pair`]) or a [`Switch`](memory::Switch) |
//! | [`TunTap`](tuntap::TunTap) | to and from the kernel of this machine (Linux): IP packets or Ethernet frames, with offload |
//! | [`Impaired`] | over any other device, but loses, delays, reorders and corrupts some, by a seed or by rules |
//!
//! Each is a [`Device`], which is a small trait: whoever has packets to move may implement it. [`url`] opens devices
//! by name, such as `tun:estab0`.
//!
//! A [`Recorder`] writes what hosts send and receive to a pcapng file, whatever their devices, with state changes and
//! drop reasons as comments on the packets. On Linux [`netlink`] configures the kernel's side of a device, and
//! [`namespace`] makes networks of one's own to do it in.
//!
//! # Example
//!
//! Two devices on a cable, of which one end loses every second packet that comes in:
//!
//! ```
//! use bytes::Bytes;
//! use estab_device::impair::{ImpairConfig, Impaired, Verdict, WirePacket};
//! use estab_device::memory::{self, MemoryLinkConfig};
//! use estab_device::{Device, RxBatch, TxBatch};
//! use estab_stack::{HeaderBuffer, PacketOut};
//! use estab_tcp::{Chunks, Instant};
//!
//! # fn main() -> std::io::Result<()> {
//! let (mut a, b) = memory::pair(MemoryLinkConfig::default());
//! let mut b = Impaired::new(b, &ImpairConfig::default());
//! b.add_inbound_rule(|packet: &WirePacket<'_>| match packet.index % 2 {
//!     0 => Verdict::Pass,
//!     _ => Verdict::Drop,
//! });
//!
//! let now = Instant::ZERO;
//! let mut batch = TxBatch::default();
//! for text in ["one", "two", "three"] {
//!     batch.push(PacketOut {
//!         header: HeaderBuffer::new(),
//!         payload: Chunks::from(Bytes::from(text)),
//!         checksum: None,
//!         segment_size: 0,
//!     });
//! }
//! assert_eq!(a.transmit(now, &mut batch)?, 3);
//!
//! let mut batch = RxBatch::new(64);
//! assert_eq!(b.receive(now, &mut batch)?, 2);
//! assert_eq!(batch.pop().map(|packet| packet.data), Some(Bytes::from("one")));
//! assert_eq!(batch.pop().map(|packet| packet.data), Some(Bytes::from("three")));
//! # Ok(())
//! # }
//! ```

mod batch;
mod device;
pub mod impair;
pub mod memory;
#[cfg(target_os = "linux")]
pub mod namespace;
#[cfg(target_os = "linux")]
pub mod netlink;
mod packet;
pub mod record;
#[cfg(target_os = "linux")]
pub mod tuntap;
pub mod url;

pub use batch::{RxBatch, TxBatch};
pub use device::{Capabilities, Device, Wait};
pub use impair::Impaired;
pub use packet::carry;
pub use record::Recorder;
