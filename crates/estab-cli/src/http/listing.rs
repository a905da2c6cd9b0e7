//! The page that shows what is in a folder.

use super::path::escape;
use rustix::fs::{AtFlags, Dir, FileType, statat};
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Names on one page at most.
const NAMES_MAX: usize = 10_000;

struct Name {
    name: Vec<u8>,
    folder: bool,
    size: Option<u64>,
}

/// An HTML page with a link for each file and folder; `title` is shown as it is in the request.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn page(folder: &File, title: &str) -> io::Result<String> {
    let (mut names, more) = read(folder)?;
    names.sort_by(|a, b| (!a.folder, &a.name).cmp(&(!b.folder, &b.name)));
    let title = text(title.as_bytes());
    let mut page = format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><h1>{title}</h1><table>\n<tr><td><a href=\"../\">../</a></td></tr>\n"
    );
    for Name { name, folder, size } in names {
        let slash = if folder { "/" } else { "" };
        let size = size.map_or_else(String::new, |size| size.to_string());
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "<tr><td><a href=\"./{}{slash}\">{}{slash}</a></td><td align=\"right\">{size}</td></tr>",
            escape(Path::new(OsStr::from_bytes(&name))),
            text(&name),
        );
    }
    if more {
        let _ = writeln!(
            page,
            "<tr><td>... and more than {NAMES_MAX} others</td></tr>"
        );
    }
    page.push_str("</table></body></html>\n");
    Ok(page)
}

/// The names, and whether there are more than are returned.
fn read(folder: &File) -> io::Result<(Vec<Name>, bool)> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if names.len() == NAMES_MAX {
            return Ok((names, true));
        }
        // A name that is gone by now is left out. Links are not followed here: what is behind one that leads out of
        // the root is not to be seen, not even its size.
        let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind.is_dir() || kind.is_file() || kind.is_symlink() {
            names.push(Name {
                name: name.to_bytes().to_vec(),
                folder: kind.is_dir(),
                size: kind
                    .is_file()
                    .then(|| u64::try_from(stat.st_size).unwrap_or(0)),
            });
        }
    }
    Ok((names, false))
}

/// As text in HTML.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
