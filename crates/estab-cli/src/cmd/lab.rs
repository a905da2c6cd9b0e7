//! `estab lab`.

use crate::capture_file;
use crate::exit::Failure;
use crate::output::{self, Output};
use crate::scenario::{self, Peer};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use estab_sim::lab::{self, Report, Scenario};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Play scenarios that show what TCP does, each with its own expectations
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  estab lab run simultaneous-open",
    arg_required_else_help = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    /// List the scenarios
    #[command(after_help = "Example:\n  estab lab list")]
    List,
    Run(RunArgs),
}

/// Play scenarios; the exit status says whether all their expectations held
///
/// On the simulator time is virtual: an hour of TCP takes milliseconds, and the same seed gives the same segments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  estab lab run close half-close
  estab lab run all --quiet
  estab lab run connect-timeout --json | jq 'select(.event == \"send\").t'
  estab lab run handshake --peer kernel --pcapng handshake.pcapng")]
struct RunArgs {
    /// Names of scenarios, or all
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Who is host b
    #[arg(long, value_enum, default_value_t)]
    peer: Peer,

    /// Print nothing but one JSON object a line for each event
    #[arg(long)]
    json: bool,

    /// Print only whether expectations held
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Write the packets of host a to this file, with states and drop reasons as comments; one scenario only
    #[arg(long, value_name = "FILE")]
    pcapng: Option<PathBuf>,

    /// Secrets of the hosts come from it: initial sequence numbers and ports
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        LabCommand::List => list(),
        LabCommand::Run(args) => run_scenarios(args),
    }
}

fn list() -> Result<ExitCode> {
    let mut out = output::stdout();
    for scenario in lab::scenarios() {
        writeln!(out, "{:<20} {}", scenario.name, scenario.title)?;
    }
    let real = lab::scenarios().iter().filter(|scenario| scenario.real);
    let names: Vec<_> = real.map(|scenario| scenario.name).collect();
    let names = scenario::wrap(&names.join(", "), 100);
    writeln!(
        out,
        "\nWith --peer kernel these are played against Linux, in real time:\n{names}"
    )?;
    Ok(ExitCode::SUCCESS)
}

fn choose(args: &RunArgs) -> Result<Vec<&'static Scenario>> {
    let mut chosen = Vec::new();
    for name in &args.names {
        if name == "all" {
            let playable = |scenario: &&Scenario| args.peer == Peer::Estab || scenario.real;
            chosen.extend(lab::scenarios().iter().filter(playable));
            continue;
        }
        let scenario = lab::find(name).with_context(|| {
            format!("there is no scenario {name:?}: `estab lab list` shows which there are")
        });
        let scenario = scenario.context(Failure::Usage)?;
        if args.peer == Peer::Kernel && !scenario.real {
            let error = anyhow::anyhow!("{name} can be played on the simulator only");
            bail!(error.context(Failure::Usage));
        }
        chosen.push(scenario);
    }
    if args.pcapng.is_some() && chosen.len() > 1 {
        bail!(anyhow::anyhow!("--pcapng takes one scenario").context(Failure::Usage));
    }
    Ok(chosen)
}

fn run_scenarios(args: &RunArgs) -> Result<ExitCode> {
    let chosen = choose(args)?;
    scenario::prepare(args.peer)?;
    let mut out = output::stdout();
    let mut failed = Vec::new();
    for scenario in &chosen {
        if args.peer == Peer::Kernel {
            eprintln!(
                "estab: playing {} against the kernel, in real time",
                scenario.name
            );
        }
        let recording = match &args.pcapng {
            Some(path) => {
                let file = capture_file::create_named(path)?;
                Some(scenario::recording(file, path, args.peer)?)
            }
            None => None,
        };
        let (sinks, recorder) = recording.unzip();
        let report = scenario::run(scenario, args.peer, args.seed, sinks)?;
        if let Some(recorder) = recorder {
            recorder.flush()?;
        }
        if args.json {
            show_json(&mut out, scenario, &report, chosen.len() > 1)?;
        } else if args.quiet {
            let verdict = if report.passed() { "held  " } else { "FAILED" };
            writeln!(out, "{verdict}  {}", scenario.name)?;
            if !report.passed() {
                scenario::show_expectations(&mut out, &report)?;
            }
        } else {
            scenario::show(&mut out, scenario, &report)?;
        }
        out.flush()?;
        if !report.passed() {
            failed.push(scenario.name);
        }
    }
    if !args.json && chosen.len() > 1 {
        let count = chosen.len();
        match failed.len() {
            0 => writeln!(out, "{count} scenarios: all expectations held")?,
            bad => writeln!(
                out,
                "{count} scenarios, {bad} FAILED: {}",
                failed.join(", ")
            )?,
        }
    }
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The events on standard output; what did not hold on standard error.
fn show_json(out: &mut Output, scenario: &Scenario, report: &Report, named: bool) -> Result<()> {
    let mut json = estab_trace::Json::new();
    for line in report.events.iter().filter_map(|record| json.line(record)) {
        match line.strip_prefix('{') {
            Some(rest) if named => writeln!(out, "{{\"scenario\":\"{}\",{rest}", scenario.name)?,
            _ => writeln!(out, "{line}")?,
        }
    }
    if !report.passed() {
        let mut text = Vec::new();
        scenario::show_expectations(&mut text, report)?;
        let text = String::from_utf8_lossy(&text);
        eprint!(
            "estab: {}: not all expectations held\n{text}",
            scenario.name
        );
    }
    Ok(())
}
