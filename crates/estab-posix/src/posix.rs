use crate::{Address, Errno};
use core::task::Poll;
use estab_stack::{InterfaceId, PacketIn, PacketOut, Stack};
use estab_tcp::Instant;

/// The result of a call that may wait. `Pending`: make the same call with the same [`Waiting`] again when the network or
/// the clock has moved, and at [`Waiting::deadline`] at the latest.
pub type Polled<T> = Poll<Result<T, Errno>>;

/// How far a call that waits has come. A new one for each call.
#[derive(Debug, Default)]
pub struct Waiting {
    deadline: Option<Instant>,
    done: usize,
    begun: bool,
}

impl Waiting {
    /// The call has not begun.
    pub const fn new() -> Self {
        Self {
            deadline: None,
            done: 0,
            begun: false,
        }
    }
    /// When the call ends of itself (time-outs of `poll`, `SO_RCVTIMEO`, ...).
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// What `accept` gives.
#[derive(Debug)]
pub struct Accepted {
    pub fd: i32,
    pub address: Address,
}

/// What `recvfrom` gives: the length as the call returns it, and the sender for datagrams.
#[derive(Debug)]
pub struct Received {
    pub len: usize,
    pub address: Option<Address>,
}

/// What `recvmsg` gives.
#[derive(Debug)]
pub struct ReceivedMessage {
    pub len: usize,
    pub address: Option<Address>,
    pub flags: i32,
    pub control: Vec<u8>,
}

/// What `sendmsg` takes beside the data.
#[derive(Debug, Default)]
pub struct Message<'a> {
    pub address: Option<&'a [u8]>,
    pub control: &'a [u8],
}

/// `struct pollfd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollFd {
    pub fd: i32,
    pub events: i16,
    pub revents: i16,
}

/// `struct epoll_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpollEvent {
    pub events: u32,
    pub data: u64,
}

/// A process' descriptors over one stack.
pub struct Posix {
    stack: Stack,
}

#[allow(unused_variables)]
impl Posix {
    pub fn new(stack: Stack) -> Self {
        Self { stack }
    }
    pub fn stack(&self) -> &Stack {
        &self.stack
    }
    /// For set up and settings; packets and time go through the methods below.
    pub fn stack_mut(&mut self) -> &mut Stack {
        &mut self.stack
    }

    // The network and the clock.
    pub fn handle_packet(&mut self, now: Instant, interface: InterfaceId, packet: PacketIn) {
        todo!()
    }
    pub fn handle_timeout(&mut self, now: Instant) {
        todo!()
    }
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(InterfaceId, PacketOut)> {
        todo!()
    }
    pub fn poll_timeout(&self) -> Option<Instant> {
        todo!()
    }

    // Calls. The lowest free number is given out, from 3 on; `dup_to` renames a descriptor (for the plug-in, whose numbers are the kernel's).
    pub fn socket(&mut self, domain: i32, kind: i32, protocol: i32) -> Result<i32, Errno> {
        todo!()
    }
    pub fn rename(&mut self, fd: i32, to: i32) -> Result<(), Errno> {
        todo!()
    }
    pub fn bind(&mut self, fd: i32, address: &[u8]) -> Result<(), Errno> {
        todo!()
    }
    pub fn listen(&mut self, now: Instant, fd: i32, backlog: i32) -> Result<(), Errno> {
        todo!()
    }
    pub fn accept4(
        &mut self,
        now: Instant,
        fd: i32,
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<Accepted> {
        todo!()
    }
    pub fn connect(
        &mut self,
        now: Instant,
        fd: i32,
        address: &[u8],
        waiting: &mut Waiting,
    ) -> Polled<()> {
        todo!()
    }
    pub fn getsockname(&self, fd: i32) -> Result<Address, Errno> {
        todo!()
    }
    pub fn getpeername(&self, fd: i32) -> Result<Address, Errno> {
        todo!()
    }
    /// `read`, `readv`: the buffers one after the other.
    pub fn read(
        &mut self,
        now: Instant,
        fd: i32,
        buffer: &mut [u8],
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        todo!()
    }
    pub fn recvfrom(
        &mut self,
        now: Instant,
        fd: i32,
        buffer: &mut [u8],
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<Received> {
        todo!()
    }
    /// `control_len`: room for control messages, bytes.
    pub fn recvmsg(
        &mut self,
        now: Instant,
        fd: i32,
        buffer: &mut [u8],
        control_len: usize,
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<ReceivedMessage> {
        todo!()
    }
    /// `write`, `writev`.
    pub fn write(
        &mut self,
        now: Instant,
        fd: i32,
        data: &[u8],
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        todo!()
    }
    pub fn sendto(
        &mut self,
        now: Instant,
        fd: i32,
        data: &[u8],
        flags: i32,
        address: Option<&[u8]>,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        todo!()
    }
    pub fn sendmsg(
        &mut self,
        now: Instant,
        fd: i32,
        data: &[u8],
        message: &Message<'_>,
        flags: i32,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        todo!()
    }
    pub fn fcntl(&mut self, fd: i32, command: i32, argument: i32) -> Result<i32, Errno> {
        todo!()
    }
    /// The integer that the call stores (`SIOCINQ`, `SIOCOUTQ`, ...). `FIONBIO` reads `argument`.
    pub fn ioctl(
        &mut self,
        now: Instant,
        fd: i32,
        request: u32,
        argument: i32,
    ) -> Result<i32, Errno> {
        todo!()
    }
    pub fn close(&mut self, now: Instant, fd: i32, waiting: &mut Waiting) -> Polled<()> {
        todo!()
    }
    pub fn shutdown(&mut self, now: Instant, fd: i32, how: i32) -> Result<(), Errno> {
        todo!()
    }
    /// The value, cut to `room` bytes as Linux does.
    pub fn getsockopt(
        &mut self,
        now: Instant,
        fd: i32,
        level: i32,
        name: i32,
        room: usize,
    ) -> Result<Vec<u8>, Errno> {
        todo!()
    }
    pub fn setsockopt(
        &mut self,
        now: Instant,
        fd: i32,
        level: i32,
        name: i32,
        value: &[u8],
    ) -> Result<(), Errno> {
        todo!()
    }
    pub fn poll(
        &mut self,
        now: Instant,
        fds: &mut [PollFd],
        timeout_ms: i32,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        todo!()
    }
    pub fn epoll_create(&mut self, flags: i32) -> Result<i32, Errno> {
        todo!()
    }
    pub fn epoll_ctl(
        &mut self,
        epfd: i32,
        op: i32,
        fd: i32,
        event: Option<EpollEvent>,
    ) -> Result<(), Errno> {
        todo!()
    }
    pub fn epoll_wait(
        &mut self,
        now: Instant,
        epfd: i32,
        max_events: i32,
        timeout_ms: i32,
        waiting: &mut Waiting,
    ) -> Polled<Vec<EpollEvent>> {
        todo!()
    }
    pub fn pipe2(&mut self, flags: i32) -> Result<[i32; 2], Errno> {
        todo!()
    }
    pub fn splice(
        &mut self,
        now: Instant,
        fd_in: i32,
        fd_out: i32,
        len: usize,
        flags: u32,
        waiting: &mut Waiting,
    ) -> Polled<usize> {
        todo!()
    }
}
