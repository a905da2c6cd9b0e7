//! The packetdrill language.

#[doc(hidden)]
pub mod arbitrary;
#[doc(hidden)]
pub mod check;
pub mod diagnostic;
mod lexer;
pub mod options;
mod packet;
pub mod parser;
pub mod printer;
pub mod record;
pub mod report;
pub mod run;
pub mod script;
pub mod subject;
pub mod symbols;
mod syscalls;

pub use diagnostic::{Diagnostic, Diagnostics, Source};
pub use lexer::Defines;
pub use options::ScriptOptions;
pub use parser::{parse, parse_bytes, parse_with};
pub use printer::{format, print};
pub use report::Report;
pub use run::{RunOptions, run};
pub use subject::{IpVersion, MakeSubject, Network, Subject, SubjectError};
