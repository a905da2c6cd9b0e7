pub use estab_posix::{EpollEvent, PollFd};

/// A system call with Linux's numbers, as the kernel would see it.
///
/// Buffers that are filled are given by their sizes, and what is read into them is not looked at. An address' room is `None` for a NULL pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemCall {
    /// `socket(domain, type, protocol)`.
    Socket {
        /// `AF_...`
        domain: i32,
        /// `SOCK_...`, with flags.
        kind: i32,
        /// `IPPROTO_...`
        protocol: i32,
    },
    /// `bind`.
    Bind {
        /// Descriptor.
        fd: i32,
        /// `sockaddr`.
        address: Vec<u8>,
    },
    /// `listen`.
    Listen {
        /// Descriptor.
        fd: i32,
        /// Length of the accept queue.
        backlog: i32,
    },
    /// `accept`, or `accept4` when it has flags. Gives [`Output::Address`].
    Accept {
        /// Descriptor.
        fd: i32,
        /// Room for the peer's address.
        room: Option<u32>,
        /// `accept4`'s flags.
        flags: Option<i32>,
    },
    /// `connect`.
    Connect {
        /// Descriptor.
        fd: i32,
        /// `sockaddr`.
        address: Vec<u8>,
    },
    /// `getsockname`. Gives [`Output::Address`].
    GetSockName {
        /// Descriptor.
        fd: i32,
        /// Room for the address.
        room: u32,
    },
    /// `getpeername`. Gives [`Output::Address`].
    GetPeerName {
        /// Descriptor.
        fd: i32,
        /// Room for the address.
        room: u32,
    },
    /// `read`.
    Read {
        /// Descriptor.
        fd: i32,
        /// The buffer's size.
        len: usize,
    },
    /// `readv`.
    Readv {
        /// Descriptor.
        fd: i32,
        /// The buffers' sizes.
        lens: Vec<usize>,
    },
    /// `recv`.
    Recv {
        /// Descriptor.
        fd: i32,
        /// The buffer's size.
        len: usize,
        /// `MSG_...`
        flags: i32,
    },
    /// `recvfrom`. Gives [`Output::Address`].
    RecvFrom {
        /// Descriptor.
        fd: i32,
        /// The buffer's size.
        len: usize,
        /// `MSG_...`
        flags: i32,
        /// Room for the sender's address.
        room: Option<u32>,
    },
    /// `recvmsg`. Gives [`Output::Message`].
    RecvMsg {
        /// Descriptor.
        fd: i32,
        /// Room for the sender's address.
        room: Option<u32>,
        /// The buffers' sizes.
        lens: Vec<usize>,
        /// Room for control messages, bytes.
        control_len: usize,
        /// `MSG_...`
        flags: i32,
    },
    /// `write`.
    Write {
        /// Descriptor.
        fd: i32,
        /// What.
        data: Vec<u8>,
    },
    /// `writev`.
    Writev {
        /// Descriptor.
        fd: i32,
        /// What.
        data: Vec<Vec<u8>>,
    },
    /// `send`.
    Send {
        /// Descriptor.
        fd: i32,
        /// What.
        data: Vec<u8>,
        /// `MSG_...`
        flags: i32,
    },
    /// `sendto`.
    SendTo {
        /// Descriptor.
        fd: i32,
        /// What.
        data: Vec<u8>,
        /// `MSG_...`
        flags: i32,
        /// `sockaddr`.
        address: Option<Vec<u8>>,
    },
    /// `sendmsg`.
    SendMsg {
        /// Descriptor.
        fd: i32,
        /// `sockaddr`.
        address: Option<Vec<u8>>,
        /// What.
        data: Vec<Vec<u8>>,
        /// Control messages, as the kernel lays them out.
        control: Vec<u8>,
        /// `MSG_...`
        flags: i32,
    },
    /// `sendfile`.
    SendFile {
        /// To here.
        out_fd: i32,
        /// From here.
        in_fd: i32,
        /// From this offset; `None`: from where the file stands.
        offset: Option<i64>,
        /// Bytes.
        count: usize,
    },
    /// `fcntl`.
    Fcntl {
        /// Descriptor.
        fd: i32,
        /// `F_...`
        command: i32,
        /// Its argument, if it has one.
        argument: Option<i32>,
    },
    /// `ioctl` with a pointer to an `int`. Gives [`Output::Integer`].
    Ioctl {
        /// Descriptor.
        fd: i32,
        /// `SIOC...`, `FION...`
        request: u32,
        /// What the pointer points to before the call.
        argument: i32,
    },
    /// `close`.
    Close {
        /// Descriptor.
        fd: i32,
    },
    /// `shutdown`.
    Shutdown {
        /// Descriptor.
        fd: i32,
        /// `SHUT_...`
        how: i32,
    },
    /// `getsockopt`. Gives [`Output::Value`].
    GetSockOpt {
        /// Descriptor.
        fd: i32,
        /// `SOL_...`
        level: i32,
        /// Its name.
        name: i32,
        /// Room for its value, bytes.
        room: u32,
    },
    /// `setsockopt`.
    SetSockOpt {
        /// Descriptor.
        fd: i32,
        /// `SOL_...`
        level: i32,
        /// Its name.
        name: i32,
        /// Its value.
        value: Vec<u8>,
    },
    /// `poll`. Gives [`Output::PollFds`].
    Poll {
        /// What is asked of which descriptor.
        fds: Vec<PollFd>,
        /// Milliseconds; negative: for ever.
        timeout_ms: i32,
    },
    /// `epoll_create1`, or `epoll_create` when it has a size.
    EpollCreate {
        /// `epoll_create`'s size.
        size: Option<i32>,
        /// `epoll_create1`'s flags.
        flags: i32,
    },
    /// `epoll_ctl`.
    EpollCtl {
        /// The epoll descriptor.
        epfd: i32,
        /// `EPOLL_CTL_...`
        op: i32,
        /// Descriptor.
        fd: i32,
        /// What is asked; `None`: a NULL pointer.
        event: Option<EpollEvent>,
    },
    /// `epoll_wait`. Gives [`Output::Events`].
    EpollWait {
        /// The epoll descriptor.
        epfd: i32,
        /// Most events.
        max_events: i32,
        /// Milliseconds; negative: for ever.
        timeout_ms: i32,
    },
    /// `pipe`, or `pipe2` when it has flags. Gives [`Output::Pipe`].
    Pipe {
        /// `pipe2`'s flags.
        flags: Option<i32>,
    },
    /// `splice` without offsets.
    Splice {
        /// From here.
        fd_in: i32,
        /// To here.
        fd_out: i32,
        /// Bytes.
        len: usize,
        /// `SPLICE_F_...`
        flags: u32,
    },
    /// `open`.
    Open {
        /// The file.
        path: String,
        /// `O_...`
        flags: i32,
        /// Permissions of a file that is made.
        mode: u32,
    },
    /// `dup`.
    Dup {
        /// Descriptor.
        fd: i32,
    },
}

