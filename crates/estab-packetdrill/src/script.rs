//! A script as it was written: options, commands, and events on a timeline, each with its place in the text.
//!
//! The parser makes it, the printer writes it back, the runner plays it.

mod call;
mod packet;
mod spans;

pub use call::{Call, Expression, Field, Notation, Value};
pub use packet::{
    AccEcnField, Body, Direction, Echoed, Ecn, Encapsulation, Flags, Icmp, IpFields, MplsEntry,
    Name, Options, Packet, Segment, Sequence, TcpOption,
};

use core::time::Duration;

/// Where something stands in the script's text: bytes from `start` up to `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A whole script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// `--name=value` at its top.
    pub options: Vec<OptionLine>,
    /// The command in backquotes before the first event.
    pub init: Option<Command>,
    /// On the timeline, in the order in which they are written.
    pub events: Vec<Event>,
    /// The command in backquotes after the last event.
    pub cleanup: Option<Command>,
}

/// `--name=value`, or `--name`.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionLine {
    /// Without the dashes.
    pub name: String,
    /// What follows `=`.
    pub value: Option<String>,
    /// Where.
    pub span: Span,
}

/// Shell commands in backquotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Without the backquotes.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// Something that happens at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub time: Time,
    /// What.
    pub action: Action,
    /// All of it.
    pub span: Span,
}

/// When an event happens. All in time since the start of the script, or since the event before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// `0.1`: since the start.
    Absolute(Duration),
    /// `+0.1`: since the event before.
    Relative(Duration),
    /// `*`: at any time (packets that are expected).
    Any,
    /// `0.1~0.2`.
    AbsoluteRange(Duration, Duration),
    /// `+0.1~+0.2`: both since the event before.
    RelativeRange(Duration, Duration),
    /// `0.1...0.2`: a call that begins at the first and returns at the second time.
    AbsoluteBlocking(Duration, Duration),
    /// `+0...0.2`: the same, both since the event before.
    RelativeBlocking(Duration, Duration),
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A packet is injected or expected.
    Packet(Packet),
    /// A system call is made, and its result compared.
    Call(Call),
    /// Shell commands.
    Command(Command),
    /// `%{ ... }%`: Python that looks at `tcpi_*`.
    Code(Code),
}

/// Python code, without its braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// As it was written.
    pub text: String,
    /// Where.
    pub span: Span,
}
