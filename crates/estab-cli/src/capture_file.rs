//! Names of capture files: what is there already is not lost unsaid.

use anyhow::{Context, Result};
use estab_device::record::Recorder;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first bytes of every pcapng file.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Names tried beside the first.
const OTHERS_MAX: u32 = 1000;

/// Creates the file that the user named. A file that is there is replaced, which is said on standard error.
///
/// # Errors
/// It cannot be created.
pub(crate) fn create_named(path: &Path) -> Result<File> {
    let context = || format!("cannot write {}", path.display());
    match File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let file = File::create(path).with_context(context)?;
            if file.metadata().with_context(context)?.is_file() {
                eprintln!("estab: {} is replaced", path.display());
            }
            Ok(file)
        }
        result => result.with_context(context),
    }
}

/// A file that was created, and whether it took the place of an older capture of ours.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) replaces: bool,
}

/// Creates `NAME.pcapng`, or replaces one that estab wrote; beside a file that is not ours, `NAME-2.pcapng` and so on.
///
/// # Errors
/// None can be created.
pub(crate) fn create_default(folder: &Path, name: &str) -> Result<Created> {
    let names = std::iter::once(format!("{name}.pcapng"))
        .chain((2..OTHERS_MAX).map(|number| format!("{name}-{number}.pcapng")));
    for name in names {
        let path = folder.join(name);
        let context = || format!("cannot write {}", path.display());
        match File::create_new(&path) {
            Ok(file) => {
                return Ok(Created {
                    file,
                    path,
                    replaces: false,
                });
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if is_ours(&path) {
                    let file = File::create(&path).with_context(context)?;
                    return Ok(Created {
                        file,
                        path,
                        replaces: true,
                    });
                }
            }
            Err(error) => return Err(error).with_context(context),
        }
    }
    anyhow::bail!("every name from {name}.pcapng on is taken; give one with --pcapng FILE")
}

/// Records to a file in real time. What goes wrong later is said on standard error, once.
///
/// # Errors
/// It cannot be written to.
pub(crate) fn recorder(file: File, path: &Path) -> Result<Recorder> {
    let since_1970 = now().duration_since(UNIX_EPOCH).unwrap_or_default();
    recorder_from(file, path, since_1970)
}

/// The same for virtual time, which begins in 1970: the same run gives the same file.
///
/// # Errors
/// It cannot be written to.
pub(crate) fn virtual_recorder(file: File, path: &Path) -> Result<Recorder> {
    recorder_from(file, path, Duration::ZERO)
}

fn recorder_from(file: File, path: &Path, epoch: Duration) -> Result<Recorder> {
    let path = path.to_owned();
    let recorder = Recorder::new(file, epoch);
    let recorder = recorder.with_context(|| format!("cannot write {}", path.display()))?;
    recorder.on_error(move |error| {
        eprintln!(
            "estab: {} ends here, it cannot be written: {error}",
            path.display()
        );
    });
    Ok(recorder)
}

#[allow(clippy::disallowed_methods, reason = "a capture says when it was made")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Is it a regular file, pcapng, with our name in its first block?
fn is_ours(path: &Path) -> bool {
    let head = || -> std::io::Result<Vec<u8>> {
        // A link could lead to something that is not in this folder.
        if !path.symlink_metadata()?.is_file() {
            return Ok(Vec::new());
        }
        let mut head = Vec::new();
        File::open(path)?.take(512).read_to_end(&mut head)?;
        Ok(head)
    };
    head().is_ok_and(|head| {
        head.starts_with(&PCAPNG) && head.windows(5).any(|window| window == b"estab")
    })
}

#[cfg(test)]
mod tests {
    use super::{create_default, create_named};
    use std::fs;
    use std::io::Write;

    #[test]
    fn our_own_capture_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = create_default(folder.path(), "x").unwrap();
        assert_eq!(
            (first.path.file_name().unwrap(), first.replaces),
            ("x.pcapng".as_ref(), false)
        );
        first
            .file
            .write_all(b"\x0a\x0d\x0d\x0a....estab 0.1.0")
            .unwrap();
        let second = create_default(folder.path(), "x").unwrap();
        assert_eq!((second.path, second.replaces), (first.path.clone(), true));
        fs::write(&first.path, "\n\r\r\n....wireshark").unwrap();
        let third = create_default(folder.path(), "x").unwrap();
        assert_eq!(third.path.file_name().unwrap(), "x-2.pcapng");
        assert!(fs::read(&first.path).unwrap().ends_with(b"wireshark"));
    }

    #[test]
    fn a_link_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::write(&target, b"\x0a\x0d\x0d\x0aestab").unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join("x.pcapng")).unwrap();
        let created = create_default(folder.path(), "x").unwrap();
        assert_eq!(created.path.file_name().unwrap(), "x-2.pcapng");
        assert_eq!(fs::read(&target).unwrap().len(), 9);
    }

    #[test]
    fn a_named_file_is_written_where_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "old").unwrap();
        create_named(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert!(create_named(&folder.path().join("none/x")).is_err());
    }
}
