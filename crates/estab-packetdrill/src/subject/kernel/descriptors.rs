//! The descriptors that belong to a script. All others of the process are out of its reach.

use super::super::{Outcome, Output, SubjectError, SystemCall};
use std::collections::BTreeSet;

/// A number that no process has: what is asked of it gives `EBADF`.
const NONE: i32 = i32::MAX;
/// The requests that set who gets a signal: one would end the process.
const OWNER_REQUESTS: [u32; 2] = [0x8901, 0x8902];

/// Those that calls have given and not closed.
#[derive(Debug, Default)]
pub(crate) struct Descriptors(BTreeSet<i32>);

impl Descriptors {
    /// Looks through a call before it is made, and puts a number that no process has in the place of what is not the script's.
    ///
    /// # Errors
    /// A script must not do this to the process that it runs in.
    pub(crate) fn admit(&mut self, call: &mut SystemCall) -> Result<(), SubjectError> {
        match call {
            SystemCall::Fcntl { command, .. } if !takes_a_number(*command) => {
                return Err(unsupported("fcntl with this command"));
            }
            SystemCall::Ioctl { request, .. } if OWNER_REQUESTS.contains(request) => {
                return Err(unsupported("ioctl that sets who gets signals"));
            }
            SystemCall::Open { flags, .. } if *flags & libc::O_ACCMODE != libc::O_RDONLY => {
                return Err(unsupported("open for writing"));
            }
            _ => {}
        }
        self.each(call, |own, fd| {
            if *fd >= 0 && !own.contains(fd) {
                *fd = NONE;
            }
        });
        if let SystemCall::Close { fd } = call {
            // The number is free as soon as the call begins, whatever it returns.
            self.0.remove(fd);
        }
        Ok(())
    }

    /// Remembers what a call gave.
    pub(crate) fn learn(&mut self, gives: bool, outcome: &Outcome) {
        match (&outcome.output, i32::try_from(outcome.result)) {
            (Output::Pipe(ends), _) => self.0.extend(ends),
            (_, Ok(fd)) if gives && fd >= 0 => {
                self.0.insert(fd);
            }
            _ => {}
        }
    }

    /// All of them, for the end.
    pub(crate) fn take(&mut self) -> BTreeSet<i32> {
        std::mem::take(&mut self.0)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        self.0.iter().copied()
    }

    fn each(&self, call: &mut SystemCall, look: impl Fn(&BTreeSet<i32>, &mut i32)) {
        use SystemCall as C;
        match call {
            C::Socket { .. } | C::EpollCreate { .. } | C::Pipe { .. } | C::Open { .. } => {}
            C::Bind { fd, .. }
            | C::Listen { fd, .. }
            | C::Accept { fd, .. }
            | C::Connect { fd, .. }
            | C::GetSockName { fd, .. }
            | C::GetPeerName { fd, .. }
            | C::Read { fd, .. }
            | C::Readv { fd, .. }
            | C::Recv { fd, .. }
            | C::RecvFrom { fd, .. }
            | C::RecvMsg { fd, .. }
            | C::Write { fd, .. }
            | C::Writev { fd, .. }
            | C::Send { fd, .. }
            | C::SendTo { fd, .. }
            | C::SendMsg { fd, .. }
            | C::Fcntl { fd, .. }
            | C::Ioctl { fd, .. }
            | C::Close { fd }
            | C::Shutdown { fd, .. }
            | C::GetSockOpt { fd, .. }
            | C::SetSockOpt { fd, .. }
            | C::Dup { fd } => look(&self.0, fd),
            C::SendFile {
                out_fd: a,
                in_fd: b,
                ..
            }
            | C::Splice {
                fd_in: a,
                fd_out: b,
                ..
            }
            | C::EpollCtl { epfd: a, fd: b, .. } => {
                look(&self.0, a);
                look(&self.0, b);
            }
            C::EpollWait { epfd, .. } => look(&self.0, epfd),
            C::Poll { fds, .. } => fds.iter_mut().for_each(|fd| look(&self.0, &mut fd.fd)),
        }
    }
}

/// Is the result of this call a descriptor?
pub(crate) fn gives_descriptor(call: &SystemCall) -> bool {
    use SystemCall as C;
    match call {
        C::Socket { .. }
        | C::Accept { .. }
        | C::EpollCreate { .. }
        | C::Open { .. }
        | C::Dup { .. } => true,
        C::Fcntl { command, .. } => [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC].contains(command),
        _ => false,
    }
}

/// The commands that take a number or nothing, and send nobody a signal.
fn takes_a_number(command: i32) -> bool {
    [
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_SETFL,
        libc::F_SETPIPE_SZ,
        libc::F_GETPIPE_SZ,
    ]
    .contains(&command)
}

fn unsupported(what: &str) -> SubjectError {
    SubjectError::Unsupported(format!("{what} is not made against the kernel"))
}

#[cfg(test)]
mod tests {
    use super::{Descriptors, NONE, gives_descriptor};
    use crate::subject::{Outcome, Output, PollFd, SystemCall};

    #[test]
    fn only_what_a_call_gave_is_in_reach() {
        let mut own = Descriptors::default();
        let socket = SystemCall::Socket {
            domain: 2,
            kind: 1,
            protocol: 0,
        };
        own.learn(gives_descriptor(&socket), &Outcome::success(7));
        own.learn(false, &Outcome::with(0, Output::Pipe([8, 9])));
        own.learn(true, &Outcome::error(libc::EMFILE));
        assert_eq!(own.iter().collect::<Vec<_>>(), [7, 8, 9]);

        let fds = [7, 1, -1].map(|fd| PollFd {
            fd,
            events: 1,
            revents: 0,
        });
        let mut call = SystemCall::Poll {
            fds: fds.to_vec(),
            timeout_ms: 0,
        };
        own.admit(&mut call).unwrap();
        let SystemCall::Poll { fds, .. } = call else {
            unreachable!()
        };
        assert_eq!(
            fds.iter().map(|fd| fd.fd).collect::<Vec<_>>(),
            [7, NONE, -1]
        );

        let mut call = SystemCall::Close { fd: 1 };
        own.admit(&mut call).unwrap();
        assert_eq!(call, SystemCall::Close { fd: NONE });
        let mut call = SystemCall::Close { fd: 7 };
        own.admit(&mut call).unwrap();
        assert_eq!(call, SystemCall::Close { fd: 7 });
        own.admit(&mut call).unwrap();
        assert_eq!(call, SystemCall::Close { fd: NONE }, "it is closed");
    }

    #[test]
    fn what_would_harm_the_process_is_refused() {
        let mut own = Descriptors::default();
        for mut call in [
            SystemCall::Fcntl {
                fd: 3,
                command: libc::F_SETOWN,
                argument: Some(1),
            },
            SystemCall::Ioctl {
                fd: 3,
                request: 0x8901,
                argument: 1,
            },
            SystemCall::Open {
                path: "/tmp/x".into(),
                flags: libc::O_WRONLY | libc::O_CREAT,
                mode: 0o600,
            },
        ] {
            assert!(own.admit(&mut call).is_err(), "{call:?}");
        }
    }
}
