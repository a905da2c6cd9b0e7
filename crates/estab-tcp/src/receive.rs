mod queue;
mod reassembly;

#[allow(unused_imports)]
pub(crate) use queue::ReceiveQueue;
#[allow(unused_imports)]
pub(crate) use reassembly::{Inserted, Reassembly};
