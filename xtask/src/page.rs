//! A generated page: written, or compared with what is there.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

pub(crate) fn put(path: &Path, page: &str, command: &str, check: bool) -> Result<()> {
    if !check {
        return fs::write(path, page).with_context(|| format!("writing {}", path.display()));
    }
    if fs::read_to_string(path).unwrap_or_default() != page {
        bail!("{} is stale: run `{command}`", path.display());
    }
    Ok(())
}
