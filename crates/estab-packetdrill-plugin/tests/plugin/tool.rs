//! The tool's side of the C interface, as it stands in the interface's description: nothing here is taken from the plug-in's code.

use libc::{
    c_char, c_int, c_long, c_uint, c_ulong, c_void, epoll_event, iovec, msghdr, pollfd, timeval,
};
use std::ffi::CString;
use std::mem::{MaybeUninit, transmute};
use std::path::PathBuf;
use std::time::Duration;

/// A result, or `errno`.
pub(crate) type Called = Result<isize, i32>;

type Ud = *mut c_void;

/// `struct packetdrill_interface`.
#[repr(C)]
pub(crate) struct Table {
    userdata: Ud,
    free: unsafe extern "C" fn(Ud),
    socket: unsafe extern "C" fn(Ud, c_int, c_int, c_int) -> c_int,
    bind: unsafe extern "C" fn(Ud, c_int, *const u8, u32) -> c_int,
    listen: unsafe extern "C" fn(Ud, c_int, c_int) -> c_int,
    accept: unsafe extern "C" fn(Ud, c_int, *mut u8, *mut u32) -> c_int,
    connect: unsafe extern "C" fn(Ud, c_int, *const u8, u32) -> c_int,
    read: unsafe extern "C" fn(Ud, c_int, *mut u8, usize) -> isize,
    readv: unsafe extern "C" fn(Ud, c_int, *const iovec, c_int) -> isize,
    recv: unsafe extern "C" fn(Ud, c_int, *mut u8, usize, c_int) -> isize,
    recvfrom: unsafe extern "C" fn(Ud, c_int, *mut u8, usize, c_int, *mut u8, *mut u32) -> isize,
    recvmsg: unsafe extern "C" fn(Ud, c_int, *mut msghdr, c_int) -> isize,
    write: unsafe extern "C" fn(Ud, c_int, *const u8, usize) -> isize,
    writev: unsafe extern "C" fn(Ud, c_int, *const iovec, c_int) -> isize,
    send: unsafe extern "C" fn(Ud, c_int, *const u8, usize, c_int) -> isize,
    sendto: unsafe extern "C" fn(Ud, c_int, *const u8, usize, c_int, *const u8, u32) -> isize,
    sendmsg: unsafe extern "C" fn(Ud, c_int, *const msghdr, c_int) -> isize,
    fcntl: unsafe extern "C" fn(Ud, c_int, c_int, ...) -> c_int,
    ioctl: unsafe extern "C" fn(Ud, c_int, c_ulong, ...) -> c_int,
    close: unsafe extern "C" fn(Ud, c_int) -> c_int,
    shutdown: unsafe extern "C" fn(Ud, c_int, c_int) -> c_int,
    getsockopt: unsafe extern "C" fn(Ud, c_int, c_int, c_int, *mut u8, *mut u32) -> c_int,
    setsockopt: unsafe extern "C" fn(Ud, c_int, c_int, c_int, *const u8, u32) -> c_int,
    poll: unsafe extern "C" fn(Ud, *mut pollfd, c_ulong, c_int) -> c_int,
    netdev_send: unsafe extern "C" fn(Ud, *const u8, usize) -> c_int,
    netdev_receive: unsafe extern "C" fn(Ud, *mut u8, *mut usize, *mut i64) -> c_int,
    usleep: unsafe extern "C" fn(Ud, c_uint) -> c_int,
    gettimeofday: unsafe extern "C" fn(Ud, *mut timeval, *mut c_void) -> c_int,
    epoll_create: unsafe extern "C" fn(Ud, c_int) -> c_int,
    epoll_ctl: unsafe extern "C" fn(Ud, c_int, c_int, c_int, *mut epoll_event) -> c_int,
    epoll_wait: unsafe extern "C" fn(Ud, c_int, *mut epoll_event, c_int, c_int) -> c_int,
    pipe: unsafe extern "C" fn(Ud, *mut [c_int; 2]) -> c_int,
    splice: unsafe extern "C" fn(Ud, c_int, *mut i64, c_int, *mut i64, usize, c_uint) -> c_int,
}

