//! The system calls themselves.
//!
//! Every pointer handed to the kernel points into a buffer that lives as long as the call, of the length that the call is
//! told, or is null where the interface allows it.

use super::super::{EpollEvent, Outcome, Output, PollFd, SystemCall};
use std::ptr;

mod data;
mod options;

/// Longest buffer for what is read: more than any socket holds, so that a larger one makes no difference.
const BUFFER_MAX: usize = 64 << 20;
/// Longest `sockaddr`, option or row of control messages that is asked for.
const ROOM_MAX: usize = 1 << 20;

/// Makes a call. It may block.
pub(crate) fn make(call: &SystemCall) -> Outcome {
    use SystemCall as C;
    match call {
        C::Socket {
            domain,
            kind,
            protocol,
        } => {
            // SAFETY: numbers only.
            unsafe { number(libc::socket(*domain, *kind, *protocol)) }
        }
        // SAFETY: numbers only.
        C::Listen { fd, backlog } => unsafe { number(libc::listen(*fd, *backlog)) },
        // SAFETY: numbers only; whose descriptors these are is seen to by the caller.
        C::Close { fd } => unsafe { number(libc::close(*fd)) },
        // SAFETY: numbers only.
        C::Shutdown { fd, how } => unsafe { number(libc::shutdown(*fd, *how)) },
        // SAFETY: numbers only.
        C::Dup { fd } => unsafe { number(libc::dup(*fd)) },
        C::Fcntl {
            fd,
            command,
            argument,
        } => {
            // SAFETY: the caller admits only commands that take a number or nothing.
            unsafe { number(libc::fcntl(*fd, *command, argument.unwrap_or(0))) }
        }
        C::Bind { fd, address } => {
            let (pointer, len) = address_of(address);
            // SAFETY: see the module.
            unsafe { number(libc::bind(*fd, pointer, len)) }
        }
        C::Connect { fd, address } => {
            let (pointer, len) = address_of(address);
            // SAFETY: see the module.
            unsafe { number(libc::connect(*fd, pointer, len)) }
        }
        C::Accept { fd, room, flags } => accept(*fd, *room, *flags),
        C::GetSockName { fd, room } => name_of(*fd, *room, libc::getsockname),
        C::GetPeerName { fd, room } => name_of(*fd, *room, libc::getpeername),
        C::Read { .. }
        | C::Readv { .. }
        | C::Recv { .. }
        | C::RecvFrom { .. }
        | C::RecvMsg { .. } => data::receive(call),
        C::Write { .. }
        | C::Writev { .. }
        | C::Send { .. }
        | C::SendTo { .. }
        | C::SendMsg { .. } => data::send(call),
        C::SendFile {
            out_fd,
            in_fd,
            offset,
            count,
        } => {
            let mut offset = *offset;
            let pointer = offset.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
            // SAFETY: see the module.
            unsafe { long(libc::sendfile(*out_fd, *in_fd, pointer, *count)) }
        }
        C::Splice {
            fd_in,
            fd_out,
            len,
            flags,
        } => {
            let none = ptr::null_mut();
            // SAFETY: null offsets mean none.
            unsafe { long(libc::splice(*fd_in, none, *fd_out, none, *len, *flags)) }
        }
        C::Ioctl {
            fd,
            request,
            argument,
        } => options::ioctl(*fd, *request, *argument),
        C::GetSockOpt {
            fd,
            level,
            name,
            room,
        } => options::get(*fd, *level, *name, *room),
        C::SetSockOpt {
            fd,
            level,
            name,
            value,
        } => options::set(*fd, *level, *name, value),
        C::Poll { fds, timeout_ms } => poll(fds, *timeout_ms),
        C::EpollCreate {
            size: Some(size), ..
        } => {
            // SAFETY: numbers only.
            unsafe { number(libc::epoll_create(*size)) }
        }
        // SAFETY: numbers only.
        C::EpollCreate { size: None, flags } => unsafe { number(libc::epoll_create1(*flags)) },
        C::EpollCtl {
            epfd,
            op,
            fd,
            event,
        } => epoll_ctl(*epfd, *op, *fd, *event),
        C::EpollWait {
            epfd,
            max_events,
            timeout_ms,
        } => epoll_wait(*epfd, *max_events, *timeout_ms),
        C::Pipe { flags } => pipe(*flags),
        C::Open { path, flags, mode } => options::open(path, *flags, *mode),
    }
}

/// Linux's `struct tcp_info`, as long as this kernel knows it.
///
/// # Errors
/// The errno of `getsockopt`.
pub(crate) fn tcp_info(fd: i32) -> Result<Vec<u8>, i32> {
    let outcome = options::get(fd, libc::IPPROTO_TCP, libc::TCP_INFO, 1024);
    match outcome.output {
        Output::Value(value) => Ok(value),
        _ => Err(outcome.errno),
    }
}

/// Closing it sends a reset and leaves nothing behind. No socket: nothing happens.
pub(crate) fn linger_zero(fd: i32) {
    let value: Vec<u8> = [1_i32, 0].into_iter().flat_map(i32::to_ne_bytes).collect();
    let _ = options::set(fd, libc::SOL_SOCKET, libc::SO_LINGER, &value);
}

