//! System calls of the script.

use super::Stop;
use super::flow::Protocol;
use super::player::{Pending, Player, Schedule};
use crate::report::{Difference, FailureKind, LogKind};
use crate::script::Call;
use crate::subject::{Outcome, Output, Started, SystemCall};
use crate::syscalls::{self, Expected};
use core::net::SocketAddr;
use core::time::Duration;

/// In real time a call that returns at once may take so long: what it must not do is to wait.
const REAL_CALL: Duration = Duration::from_millis(500);

impl Player<'_> {
    /// When the call began.
    pub(super) fn call(&mut self, call: &Call, schedule: &Schedule) -> Result<Duration, Stop> {
        let lowered = syscalls::lower(call, self.config).map_err(|_| {
            // All calls were seen to be right before.
            Stop::at(FailureKind::Script, call.span, "the call is wrong")
        })?;
        if schedule.end.is_some() {
            // One call waits at a time.
            self.await_pending()?;
        }
        self.pass_until(schedule.from)?;
        let text = words(call);
        let mut live = lowered.call.clone();
        for fd in syscalls::in_call(&mut live) {
            *fd = self.fds.live(*fd);
        }
        self.before(&lowered.call);
        let begun = self.now();
        let late = match self.subject.is_virtual() {
            true => Duration::ZERO,
            false => begun.saturating_sub(schedule.from),
        };
        let started = self
            .subject
            .start(live)
            .map_err(|error| Stop::subject(error, call.span))?;
        let pending = Pending {
            call: lowered.call,
            expectation: lowered.expectation,
            text,
            span: call.span,
            end: schedule.end.unwrap_or(schedule.from) + late,
            tolerance: match schedule.end {
                Some(end) => {
                    let gap = end.saturating_sub(schedule.from);
                    self.config.tolerance_after(gap)
                }
                None if self.subject.is_virtual() => schedule.tolerance,
                None => schedule.tolerance.max(REAL_CALL),
            },
        };
        match started {
            Started::Done(outcome) => {
                let now = self.now();
                self.returned(&pending, &outcome, now)?;
                self.collect()?;
            }
            Started::Pending if schedule.end.is_some() => {
                let now = self.now();
                self.log
                    .add(now, LogKind::Call, format!("{} waits", pending.text));
                self.pending = Some(pending);
                self.collect()?;
            }
            Started::Pending => self.at_once(pending)?,
        }
        Ok(begun)
    }

    /// A call that the script says returns at once: it may take as long as the tolerance.
    fn at_once(&mut self, pending: Pending) -> Result<(), Stop> {
        let limit = pending.end + pending.tolerance;
        let span = pending.span;
        self.pending = Some(pending);
        loop {
            self.collect()?;
            if self.pending.is_none() {
                return Ok(());
            }
            if self.now() >= limit {
                let message = "the call waits, but the script says that it returns at once";
                return Err(Stop::at(FailureKind::Blocking, span, message));
            }
            self.wait(limit)?;
        }
    }

    /// The call that waited has returned.
    pub(super) fn finish_pending(&mut self, outcome: &Outcome, time: Duration) -> Result<(), Stop> {
        match self.pending.take() {
            Some(pending) => self.returned(&pending, outcome, time),
            None => Ok(()),
        }
    }

    /// Compares what a call came to, and learns from it.
    fn returned(
        &mut self,
        pending: &Pending,
        outcome: &Outcome,
        time: Duration,
    ) -> Result<(), Stop> {
        let shown = syscalls::shown(&named(pending, outcome));
        self.log
            .add(time, LogKind::Call, format!("{} {shown}", pending.text));
        let checked = check(pending, outcome, time);
        let learned = self.after(pending, outcome);
        match checked.and(learned) {
            Err(Stop::Failed(failure)) if self.config.calls_not_fatal => {
                self.notes.push(format!("not fatal: {}", failure.message));
                Ok(())
            }
            result => result,
        }
    }

    /// What must be known before packets come of the call.
    fn before(&mut self, call: &SystemCall) {
        let peer = |address: &[u8]| syscalls::read_address(address).map(on_the_wire);
        match call {
            SystemCall::Connect { fd, address } => {
                if let Some(remote) = peer(address) {
                    self.flows.connecting(*fd, remote);
                }
            }
            SystemCall::SendTo {
                fd,
                address: Some(address),
                ..
            }
            | SystemCall::SendMsg {
                fd,
                address: Some(address),
                ..
            } => {
                if let Some(remote) = peer(address) {
                    self.flows.sending_to(*fd, remote);
                }
            }
            _ => {}
        }
    }

    fn after(&mut self, pending: &Pending, outcome: &Outcome) -> Result<(), Stop> {
        let call = &pending.call;
        if outcome.result < 0 {
            return Ok(());
        }
        let new = self.new_descriptors(pending, outcome)?;
        match call {
            SystemCall::Socket { kind, .. } => {
                let datagrams = kind & 0xf == libc::SOCK_DGRAM;
                let protocol = if datagrams {
                    Protocol::Udp
                } else {
                    Protocol::Tcp
                };
                for fd in new {
                    self.flows.socket(fd, protocol);
                }
            }
            SystemCall::Bind { fd, address } => {
                if let Some(address) = syscalls::read_address(address) {
                    self.flows.bound(*fd, address.port());
                }
            }
            SystemCall::Listen { fd, .. } => self.flows.listening(*fd),
            SystemCall::Accept { .. } => {
                let Output::Address(bytes) = &outcome.output else {
                    return Ok(());
                };
                let peer = syscalls::read_address(bytes).map(on_the_wire);
                for fd in new {
                    if !peer.is_some_and(|peer| self.flows.accepted(fd, peer)) {
                        let message = "a connection was accepted that the script did not open";
                        return Err(Stop::at(FailureKind::Output, pending.span, message));
                    }
                }
            }
            SystemCall::Close { fd } => {
                self.fds.remove(*fd);
                self.flows.closed(*fd);
            }
            _ => {}
        }
        Ok(())
    }

    /// Gives new descriptors the script's numbers.
    fn new_descriptors(&mut self, pending: &Pending, outcome: &Outcome) -> Result<Vec<i32>, Stop> {
        let live = syscalls::results(&pending.call, outcome);
        let named: Vec<i32> = match &pending.expectation.output {
            Expected::Pipe(ends) => ends.to_vec(),
            _ => {
                let result = pending.expectation.result;
                let named = result.and_then(|result| i32::try_from(result).ok());
                named
                    .or_else(|| live.first().copied())
                    .into_iter()
                    .collect()
            }
        };
        let mut new = Vec::new();
        for (script, live) in named.into_iter().zip(live) {
            if script < 0 {
                continue;
            }
            if !self.fds.add(script, live) {
                let message = format!("the script has a descriptor {script} already");
                return Err(Stop::at(FailureKind::Script, pending.span, message));
            }
            new.push(script);
        }
        Ok(new)
    }
}

