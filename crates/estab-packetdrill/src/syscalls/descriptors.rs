//! Which arguments of a call are descriptors, and which of its results; how much it writes.

use crate::subject::{Outcome, Output, SystemCall};

/// All descriptors that a call is given.
pub(crate) fn in_call(call: &mut SystemCall) -> Vec<&mut i32> {
    use SystemCall as C;
    match call {
        C::Socket { .. } | C::EpollCreate { .. } | C::Pipe { .. } | C::Open { .. } => Vec::new(),
        C::Bind { fd, .. }
        | C::Listen { fd, .. }
        | C::Accept { fd, .. }
        | C::Connect { fd, .. }
        | C::GetSockName { fd, .. }
        | C::GetPeerName { fd, .. }
        | C::Read { fd, .. }
        | C::Readv { fd, .. }
        | C::Recv { fd, .. }
        | C::RecvFrom { fd, .. }
        | C::RecvMsg { fd, .. }
        | C::Write { fd, .. }
        | C::Writev { fd, .. }
        | C::Send { fd, .. }
        | C::SendTo { fd, .. }
        | C::SendMsg { fd, .. }
        | C::Fcntl { fd, .. }
        | C::Ioctl { fd, .. }
        | C::Close { fd }
        | C::Shutdown { fd, .. }
        | C::GetSockOpt { fd, .. }
        | C::SetSockOpt { fd, .. }
        | C::Dup { fd } => vec![fd],
        C::SendFile { out_fd, in_fd, .. } => vec![out_fd, in_fd],
        C::Splice { fd_in, fd_out, .. } => vec![fd_in, fd_out],
        C::EpollCtl { epfd, fd, .. } => vec![epfd, fd],
        C::EpollWait { epfd, .. } => vec![epfd],
        C::Poll { fds, .. } => fds.iter_mut().map(|entry| &mut entry.fd).collect(),
    }
}

/// The live descriptors that a call that succeeded gave, in the order of [`Expected::Pipe`](super::Expected::Pipe) or the result.
pub(crate) fn results(call: &SystemCall, outcome: &Outcome) -> Vec<i32> {
    use SystemCall as C;
    if outcome.result < 0 {
        return Vec::new();
    }
    let gives_one = match call {
        C::Socket { .. }
        | C::Accept { .. }
        | C::EpollCreate { .. }
        | C::Open { .. }
        | C::Dup { .. } => true,
        C::Fcntl { command, .. } => {
            matches!(*command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC)
        }
        _ => false,
    };
    match &outcome.output {
        Output::Pipe(ends) => ends.to_vec(),
        _ if gives_one => i32::try_from(outcome.result).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Bytes that a call writes.
pub(crate) fn written(call: &SystemCall) -> usize {
    match call {
        SystemCall::Write { data, .. }
        | SystemCall::Send { data, .. }
        | SystemCall::SendTo { data, .. } => data.len(),
        SystemCall::Writev { data, .. } | SystemCall::SendMsg { data, .. } => {
            data.iter().map(Vec::len).sum()
        }
        _ => 0,
    }
}
