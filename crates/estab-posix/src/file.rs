//! Open files: what descriptors stand for.

use crate::epoll::{Epoll, Watch};
use crate::pipe::PipeId;
use crate::socket::Socket;
use crate::{Errno, Posix};

slotmap::new_key_type! {
    /// An open file.
    pub(crate) struct FileId;
    /// A socket whose close waits.
    pub(crate) struct ClosingId;
}

/// An open file (a file description, in POSIX's words).
pub(crate) struct File {
    pub(crate) kind: Kind,
    /// `O_NONBLOCK`.
    pub(crate) nonblock: bool,
    /// Descriptors that stand for it.
    pub(crate) descriptors: usize,
    /// Who is to be told when something happens.
    pub(crate) watches: Vec<Watch>,
}

/// What is open.
pub(crate) enum Kind {
    Socket(Box<Socket>),
    Epoll(Box<Epoll>),
    PipeReader(PipeId),
    PipeWriter(PipeId),
}

impl File {
    pub(crate) fn new(kind: Kind, nonblock: bool) -> Self {
        Self {
            kind,
            nonblock,
            descriptors: 0,
            watches: Vec::new(),
        }
    }
}

impl Posix {
    /// Takes a file in, and gives it a number.
    pub(crate) fn open(&mut self, file: File, close_on_exec: bool) -> Result<i32, Errno> {
        self.table.check_room(1)?;
        let id = self.files.insert(file);
        self.add_descriptor(id, close_on_exec, 0)
    }

    /// One more number for a file.
    pub(crate) fn add_descriptor(
        &mut self,
        file: FileId,
        close_on_exec: bool,
        least: usize,
    ) -> Result<i32, Errno> {
        let descriptor = crate::table::Descriptor {
            file,
            close_on_exec,
        };
        let fd = self.table.add(descriptor, least)?;
        self.get_mut(file)?.descriptors += 1;
        Ok(fd)
    }

    pub(crate) fn get(&self, file: FileId) -> Result<&File, Errno> {
        self.files.get(file).ok_or(Errno::EBADF)
    }

    pub(crate) fn get_mut(&mut self, file: FileId) -> Result<&mut File, Errno> {
        self.files.get_mut(file).ok_or(Errno::EBADF)
    }

    /// A descriptor's socket.
    pub(crate) fn socket_of(&self, fd: i32) -> Result<&Socket, Errno> {
        self.file_socket(self.table.file(fd)?)
    }

    /// A file's socket.
    pub(crate) fn file_socket(&self, file: FileId) -> Result<&Socket, Errno> {
        match &self.get(file)?.kind {
            Kind::Socket(socket) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    pub(crate) fn file_socket_mut(&mut self, file: FileId) -> Result<&mut Socket, Errno> {
        match &mut self.get_mut(file)?.kind {
            Kind::Socket(socket) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }
}