/// The call as the script has it, without its result.
fn words(call: &Call) -> String {
    let arguments: Vec<_> = call.arguments.iter().map(ToString::to_string).collect();
    format!("{}({})", call.name, arguments.join(", "))
}

/// The address as it stands in packets.
fn on_the_wire(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Is the result a descriptor?
fn gives_descriptor(pending: &Pending, outcome: &Outcome) -> bool {
    let pipe = matches!(outcome.output, Output::Pipe(_));
    !pipe && !syscalls::results(&pending.call, outcome).is_empty()
}

/// The outcome with the script's number of a descriptor, not the subject's.
fn named(pending: &Pending, outcome: &Outcome) -> Outcome {
    match pending.expectation.result {
        Some(result) if result >= 0 && gives_descriptor(pending, outcome) => Outcome {
            result,
            ..outcome.clone()
        },
        _ => outcome.clone(),
    }
}

fn check(pending: &Pending, outcome: &Outcome, time: Duration) -> Result<(), Stop> {
    let gives_fd = gives_descriptor(pending, outcome);
    let expectation = &pending.expectation;
    if let Some(mismatch) = syscalls::compare(&pending.call, expectation, outcome, gives_fd) {
        let fields: Vec<_> = mismatch.differences.iter().map(|d| d.field).collect();
        let shown = syscalls::shown(outcome);
        let message = match mismatch.kind {
            FailureKind::Output => format!("the call gave another {}", fields.join(", ")),
            _ => format!("the call returned {}", shown.trim_start_matches("= ")),
        };
        let stop = Stop::at(mismatch.kind, pending.span, message);
        let mut actual = format!("{} {shown}", pending.text);
        if mismatch.kind == FailureKind::Output {
            // The arguments are shown as the script has them, and there stands what was expected.
            for difference in &mismatch.differences {
                actual.push_str(&format!(", {} {}", difference.field, difference.actual));
            }
        }
        return Err(stop.with(expected_text(pending), actual, mismatch.differences));
    }
    let (earliest, latest) = (
        pending.end.saturating_sub(pending.tolerance),
        pending.end + pending.tolerance,
    );
    if (earliest..=latest).contains(&time) {
        return Ok(());
    }
    let seconds = |time: Duration| format!("{:.6}", time.as_secs_f64());
    let message = format!(
        "the call returned at {}, it should at {}",
        seconds(time),
        seconds(pending.end)
    );
    let difference = Difference {
        field: "time",
        expected: format!(
            "{} (+-{})",
            seconds(pending.end),
            seconds(pending.tolerance)
        ),
        actual: seconds(time),
    };
    let stop = Stop::at(FailureKind::Time, pending.span, message);
    let actual = format!("{} {}", pending.text, syscalls::shown(outcome));
    Err(stop.with(expected_text(pending), actual, vec![difference]))
}

fn expected_text(pending: &Pending) -> String {
    let result = match pending.expectation.result {
        Some(result) => result.to_string(),
        None => "...".to_owned(),
    };
    let errno = match pending.expectation.errno {
        Some(errno) => format!(" {}", crate::symbols::errno_name(errno)),
        None => String::new(),
    };
    format!("{} = {result}{errno}", pending.text)
}
