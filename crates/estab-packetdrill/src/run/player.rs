//! Plays events one after the other.

use super::code::Snapshot;
use super::command::Part;
use super::fds::Descriptors;
use super::flows::{Flows, Owner};
use super::log::Log;
use super::plan::{Step, parts};
use super::{Config, RunOptions, Stop};
use crate::packet::{self, Live};
use crate::report::{FailureKind, LogKind};
use crate::script::{Action, Command, Event, Script, Span, Time};
use crate::subject::{Emitted, SettingError, Subject, SystemCall};
use crate::syscalls::Expectation;
use core::time::Duration;

/// How long after its time a packet or the end of a call is waited for, so that it can be told how late it came.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// The same for what may happen whenever it will.
pub(super) const ANY_TIME: Duration = Duration::from_secs(600);
const ANY_REAL_TIME: Duration = Duration::from_secs(10);
/// No script goes on longer.
const TIME_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// A call that waits.
#[derive(Debug)]
pub(super) struct Pending {
    /// With the script's descriptors.
    pub(super) call: SystemCall,
    pub(super) expectation: Expectation,
    /// As the script has it, without its result.
    pub(super) text: String,
    pub(super) span: Span,
    /// When it should end, and how far it may be from that.
    pub(super) end: Duration,
    pub(super) tolerance: Duration,
}

/// When an event is to happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// When a call that blocks should end.
    pub(super) end: Option<Duration>,
    pub(super) tolerance: Duration,
    pub(super) any: bool,
    /// The event after counts from when this one happened, not from when it should.
    pub(super) floating: bool,
    /// It is to happen at the same moment as the event before.
    pub(super) together: bool,
}

pub(crate) struct Player<'a> {
    pub(super) subject: Box<dyn Subject>,
    pub(super) config: &'a Config,
    options: &'a RunOptions,
    pub(crate) log: Log<'a>,
    pub(super) flows: Flows,
    pub(super) fds: Descriptors,
    pub(super) pending: Option<Pending>,
    /// The time that relative times count from.
    base: Duration,
    /// In real time: when the latest of the events happened that are to happen at one moment. In virtual time all happen at `base`.
    recent: Duration,
    /// Where the script is.
    pub(super) span: Span,
    pub(crate) code: Vec<Snapshot>,
    pub(crate) notes: Vec<String>,
}

