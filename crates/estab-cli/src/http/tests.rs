//! The server and the client over streams in memory.

mod client;
mod files;
mod protocol;
mod support;
