//! Linux's world.

use crate::world::{Got, Outcome, World};
use core::ptr;
use estab_posix::{EpollEvent, Errno};

/// Descriptors that are open, to be closed at the end.
pub(crate) struct Kernel(Vec<i32>);

impl Kernel {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    fn opened(&mut self, fd: i64) -> Outcome<i32> {
        let fd = check(fd)? as i32;
        self.0.push(fd);
        Ok(fd)
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        for fd in core::mem::take(&mut self.0) {
            // SAFETY: it is ours, and open.
            unsafe { libc::close(fd) };
        }
    }
}

fn check(result: i64) -> Outcome<i64> {
    match result {
        -1 => {
            let error = std::io::Error::last_os_error();
            Err(Errno(error.raw_os_error().expect("a number")))
        }
        value => Ok(value),
    }
}

fn done(result: i32) -> Outcome<()> {
    check(result.into()).map(|_| ())
}

fn len(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("short")
}

/// Room for an address.
type Storage = [u8; 128];

// Every call below gets pointers to buffers that live longer than it, with their lengths.
impl World for Kernel {
    fn socket(&mut self, domain: i32, kind: i32, protocol: i32) -> Outcome<i32> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::socket(domain, kind, protocol) };
        self.opened(fd.into())
    }

    fn bind(&mut self, fd: i32, address: &[u8]) -> Outcome<()> {
        // SAFETY: the address and its length.
        done(unsafe { libc::bind(fd, address.as_ptr().cast(), len(address)) })
    }

    fn listen(&mut self, fd: i32, backlog: i32) -> Outcome<()> {
        // SAFETY: no pointers.
        done(unsafe { libc::listen(fd, backlog) })
    }

    fn accept4(&mut self, fd: i32, flags: i32) -> Outcome<(i32, Vec<u8>)> {
        let mut address: Storage = [0; 128];
        let mut room = 128;
        // SAFETY: the buffer and its length.
        let fd = unsafe { libc::accept4(fd, address.as_mut_ptr().cast(), &mut room, flags) };
        let fd = self.opened(fd.into())?;
        Ok((fd, address[..room as usize].to_vec()))
    }

    fn connect(&mut self, fd: i32, address: &[u8]) -> Outcome<()> {
        // SAFETY: the address and its length.
        done(unsafe { libc::connect(fd, address.as_ptr().cast(), len(address)) })
    }

    fn getsockname(&mut self, fd: i32) -> Outcome<Vec<u8>> {
        let mut address: Storage = [0; 128];
        let mut room = 128;
        // SAFETY: the buffer and its length.
        done(unsafe { libc::getsockname(fd, address.as_mut_ptr().cast(), &mut room) })?;
        Ok(address[..room as usize].to_vec())
    }

    fn getpeername(&mut self, fd: i32) -> Outcome<Vec<u8>> {
        let mut address: Storage = [0; 128];
        let mut room = 128;
        // SAFETY: the buffer and its length.
        done(unsafe { libc::getpeername(fd, address.as_mut_ptr().cast(), &mut room) })?;
        Ok(address[..room as usize].to_vec())
    }

    fn read(&mut self, fd: i32, len: usize) -> Outcome<usize> {
        let mut buffer = vec![0u8; len];
        // SAFETY: the buffer and its length.
        let n = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), len) };
        check(n as i64).map(|n| n as usize)
    }

    fn write(&mut self, fd: i32, data: &[u8]) -> Outcome<usize> {
        // SAFETY: the buffer and its length.
        let n = unsafe { libc::write(fd, data.as_ptr().cast(), data.len()) };
        check(n as i64).map(|n| n as usize)
    }

    fn recvmsg(&mut self, fd: i32, len: usize, flags: i32) -> Outcome<Got> {
        let mut data = vec![0u8; len];
        let mut address: Storage = [0; 128];
        let mut control = [0u64; 32];
        let mut iov = libc::iovec {
            iov_base: data.as_mut_ptr().cast(),
            iov_len: len,
        };
        // SAFETY: all zero is a valid msghdr.
        let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
        message.msg_name = address.as_mut_ptr().cast();
        message.msg_namelen = 128;
        message.msg_iov = &mut iov;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = 256;
        // SAFETY: the buffers above outlive the call.
        let n = check(unsafe { libc::recvmsg(fd, &mut message, flags) } as i64)? as usize;
        data.truncate(n);
        Ok(Got {
            len: n,
            data,
            family: (message.msg_namelen > 0).then(|| u16::from_ne_bytes([address[0], address[1]])),
            flags: message.msg_flags,
        })
    }

    fn sendmsg(
        &mut self,
        fd: i32,
        data: &[u8],
        flags: i32,
        address: Option<&[u8]>,
        control: &[u8],
    ) -> Outcome<usize> {
        let mut iov = libc::iovec {
            iov_base: data.as_ptr().cast_mut().cast(),
            iov_len: data.len(),
        };
        // SAFETY: all zero is a valid msghdr.
        let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
        if let Some(address) = address {
            message.msg_name = address.as_ptr().cast_mut().cast();
            message.msg_namelen = len(address);
        }
        message.msg_iov = &mut iov;
        message.msg_iovlen = 1;
        if !control.is_empty() {
            message.msg_control = control.as_ptr().cast_mut().cast();
            message.msg_controllen = control.len();
        }
        // SAFETY: the buffers above outlive the call, which only reads them.
        let n = unsafe { libc::sendmsg(fd, &message, flags | libc::MSG_NOSIGNAL) };
        check(n as i64).map(|n| n as usize)
    }

    fn shutdown(&mut self, fd: i32, how: i32) -> Outcome<()> {
        // SAFETY: no pointers.
        done(unsafe { libc::shutdown(fd, how) })
    }

    fn close(&mut self, fd: i32) -> Outcome<()> {
        let Some(at) = self.0.iter().position(|open| *open == fd) else {
            // Other tests' descriptors may have that number.
            return Err(Errno::EBADF);
        };
        self.0.swap_remove(at);
        // SAFETY: it is ours, and open.
        done(unsafe { libc::close(fd) })
    }

    fn fcntl(&mut self, fd: i32, command: i32, argument: i32) -> Outcome<i32> {
        // SAFETY: the commands of the tests take an int or nothing.
        let result = unsafe { libc::fcntl(fd, command, argument) };
        if matches!(command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC) {
            return self.opened(result.into());
        }
        check(result.into()).map(|value| value as i32)
    }

    fn ioctl(&mut self, fd: i32, request: u32, argument: i32) -> Outcome<i32> {
        let mut value = argument;
        // SAFETY: the requests of the tests read or write one int.
        done(unsafe { libc::ioctl(fd, request.into(), ptr::from_mut(&mut value)) })?;
        // What is only read is not given.
        Ok(if request == libc::FIONBIO as u32 {
            0
        } else {
            value
        })
    }

    fn getsockopt(&mut self, fd: i32, level: i32, name: i32, room: usize) -> Outcome<Vec<u8>> {
        let mut value = vec![0u8; room];
        let mut len = u32::try_from(room).expect("short");
        let to = value.as_mut_ptr().cast();
        // SAFETY: the buffer and its length.
        done(unsafe { libc::getsockopt(fd, level, name, to, &mut len) })?;
        value.truncate(len as usize);
        Ok(value)
    }

    fn setsockopt(&mut self, fd: i32, level: i32, name: i32, value: &[u8]) -> Outcome<()> {
        let from = value.as_ptr().cast();
        // SAFETY: the buffer and its length.
        done(unsafe { libc::setsockopt(fd, level, name, from, len(value)) })
    }

    fn poll(&mut self, fd: i32, events: i16) -> Outcome<i16> {
        let mut polled = libc::pollfd {
            fd,
            events,
            revents: 0,
        };
        // SAFETY: one pollfd.
        done(unsafe { libc::poll(&mut polled, 1, 0) })?;
        Ok(polled.revents)
    }

    fn epoll_create(&mut self, flags: i32) -> Outcome<i32> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::epoll_create1(flags) };
        self.opened(fd.into())
    }

    fn epoll_ctl(&mut self, epfd: i32, op: i32, fd: i32, event: Option<EpollEvent>) -> Outcome<()> {
        let mut event = event.map(|event| libc::epoll_event {
            events: event.events,
            u64: event.data,
        });
        let event = event.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: an event, or none.
        done(unsafe { libc::epoll_ctl(epfd, op, fd, event) })
    }

    fn epoll_wait(&mut self, epfd: i32, most: i32) -> Outcome<Vec<EpollEvent>> {
        let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; 64];
        assert!(most <= 64);
        // SAFETY: room for more events than are asked for.
        let n = check(unsafe { libc::epoll_wait(epfd, events.as_mut_ptr(), most, 0) }.into())?;
        events.truncate(n as usize);
        let events = events.iter().map(|event| EpollEvent {
            events: event.events,
            data: event.u64,
        });
        Ok(events.collect())
    }

    fn pipe2(&mut self, flags: i32) -> Outcome<[i32; 2]> {
        let mut fds = [0; 2];
        // SAFETY: room for two descriptors.
        done(unsafe { libc::pipe2(fds.as_mut_ptr(), flags) })?;
        self.0.extend(fds);
        Ok(fds)
    }

    fn splice(&mut self, from: i32, to: i32, len: usize, flags: u32) -> Outcome<usize> {
        let none = ptr::null_mut();
        // SAFETY: no offsets.
        let n = unsafe { libc::splice(from, none, to, none, len, flags) };
        check(n as i64).map(|n| n as usize)
    }

    fn settle(&mut self, fd: i32, events: i16) {
        let mut polled = libc::pollfd {
            fd,
            events,
            revents: 0,
        };
        // SAFETY: one pollfd.
        unsafe { libc::poll(&mut polled, 1, 2000) };
    }
}
