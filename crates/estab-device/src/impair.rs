//! Links as they are in the wild: loss, bursts of loss, duplication, reordering, corruption, delay with jitter, a rate
//! with a queue, and rules for what random numbers do not find.
//!
//! [`Impaired`] wraps a device. [`Impairer`] is one direction of it alone, without a device, for simulators. Neither
//! reads a clock or draws a random number that the seed does not give: the same seed and the same packets at the same
//! times give the same result.
//!
//! A packet passes these, in this order: the [rules](Rule); loss; corruption; duplication; the rate, with its queue;
//! delay and jitter; reordering. All act on wire packets, so super-segments are cut first.
//!
//! ```
//! use estab_device::impair::ImpairConfig;
//!
//! let config: ImpairConfig = "loss=1%,delay=20ms,jitter=5ms,in:rate=10mbit,seed=7".parse()?;
//! assert_eq!(config.inbound.rate, Some(10_000_000));
//! assert_eq!(config.outbound.rate, None);
//! assert_eq!(config.to_string(), "loss=1%,delay=20ms,jitter=5ms,in:rate=10mbit,seed=7");
//! # Ok::<(), estab_device::impair::SpecError>(())
//! ```

mod config;
mod corrupt;
mod device;
mod impairer;
mod loss;
mod pace;
mod reorder;
mod rule;
mod spec;
#[cfg(test)]
mod tests;

pub use config::{ImpairConfig, Impairments, Probability};
pub use device::Impaired;
pub use impairer::{ImpairCounters, Impairer};
pub use loss::Loss;
pub use rule::{Rule, Verdict, WirePacket, nth};
pub use spec::SpecError;
