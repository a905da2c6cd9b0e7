//! Python code of the script.

use super::player::Player;
use super::process::Broken;
use super::{Config, Stop, interpreter};
use crate::diagnostic::Source;
use crate::report::FailureKind;
use crate::script::{Code, Span};
use crate::syscalls::tcp_info;
use core::fmt::Write;

/// Begins the line that tells which piece of code failed.
const MARK: &str = "\u{1}estab-packetdrill ";

/// Constants that code may use.
const CONSTANTS: &[(&str, u64)] = &[
    ("TCPI_OPT_TIMESTAMPS", 1),
    ("TCPI_OPT_SACK", 2),
    ("TCPI_OPT_WSCALE", 4),
    ("TCPI_OPT_ECN", 8),
    ("TCPI_OPT_ECN_SEEN", 16),
    ("TCPI_OPT_SYN_DATA", 32),
    ("TCPI_OPT_USEC_TS", 64),
    ("TCP_CA_Open", 0),
    ("TCP_CA_Disorder", 1),
    ("TCP_CA_CWR", 2),
    ("TCP_CA_Recovery", 3),
    ("TCP_CA_Loss", 4),
    ("TCP_ESTABLISHED", 1),
    ("TCP_SYN_SENT", 2),
    ("TCP_SYN_RECV", 3),
    ("TCP_FIN_WAIT1", 4),
    ("TCP_FIN_WAIT2", 5),
    ("TCP_TIME_WAIT", 6),
    ("TCP_CLOSE", 7),
    ("TCP_CLOSE_WAIT", 8),
    ("TCP_LAST_ACK", 9),
    ("TCP_LISTEN", 10),
    ("TCP_CLOSING", 11),
    ("TCP_INFINITE_SSTHRESH", 0x7fff_ffff),
];

/// A piece of code with the variables of its moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    text: String,
    span: Span,
    variables: Vec<(&'static str, u64)>,
}

impl Player<'_> {
    /// Keeps what the socket under test tells of itself now.
    pub(super) fn snapshot(&mut self, code: &Code) -> Result<(), Stop> {
        let current = self.flows.current_fd().and_then(|fd| self.fds.known(fd));
        let fd = current.or_else(|| self.fds.last()).ok_or_else(|| {
            Stop::at(
                FailureKind::Code,
                code.span,
                "there is no socket to look at",
            )
        })?;
        let bytes = self.subject.tcp_info(fd).map_err(|errno| {
            let name = crate::symbols::errno_name(errno);
            let message = format!("TCP_INFO of the socket failed with {name}");
            Stop::at(FailureKind::Code, code.span, message)
        })?;
        self.code.push(Snapshot {
            text: code.text.clone(),
            span: code.span,
            variables: tcp_info::values(&bytes),
        });
        Ok(())
    }
}

/// Runs all pieces of code one after the other. Gives what they printed.
pub(crate) fn run(
    code: &[Snapshot],
    source: &Source,
    config: &Config,
) -> (String, Result<(), Stop>) {
    let Some(first) = code.first() else {
        return (String::new(), Ok(()));
    };
    let program = program(code, source);
    let output = match interpreter::run(&config.code_command, &program) {
        Ok(output) => output,
        Err(Broken::NotThere) => {
            let command = &config.code_command;
            let reason = format!("`{command}` is not there, which its code needs");
            return (String::new(), Err(Stop::Skipped(reason)));
        }
        Err(Broken::Other(message)) => {
            let stop = Stop::at(FailureKind::Code, first.span, message);
            return (String::new(), Err(stop));
        }
    };
    if output.success {
        return (output.text, Ok(()));
    }
    let (printed, stop) = failed(code, &output.text, &output.errors);
    (printed, Err(stop))
}

/// Each piece is compiled by itself, so that an error in one is told with the script's line.
fn program(code: &[Snapshot], source: &Source) -> String {
    let mut out = String::from("import sys, traceback\ng = {}\n");
    // Writing to a String cannot fail.
    for (name, value) in CONSTANTS {
        let _ = writeln!(out, "g[{name:?}] = {value}");
    }
    out.push_str("def piece(n, line, text, variables):\n");
    out.push_str("    g.update(variables)\n");
    out.push_str("    try:\n");
    out.push_str("        exec(compile('\\n' * (line - 1) + text, NAME, 'exec'), g)\n");
    out.push_str("        sys.stdout.flush()\n");
    out.push_str("    except BaseException as e:\n");
    out.push_str("        sys.stdout.flush()\n");
    out.push_str("        t = e.__traceback__\n");
    out.push_str("        while t and t.tb_next: t = t.tb_next\n");
    out.push_str("        at = getattr(e, 'lineno', None) or (t.tb_lineno if t else line)\n");
    let _ = writeln!(
        out,
        "        sys.stderr.write('\\n\\x01{}%d %d %s: %s\\n' % (n, at, type(e).__name__, e))",
        &MARK[1..]
    );
    out.push_str("        sys.exit(1)\n");
    let _ = writeln!(out, "NAME = {}", python_string(source.name()));
    for (n, snapshot) in code.iter().enumerate() {
        let (line, _) = source.position(snapshot.span.start);
        let variables: Vec<_> = snapshot
            .variables
            .iter()
            .map(|(name, value)| format!("{name:?}: {value}"))
            .collect();
        let _ = writeln!(
            out,
            "piece({n}, {line}, {}, {{{}}})",
            python_string(&dedented(&snapshot.text)),
            variables.join(", ")
        );
    }
    out
}

/// The text of a piece begins behind the brace and may be indented as a whole.
fn dedented(text: &str) -> String {
    let lines = || text.lines().enumerate();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let first_is_code = text
        .lines()
        .next()
        .is_some_and(|line| !line.trim().is_empty());
    // Code on the line of the brace has no indentation to speak of.
    let skipped = usize::from(first_is_code);
    let common = lines()
        .filter(|(n, line)| *n >= skipped && !line.trim().is_empty())
        .map(|(_, line)| indent(line))
        .min()
        .unwrap_or(0);
    let cut = lines().map(|(n, line)| match n {
        0 if first_is_code => line.trim_start(),
        _ if line.trim().is_empty() => "",
        _ => line.get(common..).unwrap_or_default(),
    });
    cut.collect::<Vec<_>>().join("\n")
}

/// A string as Python reads it.
fn python_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Which piece failed, and how.
fn failed(code: &[Snapshot], printed: &str, errors: &str) -> (String, Stop) {
    let marked = errors.split_once(MARK).map(|(_, rest)| rest.trim_end());
    let parsed = marked.and_then(|text| {
        let (n, rest) = text.split_once(' ')?;
        let (line, message) = rest.split_once(' ')?;
        let snapshot = code.get(n.parse::<usize>().ok()?)?;
        Some((snapshot.span, format!("line {line}: {message}")))
    });
    let (span, message) = parsed.unwrap_or_else(|| {
        let last = errors.trim().lines().next_back().unwrap_or_default();
        let span = code.first().map_or_else(Span::default, |first| first.span);
        (span, format!("the code failed: {last}"))
    });
    let stop = Stop::at(FailureKind::Code, span, message);
    (printed.to_owned(), stop)
}
