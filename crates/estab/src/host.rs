//! A host: a stack, its devices, and the driver between them.

mod builder;
mod ping;
mod shutdown;

pub use builder::HostBuilder;
pub use shutdown::{Report, Undelivered};

use crate::driver::{Driver, DriverCounters};
use crate::error;
use crate::net::Interceptor;
use estab_stack::settings_table::SettingError;
use estab_stack::{Cidr, Counters, HostSink, InterfaceId, Route};
use estab_tcp::{Instant, Settings};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A host in user space: addresses, routes, devices, and whatever sockets are opened on it.
///
/// Cloning gives another handle to the same host. The host runs as long as there is a handle or a socket of it, and
/// sockets go on working when all handles are gone. When the last of them is dropped, what was written is still delivered
/// by a thread of the host's own, for five seconds at most ([`HostBuilder::linger`]); then the rest is reset.
/// [`shutdown`](Self::shutdown) waits for that, and reports what came of it: a program that ends calls it first.
///
/// A host drives itself. The thread that waits in a socket call moves the packets; while none waits, a background
/// thread does; and once a socket of the module `tokio` is opened inside a tokio runtime, a task of that runtime does.
#[derive(Clone)]
pub struct Host {
    handle: Handle,
}

/// What hosts and sockets hold: the driver ends when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Owner>);

struct Owner(Arc<Driver>);

impl Handle {
    pub(crate) fn new(driver: Arc<Driver>) -> Self {
        Self(Arc::new(Owner(driver)))
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn driver(&self) -> &Arc<Driver> {
        &self.0.0
    }
}

impl std::ops::Deref for Handle {
    type Target = Driver;

    fn deref(&self) -> &Driver {
        &self.0.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Host {
    /// Describes a host.
    pub fn builder() -> HostBuilder {
        HostBuilder::new()
    }

    pub(crate) fn new(driver: Arc<Driver>) -> Self {
        Self {
            handle: Handle::new(driver),
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends the host in order: refuses new sockets, closes those that are open, and waits until what they and earlier
    /// ones have queued is acknowledged and each direction closed, at most for `deadline`. What is left then is reset.
    ///
    /// Threads and tasks that wait in a call of an open socket get an error of kind
    /// [`NetworkDown`](io::ErrorKind::NetworkDown), as does every later call.
    ///
    /// It waits in the calling thread: inside an async runtime use `spawn_blocking`.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        shutdown::shutdown(&self.handle, deadline)
    }

    /// Opens a listener for any address and any port: every TCP connection that the host's devices bring asks to be
    /// decided. `undecided_max` requests may wait for a decision; more are dropped, and their clients try again.
    ///
    /// Several interceptors share the requests.
    ///
    /// The interface must take packets for any address ([`HostBuilder::any_address`]).
    ///
    /// # Errors
    /// `undecided_max` is 0; the host is down.
    pub fn intercept(&self, undecided_max: u32) -> io::Result<Interceptor> {
        Interceptor::open(self, undecided_max)
    }

    /// What is and what was counted by the stack.
    pub fn counters(&self) -> Counters {
        self.handle.look(|core, _| core.stack.counters())
    }

    /// What was counted by the driver.
    pub fn driver_counters(&self) -> DriverCounters {
        self.handle.look(|core, _| core.counters)
    }

    /// The settings, as they are now.
    pub fn settings(&self) -> Settings {
        self.handle.look(|core, _| core.stack.settings().clone())
    }

    /// Changes settings. They hold from now on; what a socket took over when it was opened stays.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        // The change is made on a copy, so that no user code runs under the lock.
        let mut settings = self.settings();
        change(&mut settings);
        self.handle
            .call(|core, _| *core.stack.settings_mut() = settings);
    }

    /// Changes a setting by its name, `net.ipv4.tcp_fin_timeout` or `tcp_fin_timeout`, with the value as text.
    ///
    /// # Errors
    /// There is no such setting, or the text is none of its values.
    pub fn set_setting(&self, name: &str, value: &str) -> Result<(), SettingError> {
        self.handle
            .call(|core, _| core.stack.set_setting(name, value))
    }

    /// The value of a setting as text.
    ///
    /// # Errors
    /// There is no such setting.
    pub fn setting(&self, name: &str) -> Result<String, SettingError> {
        self.handle.look(|core, _| core.stack.setting(name))
    }

    /// Adds an address, with the route to its network.
    ///
    /// # Errors
    /// There is no such interface, or the address is there.
    pub fn add_address(&self, interface: InterfaceId, address: Cidr) -> io::Result<()> {
        let result = self
            .handle
            .call(|core, _| core.stack.add_address(interface, address));
        result.map_err(error::io_error)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// There is no such interface.
    pub fn add_route(&self, route: Route) -> io::Result<()> {
        let result = self.handle.call(|core, _| core.stack.add_route(route));
        result.map_err(error::io_error)
    }

    /// Takes packets for any destination as the host's own.
    pub fn set_any_address(&self, interface: InterfaceId, on: bool) {
        self.handle
            .call(|core, _| core.stack.set_any_address(interface, on));
    }

    /// Sets who receives the events of the host, or nobody. The sink is called while the stack is locked: it must be
    /// quick, and must not call this host or its sockets.
    pub fn set_sink(&self, sink: Option<Box<dyn HostSink>>) {
        self.handle.call(|core, _| core.stack.set_sink(sink));
    }

    /// The time on the host's clock, which starts with the host. Events carry it.
    pub fn now(&self) -> Instant {
        self.handle.now()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
