//! `tests/packetdrill/linux.txt`: the scripts that Linux does not pass, from the last column of the tables of `docs/deviations.md`, so
//! that the page and what a run against Linux expects are one list.

use crate::page;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let source = root.join("docs/deviations.md");
    let text = fs::read_to_string(&source).with_context(|| source.display().to_string())?;
    page::put(
        &root.join("tests/packetdrill/linux.txt"),
        &list(&text),
        "cargo xtask linux-differs",
        check,
    )
}

/// The list of a page: each row's scripts under its first column.
fn list(text: &str) -> String {
    let mut list = String::from(
        "# Scripts that Linux does not pass, by what estab does there; generated from docs/deviations.md by `cargo xtask linux-differs`.\n\
         # estab drill tests/packetdrill --peer kernel --expect-failures THIS\n",
    );
    for (what, scripts) in rows(text) {
        let _ = write!(list, "\n# {what}\n");
        for script in scripts {
            let _ = writeln!(list, "{script}");
        }
    }
    list
}

/// Rows of the page's tables that name scripts: their first column, and the scripts.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix('|'));
    rows.filter_map(|row| {
        let mut cells = row.trim_end().trim_end_matches('|').split('|');
        let what = cells.next()?.trim();
        let scripts: Vec<_> = quoted(cells.next_back()?)
            .filter(|word| is_script(word))
            .collect();
        (!scripts.is_empty()).then_some((what, scripts))
    })
}

/// What stands in back quotes.
pub(crate) fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A path below `tests/packetdrill`, or a glob of such.
pub(crate) fn is_script(word: &str) -> bool {
    word.contains(".pkt")
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn scripts_stand_under_what_they_show() {
        let page = "| What | Linux | Test |\n|---|---|---|\n\
                    | A RST. | Else. | `a_test`, `states/*/rst.pkt`, `resets/a.pkt ipv6` |\n\
                    | Nothing to play. | Else. | `another_test` |\n";
        let list = list(page);
        assert!(
            list.ends_with("\n# A RST.\nstates/*/rst.pkt\nresets/a.pkt ipv6\n"),
            "{list}"
        );
    }
}
