//! Devices: what moves packets between a stack and a link.
//!
//! | Device | Moves packets |
//! |---|---|
//! | [`MemoryDevice`](memory::MemoryDevice) | between hosts in this process, over a cable ([`memory::pair`]) or a [`Switch`](memory::Switch) |

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

pub use batch::{RxBatch, TxBatch};
pub use device::{Capabilities, Device, Wait};
pub use impair::Impaired;
pub use packet::carry;
pub use record::Recorder;
