//! Folders of generated scripts: written, or compared with what is there.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Makes the scripts of `folder` those of `wanted` (text by path in the folder); with `check` it only says whether they are.
pub(crate) fn bring_up_to_date(
    folder: &Path,
    wanted: &BTreeMap<String, String>,
    command: &str,
    check: bool,
) -> Result<()> {
    let present = present(folder)?;
    let stale: Vec<&String> = wanted
        .iter()
        .filter(|(path, text)| present.get(*path) != Some(text))
        .map(|(path, _)| path)
        .chain(present.keys().filter(|path| !wanted.contains_key(*path)))
        .collect();
    if check {
        if let Some(first) = stale.first() {
            bail!(
                "{} scripts of {} are stale, such as {first}: run `{command}`",
                stale.len(),
                folder.display()
            );
        }
        return Ok(());
    }
    for path in stale {
        let to = folder.join(path);
        let done = match wanted.get(path) {
            Some(text) => fs::create_dir_all(to.parent().unwrap_or(folder))
                .and_then(|()| fs::write(&to, text)),
            None => fs::remove_file(&to),
        };
        done.with_context(|| format!("writing {}", to.display()))?;
    }
    Ok(())
}

/// The scripts of a folder and of the folders in it, by their path.
fn present(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut present = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(within) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder.join(&within)) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let path = format!("{within}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(path + "/");
            } else if path.ends_with(".pkt") {
                let text = fs::read_to_string(entry.path())
                    .with_context(|| format!("reading {}", entry.path().display()))?;
                present.insert(path, text);
            }
        }
    }
    Ok(present)
}
