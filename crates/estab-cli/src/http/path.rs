//! From a request's path to the names of a file below the root, and back.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// The relative path that the path of a URL names: empty for the root itself. `None` when it is no path that can be
/// served: a broken escape, a zero byte, an escaped slash, or `..`, which clients resolve before they send.
pub(crate) fn decode(url_path: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for segment in url_path.split('/') {
        let name = unescape(segment)?;
        match name.as_slice() {
            b"" | b"." => continue,
            b".." => return None,
            name if name.contains(&b'/') || name.contains(&0) => return None,
            _ => path.push(OsString::from_vec(name)),
        }
    }
    debug_assert!(path.components().all(|c| matches!(c, Component::Normal(_))));
    Some(path)
}

fn unescape(segment: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    Some(out)
}

/// One name of a path, escaped so that it is one segment of a URL (RFC 3986: only unreserved bytes stay).
pub(crate) fn escape(name: &Path) -> String {
    let mut out = String::new();
    for &byte in name.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{decode, escape};
    use std::path::Path;

    #[test]
    fn names_below_the_root_are_found() {
        assert_eq!(decode("/").as_deref(), Some(Path::new("")));
        assert_eq!(decode("/a//./b").as_deref(), Some(Path::new("a/b")));
        assert_eq!(decode("/a%20b").as_deref(), Some(Path::new("a b")));
        assert_eq!(decode("/...").as_deref(), Some(Path::new("...")));
    }

    #[test]
    fn whatever_could_climb_is_refused() {
        for path in [
            "/..",
            "/a/../b",
            "/%2e%2e/b",
            "/.%2E",
            "/..%2fb",
            "/a%2fb",
            "/a%00",
            "/%",
            "/%4",
            "/%zz",
            "/%+1",
        ] {
            assert_eq!(decode(path), None, "{path}");
        }
    }

    #[test]
    fn escaped_names_come_back() {
        let name = Path::new("100% <a>&\"b\"?#ü");
        assert_eq!(decode(&format!("/{}", escape(name))).as_deref(), Some(name));
        assert_eq!(escape(Path::new("a/b:c")), "a%2Fb%3Ac");
    }
}
