//! estab under the original packetdrill tool.
#![deny(unsafe_code)]

mod clock;
mod emitted;
#[allow(unsafe_code, reason = "the C interface")]
mod ffi;
mod network;
mod options;
mod plugin;
mod settings;