/// How a call ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it returned; -1 on an error.
    pub result: i64,
    /// The error's number; 0 when there is none.
    pub errno: i32,
    /// What else it gave.
    pub output: Output,
}

impl Outcome {
    /// It succeeded with this result and nothing else.
    pub const fn success(result: i64) -> Self {
        Self::with(result, Output::None)
    }

    /// It succeeded with this result, and gave this.
    pub const fn with(result: i64, output: Output) -> Self {
        Self {
            result,
            errno: 0,
            output,
        }
    }

    /// It failed.
    pub const fn error(errno: i32) -> Self {
        Self {
            result: -1,
            errno,
            output: Output::None,
        }
    }
}

/// What a call gives beside its result. On an error there may be none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    #[default]
    None,
    /// A `sockaddr`, cut to its room.
    Address(Vec<u8>),
    /// What `recvmsg` stores.
    Message {
        /// The sender's `sockaddr`; empty when there is none.
        address: Vec<u8>,
        /// `msg_flags`
        flags: i32,
        /// Control messages, as the kernel lays them out.
        control: Vec<u8>,
    },
    /// What `ioctl` stores.
    Integer(i32),
    /// An option's value.
    Value(Vec<u8>),
    /// With `revents`.
    PollFds(Vec<PollFd>),
    /// In order.
    Events(Vec<EpollEvent>),
    /// Reading and writing end.
    Pipe([i32; 2]),
}
