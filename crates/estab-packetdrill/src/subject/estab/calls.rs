//! A call of the script as a call of `estab-posix`.

use crate::subject::{Outcome, Output, SystemCall};
use core::task::Poll;
use estab_posix::{Errno, Message, Polled, Posix, Waiting};
use estab_tcp::Instant;

/// Longest buffer for what is read; a larger one makes no difference, since no socket holds more.
const BUFFER_MAX: usize = 16 << 20;

/// What became of an attempt.
pub(super) enum Made {
    Done(Outcome),
    Pending,
    Unsupported(&'static str),
}

impl From<Result<Outcome, Errno>> for Made {
    fn from(result: Result<Outcome, Errno>) -> Self {
        Self::Done(result.unwrap_or_else(|errno| Outcome::error(errno.0)))
    }
}

/// Makes a call, for the first time or again.
pub(super) fn make(
    posix: &mut Posix,
    now: Instant,
    call: &SystemCall,
    waiting: &mut Waiting,
) -> Made {
    use SystemCall as C;
    match call {
        C::Read { .. }
        | C::Readv { .. }
        | C::Recv { .. }
        | C::RecvFrom { .. }
        | C::RecvMsg { .. } => receive(posix, now, call, waiting),
        C::Write { .. }
        | C::Writev { .. }
        | C::Send { .. }
        | C::SendTo { .. }
        | C::SendMsg { .. }
        | C::Splice { .. } => send(posix, now, call, waiting),
        C::Accept { fd, flags, .. } => {
            let accepted = posix.accept4(now, *fd, flags.unwrap_or(0), waiting);
            polled(accepted, |accepted| {
                let address = accepted.address.as_bytes().to_vec();
                Outcome::with(accepted.fd.into(), Output::Address(address))
            })
        }
        C::Connect { fd, address } => polled(posix.connect(now, *fd, address, waiting), |()| {
            Outcome::success(0)
        }),
        C::Close { fd } => polled(posix.close(now, *fd, waiting), |()| Outcome::success(0)),
        C::Poll { fds, timeout_ms } => {
            let mut fds = fds.clone();
            let ready = posix.poll(now, &mut fds, *timeout_ms, waiting);
            polled(ready, |ready| {
                Outcome::with(count(ready), Output::PollFds(fds))
            })
        }
        C::EpollWait {
            epfd,
            max_events,
            timeout_ms,
        } => {
            let events = posix.epoll_wait(now, *epfd, *max_events, *timeout_ms, waiting);
            polled(events, |events| {
                Outcome::with(count(events.len()), Output::Events(events))
            })
        }
        _ => at_once(posix, now, call),
    }
}

/// Calls that never wait.
fn at_once(posix: &mut Posix, now: Instant, call: &SystemCall) -> Made {
    use SystemCall as C;
    let nothing = |()| Outcome::success(0);
    let number = |number: i32| Outcome::success(number.into());
    let address = |address: estab_posix::Address, room: u32| {
        let mut bytes = address.as_bytes().to_vec();
        bytes.truncate(room as usize);
        Outcome::with(0, Output::Address(bytes))
    };
    match call {
        C::Socket {
            domain,
            kind,
            protocol,
        } => posix.socket(*domain, *kind, *protocol).map(number).into(),
        C::Bind { fd, address } => posix.bind(*fd, address).map(nothing).into(),
        C::Listen { fd, backlog } => posix.listen(now, *fd, *backlog).map(nothing).into(),
        C::GetSockName { fd, room } => posix.getsockname(*fd).map(|a| address(a, *room)).into(),
        C::GetPeerName { fd, room } => posix.getpeername(*fd).map(|a| address(a, *room)).into(),
        C::Shutdown { fd, how } => posix.shutdown(now, *fd, *how).map(nothing).into(),
        C::Fcntl {
            fd,
            command,
            argument,
        } => posix
            .fcntl(*fd, *command, argument.unwrap_or(0))
            .map(number)
            .into(),
        C::Ioctl {
            fd,
            request,
            argument,
        } => posix
            .ioctl(now, *fd, *request, *argument)
            .map(|value| Outcome::with(0, Output::Integer(value)))
            .into(),
        C::GetSockOpt {
            fd,
            level,
            name,
            room,
        } => posix
            .getsockopt(now, *fd, *level, *name, *room as usize)
            .map(|value| Outcome::with(0, Output::Value(value)))
            .into(),
        C::SetSockOpt {
            fd,
            level,
            name,
            value,
        } => posix
            .setsockopt(now, *fd, *level, *name, value)
            .map(nothing)
            .into(),
        C::EpollCreate {
            size: Some(..=0), ..
        } => Made::Done(Outcome::error(libc::EINVAL)),
        C::EpollCreate { flags, .. } => posix.epoll_create(*flags).map(number).into(),
        C::EpollCtl {
            epfd,
            op,
            fd,
            event,
        } => posix.epoll_ctl(*epfd, *op, *fd, *event).map(nothing).into(),
        C::Pipe { flags } => posix
            .pipe2(flags.unwrap_or(0))
            .map(|ends| Outcome::with(0, Output::Pipe(ends)))
            .into(),
        C::SendFile { .. } => Made::Unsupported("estab has no sendfile: it has no files"),
        C::Open { .. } => Made::Unsupported("estab has no open: it has no files"),
        C::Dup { .. } => Made::Unsupported("estab has no dup"),
        _ => Made::Unsupported("estab has no such call"),
    }
}

fn receive(posix: &mut Posix, now: Instant, call: &SystemCall, waiting: &mut Waiting) -> Made {
    use SystemCall as C;
    let total = match call {
        C::Read { len, .. } | C::Recv { len, .. } | C::RecvFrom { len, .. } => *len,
        C::Readv { lens, .. } | C::RecvMsg { lens, .. } => lens.iter().sum(),
        _ => 0,
    };
    let mut buffer = vec![0; total.min(BUFFER_MAX)];
    match call {
        C::Read { fd, .. } | C::Readv { fd, .. } => {
            let read = posix.read(now, *fd, &mut buffer, waiting);
            polled(read, |len| Outcome::success(count(len)))
        }
        C::Recv { fd, flags, .. } | C::RecvFrom { fd, flags, .. } => {
            let received = posix.recvfrom(now, *fd, &mut buffer, *flags, waiting);
            polled(received, |received| {
                let address = received.address.map(|address| address.as_bytes().to_vec());
                let address = Output::Address(address.unwrap_or_default());
                Outcome::with(count(received.len), address)
            })
        }
        C::RecvMsg {
            fd,
            control_len,
            flags,
            ..
        } => {
            let received = posix.recvmsg(now, *fd, &mut buffer, *control_len, *flags, waiting);
            polled(received, |received| {
                let address = received.address.map(|address| address.as_bytes().to_vec());
                let output = Output::Message {
                    address: address.unwrap_or_default(),
                    flags: received.flags,
                    control: received.control,
                };
                Outcome::with(count(received.len), output)
            })
        }
        _ => Made::Unsupported("estab has no such call"),
    }
}

/// A call whose data is in one piece: one that waits is made again and again.
pub(super) fn in_one_piece(call: SystemCall) -> SystemCall {
    match call {
        SystemCall::Writev { fd, data } => SystemCall::Write {
            fd,
            data: data.concat(),
        },
        SystemCall::SendMsg {
            fd,
            address,
            data,
            control,
            flags,
        } => SystemCall::SendMsg {
            fd,
            address,
            data: vec![data.concat()],
            control,
            flags,
        },
        other => other,
    }
}

fn send(posix: &mut Posix, now: Instant, call: &SystemCall, waiting: &mut Waiting) -> Made {
    use SystemCall as C;
    let sent = match call {
        C::Write { fd, data } => posix.write(now, *fd, data, waiting),
        C::Send { fd, data, flags } => posix.sendto(now, *fd, data, *flags, None, waiting),
        C::SendTo {
            fd,
            data,
            flags,
            address,
        } => posix.sendto(now, *fd, data, *flags, address.as_deref(), waiting),
        C::SendMsg {
            fd,
            address,
            data,
            control,
            flags,
        } => {
            let message = Message {
                address: address.as_deref(),
                control,
            };
            let data = data.first().map_or(&[][..], Vec::as_slice);
            posix.sendmsg(now, *fd, data, &message, *flags, waiting)
        }
        C::Splice {
            fd_in,
            fd_out,
            len,
            flags,
        } => posix.splice(now, *fd_in, *fd_out, *len, *flags, waiting),
        _ => return Made::Unsupported("estab has no such call"),
    };
    polled(sent, |len| Outcome::success(count(len)))
}

fn polled<T>(polled: Polled<T>, outcome: impl FnOnce(T) -> Outcome) -> Made {
    match polled {
        Poll::Pending => Made::Pending,
        Poll::Ready(result) => result.map(outcome).into(),
    }
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
