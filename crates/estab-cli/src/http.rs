//! HTTP/1.1 over any stream: a server of static files, and a client that fetches one.

mod body;
pub(crate) mod client;
mod conditional;
mod listing;
mod path;
mod range;
mod root;
pub(crate) mod server;
#[cfg(test)]
mod tests;
