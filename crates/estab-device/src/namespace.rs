//! Network namespaces: a network of one's own, where devices, addresses and routes disturb nobody, and which is gone
//! with its last process.
//!
//! Making one needs `CAP_SYS_ADMIN`. Without it a user namespace comes along, in which the process has all
//! capabilities over its own network, where the system allows that.

use crate::netlink;
use rustix::process::{getegid, geteuid};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::{io, thread};

#[doc(hidden)]
pub mod testing;

/// What to do when the kernel refuses.
pub(crate) const PERMISSION_ADVICE: &str =
    "needs CAP_NET_ADMIN: run with sudo, or in a user namespace (unshare -Urn)";

/// Moves the calling process into a new network namespace, with its loopback device up; into a new user namespace
/// too when it has not the capability, where it then is root.
///
/// Only the calling thread and those that it starts later move. A user namespace can be made only while the process
/// has one thread, so call this first of all.
///
/// # Errors
/// The system does not allow it; the message says what to do.
pub fn isolate() -> io::Result<()> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    if unshare(UnshareFlags::NEWNET).is_err() {
        unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET).map_err(|error| {
            let message = format!(
                "cannot make a network namespace: {error}: run with sudo, or allow user namespaces \
                 (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)"
            );
            io::Error::new(error.kind(), message)
        })?;
        write_id_maps(uid, gid)?;
    }
    set_loopback_up()
}

fn unshare(flags: UnshareFlags) -> io::Result<()> {
    debug_assert!(!flags.contains(UnshareFlags::FILES));
    // SAFETY: the table of descriptors stays shared; nothing else of unshare touches memory safety.
    unsafe { unshare_unsafe(flags) }.map_err(io::Error::from)
}

/// Makes the caller root of its new user namespace. The kernel demands that groups are given up first.
fn write_id_maps(uid: u32, gid: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// Sets the loopback device up, which is down in a new namespace.
///
/// # Errors
/// No permission.
pub fn set_loopback_up() -> io::Result<()> {
    netlink::set_up(netlink::link_index("lo")?)
}

/// A network namespace. It lives for as long as this handle, a process, or a device's socket is in it.
#[derive(Debug)]
pub struct NetworkNamespace(OwnedFd);

impl NetworkNamespace {
    /// Makes one, with its loopback device up. No thread of the caller moves into it.
    ///
    /// # Errors
    /// No `CAP_SYS_ADMIN`: call [`isolate`] first, which gives it where the system allows that.
    pub fn new() -> io::Result<Self> {
        on_own_thread(|| {
            unshare(UnshareFlags::NEWNET).map_err(|error| {
                let message =
                    format!("cannot make a network namespace: {error}: {PERMISSION_ADVICE}");
                io::Error::new(error.kind(), message)
            })?;
            set_loopback_up()?;
            Self::current()
        })
    }

    /// That of the calling thread.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn current() -> io::Result<Self> {
        Self::open("/proc/thread-self/ns/net")
    }

    /// One that is named by a file, such as those of `ip netns` in `/run/netns`.
    ///
    /// # Errors
    /// No such file, or it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self(File::open(path)?.into()))
    }

    /// Moves the calling thread into it.
    ///
    /// # Errors
    /// No `CAP_SYS_ADMIN` over it; not a network namespace.
    pub fn enter(&self) -> io::Result<()> {
        move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(io::Error::from)
    }

    /// Runs a function inside, on a thread of its own, and gives its result. Sockets and devices that it opens stay
    /// in the namespace wherever they are used.
    ///
    /// # Errors
    /// Those of [`enter`](Self::enter), and the function's own.
    pub fn run<T: Send>(&self, body: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_own_thread(|| {
            self.enter()?;
            body()
        })
    }
}

impl AsFd for NetworkNamespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn on_own_thread<T: Send>(body: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, body)?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
