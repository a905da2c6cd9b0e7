//! Linux at the other end of a scenario: the lab's verbs in real time, over a TUN device, in a network namespace that is
//! made for it and gone after it.

mod errors;
mod lab;
mod observer;
mod options;
mod real;
mod repair;
mod socket;
mod sysctl;
mod tracker;

use estab_device::namespace::NetworkNamespace;
use estab_sim::lab::{Report, Scenario, play};
use estab_sim::stage::SinkMaker;
use estab_trace::Collector;
use real::Real;
use std::io;

/// Plays a scenario with the kernel as host `b`. The process must be able to make network namespaces
/// (see [`isolate`](estab_device::namespace::isolate)).
///
/// # Errors
/// The namespace, the device or a setting of the kernel cannot be had.
pub(crate) fn run(scenario: &Scenario, seed: u64, sinks: Option<SinkMaker>) -> io::Result<Report> {
    let namespace = NetworkNamespace::new()?;
    namespace.run(|| {
        let collector = Collector::new();
        let mut real = Real::new((scenario.setup)(), seed, &collector, sinks)?;
        Ok(play(scenario, &mut real, &collector))
    })
}
