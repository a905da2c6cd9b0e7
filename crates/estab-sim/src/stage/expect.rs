use crate::End;
use core::fmt::Debug;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, Flags, FourTuple, Instant, State};
use estab_trace::{HostRecord, Record, Segment, TcpRecord};

/// Something that a scenario expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What.
    pub text: String,
    /// It was so.
    pub held: bool,
}

/// What a scenario expected.
#[derive(Clone, Debug, Default)]
pub struct Expectations(Vec<Expectation>);

impl Expectations {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Something must be so.
    pub fn that(&mut self, text: &str, held: bool) {
        let text = text.into();
        self.0.push(Expectation { text, held });
    }

    /// Something must be just this. When it is not, the text tells what it was.
    pub fn equal<T: PartialEq<U> + Debug, U: Debug>(&mut self, text: &str, found: T, wanted: U) {
        let held = found == wanted;
        let text = if held {
            text.into()
        } else {
            format!("{text}: {found:?} instead of {wanted:?}")
        };
        self.0.push(Expectation { text, held });
    }

    /// These states must follow each other directly, among those that a host's connections passed. Says nothing of a host
    /// that does not tell its states.
    pub fn passes(&mut self, trace: &Trace<'_>, host: End, wanted: &[State]) {
        let Some(passed) = trace.states(host) else {
            return;
        };
        let held = passed.windows(wanted.len()).any(|window| window == wanted);
        let names: Vec<_> = wanted.iter().map(|state| state.name()).collect();
        let mut text = format!("{} passes {}", host.name(), names.join(", "));
        if !held {
            text.push_str(&format!(": it passed {passed:?}"));
        }
        self.0.push(Expectation { text, held });
    }

    /// A host must never be in this state. Says nothing of a host that does not tell its states.
    pub fn never(&mut self, trace: &Trace<'_>, host: End, state: State) {
        if let Some(passed) = trace.states(host) {
            self.that(
                &format!("{} never is in {state}", host.name()),
                !passed.contains(&state),
            );
        }
    }

    /// All of them.
    pub fn into_inner(self) -> Vec<Expectation> {
        self.0
    }
}

/// A segment that a host sent, as the host itself tells it, or as the other one received it when it is not estab's.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// When.
    pub time: Instant,
    /// By whom.
    pub by: End,
    /// The connection as its sender sees it.
    pub tuple: FourTuple,
    /// The segment.
    pub segment: &'a Segment,
}

impl Sent<'_> {
    /// Its flags.
    pub const fn flags(&self) -> Flags {
        self.segment.header.flags
    }

    /// Bytes of its payload.
    pub const fn len(&self) -> usize {
        self.segment.len
    }

    /// No payload?
    pub const fn is_empty(&self) -> bool {
        self.segment.len == 0
    }
}

/// What happened, for expectations to look at.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    records: &'a [Record],
    tells: [bool; 2],
}

impl<'a> Trace<'a> {
    /// Of records of the hosts `a` and `b`.
    pub fn new(records: &'a [Record]) -> Self {
        let tells = End::BOTH.map(|end| {
            let mut own = records.iter().filter(|record| of(record, end));
            own.any(|record| record.tcp().is_some())
        });
        Self { records, tells }
    }

    /// All records.
    pub const fn records(&self) -> &'a [Record] {
        self.records
    }

    /// What both hosts sent, in order.
    pub fn all_sent(&self) -> Vec<Sent<'a>> {
        let sent = self.records.iter().filter_map(|record| {
            let (tuple, event) = record.tcp()?;
            let here = End::BOTH.into_iter().find(|end| of(record, *end))?;
            let (by, tuple, segment) = match event {
                TcpRecord::SegmentOut(segment) => (here, *tuple, segment),
                // What a host that tells nothing sent is known from the one that got it.
                TcpRecord::SegmentIn(segment)
                    if !self.tells[here.other() as usize]
                        && tuple.local.ip() != tuple.remote.ip() =>
                {
                    let turned = FourTuple {
                        local: tuple.remote,
                        remote: tuple.local,
                    };
                    (here.other(), turned, segment)
                }
                _ => return None,
            };
            Some(Sent {
                time: record.time,
                by,
                tuple,
                segment,
            })
        });
        sent.collect()
    }

    /// What a host sent, in order.
    pub fn sent(&self, host: End) -> Vec<Sent<'a>> {
        let mut sent = self.all_sent();
        sent.retain(|sent| sent.by == host);
        sent
    }

    /// What a host sent with all of these flags.
    pub fn with_flags(&self, host: End, flags: Flags) -> Vec<Sent<'a>> {
        let mut sent = self.sent(host);
        sent.retain(|sent| sent.flags().contains(flags));
        sent
    }

    /// Segments with text that a host sent.
    pub fn data(&self, host: End) -> Vec<Sent<'a>> {
        let mut sent = self.sent(host);
        sent.retain(|sent| !sent.is_empty());
        sent
    }

    /// The flags of all that was sent, as tcpdump writes them.
    pub fn flags(&self) -> Vec<String> {
        self.all_sent()
            .iter()
            .map(|sent| sent.flags().to_string())
            .collect()
    }

    /// How many segments with RST were sent.
    pub fn resets(&self) -> usize {
        self.all_sent()
            .iter()
            .filter(|sent| sent.flags().rst())
            .count()
    }

    /// The states that a host's connections entered, in order; `None` when it does not tell them.
    pub fn states(&self, host: End) -> Option<Vec<State>> {
        let told = self.tells[host as usize];
        told.then(|| {
            self.entered(host)
                .into_iter()
                .map(|(_, state)| state)
                .collect()
        })
    }

    /// When a host's connections entered which states.
    pub fn entered(&self, host: End) -> Vec<(Instant, State)> {
        let records = self.records.iter().filter(|record| of(record, host));
        let entered = records.filter_map(|record| match record.tcp()? {
            (_, TcpRecord::State { to, .. }) => Some((record.time, *to)),
            _ => None,
        });
        entered.collect()
    }

    /// When a host entered a state for the first time.
    pub fn first_in(&self, host: End, state: State) -> Option<Instant> {
        let entered = self.entered(host);
        entered
            .iter()
            .find(|(_, entered)| *entered == state)
            .map(|(time, _)| *time)
    }

    /// How many segments and packets a host dropped for this reason.
    pub fn drops(&self, host: End, wanted: DropReason) -> usize {
        let records = self.records.iter().filter(|record| of(record, host));
        let dropped = records.filter(|record| match &record.event {
            HostRecord::Drop { reason } => *reason == wanted,
            HostRecord::Tcp {
                event: TcpRecord::Drop { reason, .. },
                ..
            } => *reason == wanted,
            _ => false,
        });
        dropped.count()
    }

    /// The errors of a host's connections, with their times.
    pub fn errors(&self, host: End) -> Vec<(Instant, ConnectionError)> {
        let records = self.records.iter().filter(|record| of(record, host));
        let errors = records.filter_map(|record| match record.tcp()? {
            (_, TcpRecord::Error(error)) => Some((record.time, *error)),
            _ => None,
        });
        errors.collect()
    }
}

fn of(record: &Record, host: End) -> bool {
    record.host.as_ref() == host.name()
}
