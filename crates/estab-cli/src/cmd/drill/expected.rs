//! The list of scripts that are expected to fail.

use crate::exit::Failure;
use anyhow::{Context, Result, anyhow};
use estab_packetdrill::IpVersion;
use globset::{GlobBuilder, GlobMatcher};
use std::fs;
use std::path::{Path, PathBuf};

/// A line of the list.
struct Line {
    number: usize,
    text: String,
    pattern: GlobMatcher,
    /// Only in this version.
    ip_version: Option<IpVersion>,
}

/// Scripts that are expected to fail: paths or globs relative to the folder in which the list is, one a line, if wanted with an IP version
/// behind; `#` begins a comment.
#[derive(Default)]
pub(super) struct Expected {
    list: PathBuf,
    folder: PathBuf,
    lines: Vec<Line>,
}

impl Expected {
    /// Reads a list.
    ///
    /// # Errors
    /// It cannot be read, a line makes no sense, or names a script that is not there.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let context = || format!("cannot read {}", path.display());
        let text = fs::read_to_string(path)
            .with_context(context)
            .context(Failure::Usage)?;
        let folder = super::files::folder_of(path);
        let mut lines = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let number = index + 1;
            let line = line(number, text, &folder)
                .with_context(|| format!("{}:{number}", path.display()))
                .context(Failure::Usage)?;
            lines.push(line);
        }
        Ok(Self {
            list: path.to_owned(),
            folder: absolute(&folder),
            lines,
        })
    }

    /// Is this script expected to fail? The line that says so.
    pub(super) fn line(&self, script: &Path, ip_version: IpVersion) -> Option<String> {
        let script = absolute(script);
        let relative = script.strip_prefix(&self.folder).ok()?;
        let says = |line: &&Line| {
            line.pattern.is_match(relative) && line.ip_version.is_none_or(|only| only == ip_version)
        };
        let line = self.lines.iter().find(says)?;
        Some(format!(
            "{}:{}: {}",
            self.list.display(),
            line.number,
            line.text
        ))
    }
}

fn line(number: usize, text: &str, folder: &Path) -> Result<Line> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let ip_version = match words.next() {
        None => None,
        Some(word) => {
            Some(IpVersion::from_name(word).with_context(|| format!("{word:?} is no IP version"))?)
        }
    };
    if words.next().is_some() {
        return Err(anyhow!("expected a path and an IP version, not more"));
    }
    let is_glob = name.contains(['*', '?', '[', '{']);
    if !is_glob && !folder.join(name).exists() {
        return Err(anyhow!("there is no script {name}"));
    }
    let glob = GlobBuilder::new(name).literal_separator(true).build()?;
    Ok(Line {
        number,
        text: text.to_owned(),
        pattern: glob.compile_matcher(),
        ip_version,
    })
}

/// The path as the system knows it. One that is not there is nobody's.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Expected;
    use estab_packetdrill::IpVersion;
    use std::fs;

    #[test]
    fn a_list_names_scripts_by_paths_and_globs() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/deep")).unwrap();
        for name in ["a/1.pkt", "a/2.pkt", "a/deep/3.pkt", "4.pkt"] {
            fs::write(at(name), "").unwrap();
        }
        fs::write(
            at("list"),
            "# Linux\n\na/1.pkt ipv6 # because\na/deep/*.pkt\n*4.pkt\n",
        )
        .unwrap();
        let list = Expected::read(&at("list")).unwrap();
        let says = |name: &str, version| list.line(&at(name), version).is_some();
        assert!(says("a/1.pkt", IpVersion::V6) && !says("a/1.pkt", IpVersion::V4));
        assert!(
            !says("a/2.pkt", IpVersion::V6),
            "a star does not cross folders"
        );
        assert!(says("a/deep/3.pkt", IpVersion::V4) && says("4.pkt", IpVersion::Mapped));
    }

    #[test]
    fn a_list_that_makes_no_sense_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        fs::write(folder.path().join("a.pkt"), "").unwrap();
        for bad in ["gone.pkt", "a.pkt ipv5", "a.pkt ipv4 x", "[.pkt"] {
            fs::write(&path, format!("\n{bad}\n")).unwrap();
            let error = Expected::read(&path)
                .err()
                .map(|error| format!("{error:#}"));
            assert!(
                error.as_ref().is_some_and(|error| error.contains("list:2")),
                "{bad}: {error:?}"
            );
        }
    }
}
