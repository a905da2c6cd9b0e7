//! `estab demo`.

use crate::capture_file::{self, Created};
use crate::output;
use crate::scenario::{self, Peer};
use anyhow::Result;
use estab_sim::End;
use estab_sim::lab::Scenario;
use estab_sim::stage::{Expectations, Problem, Setup, Stage, Trace};
use estab_tcp::State;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Watch a connection being opened, used, half-closed and closed
///
/// Two hosts on a link, in virtual time, without privileges. The ladder shows each segment, and beside it both ends' states.
/// The same is written as a capture for Wireshark.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  estab demo\n  estab demo --peer kernel")]
pub(crate) struct Args {
    /// Who is host b
    #[arg(long, value_enum, default_value_t)]
    peer: Peer,

    /// Write the capture here [default: estab-demo.pcapng in this folder, or a name beside it]
    #[arg(long, value_name = "FILE")]
    pcapng: Option<PathBuf>,

    /// Write no capture
    #[arg(long, conflicts_with = "pcapng")]
    no_pcapng: bool,
}

const DEMO: Scenario = Scenario {
    name: "demo",
    title: "a connection is opened, used, half-closed and closed",
    about: "Host a opens a connection with three segments, asks, and shuts its sending side down: that FIN says \
            that nothing more will come from a. Host b still answers, as long as it likes: a is in FIN-WAIT-2, b in CLOSE-WAIT. When b \
            closes too, a waits in TIME-WAIT, so that late segments die.",
    setup: Setup::default,
    play,
    check,
    real: true,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let (a, b) = stage.open(80)?;
    stage.send(a, b"What time is it?")?;
    let question = stage.receive(b, 16)?;
    stage.expect.equal(
        "b hears the question",
        question.as_slice(),
        b"What time is it?",
    );
    stage.wait(Duration::from_millis(100));
    stage.shutdown_write(a)?;
    let end = stage.receive_to_end(b)?;
    stage
        .expect
        .that("and that nothing follows it", end.is_empty());
    stage.wait(Duration::from_millis(100));
    stage.send(b, b"Time to close.")?;
    let answer = stage.receive(a, 14)?;
    stage.expect.equal(
        "a, half-closed, hears the answer",
        answer.as_slice(),
        b"Time to close.",
    );
    stage.wait(Duration::from_millis(100));
    stage.close(b)?;
    let end = stage.receive_to_end(a)?;
    stage.expect.that("and the end", end.is_empty());
    stage.close(a)?;
    stage.wait(Duration::from_millis(100));
    Ok(())
}

fn check(trace: &Trace<'_>, expect: &mut Expectations) {
    let active = [State::FinWait1, State::FinWait2, State::TimeWait];
    expect.passes(trace, End::A, &active);
    expect.passes(
        trace,
        End::B,
        &[State::CloseWait, State::LastAck, State::Closed],
    );
    expect.equal("no reset", trace.resets(), 0);
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    scenario::prepare(args.peer)?;
    let mut out = output::stdout();
    let capture = if args.no_pcapng {
        None
    } else {
        Some(create_capture(args)?)
    };
    let recording = match &capture {
        Some(created) => {
            let file = created.file.try_clone()?;
            Some(scenario::recording(file, &created.path, args.peer)?)
        }
        None => None,
    };
    let (sinks, recorder) = recording.unzip();
    let report = scenario::run(&DEMO, args.peer, 1, sinks).inspect_err(|_| {
        if let Some(created) = capture.as_ref().filter(|created| !created.replaces) {
            // An empty capture is of no use to anybody.
            let _ = std::fs::remove_file(&created.path);
        }
    })?;
    scenario::show(&mut out, &DEMO, &report)?;
    if let (Some(recorder), Some(created)) = (recorder, capture) {
        recorder.flush()?;
        let done = if created.replaces {
            "written, in place of an older one of estab's"
        } else {
            "written"
        };
        let path = created.path.display();
        writeln!(
            out,
            "{path}: {done}; wireshark {path} shows the states as comments\n"
        )?;
    }
    writeln!(out, "{NEXT}")?;
    Ok(if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn create_capture(args: &Args) -> Result<Created> {
    match &args.pcapng {
        Some(path) => {
            let file = capture_file::create_named(path)?;
            Ok(Created {
                file,
                path: path.clone(),
                replaces: false,
            })
        }
        None => capture_file::create_default(Path::new(""), "estab-demo"),
    }
}

const NEXT: &str = "\
Try next:
  estab lab list                        what else there is to see
  estab lab run simultaneous-open       four segments, one connection
  estab demo --peer kernel              the same with Linux at the other end
  sudo estab serve http:80=. --trace    then, elsewhere: curl http://10.217.0.2/";
