//! `estab drill`.

mod capture;
mod expected;
mod files;
mod format;
mod json;
mod junit;
mod play;
mod record;
mod show;

use crate::exit::Failure;
use crate::output;
use crate::scenario::{self, Peer};
use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use estab_packetdrill::script::OptionLine;
use estab_packetdrill::{IpVersion, ScriptOptions};
use expected::Expected;
use play::{Job, News, Plan, Played};
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Scripts that are played against the kernel at once: they mostly wait.
const KERNEL_JOBS: usize = 16;
/// Most threads.
const JOBS_MAX: usize = 256;

/// Play packetdrill scripts, or make them
///
/// A script is system calls and packets on one timeline, which say exactly what a TCP must do.
/// Against estab time is virtual: a script takes a millisecond, needs no privileges, and gives the same result each time. The
/// same scripts are played against Linux with --peer kernel. The exit status is 0 when all passed (or were skipped), 1 when one failed, 2 when
/// one is not written in the language.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  estab drill tests/packetdrill
  estab drill tests/packetdrill --peer kernel --jobs 4
  estab drill handshake.pkt --ip-version all --verbose
  estab drill handshake.pkt -o tolerance_usecs=10000 --sysctl net.ipv4.tcp_sack=0 --pcapng handshake.pcapng
  estab drill --fmt --check tests/packetdrill
  estab drill --record lab:close > close.pkt"
)]
pub(crate) struct Args {
    /// Scripts, and folders of which all *.pkt are played
    #[arg(required_unless_present = "record", value_name = "SCRIPT|FOLDER")]
    paths: Vec<PathBuf>,

    /// Who is tested
    #[arg(long, value_enum, default_value_t)]
    peer: Peer,

    /// Sockets and packets; a script that names another is skipped (with `all` it is played as it says) [default: as the script says,
    /// else ipv4]
    #[arg(long, value_enum)]
    ip_version: Option<Versions>,

    /// An option of scripts, such as tolerance_usecs=10000, which wins over their own
    #[arg(short, long = "option", value_name = "NAME=VALUE")]
    options: Vec<String>,

    /// A name that stands for a word or number in scripts; wins over their own definitions
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE")]
    defines: Vec<String>,

    /// A setting, made before a script makes its own
    #[arg(long = "sysctl", value_name = "NAME=VALUE")]
    sysctls: Vec<String>,

    /// Allow no tolerance of time
    #[arg(long)]
    exact: bool,

    /// Packets that no line of the script expects are no failure when they come after its last line
    #[arg(long)]
    allow_surplus: bool,

    /// Run commands in backquotes by the shell; otherwise only `sysctl` is understood, and done in the script's own network
    #[arg(long)]
    run_commands: bool,

    /// Scripts played at once [default: one for each processor, 16 against the kernel]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,

    /// Against the kernel: play a script again, up to so many times, that did not end as it should; a busy machine is late
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,

    /// Print each event as it happens, one script after the other
    #[arg(short, long, conflicts_with_all = ["jobs", "json"])]
    verbose: bool,

    /// Print one JSON object a line for each script, and one for all
    #[arg(long)]
    json: bool,

    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Write the packets; one script in one IP version only
    #[arg(long, value_name = "FILE")]
    pcapng: Option<PathBuf>,

    /// Scripts that must fail: paths or globs, relative to the list's folder, one a line, if wanted with an IP version behind. It is a failure
    /// when one of them passes
    #[arg(long, value_name = "FILE")]
    expect_failures: Option<PathBuf>,

    /// Only list the scripts, with the first line of their first comment
    #[arg(long)]
    list: bool,

    /// Write scripts anew in the language's usual form, instead of playing them
    #[arg(long)]
    fmt: bool,

    /// With --fmt: change nothing, only say which scripts would change
    #[arg(long, requires = "fmt")]
    check: bool,

    /// Write a script to standard output, made from lab:SCENARIO or seed:NUMBER (a simulation), host a, or from a pcapng or pcap file of one
    /// connection; it passes
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["paths", "peer", "fmt", "list"])]
    record: Option<String>,

    /// With --record FILE: the address of the end whose script it is [default: who captured, or connected]
    #[arg(long, value_name = "ADDRESS", requires = "record")]
    local: Option<IpAddr>,
}

/// In which of the three forms scripts are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Versions {
    /// IPv4 sockets, IPv4 packets
    Ipv4,
    /// IPv6 sockets, IPv6 packets
    Ipv6,
    /// IPv6 sockets with mapped addresses, IPv4 packets
    #[value(name = "ipv4-mapped-ipv6")]
    Mapped,
    /// All three
    All,
}