const WORDS: usize = 33;
const _: () = assert!(size_of::<Table>() == WORDS * 8);

type Init = unsafe extern "C" fn(*const c_char, *mut [usize; WORDS]);
/// The C library's `getsockopt`, as the shared object exports it.
pub(crate) type GetSockOpt =
    unsafe extern "C" fn(c_int, c_int, c_int, *mut c_void, *mut u32) -> c_int;

/// The shared object that cargo built beside this test.
pub(crate) fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let name = "libestab_packetdrill_plugin.so";
    let found = test
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.exists());
    found.expect("cargo builds the cdylib with the tests of its package")
}

/// A symbol of the library, which is loaded as the tool loads it.
pub(crate) fn symbol(name: &str) -> *mut c_void {
    let path = CString::new(library().into_os_string().into_encoded_bytes()).unwrap();
    let flags = libc::RTLD_NOW | libc::RTLD_LOCAL | libc::RTLD_NODELETE | libc::RTLD_DEEPBIND;
    // SAFETY: the path is a string, and the library's constructors are those of Rust's.
    let handle = unsafe { libc::dlopen(path.as_ptr(), flags) };
    assert!(!handle.is_null(), "dlopen {path:?}");
    let name = CString::new(name).unwrap();
    // SAFETY: the handle is open and the name a string.
    let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
    assert!(!symbol.is_null(), "no {name:?}");
    symbol
}

/// Fills the words of a table, which was zeroed.
pub(crate) fn init(flags: Option<&str>) -> [usize; WORDS] {
    // SAFETY: the interface says that the symbol is of this type.
    let init = unsafe { transmute::<*mut c_void, Init>(symbol("packetdrill_interface_init")) };
    let flags = flags.map(|flags| CString::new(flags).unwrap());
    let mut words = [0; WORDS];
    let text = flags
        .as_ref()
        .map_or(std::ptr::null(), |flags| flags.as_ptr());
    // SAFETY: null or a string, and memory for 33 words.
    unsafe { init(text, &mut words) };
    words
}

/// A loaded plug-in with its stack.
pub(crate) struct Tool {
    table: Table,
}

// SAFETY: the interface says that calls come from several threads.
unsafe impl Send for Tool {}
// SAFETY: as above.
unsafe impl Sync for Tool {}

impl Drop for Tool {
    fn drop(&mut self) {
        self.free();
    }
}

/// A result as C has it.
fn called(result: isize) -> Called {
    // SAFETY: errno of this thread.
    let errno = unsafe { *libc::__errno_location() };
    if result == -1 { Err(errno) } else { Ok(result) }
}

/// Calls the function of this name.
macro_rules! call {
    ($tool:ident.$name:ident($($argument:expr),*)) => {
        // SAFETY: the arguments are references' pointers, null, or numbers.
        called(unsafe { ($tool.table.$name)($tool.table.userdata, $($argument),*) } as isize)
    };
}

impl Tool {
    pub(crate) fn new(flags: &str) -> Self {
        Self::start(Some(flags))
    }

    pub(crate) fn start(flags: Option<&str>) -> Self {
        let words = init(flags);
        assert!(words.iter().all(|word| *word != 0), "{words:x?}");
        // SAFETY: the plug-in filled all words with functions of these types.
        let table = unsafe { transmute::<[usize; WORDS], Table>(words) };
        Self { table }
    }

    /// May be called twice, since what was freed is looked up.
    pub(crate) fn free(&self) {
        // SAFETY: no call is being made but those that wait, which it ends.
        unsafe { (self.table.free)(self.table.userdata) }
    }

