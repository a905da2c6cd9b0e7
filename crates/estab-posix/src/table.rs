use crate::Errno;
use crate::file::FileId;

/// The first number that is given out; those before are the standard streams'.
const FIRST: usize = 3;
/// Most descriptors at a time: more are `EMFILE`. Linux's usual limit.
pub const OPEN_MAX: usize = 1024;
/// No descriptor can be renamed to this number or beyond.
const NUMBER_END: usize = 1 << 20;

/// Numbers, and what they stand for.
#[derive(Default)]
pub(crate) struct Table {
    slots: Vec<Option<Descriptor>>,
    /// No number from [`FIRST`] up to here is free.
    free_from: usize,
    open: usize,
}

/// A descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor {
    pub(crate) file: FileId,
    /// `FD_CLOEXEC`, which is remembered and has no effect.
    pub(crate) close_on_exec: bool,
}

impl Table {
    pub(crate) fn get(&self, fd: i32) -> Result<Descriptor, Errno> {
        usize::try_from(fd)
            .ok()
            .and_then(|fd| self.slots.get(fd).copied().flatten())
            .ok_or(Errno::EBADF)
    }

    pub(crate) fn get_mut(&mut self, fd: i32) -> Result<&mut Descriptor, Errno> {
        usize::try_from(fd)
            .ok()
            .and_then(|fd| self.slots.get_mut(fd)?.as_mut())
            .ok_or(Errno::EBADF)
    }

    pub(crate) fn file(&self, fd: i32) -> Result<FileId, Errno> {
        self.get(fd).map(|descriptor| descriptor.file)
    }

    /// Is there room for so many more?
    pub(crate) fn check_room(&self, more: usize) -> Result<(), Errno> {
        match self.open + more <= OPEN_MAX {
            true => Ok(()),
            false => Err(Errno::EMFILE),
        }
    }

    /// Gives out the lowest free number from `least` on.
    pub(crate) fn add(&mut self, descriptor: Descriptor, least: usize) -> Result<i32, Errno> {
        self.check_room(1)?;
        let from = least.max(self.free_from).max(FIRST);
        let free = self.slots.iter().skip(from).position(Option::is_none);
        let at = free.map_or_else(|| self.slots.len().max(from), |offset| from + offset);
        let fd = i32::try_from(at).map_err(|_| Errno::EMFILE)?;
        if least <= self.free_from.max(FIRST) {
            self.free_from = at + 1;
        }
        self.put(at, descriptor);
        Ok(fd)
    }

    fn put(&mut self, at: usize, descriptor: Descriptor) {
        if self.slots.len() <= at {
            self.slots.resize(at + 1, None);
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(descriptor);
            self.open += 1;
        }
    }

    pub(crate) fn remove(&mut self, fd: i32) -> Result<Descriptor, Errno> {
        let at = usize::try_from(fd).map_err(|_| Errno::EBADF)?;
        let slot = self.slots.get_mut(at).ok_or(Errno::EBADF)?;
        let descriptor = slot.take().ok_or(Errno::EBADF)?;
        self.open -= 1;
        self.free_from = self.free_from.min(at);
        while matches!(self.slots.last(), Some(None)) {
            self.slots.pop();
        }
        Ok(descriptor)
    }

    /// Moves a descriptor to a number that is free.
    pub(crate) fn rename(&mut self, fd: i32, to: i32) -> Result<(), Errno> {
        let descriptor = self.get(fd)?;
        if fd == to {
            return Ok(());
        }
        let at = usize::try_from(to).map_err(|_| Errno::EBADF)?;
        if at >= NUMBER_END {
            return Err(Errno::EBADF);
        }
        if self.get(to).is_ok() {
            return Err(Errno::EBUSY);
        }
        self.remove(fd)?;
        self.put(at, descriptor);
        Ok(())
    }

    /// All descriptors, in order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i32> + '_ {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.is_some())
            .filter_map(|(fd, _)| i32::try_from(fd).ok())
    }
}
