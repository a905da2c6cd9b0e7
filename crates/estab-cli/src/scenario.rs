//! Playing scenarios and showing what came of them.

use crate::exit::Failure;
use crate::{capture_file, kernel_peer};
use anyhow::{Context, Result};
use clap::ValueEnum;
use estab_device::record::Recorder;
use estab_sim::End;
use estab_sim::lab::{self, Options, Report, Scenario};
use estab_sim::stage::{Simulated, SinkMaker};
use estab_stack::Medium;
use estab_trace::Collector;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// Who is host `b`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// estab, on the simulator, in virtual time
    #[default]
    Estab,
    /// The kernel of this machine, over a TUN device in a network namespace of its own, in real time
    Kernel,
}

/// Says what the kernel as a peer needs, before anything else is done.
///
/// # Errors
/// The system does not allow it; the message says what to do.
pub(crate) fn prepare(peer: Peer) -> Result<()> {
    match peer {
        Peer::Estab => Ok(()),
        Peer::Kernel => estab_device::namespace::isolate().context(Failure::Network),
    }
}

/// Plays one scenario.
///
/// # Errors
/// The kernel as a peer cannot be set up.
pub(crate) fn run(
    scenario: &Scenario,
    peer: Peer,
    seed: u64,
    sinks: Option<SinkMaker>,
) -> Result<Report> {
    match peer {
        Peer::Estab => {
            let options = Options { seed, sinks };
            let collector = Collector::new();
            let setup = (scenario.setup)();
            let mut lab = Simulated::new(options.seed, setup, &collector, options.sinks);
            Ok(lab::play(scenario, &mut lab, &collector))
        }
        Peer::Kernel => kernel_peer::run(scenario, seed, sinks)
            .with_context(|| format!("cannot play {} against the kernel", scenario.name))
            .context(Failure::Network),
    }
}

/// Sinks that record what the hosts of a scenario send and receive. Of the kernel nothing is recorded: what it sends, host `a`
/// receives.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn recording(file: File, path: &Path, peer: Peer) -> Result<(SinkMaker, Recorder)> {
    let recorder = match peer {
        Peer::Estab => capture_file::virtual_recorder(file, path)?,
        Peer::Kernel => capture_file::recorder(file, path)?,
    };
    let sinks = recorder.clone();
    let sink = move |host: &str| {
        // One of two hosts on a cable sees everything, each packet once.
        (host == End::A.name()).then(|| sinks.sink(host, &[("cable", Medium::Ip)]))
    };
    Ok((Arc::new(sink), recorder))
}

/// The ladder, what there is to see, and what was expected.
///
/// # Errors
/// The output is closed.
pub(crate) fn show(out: &mut impl Write, scenario: &Scenario, report: &Report) -> io::Result<()> {
    writeln!(out, "== {}: {}\n", scenario.name, scenario.title)?;
    write!(out, "{}", estab_trace::ladder(&report.events, "a", "b"))?;
    writeln!(out, "\n{}\n", wrap(scenario.about, 100))?;
    show_expectations(out, report)?;
    writeln!(out)
}

/// What was expected, and why the scenario did not come to its end, one a line.
///
/// # Errors
/// The output is closed.
pub(crate) fn show_expectations(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for expectation in &report.expectations {
        let verdict = if expectation.held {
            "  held    "
        } else {
            "  FAILED  "
        };
        writeln!(out, "{verdict}{}", expectation.text)?;
    }
    match &report.problem {
        Some(problem) => writeln!(out, "  FAILED  it did not come to its end: {problem}"),
        None => Ok(()),
    }
}

/// Breaks a text into lines of at most so many characters.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut used = 0;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if used > 0 && used + 1 + len > width {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += len;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("one two  three\nfour", 9), "one two\nthree\nfour");
        assert_eq!(wrap("overlong a", 4), "overlong\na");
        assert_eq!(wrap("", 4), "");
    }
}
