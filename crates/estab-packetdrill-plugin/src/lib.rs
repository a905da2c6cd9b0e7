//! estab under the original packetdrill tool.
//!
//! packetdrill plays scripts of calls and packets against a stack. With `--so_filename` it loads the stack as a shared object
//! instead of using the kernel's. This crate is that object, `libestab_packetdrill_plugin.so`: it runs a host of estab in the tool's process, in
//! real time. The tool is not part of this project. estab's own interpreter, the crate `estab-packetdrill`, needs neither the
//! tool nor privileges and runs in virtual time; the plug-in is there for whoever has the tool, its options and its
//! habits already, and as a second opinion on the interpreter.
//!
//! # Running it
//!
//! ```sh
//! cargo build --release -p estab-packetdrill-plugin
//! lib=$PWD/target/release/libestab_packetdrill_plugin.so
//!
//! packetdrill --so_filename=$lib --local_ip=192.168.0.1 script.pkt
//! packetdrill --so_filename=$lib --ip_version=ipv6 --mtu=1520 \
//!     --local_ip=fd3d:fa7b:d17d::1 --remote_ip=2001:db8::1 script.pkt
//! packetdrill --so_filename=$lib --ip_version=ipv4-mapped-ipv6 --local_ip=192.168.0.1 script.pkt
//! ```
//!
//! The path is absolute, since the loader takes it. The tool locks its memory and raises its priority, for which it wants root, or
//! `CAP_IPC_LOCK` and `CAP_SYS_NICE`. Two things need a word more:
//!
//! - Scripts with `%{ }%` ask the C library for `TCP_INFO`. The same object answers when it is also preloaded:
//!   `LD_PRELOAD=$lib packetdrill --so_filename=$lib ...`.
//! - Scripts that set `sysctl`s change the network namespace in which they run. Give them one of their own:
//!   `unshare -n packetdrill ...`.
//!
//! # What it is told
//!
//! `--so_flags=key=value,key=value` takes these keys, by the tool's names for its own options:
//!
//! | Key | Value | Without it |
//! |---|---|---|
//! | `local_ip` | our address | the first address that `bind` is given or that a packet comes for; 192.168.0.2 or fd3d:fa7b:d17d::2 when a connection is opened before |
//! | `remote_ip` | the peer's; tells the family | |
//! | `gateway_ip` | the router to everything outside our network | everyone is a neighbour |
//! | `netmask_ip` | our network, IPv4 | 255.255.0.0; IPv6 always has /64 |
//! | `mtu` | bytes of a packet, 68 to 65535, and 1280 at least for IPv6 | 1500 |
//! | `ip_version` | `ipv4`, `ipv6`, `ipv4-mapped-ipv6` | the addresses' |
//!
//! What the flags leave out is taken from the tool's command line, then from the options at the top of the script (the last word
//! of the command line is its path), both as far as they fit the family; so the flags are seldom needed. Flags that cannot be read
//! end the process with status 1 and a message on standard error.
//!
//! Settings are the kernel's of the network namespace, `/proc/sys/net/ipv4/tcp_*` and the others that estab has, read anew by each
//! `socket`, `connect` and `accept`, and translated by [`from_linux`](estab_stack::settings_table::from_linux). What the kernel lacks has estab's default,
//! and a value that estab cannot have is named on standard error.
//!
//! # What works, and what does not
//!
//! All calls that the tool routes to a stack: sockets, their options, `poll`, `epoll`, pipes and `splice`; TCP, UDP, ICMP errors; IPv4, IPv6 and mapped
//! addresses; calls that block. What estab itself lacks fails the scripts that ask for it.
//!
//! - `open` and `sendfile` go to the kernel, which knows no stack: `sendfile` fails.
//! - The tool does not check TCP and UDP checksums, and does not notice packets left over at the end; estab's own interpreter does.
//! - Only x86-64 and AArch64 Linux: the variadic entries below rely on their calling conventions.
//!
//! # The C interface
//!
//! The object exports two symbols: `getsockopt`, as the C library has it, and
//!
//! ```c
//! void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out);
//! ```
//!
//! `flags` is the text of `--so_flags`, or NULL. `out` is a table of 33 words to be filled in; it cannot fail but by ending the process. A
//! failing script ends the process too, without `free`. Word 0 is `userdata`, the first argument of all the functions in the other words, left out here:
//!
//! | # | Function | Arguments -> result |
//! |---|---|---|
//! | 1 | `free` | () -> nothing |
//! | 2 | `socket` | int domain, int type, int protocol -> int |
//! | 3 | `bind` | int fd, const struct sockaddr *, socklen_t -> int |
//! | 4 | `listen` | int fd, int backlog -> int |
//! | 5 | `accept` | int fd, struct sockaddr *, socklen_t * -> int |
//! | 6 | `connect` | int fd, const struct sockaddr *, socklen_t -> int |
//! | 7 | `read` | int fd, void *, size_t -> ssize_t |
//! | 8 | `readv` | int fd, const struct iovec *, int -> ssize_t |
//! | 9 | `recv` | int fd, void *, size_t, int flags -> ssize_t |
//! | 10 | `recvfrom` | int fd, void *, size_t, int flags, struct sockaddr *, socklen_t * -> ssize_t |
//! | 11 | `recvmsg` | int fd, struct msghdr *, int flags -> ssize_t |
//! | 12 | `write` | int fd, const void *, size_t -> ssize_t |
//! | 13 | `writev` | int fd, const struct iovec *, int -> ssize_t |
//! | 14 | `send` | int fd, const void *, size_t, int flags -> ssize_t |
//! | 15 | `sendto` | int fd, const void *, size_t, int flags, const struct sockaddr *, socklen_t -> ssize_t |
//! | 16 | `sendmsg` | int fd, const struct msghdr *, int flags -> ssize_t |
//! | 17 | `fcntl` | int fd, int command, ... (nothing, or an int) -> int |
//! | 18 | `ioctl` | int fd, unsigned long request, ... (nothing, or an int *) -> int |
//! | 19 | `close` | int fd -> int |
//! | 20 | `shutdown` | int fd, int how -> int |
//! | 21 | `getsockopt` | int fd, int level, int name, void *, socklen_t * -> int |
//! | 22 | `setsockopt` | int fd, int level, int name, const void *, socklen_t -> int |
//! | 23 | `poll` | struct pollfd *, nfds_t, int milliseconds -> int |
//! | 24 | `netdev_send` | const uint8_t *packet, size_t -> int |
//! | 25 | `netdev_receive` | uint8_t *packet, size_t *bytes, int64_t *microseconds -> int |
//! | 26 | `usleep` | useconds_t -> int |
//! | 27 | `gettimeofday` | struct timeval *, struct timezone * -> int |
//! | 28 | `epoll_create` | int size -> int |
//! | 29 | `epoll_ctl` | int epfd, int op, int fd, struct epoll_event * -> int |
//! | 30 | `epoll_wait` | int epfd, struct epoll_event *, int count, int milliseconds -> int |
//! | 31 | `pipe` | int * (two) -> int |
//! | 32 | `splice` | int from, int64_t *offset, int to, int64_t *offset, size_t, unsigned flags -> int |
//!
//! **Results and errors.** As the system calls: -1 with `errno` of the thread. A null pointer where memory is needed is `EFAULT`, a descriptor of
//! somebody else `EBADF`. A panic does not cross the boundary: it becomes `EIO`, as does every call after it. `fcntl` and `ioctl` are variadic in C;
//! what stands for an argument that was not given is not looked at.
//!
//! **Time.** `gettimeofday` begins at the machine's time of day and then runs by its monotonic clock, as does the stack; `usleep` really sleeps.
//! A thread runs the stack's timers. Each runs as if at the moment it was due, and what it sends is stamped with that, however late the thread woke.
//!
//! **Packets** are whole IP packets without a link header. `netdev_send` delivers one, of any size up to the longest that IP has, before it returns. What the stack
//! sends waits in a queue, up to 64 MiB, with the time of `gettimeofday` at which it was sent; `netdev_receive` takes the oldest, or waits for one. After
//! 70 seconds it gives up: zero bytes, which the tool reports as a packet that is too short.
//!
//! **Waiting calls** sleep, as the tool sees in `/proc/PID/task/TID/stat`, and do not hinder others. Every function may be called from any thread.
//!
//! **Descriptors** are numbers of the kernel, each that of an `eventfd` which does nothing, so that the tool may `close` what a script left open. Ours are told apart
//! by a list, and a number that comes back after the tool's own `close` starts anew.
//!
//! **The end.** `free` ends the thread and drops the stack; a call that waits then gives `EINTR`, later ones `EBADF`.
#![deny(unsafe_code)]

mod clock;
mod emitted;
#[allow(unsafe_code, reason = "the C interface")]
mod ffi;
mod network;
mod options;
mod plugin;
mod settings;
