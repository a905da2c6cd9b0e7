//! Chores of the workspace: `cargo xtask NAME`.

mod linux_differs;
#[cfg(test)]
mod named_tests;
mod options;
mod page;
mod reassembly_scripts;
mod requirements;
mod scripts;
mod state_scripts;

use clap::Parser;
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the workspace")]
enum Command {
    /// Writes tests/packetdrill/linux.txt, the scripts that Linux does not pass, from docs/deviations.md.
    LinuxDiffers {
        /// Only say whether it is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Writes docs/options.md from the stack's tables.
    Options {
        /// Only say whether it is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Writes tests/packetdrill/reassembly/orders/: all orders of five segments.
    ReassemblyScripts {
        /// Only say whether they are up to date.
        #[arg(long)]
        check: bool,
    },
    /// Writes docs/requirements.md from the ids cited in code and tests.
    Requirements {
        /// Only say whether it is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Writes tests/packetdrill/states/ from RFC 9293's text, as an oracle.
    StateScripts {
        /// Only say whether they are up to date.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::LinuxDiffers { check } => linux_differs::run(&root(), check),
        Command::Options { check } => options::run(&root(), check),
        Command::ReassemblyScripts { check } => reassembly_scripts::run(&root(), check),
        Command::Requirements { check } => requirements::run(&root(), check),
        Command::StateScripts { check } => state_scripts::run(&root(), check),
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .map_or_else(|| manifest.clone(), PathBuf::from)
}
