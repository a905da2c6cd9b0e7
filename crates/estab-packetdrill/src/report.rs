//! What became of a script.

mod ladder;

pub(crate) use ladder::ladder;

use crate::IpVersion;
use crate::script::Span;
use bytes::Bytes;
use core::time::Duration;

/// The result of one run of one script.
#[derive(Clone, Debug)]
pub struct Report {
    /// The script's name, as it was given.
    pub name: String,
    /// How it was played.
    pub ip_version: IpVersion,
    /// Passed, failed or skipped.
    pub verdict: Verdict,
    /// What a reader should know beside: commands that were not run, and the like.
    pub notes: Vec<String>,
    /// Time on the script's clock when it ended.
    pub duration: Duration,
    /// What happened, in order.
    pub log: Vec<LogEntry>,
    /// What the script's Python code printed.
    pub printed: String,
    /// The packets of the run.
    pub packets: Vec<CapturedPacket>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was as the script says.
    Passed,
    /// Something was not.
    Failed(Box<Failure>),
    /// It cannot be played, for this reason.
    Skipped(String),
}

/// Where a run left its script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Of what kind.
    pub kind: FailureKind,
    /// What the script says there.
    pub span: Span,
    /// In a line.
    pub message: String,
    /// What differs, field by field.
    pub differences: Vec<Difference>,
    /// The expected packet or result as the script has it, if there is one.
    pub expected: Option<String>,
    /// The actual one, in the script's language.
    pub actual: Option<String>,
    /// The script around that place, marked.
    pub excerpt: String,
    /// The last events, drawn.
    pub ladder: String,
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The script itself is wrong: an unknown name, a wrong type.
    Script,
    /// A packet came that is not the expected one.
    Packet,
    /// A packet did not come.
    MissingPacket,
    /// A packet came that was not expected.
    SurplusPacket,
    /// A packet has a wrong checksum or is not well-formed.
    MalformedPacket,
    /// A packet, or the end of a call, came too early or too late.
    Time,
    /// A call returned something else.
    Result,
    /// A call failed otherwise, or did not fail.
    Errno,
    /// A call stored something else.
    Output,
    /// A call did not return.
    Pending,
    /// A call returned that should wait, or waited that should return.
    Blocking,
    /// Python code failed.
    Code,
    /// A setting was not taken, or a command failed.
    Command,
    /// A limit of the runner.
    Limit,
    /// What is played against broke.
    Subject,
}

impl FailureKind {
    /// Its name, for reports that programs read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Packet => "packet",
            Self::MissingPacket => "missing-packet",
            Self::SurplusPacket => "surplus-packet",
            Self::MalformedPacket => "malformed-packet",
            Self::Time => "time",
            Self::Result => "result",
            Self::Errno => "errno",
            Self::Output => "output",
            Self::Pending => "pending",
            Self::Blocking => "blocking",
            Self::Code => "code",
            Self::Command => "command",
            Self::Limit => "limit",
            Self::Subject => "subject",
        }
    }
}

/// A field in which what came is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub field: &'static str,
    /// In the script's words.
    pub expected: String,
    /// In the script's words.
    pub actual: String,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// On the script's clock.
    pub time: Duration,
    /// Of what kind.
    pub kind: LogKind,
    /// In the script's language, with numbers as the script counts them.
    pub text: String,
}

/// Kinds of entries of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// The script injected a packet.
    Inbound,
    /// The subject emitted a packet.
    Outbound,
    /// A call was made, or returned.
    Call,
    /// A command or a setting.
    Command,
    /// Something happened inside the subject.
    Note,
}

/// A packet of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedPacket {
    /// On the script's clock.
    pub time: Duration,
    /// Did the subject emit it?
    pub outbound: bool,
    /// From the IP header on.
    pub data: Bytes,
    /// What it caused, or what caused it.
    pub comments: Vec<String>,
}

impl Report {
    /// Did it pass?
    pub const fn passed(&self) -> bool {
        matches!(self.verdict, Verdict::Passed)
    }

    /// The failure, if it failed.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}
