//! `estab drill --fmt`.

use crate::exit::Failure;
use crate::output;
use anyhow::{Context, anyhow};
use estab_packetdrill::Diagnostics;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes scripts anew in their usual form, or only says which are not in it. Prints the names of those that change.
///
/// # Errors
/// One cannot be read or written, or is not written in the language.
pub(super) fn run(paths: &[PathBuf], check: bool) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    let (mut changed, mut wrong) = (0, 0);
    for path in paths {
        let name = path.display().to_string();
        let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let formatted = match formatted(&name, &bytes) {
            Ok(formatted) => formatted,
            Err(mistakes) => {
                eprintln!("{mistakes}\n");
                wrong += 1;
                continue;
            }
        };
        if formatted.as_bytes() == bytes {
            continue;
        }
        changed += 1;
        writeln!(out, "{name}")?;
        if !check {
            fs::write(path, formatted).with_context(|| format!("cannot write {name}"))?;
        }
    }
    out.flush()?;
    if wrong > 0 {
        return Err(anyhow!("{wrong} of them could not be read").context(Failure::Usage));
    }
    Ok(if check && changed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn formatted(name: &str, bytes: &[u8]) -> Result<String, Diagnostics> {
    let source = estab_packetdrill::parser::source(name, bytes)?;
    estab_packetdrill::format(name, source.text())
}
