//! The command line as a whole.

use crate::{cmd, exit};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

const ABOUT: &str = "Watch, serve and test TCP connections made in user space";
const LONG_ABOUT: &str = "\
Watch, serve and test TCP connections made in user space.

estab is a TCP/IP stack that lives in a program. This is its program: it shows connections being made and closed with both \
ends' states beside each segment, plays the lab's scenarios in virtual time, and serves and fetches over a TUN device.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "estab", version, about = ABOUT, long_about = LONG_ABOUT, after_help = exit::HELP)]
#[command(arg_required_else_help = true, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands, one a file in `cmd`.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(cmd::demo::Args),
    Lab(cmd::lab::Args),
    Drill(cmd::drill::Args),
    Serve(cmd::serve::Args),
    Connect(cmd::connect::Args),
    Get(cmd::get::Args),
    Ping(cmd::ping::Args),
    States(cmd::states::Args),
    Completions(cmd::completions::Args),
    Man(cmd::man::Args),
}

/// Reads the command line and does what it asks.
pub(crate) fn run() -> ExitCode {
    exit::code(match Cli::parse().command {
        Command::Demo(args) => cmd::demo::run(&args),
        Command::Lab(args) => cmd::lab::run(&args),
        Command::Drill(args) => cmd::drill::run(&args),
        Command::Serve(args) => cmd::serve::run(&args),
        Command::Connect(args) => cmd::connect::run(&args),
        Command::Get(args) => cmd::get::run(&args),
        Command::Ping(args) => cmd::ping::run(&args),
        Command::States(args) => cmd::states::run(&args),
        Command::Completions(args) => cmd::completions::run(&args),
        Command::Man(args) => cmd::man::run(&args),
    })
}
