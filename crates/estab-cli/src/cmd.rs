//! The commands, one a file.

pub(crate) mod completions;
pub(crate) mod connect;
pub(crate) mod demo;
pub(crate) mod drill;
pub(crate) mod get;
pub(crate) mod lab;
pub(crate) mod man;
pub(crate) mod ping;
pub(crate) mod serve;
pub(crate) mod states;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// The runtime of the commands that use estab's tokio sockets.
fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.context("cannot start threads")
}
