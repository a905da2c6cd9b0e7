//! Reading scripts, and playing them on several threads.

use super::expected::Expected;
use super::files::folder_of;
use crate::exit::Failure;
use anyhow::{Context, Result, anyhow};
use estab_packetdrill::report::{FailureKind, LogEntry, Verdict};
use estab_packetdrill::script::OptionLine;
use estab_packetdrill::{Defines, IpVersion, MakeSubject, Report, RunOptions, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::{fs, thread};

/// A script that was read.
#[derive(Clone)]
pub(super) struct Script {
    /// Its path, as it was found.
    pub(super) name: String,
    path: PathBuf,
    source: Arc<Source>,
    parsed: Arc<estab_packetdrill::script::Script>,
}

impl Script {
    pub(super) fn text(&self) -> &str {
        self.source.text()
    }

    /// Does it say in which IP version it is to be played?
    pub(super) fn names_ip_version(&self) -> bool {
        self.parsed
            .options
            .iter()
            .any(|option| option.name == "ip_version")
    }
}

/// A script to play.
pub(super) struct Job {
    script: Script,
    ip_version: Option<IpVersion>,
}

impl Job {
    /// A script in a version; `None`: as it says.
    pub(super) fn new(script: &Script, ip_version: Option<IpVersion>) -> Self {
        Self {
            script: script.clone(),
            ip_version,
        }
    }
}

/// How all are played.
pub(super) struct Plan {
    pub(super) overrides: Arc<[OptionLine]>,
    pub(super) settings: Arc<[(String, String)]>,
    pub(super) exact: bool,
    pub(super) allow_surplus: bool,
    pub(super) run_commands: bool,
    pub(super) verbose: bool,
    pub(super) jobs: usize,
    /// How often a script is played again that did not end as it should.
    pub(super) retries: u32,
    pub(super) subject: Option<MakeSubject>,
}

/// How a run counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Skipped,
    /// It failed, and was expected to.
    FailedAsExpected,
    /// It passed, and was expected to fail.
    PassedUnexpectedly,
}

/// What a run came to.
pub(super) struct Played {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) outcome: Outcome,
    /// The line by which it was expected to fail.
    pub(super) expected: Option<String>,
    /// Where its failure stands in the script: line and column.
    pub(super) place: Option<(usize, usize)>,
    pub(super) report: Report,
}

impl Played {
    fn new(script: &Script, report: Report, expected: &Expected) -> Self {
        let expected = expected.line(&script.path, report.ip_version);
        let outcome = match (&report.verdict, expected.is_some()) {
            // A mistake in a script is not what it is expected to show.
            (Verdict::Failed(failure), _) if failure.kind == FailureKind::Script => Outcome::Failed,
            (Verdict::Passed, false) => Outcome::Passed,
            (Verdict::Passed, true) => Outcome::PassedUnexpectedly,
            (Verdict::Failed(_), false) => Outcome::Failed,
            (Verdict::Failed(_), true) => Outcome::FailedAsExpected,
            (Verdict::Skipped(_), _) => Outcome::Skipped,
        };
        let place = report
            .failure()
            .map(|failure| script.source.position(failure.span.start));
        Self {
            name: script.name.clone(),
            folder: folder_of(&script.path),
            outcome,
            expected,
            place,
            report,
        }
    }

    /// Is it the script that is wrong?
    pub(super) fn has_mistakes(&self) -> bool {
        let failure = self.report.failure();
        failure.is_some_and(|failure| failure.kind == FailureKind::Script)
    }

    /// Without what only a capture needs: there may be thousands of scripts.
    pub(super) fn without_packets(mut self) -> Self {
        self.report.packets = Vec::new();
        self.report.log = Vec::new();
        self
    }
}

/// What the threads tell while they play.
pub(super) enum News {
    /// A script begins.
    Began(String),
    /// An event of it.
    Happened(LogEntry),
    /// It has ended.
    Ended(Box<Played>),
}

