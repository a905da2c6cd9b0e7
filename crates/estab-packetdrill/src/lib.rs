//! The packetdrill language.

pub mod report;
pub mod run;
pub mod script;
pub mod subject;

pub use report::Report;
pub use run::{RunOptions, run};
pub use subject::{IpVersion, MakeSubject, Network, Subject, SubjectError};
