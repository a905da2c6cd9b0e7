//! Scripts from what happened: a host's record of a simulation, or a capture of one connection.
//!
//! What a host recorded of itself says which calls were made and what came in and went out; the script that is made of it says the same of
//! a host that starts from the runner's defaults. A capture tells only the packets: calls that explain them are
//! guessed. Since neither is sure to work, [`verified`] plays what was made.

mod build;
mod calls;
mod capture;
mod moments;
mod numbers;
mod settings;

pub use calls::{Called, Verb};
pub use capture::{Captured, from_capture};
pub use moments::from_records;

use crate::report::Verdict;
use crate::script::Script;
use crate::{RunOptions, parse, print, run};
use core::fmt;
use core::net::IpAddr;
use estab_tcp::Settings;

/// The host that a script is made of.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name in records.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// MTU of its interface, bytes.
    pub mtu: u16,
    /// Its settings.
    pub settings: Settings,
}

/// Why there is no script, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError(String);

impl RecordError {
    /// With these words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RecordError {}

/// The text of the first of these scripts that passes when it is played; `about` is its first comment.
///
/// # Errors
/// None passes; the message says where the one fails that comes furthest.
pub fn verified(about: &str, scripts: &[Script]) -> Result<String, RecordError> {
    let mut furthest: Option<(Failed, String)> = None;
    for script in scripts {
        let text = text(about, script);
        match passes(&text) {
            Ok(()) => return Ok(text),
            Err(failed) => {
                if furthest
                    .as_ref()
                    .is_none_or(|(other, _)| failed.at > other.at)
                {
                    furthest = Some((failed, text));
                }
            }
        }
    }
    let (failed, text) = furthest.ok_or_else(|| RecordError::new("there is nothing to play"))?;
    Err(RecordError(format!(
        "the script that was made of it does not pass when it is played: {}\n\n{text}",
        failed.message
    )))
}

/// Where a script failed, and how.
struct Failed {
    at: usize,
    message: String,
}

fn text(about: &str, script: &Script) -> String {
    let mut text = String::new();
    for line in about.lines() {
        text.push_str("// ");
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&print(script));
    text
}

/// Plays a script.
fn passes(text: &str) -> Result<(), Failed> {
    let nowhere = |message| Failed { at: 0, message };
    let script = parse("recorded", text).map_err(|mistakes| nowhere(mistakes.to_string()))?;
    let report = run(
        "recorded",
        text,
        &script,
        &RunOptions::default(),
        &mut |_| {},
    );
    match report.verdict {
        Verdict::Passed => Ok(()),
        Verdict::Skipped(reason) => Err(nowhere(reason)),
        Verdict::Failed(failure) => {
            let mut message = format!("{}\n\n{}", failure.message, failure.excerpt);
            for difference in &failure.differences {
                let (expected, actual) = (&difference.expected, &difference.actual);
                message.push_str(&format!(
                    "\n{}: recorded {expected}, played {actual}",
                    difference.field
                ));
            }
            Err(Failed {
                at: failure.span.start,
                message,
            })
        }
    }
}
