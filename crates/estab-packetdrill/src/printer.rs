//! From a script back to text: `Display` of the script and its parts gives the canonical spelling, which is read as an
//! equal script.

mod call;
mod format;
mod packet;

pub use format::format;

use core::fmt::{self, Display, Formatter};
use core::time::Duration;

use crate::script::{Action, Code, Command, Event, OptionLine, Script, Time};

/// A script's canonical text.
pub fn print(script: &Script) -> String {
    script.to_string()
}

/// Options, the opening command, events, the closing command, with an empty line between.
impl Display for Script {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for option in &self.options {
            writeln!(f, "{option}")?;
        }
        if !self.options.is_empty() {
            writeln!(f)?;
        }
        if let Some(init) = &self.init {
            writeln!(f, "{init}\n")?;
        }
        for event in &self.events {
            writeln!(f, "{event}")?;
        }
        match &self.cleanup {
            Some(cleanup) => writeln!(f, "\n{cleanup}"),
            None => Ok(()),
        }
    }
}

impl Display for OptionLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "--{}", self.name)?;
        match self.value.as_deref() {
            None => Ok(()),
            Some(value) if crate::parser::is_plain_value(value) => write!(f, "={value}"),
            Some(value) => {
                f.write_str("=")?;
                write_text(f, value.as_bytes())
            }
        }
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.text)
    }
}

impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "%{{{}}}%", self.text)
    }
}

impl Display for Event {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.time, self.action)
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(packet) => packet.fmt(f),
            Self::Call(call) => call.fmt(f),
            Self::Command(command) => command.fmt(f),
            Self::Code(code) => code.fmt(f),
        }
    }
}

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = |time: &Duration| Seconds(*time);
        match self {
            Self::Absolute(time) => write!(f, "{}", seconds(time)),
            Self::Relative(time) => write!(f, "+{}", seconds(time)),
            Self::Any => f.write_str("*"),
            Self::AbsoluteRange(first, last) => write!(f, "{}~{}", seconds(first), seconds(last)),
            Self::RelativeRange(first, last) => write!(f, "+{}~+{}", seconds(first), seconds(last)),
            Self::AbsoluteBlocking(start, end) => {
                write!(f, "{}...{}", seconds(start), seconds(end))
            }
            Self::RelativeBlocking(start, end) => {
                write!(f, "+{}...{}", seconds(start), seconds(end))
            }
        }
    }
}

/// A time in seconds, with no more digits than it needs.
struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs())?;
        if self.0.subsec_nanos() == 0 {
            return Ok(());
        }
        let digits = format!("{:09}", self.0.subsec_nanos());
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

/// A string with its quotes. Bytes that are not text are octal escapes, which always have three digits.
fn write_text(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("\"")?;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                other if other.is_control() => {
                    write_escapes(f, other.encode_utf8(&mut [0; 4]).as_bytes())?
                }
                other => write!(f, "{other}")?,
            }
        }
        write_escapes(f, chunk.invalid())?;
    }
    f.write_str("\"")
}

fn write_escapes(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\{byte:03o}"))
}

/// Items with something between them.
fn write_joined<T: Display>(f: &mut Formatter<'_>, items: &[T], between: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
