//! Ctrl-C and SIGTERM for the commands that have a connection.

use anyhow::{Context, Result};
use estab::Host;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Time for what is left to be acknowledged and closed after a signal.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether a signal is ending the program.
#[derive(Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Lets the signals close a host's connections before the program ends with 128 + the signal's number: the other
    /// side must not be left with half of one. It is done by a thread of its own, since the others may wait for
    /// standard input or output.
    ///
    /// # Errors
    /// The system does not allow to wait for signals.
    pub(crate) fn closes(host: &Host) -> Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot wait for signals")?;
        let came = Arc::new(AtomicBool::new(false));
        let (host, flag) = (host.clone(), Arc::clone(&came));
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                flag.store(true, Ordering::Relaxed);
                host.shutdown(CLOSE_TIMEOUT);
                std::process::exit(128 + signal);
            }
        });
        Ok(Self(came))
    }

    /// Does not return when a signal has come: errors are then due to it, and the thread that closes everything ends the
    /// program with its own exit code.
    pub(crate) fn wait_if_it_came(&self) {
        while self.0.load(Ordering::Relaxed) {
            thread::park();
        }
    }
}
