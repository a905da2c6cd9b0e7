//! `estab man`.

use crate::cli::Cli;
use crate::output;
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_mangen::Man;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print the man page, or write one for each command
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  estab man | man -l -\n  estab man --dir ~/.local/share/man/man1"
)]
pub(crate) struct Args {
    /// Write estab.1 and one page for each command into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let command = Cli::command();
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .and_then(|()| clap_mangen::generate_to(command, dir))
                .with_context(|| format!("cannot write man pages to {}", dir.display()))?;
            writeln!(output::stdout(), "man pages written to {}", dir.display())?;
        }
        None => Man::new(command).render(&mut output::stdout())?,
    }
    Ok(ExitCode::SUCCESS)
}
