//! The calls that do more than to pass on what they are given.

use super::Plugin;
use crate::settings;
use core::task::Poll;
use estab_posix::{Accepted, Errno, Message};
use estab_tcp::Settings;
use std::collections::BTreeSet;
use std::path::Path;

impl Plugin {
    /// The settings of this moment. A script's commands change them whenever they like.
    fn settings(&self) -> Settings {
        let mut complaints = BTreeSet::new();
        let settings = settings::read(Path::new(settings::KERNEL), &mut complaints);
        for complaint in complaints {
            self.say(complaint);
        }
        settings
    }

    pub(crate) fn check(&self, fd: i32) -> Result<(), Errno> {
        self.lock()?.check(fd)
    }

    pub(crate) fn socket(&self, domain: i32, kind: i32, protocol: i32) -> Result<i32, Errno> {
        let settings = self.settings();
        self.at_once(|state, now| {
            state.set_settings(settings);
            let fd = state.posix.socket(domain, kind, protocol)?;
            state.adopt(now, fd, 0)
        })
    }

    pub(crate) fn bind(&self, fd: i32, address: &[u8]) -> Result<(), Errno> {
        self.at_once(|state, _| {
            state.check(fd)?;
            state.learn(address);
            state.posix.bind(fd, address)
        })
    }

    pub(crate) fn accept(&self, fd: i32) -> Result<Accepted, Errno> {
        let mut settings = Some(self.settings());
        self.waiting(|state, now, waiting| {
            if let Some(settings) = settings.take() {
                state.set_settings(settings);
            }
            let Poll::Ready(accepted) = state.posix.accept4(now, fd, 0, waiting) else {
                return Poll::Pending;
            };
            Poll::Ready(accepted.and_then(|accepted| {
                let fd = state.adopt(now, accepted.fd, 0)?;
                Ok(Accepted { fd, ..accepted })
            }))
        })
    }

    pub(crate) fn connect(&self, fd: i32, address: &[u8]) -> Result<(), Errno> {
        let mut settings = Some(self.settings());
        self.waiting(|state, now, waiting| {
            if let Some(settings) = settings.take() {
                state.set_settings(settings);
                state.prepare(address);
            }
            state.posix.connect(now, fd, address, waiting)
        })
    }

    pub(crate) fn sendto(
        &self,
        fd: i32,
        data: &[u8],
        flags: i32,
        address: Option<&[u8]>,
    ) -> Result<usize, Errno> {
        self.waiting(|state, now, waiting| {
            if let Some(address) = address {
                state.prepare(address);
            }
            state.posix.sendto(now, fd, data, flags, address, waiting)
        })
    }

    pub(crate) fn sendmsg(
        &self,
        fd: i32,
        data: &[u8],
        message: &Message<'_>,
        flags: i32,
    ) -> Result<usize, Errno> {
        self.waiting(|state, now, waiting| {
            if let Some(address) = message.address {
                state.prepare(address);
            }
            state.posix.sendmsg(now, fd, data, message, flags, waiting)
        })
    }

    pub(crate) fn close(&self, fd: i32) -> Result<(), Errno> {
        let mut begun = false;
        self.waiting(|state, now, waiting| {
            let closed = state.posix.close(now, fd, waiting);
            // The number is free at once, also while the close waits; it may be somebody else's when it is over.
            let first = !core::mem::replace(&mut begun, true);
            if first && !matches!(closed, Poll::Ready(Err(Errno::EBADF))) {
                state.forget(fd);
            }
            closed
        })
    }

    pub(crate) fn fcntl(&self, fd: i32, command: i32, argument: i32) -> Result<i32, Errno> {
        self.at_once(|state, now| {
            let result = state.posix.fcntl(fd, command, argument)?;
            match command {
                libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => state.adopt(now, result, argument),
                _ => Ok(result),
            }
        })
    }

    pub(crate) fn epoll_create(&self) -> Result<i32, Errno> {
        self.at_once(|state, now| {
            let fd = state.posix.epoll_create(0)?;
            state.adopt(now, fd, 0)
        })
    }

    pub(crate) fn pipe(&self) -> Result<[i32; 2], Errno> {
        self.at_once(|state, now| {
            let [read, write] = state.posix.pipe2(0)?;
            // Not the number that the other end still has.
            let read = state.adopt(now, read, write + 1)?;
            match state.adopt(now, write, 0) {
                Ok(write) => Ok([read, write]),
                Err(error) => {
                    let _ = state.posix.close(now, read, &mut Default::default());
                    state.forget(read);
                    Err(error)
                }
            }
        })
    }
}