/// Reads scripts, all of them: who has a mistake in the third is not to wait for the second to be played.
///
/// # Errors
/// One cannot be read, or is not written in the language; all mistakes are shown.
pub(super) fn read(paths: &[PathBuf], defines: &[String]) -> Result<Vec<Script>> {
    let mut names = Defines::new();
    for define in defines {
        let added = names
            .add(define)
            .map_err(|error| anyhow!("--define: {error}"));
        added.context(Failure::Usage)?;
    }
    let mut scripts = Vec::with_capacity(paths.len());
    let mut wrong = 0;
    for path in paths {
        match read_one(path, &names)? {
            Ok(script) => scripts.push(script),
            Err(message) => {
                eprintln!("{message}\n");
                wrong += 1;
            }
        }
    }
    match wrong {
        0 => Ok(scripts),
        1 => Err(anyhow!("a script has mistakes; nothing was played").context(Failure::Usage)),
        _ => {
            Err(anyhow!("{wrong} scripts have mistakes; nothing was played")
                .context(Failure::Usage))
        }
    }
}

/// The inner error is the text that shows the mistakes.
fn read_one(path: &Path, names: &Defines) -> Result<Result<Script, String>> {
    let name = path.display().to_string();
    let bytes = fs::read(path)
        .with_context(|| format!("cannot read {name}"))
        .context(Failure::Usage)?;
    let source = match estab_packetdrill::parser::source(&name, &bytes) {
        Ok(source) => source,
        Err(mistakes) => return Ok(Err(mistakes.to_string())),
    };
    Ok(match estab_packetdrill::parse_with(&source, names) {
        Ok(parsed) => Ok(Script {
            name,
            path: path.to_owned(),
            source: source.into(),
            parsed: parsed.into(),
        }),
        Err(mistakes) => Err(mistakes.to_string()),
    })
}

/// Plays all; `tell` is told what happens, of scripts in their order.
///
/// # Errors
/// Those of `tell`, after which no more scripts are begun.
pub(super) fn all(
    plan: &Plan,
    jobs: &[Job],
    expected: &Expected,
    tell: &mut dyn FnMut(News) -> Result<()>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        for _ in 0..plan.jobs.min(jobs.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || work(plan, jobs, expected, next, &sender));
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut told = 0;
        let mut result = Ok(());
        for (index, news) in receiver {
            let News::Ended(_) = news else {
                result = result.and_then(|()| tell(news));
                continue;
            };
            early.insert(index, news);
            while let Some(news) = early.remove(&told) {
                told += 1;
                result = result.and_then(|()| tell(news));
            }
            if result.is_err() {
                next.store(jobs.len(), Ordering::Relaxed);
            }
        }
        result
    })
}

fn work(
    plan: &Plan,
    jobs: &[Job],
    expected: &Expected,
    next: &AtomicUsize,
    sender: &Sender<(usize, News)>,
) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(index) else {
            return;
        };
        // Nobody listens any more: what is told is lost, and no further script begins.
        let tell = |news| drop(sender.send((index, news)));
        if plan.verbose {
            tell(News::Began(job.script.name.clone()));
        }
        let play_once = || {
            let report = play(plan, job, &mut |entry| {
                if plan.verbose {
                    tell(News::Happened(entry.clone()));
                }
            });
            Played::new(&job.script, report, expected)
        };
        let mut played = play_once();
        for _ in 0..plan.retries {
            if !matches!(
                played.outcome,
                Outcome::Failed | Outcome::PassedUnexpectedly
            ) {
                break;
            }
            played = play_once();
        }
        tell(News::Ended(Box::new(played)));
    }
}

fn play(plan: &Plan, job: &Job, observe: &mut dyn FnMut(&LogEntry)) -> Report {
    let script = &job.script;
    let options = RunOptions {
        ip_version: job.ip_version,
        overrides: plan.overrides.to_vec(),
        settings: plan.settings.to_vec(),
        exact: plan.exact,
        ignore_surplus: plan.allow_surplus,
        run_commands: plan.run_commands,
        folder: Some(folder_of(&script.path)),
        subject: plan.subject.clone(),
    };
    estab_packetdrill::run(
        &script.name,
        script.text(),
        &script.parsed,
        &options,
        observe,
    )
}
