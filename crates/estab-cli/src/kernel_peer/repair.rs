//! Forgetting a connection without a word.

use super::socket::Socket;
use std::os::fd::{AsFd, AsRawFd};

/// Closes a socket as a crash would: nothing is sent. A socket that is being checkpointed (`TCP_REPAIR`) is closed so.
/// What is no connection has nothing to say anyway.
pub(crate) fn forget(socket: Socket) {
    let on: libc::c_int = 1;
    // SAFETY: `on` outlives the call and has the size that is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_REPAIR,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    // A listener and a UDP socket cannot be repaired.
    let _ = result;
    drop(socket);
}
