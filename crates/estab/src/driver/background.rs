//! The background thread: it drives the devices while nobody waits in a call.

use super::leadership::{Leader, Tick};
use super::{CoreGuard, Driver};
use crate::clock::NEVER;
use estab_tcp::Instant;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// Time without a leader after which the background thread takes over: one to two of these.
const GRACE: Duration = Duration::from_millis(2);

/// Starts it. It holds the driver, not a handle: it ends some time after the last handle is dropped.
pub(super) fn spawn(driver: Arc<Driver>) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("estab-driver".into());
    thread.spawn(move || {
        // A waker or a device of the user's may panic. The host goes on.
        while std::panic::catch_unwind(AssertUnwindSafe(|| driver.run_background())).is_err() {}
    })?;
    Ok(())
}

impl Driver {
    /// Until the last handle is gone and everything is delivered.
    fn run_background(&self) {
        loop {
            let mut core = self.lock();
            if let Some(until) = core.ending {
                if core.lead.end() {
                    self.deliver(core, until);
                    return;
                }
                drop(core);
                self.wait_for_kick(self.now() + GRACE);
                continue;
            }
            let (tick, next) = core.lead.tick();
            let kick = core.follow(next);
            match tick {
                Tick::Lead => {
                    core.counters.background_leads += 1;
                    self.lead_background(core);
                }
                Tick::Again => {
                    self.finish_with(core, self.now(), kick);
                    self.wait_for_kick(self.now() + GRACE);
                }
                Tick::Park => {
                    self.finish_with(core, self.now(), kick);
                    self.wait_for_kick(NEVER);
                }
            }
        }
    }

    /// Until somebody else leads, or the host ends.
    fn lead_background<'a>(&'a self, mut core: CoreGuard<'a>) {
        let me = Leader::Background;
        while core.lead.leader() == me && core.ending.is_none() {
            let released;
            let now = self.now();
            (core, released) = self.flush(core, now);
            if released {
                continue;
            }
            if !core.lead.rest(me) {
                let next = core.lead.relieve(me);
                let kick = core.follow(next);
                return self.finish_with(core, self.now(), kick);
            }
            core = self.turn(core, me, now, NEVER).0;
        }
        self.finish(core, self.now());
    }

    /// The host ends: what was queued is delivered in the time that there is; the rest is reset.
    fn deliver<'a>(&'a self, mut core: CoreGuard<'a>, until: Instant) {
        while !core.is_over(self.now()) {
            let released;
            let now = self.now();
            (core, released) = self.flush(core, now);
            if !released {
                core = self.turn(core, Leader::Background, now, until).0;
            }
        }
        core.stack.abort_connections(self.now());
        self.finish(core, self.now());
        for port in &self.ports {
            port.device().set_waker(None);
        }
    }
}