impl Versions {
    fn list(self) -> &'static [IpVersion] {
        match self {
            Self::Ipv4 => &[IpVersion::V4],
            Self::Ipv6 => &[IpVersion::V6],
            Self::Mapped => &[IpVersion::Mapped],
            Self::All => &IpVersion::ALL,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if let Some(source) = &args.record {
        return record::run(source, args.local);
    }
    // Before there are threads.
    if !args.fmt && !args.list {
        scenario::prepare(args.peer)?;
    }
    let paths = files::find(&args.paths)?;
    if args.fmt {
        return format::run(&paths, args.check);
    }
    let scripts = play::read(&paths, &args.defines)?;
    if args.list {
        let mut out = output::stdout();
        for script in &scripts {
            writeln!(out, "{}  {}", script.name, files::title(script.text()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let plan = plan(args)?;
    let jobs: Vec<Job> = scripts
        .into_iter()
        .flat_map(|script| {
            versions(args, &script)
                .into_iter()
                .map(move |version| Job::new(&script, version))
        })
        .collect();
    if args.pcapng.is_some() && jobs.len() > 1 {
        return Err(usage("--pcapng takes one script in one IP version"));
    }
    let expected = match &args.expect_failures {
        Some(path) => Expected::read(path)?,
        None => Expected::default(),
    };
    play_and_tell(args, &plan, &jobs, &expected)
}

fn play_and_tell(args: &Args, plan: &Plan, jobs: &[Job], expected: &Expected) -> Result<ExitCode> {
    let mut out = output::stdout();
    let mut all: Vec<Played> = Vec::with_capacity(jobs.len());
    play::all(plan, jobs, expected, &mut |news| {
        let played = match news {
            News::Ended(played) => *played,
            News::Began(name) => return Ok(writeln!(out, "== {name}")?),
            News::Happened(entry) => return show::event(&mut out, &entry),
        };
        if args.json {
            writeln!(out, "{}", json::line(&played))?;
        } else {
            show::script(&mut out, &played, args.verbose)?;
        }
        if let Some(path) = &args.pcapng {
            capture::write(path, &played.report)?;
        }
        all.push(played.without_packets());
        Ok(())
    })?;
    let counts = show::Counts::of(&all);
    if args.json {
        writeln!(out, "{}", json::summary(&counts))?;
    } else {
        show::summary(&mut out, &all)?;
    }
    out.flush()?;
    if let Some(path) = &args.junit {
        junit::write(path, &all)?;
    }
    Ok(if counts.failed == 0 {
        ExitCode::SUCCESS
    } else if all.iter().any(Played::has_mistakes) {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    })
}

/// The versions in which a script is played; `None`: as it says.
fn versions(args: &Args, script: &play::Script) -> Vec<Option<IpVersion>> {
    match args.ip_version {
        None => vec![None],
        Some(Versions::All) if script.names_ip_version() => vec![None],
        Some(versions) => versions.list().iter().copied().map(Some).collect(),
    }
}

fn plan(args: &Args) -> Result<Plan> {
    if args.exact && args.peer == Peer::Kernel {
        return Err(usage(
            "the kernel lives in real time: --exact is for estab only",
        ));
    }
    if args.retries > 0 && args.peer == Peer::Estab {
        return Err(usage(
            "in virtual time the same happens again: --retries is for the kernel only",
        ));
    }
    let overrides = args.options.iter().map(|option| override_of(option));
    let overrides: Vec<OptionLine> = overrides.collect::<Result<_>>()?;
    let mut settings = Vec::new();
    for setting in &args.sysctls {
        let pair = setting.split_once('=');
        let (name, value) = pair
            .with_context(|| format!("--sysctl {setting}: expected NAME=VALUE"))
            .context(Failure::Usage)?;
        settings.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let default_jobs = match args.peer {
        Peer::Kernel => KERNEL_JOBS,
        Peer::Estab => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let jobs = if args.verbose {
        1
    } else {
        args.jobs.unwrap_or(default_jobs)
    };
    if jobs == 0 || jobs > JOBS_MAX {
        bail!(usage(&format!("--jobs takes 1 to {JOBS_MAX}")));
    }
    Ok(Plan {
        overrides: overrides.into(),
        settings: settings.into(),
        exact: args.exact,
        allow_surplus: args.allow_surplus,
        run_commands: args.run_commands,
        verbose: args.verbose,
        jobs,
        retries: args.retries,
        subject: match args.peer {
            Peer::Estab => None,
            Peer::Kernel => Some(estab_packetdrill::subject::kernel()),
        },
    })
}

/// An option of scripts from the command line.
fn override_of(option: &str) -> Result<OptionLine> {
    let line =
        OptionLine::from_argument(option).map_err(|error| usage(&format!("--option: {error}")))?;
    if line.name == "ip_version" {
        return Err(usage("the IP version is chosen with --ip-version"));
    }
    let known = ScriptOptions::default().apply(&line);
    known.map_err(|error| usage(&format!("--option {option}: {}", error.message)))?;
    Ok(line)
}

fn usage(message: &str) -> anyhow::Error {
    anyhow!("{message}").context(Failure::Usage)
}
