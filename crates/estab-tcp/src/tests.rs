//! Tests of the connection by topic. Each plays the network by hand: segments in and out are written as packetdrill writes them,
//! with numbers relative to the ISN of their direction.

mod closing;
mod data;
mod handshake;
mod icmp;
mod keepalive;
mod loss;
mod resets;
mod support;
mod urgent;
mod windows;
