//! Pages of `docs` whose tables name a test in the last column: the tests exist, and none is forgotten.

use crate::linux_differs;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "target" {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).map(|rest| {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
                rest[..end.unwrap_or(rest.len())].to_string()
            });
            found.extend(names);
        }
    }
}

/// What stands in back quotes in the last column of a page's tables.
fn named(root: &Path, page: &str) -> Vec<String> {
    let text = fs::read_to_string(root.join("docs").join(page)).unwrap();
    let rows = text.lines().filter(|line| line.starts_with('|'));
    rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next())
        .flat_map(|cell| linux_differs::quoted(cell).map(String::from))
        .filter(|word| !linux_differs::is_script(word))
        .collect()
}

#[test]
fn tests_that_pages_name_exist() {
    let root: PathBuf = crate::root();
    let mut functions_found = BTreeSet::new();
    functions(&root.join("crates"), &mut functions_found);
    for page in ["deviations.md", "pitfalls.md"] {
        let names = named(&root, page);
        assert!(names.len() > 10, "{page} has its table");
        for name in names {
            assert!(functions_found.contains(&name), "{page}: no test {name}");
        }
    }
    let listed: BTreeSet<_> = named(&root, "pitfalls.md").into_iter().collect();
    let pitfalls: BTreeSet<_> = functions_found
        .into_iter()
        .filter(|name| name.starts_with("pitfall_"))
        .collect();
    assert_eq!(listed, pitfalls);
}
