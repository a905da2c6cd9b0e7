//! The shared object, driven through its C interface as the packetdrill tool drives it: loaded by `dlopen`, in real time by its `usleep` and
//! `gettimeofday`, with the steps of scripts as lines of Rust.

mod descriptors;
mod errors;
mod learning;
mod sockopt;
mod tcp;
mod threads;
mod timers;
mod tool;
mod udp;
mod waits;
mod wire;
mod world;