impl<'a> Player<'a> {
    pub(crate) fn new(
        subject: Box<dyn Subject>,
        config: &'a Config,
        options: &'a RunOptions,
        log: Log<'a>,
    ) -> Self {
        let flows = Flows::new(
            config.network.clone(),
            config.bind_port,
            config.connect_port,
        );
        Self {
            subject,
            config,
            options,
            log,
            flows,
            fds: Descriptors::default(),
            pending: None,
            base: Duration::ZERO,
            recent: Duration::ZERO,
            span: Span::default(),
            code: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.subject.now()
    }

    /// Ends the subject.
    pub(crate) fn close(&mut self) {
        self.subject.finish();
    }

    /// The whole script.
    pub(crate) fn all(&mut self, script: &Script, steps: &[Step]) -> Result<(), Stop> {
        self.open(script)?;
        self.subject.begin();
        for (event, step) in script.events.iter().zip(steps) {
            self.event(event, step)?;
        }
        self.end(script)
    }

    /// What is set before the first event.
    fn open(&mut self, script: &Script) -> Result<(), Stop> {
        for (name, value) in &self.options.settings {
            self.set(name, value)?;
        }
        for file in &self.config.init_scripts {
            let command = Command {
                text: file.clone(),
                span: Span::default(),
            };
            self.command(&command, &parts(&command, self.options))?;
        }
        if let Some(init) = &script.init {
            self.span = init.span;
            self.command(init, &parts(init, self.options))?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event, step: &[Part]) -> Result<(), Stop> {
        self.span = event.span;
        let schedule = self.schedule(event.time);
        if schedule.until > TIME_MAX {
            let message = "the script goes on for too long";
            return Err(Stop::at(FailureKind::Limit, event.span, message));
        }
        let mut happened = schedule.from;
        match &event.action {
            Action::Packet(packet) => happened = self.packet(packet, &schedule)?,
            Action::Call(call) => happened = self.call(call, &schedule)?,
            Action::Command(command) => {
                self.pass_until(schedule.from)?;
                self.command(command, step)?;
            }
            Action::Code(code) => {
                self.pass_until(schedule.from)?;
                self.snapshot(code)?;
            }
        }
        self.happened(&schedule, happened);
        Ok(())
    }

    /// What comes next counts from here.
    fn happened(&mut self, schedule: &Schedule, happened: Duration) {
        if self.subject.is_virtual() {
            self.base = if schedule.floating {
                happened
            } else {
                schedule.from
            };
            self.recent = self.base;
        } else if schedule.together {
            self.recent = self.recent.max(happened);
        } else {
            // Nothing is on time to the microsecond, and what comes next is not to suffer for it.
            (self.base, self.recent) = (happened, happened);
        }
    }

    fn schedule(&self, time: Time) -> Schedule {
        let (base, recent) = (self.base, self.recent);
        let at = |from: Duration, until: Duration, end: Option<Duration>| Schedule {
            from,
            until,
            end,
            tolerance: self.config.tolerance_after(from.saturating_sub(base)),
            any: false,
            floating: from != until,
            together: from == base,
        };
        match time {
            Time::Absolute(time) => at(time, time, None),
            Time::Relative(gap) => at(base.saturating_add(gap), recent.saturating_add(gap), None),
            Time::AbsoluteRange(from, until) => at(from, until.max(from), None),
            Time::RelativeRange(from, until) => {
                let (from, until) = (base.saturating_add(from), recent.saturating_add(until));
                at(from, until.max(from), None)
            }
            Time::AbsoluteBlocking(from, end) => at(from, from, Some(end)),
            Time::RelativeBlocking(from, end) => {
                let (from, end) = (base.saturating_add(from), base.saturating_add(end));
                at(from, from, Some(end))
            }
            Time::Any => Schedule {
                any: true,
                floating: true,
                ..at(base, base, None)
            },
        }
    }

    /// How long something that may happen whenever it will is waited for.
    pub(super) fn any_time(&self) -> Duration {
        if self.subject.is_virtual() {
            ANY_TIME
        } else {
            ANY_REAL_TIME
        }
    }

    /// After the last event: what still waits, what nobody expected, the closing command.
    fn end(&mut self, script: &Script) -> Result<(), Stop> {
        self.await_pending()?;
        self.collect()?;
        if !self.options.ignore_surplus {
            self.surplus()?;
        }
        if let Some(cleanup) = &script.cleanup {
            self.span = cleanup.span;
            self.command(cleanup, &parts(cleanup, self.options))?;
        }
        Ok(())
    }
}

/// Time passes.
impl Player<'_> {
    /// Lets time pass until a moment, and takes in what happens meanwhile.
    pub(super) fn pass_until(&mut self, until: Duration) -> Result<(), Stop> {
        loop {
            self.collect()?;
            self.overdue()?;
            if self.now() >= until {
                return Ok(());
            }
            self.wait(until)?;
        }
    }

    pub(super) fn wait(&mut self, until: Duration) -> Result<(), Stop> {
        self.subject
            .wait(until)
            .map_err(|error| Stop::subject(error, self.span))
    }

    /// Takes in what the subject did.
    pub(super) fn collect(&mut self) -> Result<(), Stop> {
        while let Some(emitted) = self.subject.emitted() {
            self.emitted(emitted)?;
        }
        self.take_notes();
        if let Some((outcome, time)) = self.subject.finished() {
            self.finish_pending(&outcome, time)?;
        }
        Ok(())
    }

    fn take_notes(&mut self) {
        for note in self.subject.take_notes() {
            self.log.note(note.time, note.text);
        }
    }

    /// A packet came out: is it well-formed, and whose is it?
    fn emitted(&mut self, emitted: Emitted) -> Result<(), Stop> {
        let Emitted { time, packet } = emitted;
        self.take_notes();
        let live = packet::parse::packet(&packet);
        let shown = packet.clone();
        self.log.packet(time, true, packet);
        let live = match live {
            Ok(live) => live,
            Err(reason) => {
                let text = format!("> {} bytes that are no packet: {reason}", shown.len());
                self.log.add(time, LogKind::Outbound, text);
                let message = format!("the subject sent a malformed packet: {reason}");
                return Err(Stop::at(FailureKind::MalformedPacket, self.span, message));
            }
        };
        let kept = live.clone();
        let owner = self.flows.deliver(time, live);
        if let Some(text) = self.shown(&kept, owner) {
            self.log.add(time, LogKind::Outbound, text);
        }
        if self.flows.is_full() {
            let message = "too many packets that no line expects";
            return Err(Stop::at(FailureKind::Limit, self.span, message));
        }
        Ok(())
    }

    /// An emitted packet in the script's words.
    fn shown(&self, live: &Live, owner: Owner) -> Option<String> {
        match owner {
            Owner::Flow(index) => {
                let with_ports = self.flows.several();
                let flow = self.flows.get(index);
                Some(flow.to_script(live, None, with_ports).to_string())
            }
            Owner::Stray => Some(packets_stray(live)),
            Owner::Nobody => None,
        }
    }

    /// Has a call that waits missed its end?
    fn overdue(&mut self) -> Result<(), Stop> {
        match &self.pending {
            Some(pending) if self.now() > pending.end + pending.tolerance + GRACE => {
                Err(not_returned(pending))
            }
            _ => Ok(()),
        }
    }

    /// Lets time pass until the call that waits has returned.
    pub(super) fn await_pending(&mut self) -> Result<(), Stop> {
        while let Some(pending) = &self.pending {
            let limit = pending.end + pending.tolerance + GRACE;
            if self.now() >= limit {
                return Err(not_returned(pending));
            }
            self.wait(limit)?;
            self.collect()?;
        }
        Ok(())
    }
}

fn packets_stray(live: &Live) -> String {
    let protocol = if live.ip.source.is_ipv6() {
        "ICMPv6"
    } else {
        "ICMP"
    };
    format!("> a message of {protocol} to {}", live.ip.destination)
}

fn not_returned(pending: &Pending) -> Stop {
    let end = pending.end.as_secs_f64();
    let message = format!("the call does not return: it should at {end:.6}");
    Stop::at(FailureKind::Pending, pending.span, message)
}

/// Commands and settings.
impl Player<'_> {
    fn command(&mut self, command: &Command, parts: &[Part]) -> Result<(), Stop> {
        let now = self.now();
        if self.options.run_commands {
            self.log.add(now, LogKind::Command, command.to_string());
            let run = super::process::shell(&command.text, self.options.folder.as_deref());
            return run.map_err(|message| Stop::at(FailureKind::Command, command.span, message));
        }
        for part in parts {
            match part {
                Part::Set { name, value } => self.set(name, value)?,
                Part::Ignored(text) => self.remark(format!("not run: {text}")),
            }
        }
        Ok(())
    }

    /// A note, once.
    fn remark(&mut self, note: String) {
        const NOTES_MAX: usize = 100;
        if self.notes.len() < NOTES_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Stop> {
        let now = self.now();
        self.log
            .add(now, LogKind::Command, format!("sysctl {name}={value}"));
        match self.subject.set_setting(name, value) {
            Ok(()) => Ok(()),
            Err(SettingError::Unknown) => {
                let who = self.subject.name();
                Err(Stop::Skipped(format!("{who} has no setting {name}")))
            }
            Err(SettingError::Other(reason)) => Err(Stop::Skipped(reason)),
            Err(SettingError::Value { expected }) => {
                let message = format!("`{value}` is no value of {name}: expected {expected}");
                Err(Stop::at(FailureKind::Command, self.span, message))
            }
        }
    }
}
