//! The folder that is served. Nothing outside it can be named.

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A folder, open. The kernel resolves every name below it (`RESOLVE_BENEATH`), so that neither `..` nor a symbolic
/// link, not even one that is exchanged while we look, leads out of it. Links that stay inside are followed.
#[derive(Debug)]
pub(crate) struct Root {
    dir: OwnedFd,
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A regular file.
    File(File, Metadata),
    /// A folder.
    Folder(File),
}

impl Root {
    /// Opens the folder.
    ///
    /// # Errors
    /// There is none, or the kernel is older than Linux 5.6 (no `openat2`).
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = Self {
            dir: rustix::fs::open(path, flags, Mode::empty())?,
        };
        root.entry(Path::new(""))?;
        Ok(root)
    }

    /// Opens what a relative path names. What is neither file nor folder (a device, a pipe) is not found.
    ///
    /// # Errors
    /// Not found, outside the folder, or not readable.
    pub(crate) fn entry(&self, path: &Path) -> io::Result<Entry> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        // NONBLOCK: opening a pipe must not wait for its writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut tries_left = 8;
        let file = loop {
            match openat2(&self.dir, path, flags, Mode::empty(), resolve) {
                // Somebody renames a folder on the way: the kernel cannot be sure, and asks to try again.
                Err(Errno::AGAIN) if tries_left > 0 => tries_left -= 1,
                Err(
                    Errno::XDEV | Errno::LOOP | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO,
                ) => {
                    return Err(io::ErrorKind::NotFound.into());
                }
                result => break File::from(result?),
            }
        };
        let metadata = file.metadata()?;
        if metadata.is_file() {
            Ok(Entry::File(file, metadata))
        } else if metadata.is_dir() {
            Ok(Entry::Folder(file))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}
