//! What the options at a script's top, or on the command line, may be and what they do.

mod table;

pub use table::{OPTIONS, OptionSpec};

use core::net::IpAddr;
use core::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::lexer::Defines;
use crate::script::{OptionLine, Span};
use crate::subject::IpVersion;

/// The options of a script, with defaults for those that neither it nor the command line gives.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptOptions {
    /// Which sockets and packets.
    pub ip_version: IpVersion,
    /// The address of the stack.
    pub local_ip: Option<IpAddr>,
    /// The address of the peer that the script plays.
    pub remote_ip: Option<IpAddr>,
    /// The address of the router.
    pub gateway_ip: Option<IpAddr>,
    /// The length of the local network's prefix, from its mask.
    pub prefix_len: Option<u8>,
    /// The port to which `bind(..., ...)` binds.
    pub bind_port: u16,
    /// The port to which `connect(..., ...)` connects.
    pub connect_port: u16,
    /// MTU of the interface, bytes.
    pub mtu: Option<u16>,
    /// The size in which large injected segments are cut, bytes.
    pub mss: Option<u16>,
    /// Speed of the interface in Mbit/s; nothing of estab depends on it.
    pub speed: Option<u32>,
    /// How far from its time something may happen, at least.
    pub tolerance: Duration,
    /// The same, in percent of the time since the last event.
    pub tolerance_percent: f64,
    /// How long a tick of the timestamp option's clock is. Timestamps are compared only when it is given.
    pub tcp_ts_tick: Option<Duration>,
    /// Expected segments are not put together from several.
    pub strict_segments: bool,
    /// A packet that differs does not end the run.
    pub packets_not_fatal: bool,
    /// A call that differs does not end the run.
    pub calls_not_fatal: bool,
    /// Names that stand for something else.
    pub defines: Defines,
    /// Shell scripts that are run before the script, in order.
    pub init_scripts: Vec<String>,
    /// Each event is told as it happens.
    pub verbose: bool,
    /// The script is read, not run.
    pub dry_run: bool,
    /// What runs the script's code.
    pub code_command: String,
    /// What language the variables are written in for the script's code.
    pub code_format: CodeFormat,
    /// The socket option from which the script's code takes its variables.
    pub code_sockopt: String,
}

/// How variables are handed to a script's code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeFormat {
    /// As assignments in Python.
    #[default]
    Python,
    /// As text for people.
    Pretty,
}

impl Default for ScriptOptions {
    fn default() -> Self {
        Self {
            ip_version: IpVersion::default(),
            local_ip: None,
            remote_ip: None,
            gateway_ip: None,
            prefix_len: None,
            bind_port: 8080,
            connect_port: 8080,
            mtu: None,
            mss: None,
            speed: None,
            tolerance: Duration::from_micros(4000),
            tolerance_percent: 12.5,
            tcp_ts_tick: None,
            strict_segments: false,
            packets_not_fatal: false,
            calls_not_fatal: false,
            defines: Defines::new(),
            init_scripts: Vec::new(),
            verbose: false,
            dry_run: false,
            code_command: "python3".to_owned(),
            code_format: CodeFormat::default(),
            code_sockopt: "TCP_INFO".to_owned(),
        }
    }
}

impl ScriptOptions {
    /// The options of a script and, winning over them, of a command line.
    ///
    /// # Errors
    ///
    /// All options that are unknown or have a wrong value. The spans of the command line's are those that they have, not
    /// places in the script.
    pub fn new(
        script: &[OptionLine],
        command_line: &[OptionLine],
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut options = Self::default();
        let mut errors = Vec::new();
        // The first definition of a name stands, of anything else the last value.
        let is_define = |option: &&OptionLine| option.name == DEFINE;
        let defines = command_line.iter().chain(script).filter(is_define);
        let others = script
            .iter()
            .chain(command_line)
            .filter(|option| !is_define(option));
        for option in defines.chain(others) {
            errors.extend(options.apply(option).err());
        }
        if errors.is_empty() {
            Ok(options)
        } else {
            Err(errors)
        }
    }

    /// Takes an option. It wins over what was there, except that the first definition of a name stands.
    ///
    /// # Errors
    ///
    /// When there is no such option, or the value is none for it.
    pub fn apply(&mut self, line: &OptionLine) -> Result<(), Diagnostic> {
        let name = line.name.replace('-', "_");
        let Some(spec) = OPTIONS.iter().find(|spec| spec.name == name) else {
            let names: Vec<_> = OPTIONS.iter().map(|spec| spec.name).collect();
            let help = format!("there are {}", names.join(", "));
            let message = format!("unknown option `--{}`", line.name);
            return Err(Diagnostic::new(line.span, message).help(help));
        };
        spec.set(self, line.value.as_deref()).map_err(|message| {
            Diagnostic::new(line.span, format!("`--{name}`: {message}")).help(spec.help)
        })
    }
}

/// The option that gives a name a meaning.
const DEFINE: &str = "define";

impl OptionLine {
    /// An option from a word of a command line: `--name=value`, `--name`, with the dashes or without.
    ///
    /// # Errors
    ///
    /// When it has no name.
    pub fn from_argument(argument: &str) -> Result<Self, String> {
        let bare = argument.strip_prefix("--").unwrap_or(argument);
        let (name, value) = bare
            .split_once('=')
            .map_or((bare, None), |(name, value)| (name, Some(value.to_owned())));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!("`{argument}` is not of the form NAME=VALUE"));
        }
        let span = Span {
            start: 0,
            end: argument.len(),
        };
        Ok(Self {
            name: name.to_owned(),
            value,
            span,
        })
    }
}
