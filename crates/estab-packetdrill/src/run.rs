//! Plays a script against a subject and says what became of it.

mod calls;
mod code;
mod command;
mod config;
mod excerpt;
mod fds;
mod flow;
mod flows;
mod inject;
mod interpreter;
mod log;
mod packets;
mod plan;
mod player;
mod process;
mod space;
mod stop;

pub(crate) use config::Config;

use crate::diagnostic::Source;
use crate::report::{self, LogEntry, Report, Verdict};
use crate::script::{OptionLine, Script, Span, Time};
use crate::{IpVersion, MakeSubject, subject};
use config::ConfigError;
use core::fmt;
use core::time::Duration;
use log::Log;
use plan::Step;
use player::Player;
use std::path::PathBuf;
use stop::Stop;

/// In real time no script is waited for any longer.
const REAL_TIME_MAX: Duration = Duration::from_secs(600);

/// How scripts are played.
#[derive(Clone, Default)]
pub struct RunOptions {
    /// Wins over the script's `ip_version`.
    pub ip_version: Option<IpVersion>,
    /// Win over the script's own.
    pub overrides: Vec<OptionLine>,
    /// Settings, name and value, that are made before the script's own.
    pub settings: Vec<(String, String)>,
    /// No tolerance of time.
    pub exact: bool,
    /// Packets that nothing expects after the last line's time are no failure.
    pub ignore_surplus: bool,
    /// Commands in backquotes are run by the shell, not interpreted.
    pub run_commands: bool,
    /// The folder of the script, beside which its shell scripts are looked for.
    pub folder: Option<PathBuf>,
    /// What is played against; `None`: estab in virtual time.
    pub subject: Option<MakeSubject>,
}

impl fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("ip_version", &self.ip_version)
            .field("overrides", &self.overrides)
            .field("exact", &self.exact)
            .finish_non_exhaustive()
    }
}

/// Plays a script; `text` is what it was parsed from, `name` what reports call it. `observe` is given each event as it happens.
///
/// It always ends: a packet or the end of a call is waited for until two seconds after its time.
pub fn run(
    name: &str,
    text: &str,
    script: &Script,
    options: &RunOptions,
    observe: &mut dyn FnMut(&LogEntry),
) -> Report {
    let source = Source::new(name, text);
    let mut report = Report {
        name: name.to_owned(),
        ip_version: options.ip_version.unwrap_or_default(),
        verdict: Verdict::Passed,
        notes: Vec::new(),
        duration: Duration::ZERO,
        log: Vec::new(),
        printed: String::new(),
        packets: Vec::new(),
    };
    let stopped = match prepare(script, &source, options) {
        Ok((config, steps)) => {
            report.ip_version = config.network.ip_version;
            play(
                script,
                &source,
                (&config, &steps),
                options,
                observe,
                &mut report,
            )
        }
        Err(stop) => Err(stop),
    };
    match stopped {
        Ok(()) => {}
        Err(Stop::Skipped(reason)) => report.verdict = Verdict::Skipped(reason),
        Err(Stop::Failed(mut failure)) => {
            if failure.excerpt.is_empty() {
                failure.excerpt = excerpt::excerpt(&source, script, &failure);
            }
            report.verdict = Verdict::Failed(failure);
        }
    }
    report
}

/// Everything that can be known to be wrong before anything runs.
fn prepare(
    script: &Script,
    source: &Source,
    options: &RunOptions,
) -> Result<(Config, Vec<Step>), Stop> {
    let config = Config::new(&script.options, options).map_err(|error| match error {
        ConfigError::Wrong(errors) => Stop::wrong(source, errors),
        ConfigError::Skip(reason) => Stop::Skipped(reason),
    })?;
    let steps = plan::plan(script, source, &config, options)?;
    Ok((config, steps))
}

fn play(
    script: &Script,
    source: &Source,
    (config, steps): (&Config, &[Step]),
    options: &RunOptions,
    observe: &mut dyn FnMut(&LogEntry),
    report: &mut Report,
) -> Result<(), Stop> {
    if config.dry_run {
        return Ok(());
    }
    let made = match &options.subject {
        Some(make) => make(&config.network),
        None => subject::estab(&config.network),
    };
    let subject = made.map_err(|error| Stop::subject(error, Span::default()))?;
    if !subject.is_virtual() && length(script) > REAL_TIME_MAX {
        let minutes = length(script).as_secs() / 60;
        let reason = format!("it takes {minutes} minutes, which are too long in real time");
        return Err(Stop::Skipped(reason));
    }
    let subject_name = subject.name();
    let mut player = Player::new(subject, config, options, Log::new(observe));
    let mut result = player.all(script, steps);
    report.duration = player.now();
    player.close();
    if result.is_ok() {
        let (printed, run) = code::run(&player.code, source, config);
        report.printed = printed;
        result = run;
    }
    report.notes = core::mem::take(&mut player.notes);
    report.log = core::mem::take(&mut player.log.entries);
    report.packets = core::mem::take(&mut player.log.packets);
    if let Err(Stop::Failed(failure)) = &mut result {
        failure.ladder = report::ladder(&report.log, subject_name);
    }
    result
}

/// How long a script goes on, as far as its times say.
fn length(script: &Script) -> Duration {
    let (mut at, mut end) = (Duration::ZERO, Duration::ZERO);
    for event in &script.events {
        let (from, until) = match event.time {
            Time::Absolute(from) => (from, from),
            Time::Relative(gap) => (at.saturating_add(gap), at.saturating_add(gap)),
            Time::Any => (at, at),
            Time::AbsoluteRange(from, until) | Time::AbsoluteBlocking(from, until) => (from, until),
            Time::RelativeRange(from, until) | Time::RelativeBlocking(from, until) => {
                (at.saturating_add(from), at.saturating_add(until))
            }
        };
        at = from;
        end = end.max(until);
    }
    end
}
