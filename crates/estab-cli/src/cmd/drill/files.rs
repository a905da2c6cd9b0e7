//! Which scripts there are.

use crate::exit::Failure;
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders, at most: a link may lead back to where one came from.
const DEPTH_MAX: usize = 32;

/// The scripts that these paths name: files as they are, of folders all `*.pkt` in them and below. Sorted by path within each, and no
/// file twice.
///
/// # Errors
/// A path that is not there, cannot be read, or a folder without scripts.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in paths {
        let context = || format!("cannot read {}", path.display());
        let metadata = fs::metadata(path)
            .with_context(context)
            .context(Failure::Usage)?;
        let mut scripts = Vec::new();
        if metadata.is_dir() {
            walk(path, 0, &mut scripts).context(Failure::Usage)?;
            scripts.sort();
            if scripts.is_empty() {
                let error = anyhow!("there are no scripts (*.pkt) in {}", path.display());
                return Err(error.context(Failure::Usage));
            }
        } else {
            scripts.push(path.clone());
        }
        found.extend(scripts);
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let context = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.is_dir() {
            if depth < DEPTH_MAX {
                walk(&path, depth + 1, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "pkt") {
            found.push(path);
        }
    }
    Ok(())
}

/// The folder that a script is counted in.
pub(super) fn folder_of(script: &Path) -> PathBuf {
    match script.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What a script says of itself: the first line of its first comment.
pub(super) fn title(text: &str) -> &str {
    text.lines().find_map(comment).unwrap_or_default()
}

/// What a line says when it is a comment.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    let marks = ["//", "/*", "#"];
    let rest = marks.iter().find_map(|mark| line.strip_prefix(mark))?;
    let text = rest.trim_end_matches("*/").trim();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{find, folder_of, title};
    use std::fs;
    use std::path::Path;

    #[test]
    fn folders_give_their_scripts_sorted_and_none_twice() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/c")).unwrap();
        for name in ["z.pkt", "b/2.pkt", "b/1.pkt", "b/c/0.pkt", "b/notes.txt"] {
            fs::write(at(name), "").unwrap();
        }
        let found = find(&[at("z.pkt"), folder.path().to_owned()]).unwrap();
        assert_eq!(found, ["z.pkt", "b/1.pkt", "b/2.pkt", "b/c/0.pkt"].map(at));
        assert_eq!(
            find(&[at("b/notes.txt")]).unwrap().len(),
            1,
            "as it was named"
        );
        assert!(find(&[at("none")]).is_err());
        fs::create_dir(at("empty")).unwrap();
        assert!(find(&[at("empty")]).is_err());
    }

    #[test]
    fn a_link_that_leads_back_does_not_lead_on_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("back")).unwrap();
        fs::write(folder.path().join("a.pkt"), "").unwrap();
        assert!(!find(&[folder.path().to_owned()]).unwrap().is_empty());
    }

    #[test]
    fn a_script_is_known_by_folder_and_first_comment() {
        assert_eq!(folder_of(Path::new("a/b.pkt")), Path::new("a"));
        assert_eq!(folder_of(Path::new("b.pkt")), Path::new("."));
        assert_eq!(title("\n//\n// What it shows.\n// More."), "What it shows.");
        assert_eq!(title("/* Short. */\n"), "Short.");
        assert_eq!(title("--mtu=1500\n"), "");
    }
}
