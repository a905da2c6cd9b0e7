//! `estab drill --record`: a script from something that happened.

mod file;
mod lab;
mod seed;

use crate::exit::Failure;
use crate::output;
use anyhow::{Context, Result};
use estab_packetdrill::record::{self, RecordError};
use estab_packetdrill::script::Script;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

/// Writes the script to standard output, after it has passed.
///
/// # Errors
/// There is no such thing, it cannot be said in a script, or what was made does not pass.
pub(super) fn run(source: &str, local: Option<IpAddr>) -> Result<ExitCode> {
    let (about, scripts) = scripts(source, local)?;
    let text =
        record::verified(&about, &scripts).with_context(|| format!("no script of {source}"))?;
    let mut out = output::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What it is about, and scripts of which one should pass.
fn scripts(source: &str, local: Option<IpAddr>) -> Result<(String, Vec<Script>)> {
    let no_script = || format!("no script of {source}");
    let one = |recorded: Result<Script, RecordError>| {
        Ok::<_, anyhow::Error>(vec![recorded.with_context(no_script)?])
    };
    if let Some(name) = source.strip_prefix("lab:") {
        let (title, recorded) = lab::record(name)?;
        return Ok((
            format!("Recorded from the lab's {name}, host a: {title}."),
            one(recorded)?,
        ));
    }
    if let Some(number) = source.strip_prefix("seed:") {
        let number = number
            .parse()
            .with_context(|| format!("seed:{number}: expected a number"));
        let number = number.context(Failure::Usage)?;
        let recorded = seed::record(number);
        return Ok((
            format!("Recorded from the simulation of seed {number}, host a."),
            one(recorded)?,
        ));
    }
    let packets = file::read(Path::new(source))?;
    let scripts = record::from_capture(&packets, local).with_context(no_script)?;
    let name = Path::new(source).file_name().unwrap_or_default();
    Ok((
        format!(
            "Made from the capture {}; the calls are guessed.",
            name.display()
        ),
        scripts,
    ))
}