    pub(crate) fn socket(&self, domain: i32, kind: i32, protocol: i32) -> Result<i32, i32> {
        call!(self.socket(domain, kind, protocol)).map(|fd| fd as i32)
    }
    pub(crate) fn bind(&self, fd: i32, address: &[u8]) -> Called {
        call!(self.bind(fd, address.as_ptr(), address.len() as u32))
    }
    pub(crate) fn listen(&self, fd: i32, backlog: i32) -> Called {
        call!(self.listen(fd, backlog))
    }
    /// The descriptor, and the bytes of the peer's address.
    pub(crate) fn accept(&self, fd: i32) -> Result<(i32, Vec<u8>), i32> {
        let (mut address, mut len) = ([0; 128], 128);
        let fd = call!(self.accept(fd, address.as_mut_ptr(), &mut len))?;
        Ok((fd as i32, address[..len as usize].to_vec()))
    }
    pub(crate) fn connect(&self, fd: i32, address: &[u8]) -> Called {
        call!(self.connect(fd, address.as_ptr(), address.len() as u32))
    }
    pub(crate) fn read(&self, fd: i32, buffer: &mut [u8]) -> Called {
        call!(self.read(fd, buffer.as_mut_ptr(), buffer.len()))
    }
    pub(crate) fn read_null(&self, fd: i32, len: usize) -> Called {
        call!(self.read(fd, std::ptr::null_mut(), len))
    }
    pub(crate) fn readv(&self, fd: i32, buffers: &mut [&mut [u8]]) -> Called {
        let list = vectors_mut(buffers);
        call!(self.readv(fd, list.as_ptr(), list.len() as i32))
    }
    pub(crate) fn recv(&self, fd: i32, buffer: &mut [u8], flags: i32) -> Called {
        call!(self.recv(fd, buffer.as_mut_ptr(), buffer.len(), flags))
    }
    /// The length, and the bytes of the sender's address.
    pub(crate) fn recvfrom(
        &self,
        fd: i32,
        buffer: &mut [u8],
        flags: i32,
    ) -> Result<(isize, Vec<u8>), i32> {
        let (mut from, mut len) = ([0; 128], 128);
        let size = call!(self.recvfrom(
            fd,
            buffer.as_mut_ptr(),
            buffer.len(),
            flags,
            from.as_mut_ptr(),
            &mut len
        ))?;
        Ok((size, from[..len as usize].to_vec()))
    }
    pub(crate) fn recvmsg(&self, fd: i32, header: &mut msghdr, flags: i32) -> Called {
        call!(self.recvmsg(fd, header, flags))
    }
    pub(crate) fn write(&self, fd: i32, data: &[u8]) -> Called {
        call!(self.write(fd, data.as_ptr(), data.len()))
    }
    pub(crate) fn writev(&self, fd: i32, data: &[&[u8]]) -> Called {
        let list = vectors(data);
        call!(self.writev(fd, list.as_ptr(), list.len() as i32))
    }
    pub(crate) fn send(&self, fd: i32, data: &[u8], flags: i32) -> Called {
        call!(self.send(fd, data.as_ptr(), data.len(), flags))
    }
    pub(crate) fn sendto(&self, fd: i32, data: &[u8], flags: i32, to: &[u8]) -> Called {
        call!(self.sendto(
            fd,
            data.as_ptr(),
            data.len(),
            flags,
            to.as_ptr(),
            to.len() as u32
        ))
    }
    pub(crate) fn sendmsg(&self, fd: i32, header: &msghdr, flags: i32) -> Called {
        call!(self.sendmsg(fd, header, flags))
    }
    /// `None`: as the tool calls it when a script has two arguments.
    pub(crate) fn fcntl(&self, fd: i32, command: i32, argument: Option<i32>) -> Called {
        match argument {
            Some(argument) => call!(self.fcntl(fd, command, argument)),
            None => call!(self.fcntl(fd, command)),
        }
    }
    pub(crate) fn ioctl(&self, fd: i32, request: i32, value: &mut i32) -> Called {
        let value: *mut i32 = value;
        call!(self.ioctl(fd, request as c_long as c_ulong, value))
    }
    pub(crate) fn close(&self, fd: i32) -> Called {
        call!(self.close(fd))
    }
    pub(crate) fn shutdown(&self, fd: i32, how: i32) -> Called {
        call!(self.shutdown(fd, how))
    }
    pub(crate) fn getsockopt(
        &self,
        fd: i32,
        level: i32,
        name: i32,
        room: usize,
    ) -> Result<Vec<u8>, i32> {
        let (mut value, mut len) = (vec![0xee; room], room as u32);
        call!(self.getsockopt(fd, level, name, value.as_mut_ptr(), &mut len))?;
        value.truncate(len as usize);
        Ok(value)
    }
    pub(crate) fn setsockopt(&self, fd: i32, level: i32, name: i32, value: &[u8]) -> Called {
        call!(self.setsockopt(fd, level, name, value.as_ptr(), value.len() as u32))
    }
    pub(crate) fn poll(&self, fds: &mut [pollfd], timeout_ms: i32) -> Called {
        call!(self.poll(fds.as_mut_ptr(), fds.len() as c_ulong, timeout_ms))
    }
    pub(crate) fn netdev_send(&self, packet: &[u8]) -> Called {
        call!(self.netdev_send(packet.as_ptr(), packet.len()))
    }
    /// A packet, and when it was sent.
    pub(crate) fn netdev_receive(&self) -> (Vec<u8>, Duration) {
        let (mut buffer, mut len, mut micros) = (vec![0; 65_536], 65_536, -1);
        let done = call!(self.netdev_receive(buffer.as_mut_ptr(), &mut len, &mut micros));
        assert_eq!(done, Ok(0));
        buffer.truncate(len);
        (
            buffer,
            Duration::from_micros(u64::try_from(micros).unwrap()),
        )
    }
    pub(crate) fn usleep(&self, time: Duration) {
        assert_eq!(call!(self.usleep(time.as_micros() as u32)), Ok(0));
    }
    pub(crate) fn gettimeofday(&self) -> Duration {
        let mut time = MaybeUninit::<timeval>::uninit();
        let zone = std::ptr::null_mut();
        assert_eq!(call!(self.gettimeofday(time.as_mut_ptr(), zone)), Ok(0));
        // SAFETY: the call has filled it.
        let time = unsafe { time.assume_init() };
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    }
    pub(crate) fn epoll_create(&self) -> i32 {
        call!(self.epoll_create(1)).unwrap() as i32
    }
    pub(crate) fn epoll_ctl(&self, epfd: i32, op: i32, fd: i32, events: u32) -> Called {
        let u64 = u64::from(fd as u32);
        let mut event = epoll_event { events, u64 };
        call!(self.epoll_ctl(epfd, op, fd, &mut event))
    }
    /// Events and data of each.
    pub(crate) fn epoll_wait(&self, epfd: i32, timeout_ms: i32) -> Result<Vec<(u32, u64)>, i32> {
        let mut events = [epoll_event { events: 0, u64: 0 }; 4];
        let count = call!(self.epoll_wait(epfd, events.as_mut_ptr(), 4, timeout_ms))?;
        let events = events[..count as usize].iter();
        Ok(events.map(|event| (event.events, event.u64)).collect())
    }
    pub(crate) fn pipe(&self) -> [i32; 2] {
        let mut ends = [-1; 2];
        assert_eq!(call!(self.pipe(&mut ends)), Ok(0));
        ends
    }
    pub(crate) fn splice(&self, from: i32, to: i32, len: usize) -> Called {
        let (mut off_in, mut off_out) = (0, 0);
        call!(self.splice(from, &mut off_in, to, &mut off_out, len, 0))
    }

    /// Waits for a moment as the tool does: sleeps, then spins.
    pub(crate) fn wait_until(&self, at: Duration) {
        let left = at.saturating_sub(self.gettimeofday());
        self.usleep(left.saturating_sub(Duration::from_micros(20)));
        while self.gettimeofday() < at {}
    }
}

/// The list of an `iovec` call.
pub(crate) fn vectors(data: &[&[u8]]) -> Vec<iovec> {
    let vector = |data: &&[u8]| iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    data.iter().map(vector).collect()
}

/// The list of an `iovec` call that writes.
pub(crate) fn vectors_mut(buffers: &mut [&mut [u8]]) -> Vec<iovec> {
    let vector = |buffer: &mut &mut [u8]| iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    buffers.iter_mut().map(vector).collect()
}
