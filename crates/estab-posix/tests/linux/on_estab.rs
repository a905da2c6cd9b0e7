//! estab's world.

use crate::common::Process;
use crate::world::{Got, Outcome, World};
use core::task::Poll;
use core::time::Duration;
use estab_posix::{EpollEvent, Errno, Message, PollFd, Polled, Posix, Waiting};
use estab_tcp::Instant;

pub(crate) struct OnEstab(Process);

impl OnEstab {
    pub(crate) fn new() -> Self {
        Self(Process::new())
    }

    fn call<T>(
        &mut self,
        call: impl FnMut(&mut Posix, Instant, &mut Waiting) -> Polled<T>,
    ) -> Outcome<T> {
        self.0.call(call)
    }
}

impl World for OnEstab {
    fn socket(&mut self, domain: i32, kind: i32, protocol: i32) -> Outcome<i32> {
        self.0.posix.socket(domain, kind, protocol)
    }

    fn bind(&mut self, fd: i32, address: &[u8]) -> Outcome<()> {
        self.0.posix.bind(fd, address)
    }

    fn listen(&mut self, fd: i32, backlog: i32) -> Outcome<()> {
        self.0.posix.listen(self.0.now, fd, backlog)
    }

    fn accept4(&mut self, fd: i32, flags: i32) -> Outcome<(i32, Vec<u8>)> {
        self.call(|posix, now, waiting| posix.accept4(now, fd, flags, waiting))
            .map(|accepted| (accepted.fd, accepted.address.as_bytes().to_vec()))
    }

    fn connect(&mut self, fd: i32, address: &[u8]) -> Outcome<()> {
        self.call(|posix, now, waiting| posix.connect(now, fd, address, waiting))
    }

    fn getsockname(&mut self, fd: i32) -> Outcome<Vec<u8>> {
        self.0.posix.getsockname(fd).map(|a| a.as_bytes().to_vec())
    }

    fn getpeername(&mut self, fd: i32) -> Outcome<Vec<u8>> {
        self.0.posix.getpeername(fd).map(|a| a.as_bytes().to_vec())
    }

    fn read(&mut self, fd: i32, len: usize) -> Outcome<usize> {
        let mut buffer = vec![0; len];
        self.0.read(fd, &mut buffer)
    }

    fn write(&mut self, fd: i32, data: &[u8]) -> Outcome<usize> {
        self.0.write(fd, data)
    }

    fn recvmsg(&mut self, fd: i32, len: usize, flags: i32) -> Outcome<Got> {
        let mut data = vec![0; len];
        let got = self
            .call(|posix, now, waiting| posix.recvmsg(now, fd, &mut data, 256, flags, waiting))?;
        data.truncate(got.len);
        Ok(Got {
            len: got.len,
            data,
            family: got
                .address
                .map(|a| u16::from_ne_bytes([a.as_bytes()[0], a.as_bytes()[1]])),
            flags: got.flags,
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
        let message = Message { address, control };
        self.call(|posix, now, waiting| posix.sendmsg(now, fd, data, &message, flags, waiting))
    }

    fn shutdown(&mut self, fd: i32, how: i32) -> Outcome<()> {
        self.0.shutdown(fd, how)
    }

    fn close(&mut self, fd: i32) -> Outcome<()> {
        self.0.close(fd)
    }

    fn fcntl(&mut self, fd: i32, command: i32, argument: i32) -> Outcome<i32> {
        self.0.posix.fcntl(fd, command, argument)
    }

    fn ioctl(&mut self, fd: i32, request: u32, argument: i32) -> Outcome<i32> {
        self.0.posix.ioctl(self.0.now, fd, request, argument)
    }

    fn getsockopt(&mut self, fd: i32, level: i32, name: i32, room: usize) -> Outcome<Vec<u8>> {
        self.0.posix.getsockopt(self.0.now, fd, level, name, room)
    }

    fn setsockopt(&mut self, fd: i32, level: i32, name: i32, value: &[u8]) -> Outcome<()> {
        let result = self.0.posix.setsockopt(self.0.now, fd, level, name, value);
        self.0.run();
        result
    }

    fn poll(&mut self, fd: i32, events: i16) -> Outcome<i16> {
        let mut fds = [PollFd {
            fd,
            events,
            revents: 0,
        }];
        let mut waiting = Waiting::new();
        match self.0.posix.poll(self.0.now, &mut fds, 0, &mut waiting) {
            Poll::Ready(result) => result.map(|_| fds[0].revents),
            Poll::Pending => Err(Errno::EINTR),
        }
    }

    fn epoll_create(&mut self, flags: i32) -> Outcome<i32> {
        self.0.posix.epoll_create(flags)
    }

    fn epoll_ctl(&mut self, epfd: i32, op: i32, fd: i32, event: Option<EpollEvent>) -> Outcome<()> {
        self.0.posix.epoll_ctl(epfd, op, fd, event)
    }

    fn epoll_wait(&mut self, epfd: i32, most: i32) -> Outcome<Vec<EpollEvent>> {
        self.call(|posix, now, waiting| posix.epoll_wait(now, epfd, most, 0, waiting))
    }

    fn pipe2(&mut self, flags: i32) -> Outcome<[i32; 2]> {
        self.0.posix.pipe2(flags)
    }

    fn splice(&mut self, from: i32, to: i32, len: usize, flags: u32) -> Outcome<usize> {
        self.call(|posix, now, waiting| posix.splice(now, from, to, len, flags, waiting))
    }

    fn settle(&mut self, _fd: i32, _events: i16) {
        self.0.pass(Duration::from_millis(1));
    }
}
