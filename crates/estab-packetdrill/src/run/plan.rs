//! A script, checked and lowered before anything runs.

use super::command::{self, Part};
use super::{Config, RunOptions, Stop};
use crate::diagnostic::{Diagnostic, Source};
use crate::packet::{build, icmp, options};
use crate::report::FailureKind;
use crate::script::{
    Action, Body, Command, Direction, Icmp, Options, Packet, Script, Segment, Span, TcpOption,
};
use crate::syscalls::{self, CallError};

/// Most events of a script.
const EVENTS_MAX: usize = 100_000;
/// Most bytes that the calls of a script write, all together.
const WRITTEN_MAX: usize = 1 << 30;
/// Most errors that are told.
const ERRORS_MAX: usize = 20;

/// What an event's command consists of, as the files that it names were before anything ran; nothing for other events.
pub(crate) type Step = Vec<Part>;

/// Checks a script: one step for each event. Calls are only seen to be right, since each may hold much data.
pub(crate) fn plan(
    script: &Script,
    source: &Source,
    config: &Config,
    options: &RunOptions,
) -> Result<Vec<Step>, Stop> {
    if script.events.len() > EVENTS_MAX {
        let message = format!("more than {EVENTS_MAX} events");
        return Err(Stop::at(FailureKind::Limit, Span::default(), message));
    }
    let mut steps = Vec::with_capacity(script.events.len());
    let mut errors = Vec::new();
    let mut unsupported = None;
    let mut written = 0_usize;
    for event in &script.events {
        let mut step = Vec::new();
        match &event.action {
            Action::Packet(packet) => {
                let mut check = Check {
                    v6: config.network.ip_version.packets_are_v6(),
                    errors: &mut errors,
                };
                check.packet(packet);
                if !packet.encapsulation.is_empty() {
                    unsupported.get_or_insert_with(|| "encapsulated packets".to_owned());
                }
            }
            Action::Call(call) => match syscalls::lower(call, config) {
                Ok(lowered) => {
                    written = written.saturating_add(syscalls::written(&lowered.call));
                    if written > WRITTEN_MAX {
                        let message = format!("the script writes more than {WRITTEN_MAX} bytes");
                        return Err(Stop::at(FailureKind::Limit, event.span, message));
                    }
                }
                Err(CallError::Wrong(wrong)) => errors.extend(wrong),
                Err(CallError::Unsupported(reason)) => {
                    unsupported.get_or_insert(reason);
                }
            },
            Action::Command(command) => step = parts(command, options),
            Action::Code(_) => {}
        }
        steps.push(step);
        if errors.len() >= ERRORS_MAX {
            break;
        }
    }
    errors.truncate(ERRORS_MAX);
    match (errors.is_empty(), unsupported) {
        (false, _) => Err(Stop::wrong(source, errors)),
        (true, Some(reason)) => Err(Stop::Skipped(reason)),
        (true, None) => Ok(steps),
    }
}

/// The parts of a command.
pub(crate) fn parts(command: &Command, options: &RunOptions) -> Vec<Part> {
    command::parts(&command.text, options.folder.as_deref())
}

struct Check<'a> {
    v6: bool,
    errors: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn wrong(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(Diagnostic::new(span, message));
    }

    fn packet(&mut self, packet: &Packet) {
        if packet.ip.flow_label.is_some() && !self.v6 {
            self.wrong(packet.span, "IPv4 has no flow label");
        }
        match &packet.body {
            Body::Tcp(segment) => self.segment(segment, packet),
            Body::Udp { len } => {
                if usize::from(*len) > build::PACKET_MAX - 48 {
                    self.wrong(packet.span, "longer than a packet can be");
                }
            }
            Body::Icmp(message) => self.message(message, packet),
        }
    }

    fn segment(&mut self, segment: &Segment, packet: &Packet) {
        let Options::These(list) = &segment.options else {
            if packet.direction == Direction::Inbound {
                self.wrong(packet.span, "`<...>` is for packets that are expected");
            }
            return;
        };
        let len = options::emit_all(list).len();
        if len > options::ROOM {
            let message = format!("{len} bytes of TCP options, but there is room for 40");
            self.wrong(packet.span, message);
        } else if !len.is_multiple_of(4) {
            let missing = 4 - len % 4;
            let message = format!("{len} bytes of TCP options, which is no multiple of 4");
            let help = format!("add {missing} times `nop` or `eol`");
            self.errors
                .push(Diagnostic::new(packet.span, message).help(help));
        }
        let strange = list.iter().any(|option| match option {
            TcpOption::AccEcn { fields, .. } => !options::acc_ecn_order_exists(fields),
            _ => false,
        });
        if strange {
            let message = "AccECN counters are in the order e0b, ceb, e1b or e1b, ceb, e0b";
            self.wrong(packet.span, message);
        }
        let whole = 60 + 40 + segment.sequence.len as usize;
        if packet.direction == Direction::Inbound && whole > build::PACKET_MAX {
            self.wrong(packet.span, "longer than a packet can be");
        }
    }

    fn message(&mut self, message: &Icmp, packet: &Packet) {
        let family = if self.v6 { "ICMPv6" } else { "ICMP" };
        let kind = match icmp::kind(self.v6, &message.kind) {
            Ok(kind) => kind,
            Err(expected) => {
                let text = format!("unknown type of {family}: `{}`", message.kind);
                let error = Diagnostic::new(packet.span, text);
                self.errors
                    .push(error.label(format!("expected {expected}")));
                return;
            }
        };
        if let Some(code) = &message.code
            && let Err(expected) = icmp::code(self.v6, kind, code)
        {
            let text = format!("unknown code of {family}: `{code}`");
            let error = Diagnostic::new(packet.span, text);
            self.errors
                .push(error.label(format!("expected {expected}")));
        }
        if message.echoed.is_some() && !icmp::is_error(self.v6, kind) {
            self.wrong(packet.span, "only errors quote a packet");
        }
        let path_mtu = message.mtu.filter(|_| !self.v6);
        if path_mtu.is_some_and(|mtu| mtu > u32::from(u16::MAX)) {
            self.wrong(packet.span, "an MTU of IPv4 has 16 bits");
        }
    }
}
