//! `fcntl` and `ioctl`.

use crate::file::{FileId, Kind};
use crate::{Errno, Posix};
use estab_stack::{OptionName, Queues, SocketId, SocketOption};
use estab_tcp::{Instant, State};

const SIOCINQ: u32 = libc::FIONREAD as u32;
const SIOCOUTQ: u32 = libc::TIOCOUTQ as u32;
const SIOCOUTQNSD: u32 = 0x894b;
const SIOCATMARK: u32 = 0x8905;
const FIONBIO: u32 = libc::FIONBIO as u32;

impl Posix {
    /// `F_GETFL`, `F_SETFL` (of which `O_NONBLOCK` can be changed), `F_GETFD`, `F_SETFD`, `F_DUPFD`, `F_DUPFD_CLOEXEC`.
    ///
    /// # Errors
    /// `EBADF`. `EINVAL`: another command, or a number that no descriptor can have. `EMFILE`.
    pub fn fcntl(&mut self, fd: i32, command: i32, argument: i32) -> Result<i32, Errno> {
        let descriptor = self.table.get(fd)?;
        let file = descriptor.file;
        match command {
            libc::F_GETFL => {
                let file = self.get(file)?;
                let access = match file.kind {
                    Kind::Socket(_) | Kind::Epoll(_) => libc::O_RDWR,
                    Kind::PipeReader(_) => libc::O_RDONLY,
                    Kind::PipeWriter(_) => libc::O_WRONLY,
                };
                Ok(access | if file.nonblock { libc::O_NONBLOCK } else { 0 })
            }
            libc::F_SETFL => {
                self.get_mut(file)?.nonblock = argument & libc::O_NONBLOCK != 0;
                Ok(0)
            }
            libc::F_GETFD if descriptor.close_on_exec => Ok(libc::FD_CLOEXEC),
            libc::F_GETFD => Ok(0),
            libc::F_SETFD => {
                self.table.get_mut(fd)?.close_on_exec = argument & libc::FD_CLOEXEC != 0;
                Ok(0)
            }
            libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => {
                let least = usize::try_from(argument).map_err(|_| Errno::EINVAL)?;
                if least >= crate::table::OPEN_MAX {
                    return Err(Errno::EINVAL);
                }
                self.add_descriptor(file, command == libc::F_DUPFD_CLOEXEC, least)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// The integer that the call stores: `SIOCINQ` (which is `FIONREAD`), `SIOCOUTQ`, `SIOCOUTQNSD`, `SIOCATMARK`. `FIONBIO` reads `argument`
    /// instead, and gives 0.
    ///
    /// # Errors
    /// `EBADF`. `EINVAL`: the queues of a listener. `ENOTTY`: another request, or not for such a file.
    pub fn ioctl(
        &mut self,
        now: Instant,
        fd: i32,
        request: u32,
        argument: i32,
    ) -> Result<i32, Errno> {
        // What is asked for does not depend on the time.
        let _ = now;
        let file = self.table.file(fd)?;
        if request == FIONBIO {
            self.get_mut(file)?.nonblock = argument != 0;
            return Ok(0);
        }
        let value = match &self.get(file)?.kind {
            Kind::Socket(socket) if socket.stream => self.stream_ioctl(file, request)?,
            Kind::Socket(socket) => {
                let queues = self.stack.queues(socket.id)?;
                match request {
                    SIOCINQ => queues.readable,
                    // A datagram is gone when it is sent.
                    SIOCOUTQ => 0,
                    _ => return Err(Errno::ENOTTY),
                }
            }
            Kind::PipeReader(pipe) | Kind::PipeWriter(pipe) if request == SIOCINQ => {
                self.pipes.get(*pipe).map_or(0, |pipe| pipe.data.len())
            }
            _ => return Err(Errno::ENOTTY),
        };
        Ok(i32::try_from(value).unwrap_or(i32::MAX))
    }

    fn stream_ioctl(&self, file: FileId, request: u32) -> Result<usize, Errno> {
        let id = self.file_socket(file)?.id;
        let (state, queues) = (self.stack.state(id)?, self.stack.queues(id)?);
        let select: fn(&Queues) -> usize = match request {
            // At the mark nothing lies before it.
            SIOCINQ if queues.at_mark && !self.is_urgent_inline(id) => return Ok(0),
            SIOCINQ => |queues| queues.readable,
            SIOCOUTQ => |queues| queues.unacknowledged,
            SIOCOUTQNSD => |queues| queues.unsent,
            SIOCATMARK => return Ok(usize::from(queues.at_mark)),
            _ => return Err(Errno::ENOTTY),
        };
        match state {
            State::Listen => Err(Errno::EINVAL),
            State::SynSent | State::SynReceived => Ok(0),
            _ => Ok(select(&queues)),
        }
    }

    fn is_urgent_inline(&self, id: SocketId) -> bool {
        let option = self.stack.option(id, OptionName::OobInline);
        option == Ok(SocketOption::OobInline(true))
    }
}
