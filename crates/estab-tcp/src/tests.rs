//! Tests of the connection by topic. Each plays the network by hand: segments in and out are written as packetdrill writes them,
//! with numbers relative to the ISN of their direction.

mod closing;
mod data;
mod handshake;
mod icmp;
mod keepalive;
mod loss;
mod pair;
mod resets;
mod support;
mod urgent;
mod windows;

/// Memory is what many idle connections cost: queues hold nothing then, so this is all of it.
#[test]
fn an_idle_connection_is_small() {
    let size = size_of::<crate::Connection>();
    assert!(size <= 1024, "{size} bytes");
}
