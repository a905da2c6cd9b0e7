//! The suite of scripts, `tests/packetdrill`: all of them pass, over all three IP versions, and nothing about a run is left to chance.

use estab_packetdrill::report::Verdict;
use estab_packetdrill::{IpVersion, Report, RunOptions, parse, run};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

/// The suite's folder.
fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/packetdrill")
}

/// A script of the suite: its path in it, and its text.
struct Page {
    path: PathBuf,
    name: String,
    text: String,
}

fn pages() -> Vec<Page> {
    let suite = suite();
    let (mut folders, mut pages) = (vec![suite.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "pkt") {
                let text = fs::read_to_string(&path).unwrap();
                let name = path.strip_prefix(&suite).unwrap().display().to_string();
                pages.push(Page { path, name, text });
            }
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

fn play(page: &Page, ip_version: IpVersion) -> Option<Report> {
    let script = parse(&page.name, &page.text).unwrap_or_else(|errors| panic!("{errors}"));
    let names_one = script.options.iter().any(|line| line.name == "ip_version");
    let options = RunOptions {
        ip_version: (!names_one).then_some(ip_version),
        folder: page.path.parent().map(PathBuf::from),
        ..RunOptions::default()
    };
    // A script of one family is played once.
    let again = names_one && ip_version != IpVersion::default();
    (!again).then(|| run(&page.name, &page.text, &script, &options, &mut |_| {}))
}

/// Calls `judge` with each page on all processors, and collects what it says.
fn of_all(pages: &[Page], judge: impl Fn(&Page) -> Vec<String> + Sync) -> Vec<String> {
    let (next, said) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut words = judge(page);
                    said.lock().unwrap().append(&mut words);
                }
            });
        }
    });
    said.into_inner().unwrap()
}

#[test]
fn all_scripts_pass() {
    let pages = pages();
    assert!(pages.len() > 1500, "only {} scripts", pages.len());
    let wrong = of_all(&pages, |page| {
        let reports = IpVersion::ALL.into_iter().filter_map(|ip| play(page, ip));
        let wrong = reports.filter_map(|report| match &report.verdict {
            Verdict::Passed => None,
            Verdict::Skipped(why) => Some(format!("{} was skipped: {why}", page.name)),
            Verdict::Failed(failure) => Some(format!(
                "{} ({}): {}\n{}\n{}",
                page.name, report.ip_version, failure.message, failure.excerpt, failure.ladder
            )),
        });
        wrong.collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn all_scripts_say_first_what_they_show() {
    let silent = of_all(&pages(), |page| {
        let says = page.text.starts_with("// ");
        Vec::from_iter((!says).then(|| page.name.clone()))
    });
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn a_run_is_the_same_each_time() {
    let differ = of_all(&pages(), |page| {
        let events = || play(page, IpVersion::default()).map(|report| format!("{:?}", report.log));
        Vec::from_iter((events() != events()).then(|| page.name.clone()))
    });
    assert!(differ.is_empty(), "{differ:?}");
}
