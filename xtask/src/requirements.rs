//! `docs/requirements.md`: each requirement of RFC 9293, where it is implemented, which test shows it, or why not.
//!
//! Code and tests cite the ids in comments (`// RFC 9293 3.10.7.4 MUST-10: ...`). A citation in a test belongs to the
//! function that follows it. A requirement that is implemented and not tested, or neither cited nor excused, is an error.

use crate::page;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One line of `requirements.txt`.
struct Requirement {
    id: String,
    text: String,
    excuse: String,
}

/// Where an id is cited.
#[derive(Default)]
struct Cited {
    code: Vec<String>,
    tests: Vec<String>,
}

pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let requirements = read(include_str!("requirements.txt"))?;
    let cited = collect(root)?;
    report_unknown(&requirements, &cited)?;
    let page = text(&requirements, &cited);
    page::put(
        &root.join("docs/requirements.md"),
        &page,
        "cargo xtask requirements",
        check,
    )?;
    let open = open(&requirements, &cited);
    if !open.is_empty() {
        bail!(
            "neither implemented, tested nor excused: {}",
            open.join(", ")
        );
    }
    Ok(())
}

fn read(text: &str) -> Result<Vec<Requirement>> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut parts = line.splitn(3, '|').map(|part| part.trim().to_string());
            match (parts.next(), parts.next(), parts.next()) {
                (Some(id), Some(text), Some(excuse)) => Ok(Requirement { id, text, excuse }),
                _ => bail!("requirements.txt: not `id | text | excuse`: {line}"),
            }
        })
        .collect()
}

fn collect(root: &Path) -> Result<BTreeMap<String, Cited>> {
    let mut files = Vec::new();
    walk(&root.join("crates"), &mut files)?;
    files.sort();
    let mut cited = BTreeMap::<String, Cited>::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let name = file.strip_prefix(root)?.display().to_string();
        collect_file(&name, &text, &mut cited);
    }
    Ok(cited)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn collect_file(name: &str, text: &str, cited: &mut BTreeMap<String, Cited>) {
    let is_test_file = name.contains("/tests/") || name.ends_with("/tests.rs");
    let mut in_tests = is_test_file;
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        in_tests |= line.trim_start().starts_with("#[cfg(test)]")
            && lines.get(number + 1).is_some_and(|next| next.contains('{'));
        let Some((_, comment)) = line.split_once("//") else {
            continue;
        };
        for id in ids(comment) {
            let entry = cited.entry(id).or_default();
            if in_tests {
                let function = following_function(&lines[number..]);
                push_new(&mut entry.tests, format!("{name} `{function}`"));
            } else {
                push_new(&mut entry.code, name.to_string());
            }
        }
    }
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn following_function(lines: &[&str]) -> String {
    lines
        .iter()
        .find_map(|line| {
            line.trim_start()
                .trim_start_matches("pub ")
                .trim_start_matches("async ")
                .strip_prefix("fn ")
        })
        .and_then(|rest| rest.split(['(', '<']).next())
        .unwrap_or("?")
        .to_string()
}

/// `MUST-10` and its like.
fn ids(comment: &str) -> Vec<String> {
    comment
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'))
        .filter(|word| {
            word.split_once('-').is_some_and(|(kind, number)| {
                matches!(kind, "MUST" | "SHLD" | "MAY" | "REC")
                    && !number.is_empty()
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
        .map(String::from)
        .collect()
}

fn report_unknown(requirements: &[Requirement], cited: &BTreeMap<String, Cited>) -> Result<()> {
    for (id, places) in cited {
        if !requirements.iter().any(|requirement| requirement.id == *id) {
            bail!(
                "{id} is cited but RFC 9293 has no such requirement: {:?} {:?}",
                places.code,
                places.tests
            );
        }
    }
    Ok(())
}

fn open(requirements: &[Requirement], cited: &BTreeMap<String, Cited>) -> Vec<String> {
    let done = |id: &str| {
        cited
            .get(id)
            .is_some_and(|cited| !cited.code.is_empty() && !cited.tests.is_empty())
    };
    requirements
        .iter()
        .filter(|requirement| requirement.excuse.is_empty() && !done(&requirement.id))
        .map(|requirement| requirement.id.clone())
        .collect()
}

fn text(requirements: &[Requirement], cited: &BTreeMap<String, Cited>) -> String {
    let mut page = String::from(
        "# The requirements of RFC 9293\n\nGenerated by `cargo xtask requirements` from the ids that code and tests cite; \
         CI fails when it is stale.\n\n| Id | What it asks | Implemented in | Shown by |\n|---|---|---|---|\n",
    );
    let none = Cited::default();
    for requirement in requirements {
        let cited = cited.get(&requirement.id).unwrap_or(&none);
        let code = if requirement.excuse.is_empty() || !cited.code.is_empty() {
            cited.code.join("<br>")
        } else {
            requirement.excuse.clone()
        };
        let mut note = cited.tests.join("<br>");
        if !requirement.excuse.is_empty() && !cited.code.is_empty() {
            note = [note, requirement.excuse.clone()].join("<br>");
        }
        let _ = writeln!(
            page,
            "| {} | {} | {code} | {note} |",
            requirement.id, requirement.text
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_comments() {
        assert_eq!(
            ids(" RFC 9293 3.5 MUST-10, (SHLD-4); no MUST- nor MUSTY-1"),
            ["MUST-10", "SHLD-4"]
        );
    }

    #[test]
    fn code_and_tests_are_told_apart() {
        let mut cited = BTreeMap::new();
        let text = "// MUST-1: here\nfn a() {}\n#[cfg(test)]\nmod tests {\n    // MUST-1\n    #[test]\n    fn shows_it() {}\n}\n";
        collect_file("crates/x/src/a.rs", text, &mut cited);
        assert_eq!(cited["MUST-1"].code, ["crates/x/src/a.rs"]);
        assert_eq!(cited["MUST-1"].tests, ["crates/x/src/a.rs `shows_it`"]);
    }

    #[test]
    fn the_list_is_whole() {
        let list = read(include_str!("requirements.txt")).unwrap();
        for (kind, last) in [("MUST", 69), ("MAY", 18)] {
            for number in 1..=last {
                let id = format!("{kind}-{number}");
                assert!(list.iter().any(|requirement| requirement.id == id), "{id}");
            }
        }
    }
}
