//! packetdrill: scripts that say what a TCP must do, by system calls and packets on one timeline, and a runner that plays them in virtual time.
//!
//! [`parse`] reads a script, [`print()`] and [`format()`] write it back, [`run()`] plays it. A script is played against a [`Subject`]: estab itself in
//! virtual time, where a run takes about a millisecond and is always the same, or Linux by real sockets and a TUN device in a namespace of its
//! own.
//!
//! # Example
//!
//! A connection is opened by the peer; what comes is acknowledged, and can be read.
//!
//! ```
//! use estab_packetdrill::{RunOptions, parse, run};
//!
//! let text = "
//!     0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
//!    +0 bind(3, ..., ...) = 0
//!    +0 listen(3, 1) = 0
//!    +0 < S 0:0(0) win 1000 <mss 1000>
//!    +0 > S. 0:0(0) ack 1 <mss 1460>
//!   +.1 < . 1:1(0) ack 1 win 1000
//!    +0 accept(3, ..., ...) = 4
//!    +0 < P. 1:101(100) ack 1 win 1000
//!    +0 > . 1:1(0) ack 101
//!    +0 read(4, ..., 1000) = 100
//! ";
//! let script = parse("read.pkt", text)?;
//! let report = run("read.pkt", text, &script, &RunOptions::default(), &mut |_| {});
//! assert!(report.passed());
//!
//! // It is not enough that something comes.
//! let wrong = text.replace("ack 101", "ack 102");
//! let script = parse("wrong.pkt", &wrong)?;
//! let report = run("wrong.pkt", &wrong, &script, &RunOptions::default(), &mut |_| {});
//! let failure = report.failure().expect("the number is another");
//! assert_eq!(failure.message, "the packet differs in ack");
//! # Ok::<(), estab_packetdrill::Diagnostics>(())
//! ```
//!
//! # What passes
//!
//! Of a packet its direction, headers, flags with PSH, relative sequence and acknowledgement numbers, length, options in order and value are compared;
//! window, TOS, ECN, TTL and flow label where the script names them; its time within the script's tolerance. Of a call its result, its
//! error, what it stores, and when it returns. Every packet that comes is verified: lengths, checksums, options. A packet that no line
//! expects fails the script, also after its last line when it came while the script ran ([`RunOptions::ignore_surplus`]).
//!
//! Sequence numbers, ports and timestamps of the script are names for the live ones: echoes of timestamps are mapped, so that the subject gets
//! back what it sent. Lines without ports mean the newest connection.
//!
//! # Inside
//!
//! | Module | Job |
//! |---|---|
//! | [`script`], [`parser`], [`printer`], [`options`], [`diagnostic`] | the language |
//! | [`symbols`], `syscalls` | constants; what the arguments of each call mean, and whether it came to what was expected |
//! | `packet` | packets to bytes and back |
//! | [`mod@run`] | the timeline: flows, calls that wait, settings, Python code |
//! | [`subject`] | what is played against |
//! | [`report`] | what became of it |
//! | [`record`] | scripts from what happened |

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