fn number(result: i32) -> Outcome {
    long(result as isize)
}

/// The outcome of the call that has just returned this on this thread.
fn long(result: isize) -> Outcome {
    if result < 0 {
        let errno = std::io::Error::last_os_error().raw_os_error();
        return Outcome::error(errno.unwrap_or(libc::EIO));
    }
    Outcome::success(result as i64)
}

fn address_of(address: &[u8]) -> (*const libc::sockaddr, libc::socklen_t) {
    let len = libc::socklen_t::try_from(address.len()).unwrap_or(libc::socklen_t::MAX);
    (address.as_ptr().cast(), len)
}

/// A buffer for so much; what the script asks beyond the limit would never be filled.
fn room_for(room: u32) -> Vec<u8> {
    vec![0; usize::try_from(room).map_or(ROOM_MAX, |room| room.min(ROOM_MAX))]
}

fn socklen(buffer: &[u8]) -> libc::socklen_t {
    // At most ROOM_MAX.
    buffer.len() as libc::socklen_t
}

/// What was filled: the kernel says how long the value is, which may be more than there was room for.
fn filled(mut buffer: Vec<u8>, len: libc::socklen_t) -> Vec<u8> {
    buffer.truncate(len as usize);
    buffer
}

fn with(outcome: Outcome, output: impl FnOnce() -> Output) -> Outcome {
    if outcome.result < 0 {
        return outcome;
    }
    Outcome::with(outcome.result, output())
}

fn accept(fd: i32, room: Option<u32>, flags: Option<i32>) -> Outcome {
    let mut address = room.map(room_for);
    let mut len = address.as_deref().map_or(0, socklen);
    let (pointer, len_pointer) = match &mut address {
        Some(buffer) => (buffer.as_mut_ptr().cast(), &raw mut len),
        None => (ptr::null_mut(), ptr::null_mut()),
    };
    // SAFETY: see the module.
    let result = unsafe {
        match flags {
            Some(flags) => libc::accept4(fd, pointer, len_pointer, flags),
            None => libc::accept(fd, pointer, len_pointer),
        }
    };
    with(number(result), || {
        Output::Address(filled(address.unwrap_or_default(), len))
    })
}

type NameCall = unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32;

fn name_of(fd: i32, room: u32, call: NameCall) -> Outcome {
    let mut address = room_for(room);
    let mut len = socklen(&address);
    // SAFETY: see the module.
    let outcome = unsafe { number(call(fd, address.as_mut_ptr().cast(), &raw mut len)) };
    with(outcome, || Output::Address(filled(address, len)))
}

fn poll(fds: &[PollFd], timeout_ms: i32) -> Outcome {
    let mut list: Vec<libc::pollfd> = fds
        .iter()
        .map(|fd| libc::pollfd {
            fd: fd.fd,
            events: fd.events,
            revents: 0,
        })
        .collect();
    // SAFETY: see the module.
    let outcome = unsafe {
        number(libc::poll(
            list.as_mut_ptr(),
            list.len() as libc::nfds_t,
            timeout_ms,
        ))
    };
    with(outcome, || {
        let fds = fds.iter().zip(&list);
        Output::PollFds(
            fds.map(|(fd, polled)| PollFd {
                revents: polled.revents,
                ..*fd
            })
            .collect(),
        )
    })
}

fn epoll_ctl(epfd: i32, op: i32, fd: i32, event: Option<EpollEvent>) -> Outcome {
    let mut event = event.map(|event| libc::epoll_event {
        events: event.events,
        u64: event.data,
    });
    let pointer = event.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: see the module.
    unsafe { number(libc::epoll_ctl(epfd, op, fd, pointer)) }
}

fn epoll_wait(epfd: i32, max_events: i32, timeout_ms: i32) -> Outcome {
    let room = usize::try_from(max_events).map_or(0, |max| max.min(4096));
    let mut list = vec![libc::epoll_event { events: 0, u64: 0 }; room];
    // A number that makes no sense is the kernel's to refuse.
    let max_events = if max_events > 0 {
        room as i32
    } else {
        max_events
    };
    // SAFETY: see the module.
    let outcome = unsafe {
        number(libc::epoll_wait(
            epfd,
            list.as_mut_ptr(),
            max_events,
            timeout_ms,
        ))
    };
    let count = usize::try_from(outcome.result).unwrap_or(0);
    with(outcome, || {
        let events = list.iter().take(count);
        Output::Events(
            events
                .map(|event| EpollEvent {
                    events: event.events,
                    data: event.u64,
                })
                .collect(),
        )
    })
}

fn pipe(flags: Option<i32>) -> Outcome {
    let mut ends = [0_i32; 2];
    // SAFETY: see the module.
    let outcome = unsafe {
        number(match flags {
            Some(flags) => libc::pipe2(ends.as_mut_ptr(), flags),
            None => libc::pipe(ends.as_mut_ptr()),
        })
    };
    with(outcome, || Output::Pipe(ends))
}
