use super::{messages, network, sockets, waits};
use core::ptr::without_provenance_mut;
use libc::{
    c_char, c_int, c_long, c_uint, c_ulong, c_void, epoll_event, iovec, msghdr, nfds_t, pollfd,
    timeval,
};

/// `int`, after the descriptor's stack and the descriptor.
type Fd<A> = unsafe extern "C" fn(*mut c_void, c_int, A) -> c_int;
type ReadInto = unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, usize) -> isize;
type WriteFrom = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, usize) -> isize;
type Vectors = unsafe extern "C" fn(*mut c_void, c_int, *const iovec, c_int) -> isize;
type Named = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, u32) -> c_int;

/// `struct packetdrill_interface`: 33 words. The page of the crate says what each does.
#[repr(C)]
pub(super) struct Table {
    userdata: *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    socket: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int) -> c_int,
    bind: Named,
    listen: Fd<c_int>,
    accept: unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, *mut u32) -> c_int,
    connect: Named,
    read: ReadInto,
    readv: Vectors,
    recv: unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, usize, c_int) -> isize,
    recvfrom: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *mut c_void,
        usize,
        c_int,
        *mut c_void,
        *mut u32,
    ) -> isize,
    recvmsg: unsafe extern "C" fn(*mut c_void, c_int, *mut msghdr, c_int) -> isize,
    write: WriteFrom,
    writev: Vectors,
    send: unsafe extern "C" fn(*mut c_void, c_int, *const c_void, usize, c_int) -> isize,
    sendto: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *const c_void,
        usize,
        c_int,
        *const c_void,
        u32,
    ) -> isize,
    sendmsg: unsafe extern "C" fn(*mut c_void, c_int, *const msghdr, c_int) -> isize,
    /// Variadic in C. With so few arguments the calling conventions of x86-64 and AArch64 pass them as those of a function that is not.
    fcntl: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_long) -> c_int,
    /// Variadic in C, as above.
    ioctl: unsafe extern "C" fn(*mut c_void, c_int, c_ulong, *mut c_int) -> c_int,
    close: unsafe extern "C" fn(*mut c_void, c_int) -> c_int,
    shutdown: Fd<c_int>,
    getsockopt:
        unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int, *mut c_void, *mut u32) -> c_int,
    setsockopt: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int, *const c_void, u32) -> c_int,
    poll: unsafe extern "C" fn(*mut c_void, *mut pollfd, nfds_t, c_int) -> c_int,
    netdev_send: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> c_int,
    netdev_receive: unsafe extern "C" fn(*mut c_void, *mut c_void, *mut usize, *mut i64) -> c_int,
    usleep: unsafe extern "C" fn(*mut c_void, c_uint) -> c_int,
    gettimeofday: unsafe extern "C" fn(*mut c_void, *mut timeval, *mut c_void) -> c_int,
    epoll_create: unsafe extern "C" fn(*mut c_void, c_int) -> c_int,
    epoll_ctl: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int, *mut epoll_event) -> c_int,
    epoll_wait: unsafe extern "C" fn(*mut c_void, c_int, *mut epoll_event, c_int, c_int) -> c_int,
    pipe: unsafe extern "C" fn(*mut c_void, *mut c_int) -> c_int,
    splice:
        unsafe extern "C" fn(*mut c_void, c_int, *mut i64, c_int, *mut i64, usize, c_uint) -> c_int,
}

// The tool's table, by its size.
const _: () = assert!(size_of::<Table>() == 33 * size_of::<*const c_char>());

impl Table {
    /// The table of the stack of this number.
    pub(super) fn new(number: usize) -> Self {
        Self {
            userdata: without_provenance_mut(number),
            free: network::free,
            socket: sockets::socket,
            bind: sockets::bind,
            listen: sockets::listen,
            accept: sockets::accept,
            connect: sockets::connect,
            read: messages::read,
            readv: messages::readv,
            recv: messages::recv,
            recvfrom: messages::recvfrom,
            recvmsg: messages::recvmsg,
            write: messages::write,
            writev: messages::writev,
            send: messages::send,
            sendto: messages::sendto,
            sendmsg: messages::sendmsg,
            fcntl: sockets::fcntl,
            ioctl: sockets::ioctl,
            close: sockets::close,
            shutdown: sockets::shutdown,
            getsockopt: sockets::getsockopt,
            setsockopt: sockets::setsockopt,
            poll: waits::poll,
            netdev_send: network::netdev_send,
            netdev_receive: network::netdev_receive,
            usleep: network::usleep,
            gettimeofday: network::gettimeofday,
            epoll_create: waits::epoll_create,
            epoll_ctl: waits::epoll_ctl,
            epoll_wait: waits::epoll_wait,
            pipe: sockets::pipe,
            splice: messages::splice,
        }
    }
}
