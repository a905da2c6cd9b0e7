//! `estab states`.

use crate::output;
use anyhow::Result;
use clap::ValueEnum;
use std::io::Write;
use std::process::ExitCode;

/// Print the state table of TCP, as the code has it
///
/// It is generated from the one table that every connection's state changes go through (RFC 9293, figure 5, and the ways
/// out that its text adds).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  estab states --format dot | dot -Tsvg > states.svg")]
pub(crate) struct Args {
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A table to read
    #[default]
    Text,
    /// A graph for Graphviz
    Dot,
    /// A diagram for Markdown viewers
    Mermaid,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let table = match args.format {
        Format::Text => estab_trace::states::text(),
        Format::Dot => estab_trace::states::dot(),
        Format::Mermaid => estab_trace::states::mermaid(),
    };
    output::stdout().write_all(table.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
