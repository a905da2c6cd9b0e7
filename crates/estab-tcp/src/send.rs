mod queue;

#[allow(unused_imports)]
pub(crate) use queue::SendQueue;
