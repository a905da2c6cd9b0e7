//! The README says what is so.

mod support;

use support::estab;

const README: &str = include_str!("../../../README.md");

/// The blocks between ``` lines that begin with this one.
fn blocks(fence: &str) -> Vec<&'static str> {
    let mut blocks: Vec<_> = README.split(&format!("\n{fence}\n")).skip(1).collect();
    for block in &mut blocks {
        *block = block.split_once("\n```").expect("an end of the block").0;
    }
    blocks
}

#[test]
fn the_ladder_is_what_the_demo_prints() {
    let demo = estab(&["demo", "--no-pcapng"]).ok().out;
    let [ladder] = blocks("```text")[..] else {
        panic!("one block of text")
    };
    let mut rest = demo.as_str();
    for line in ladder.lines() {
        let (_, after) = rest
            .split_once(line)
            .unwrap_or_else(|| panic!("not there: {line}\n{demo}"));
        rest = after;
    }
}

#[test]
fn every_command_stands_in_the_table() {
    let help = estab(&["--help"]).ok().out;
    let (_, commands) = help.split_once("Commands:\n").expect("a list");
    let names = commands.lines().take_while(|line| !line.is_empty());
    for name in names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
    {
        assert!(README.contains(&format!("`estab {name}")), "{name}");
    }
}

#[test]
fn links_lead_to_files() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let links: Vec<_> = README
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(links.len() > 5);
    for link in links {
        assert!(root.join(link).exists(), "{link}");
    }
}
