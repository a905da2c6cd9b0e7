//! Sinks: one that keeps records, one that passes events on to several.

use crate::Record;
use estab_stack::{HostEvent, HostSink};
use estab_tcp::{Instant, Interest};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the events of any number of hosts, in the order in which they were reported. Clones share what was kept.
#[derive(Clone, Debug)]
pub struct Collector {
    shared: Arc<Mutex<Shared>>,
    interest: Interest,
}

#[derive(Debug)]
struct Shared {
    records: Vec<Record>,
    limit: usize,
    lost: u64,
}

impl Default for Collector {
    fn default() -> Self {
        Self::new()
    }
}

impl Collector {
    /// Everything but whole packets, at most a million records.
    pub fn new() -> Self {
        Self::with(Interest::NO_PACKETS, 1_000_000)
    }

    /// These kinds of events, and at most `limit` records: what comes later is counted and not kept.
    pub fn with(interest: Interest, limit: usize) -> Self {
        let shared = Shared {
            records: Vec::new(),
            limit,
            lost: 0,
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
            interest,
        }
    }

    /// A sink for [`Stack::set_sink`](estab_stack::Stack::set_sink) of the host with this name.
    pub fn sink(&self, host: &str) -> Box<dyn HostSink> {
        Box::new(CollectorSink {
            collector: self.clone(),
            host: host.into(),
        })
    }

    /// A copy of all records so far.
    pub fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    /// Takes the records out.
    pub fn take(&self) -> Vec<Record> {
        core::mem::take(&mut self.lock().records)
    }

    /// Calls a function with the records so far, without copying them.
    pub fn look<T>(&self, look: impl FnOnce(&[Record]) -> T) -> T {
        look(&self.lock().records)
    }

    /// Records that were not kept because of the limit.
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// Keeps one record.
    pub fn push(&self, record: Record) {
        let mut shared = self.lock();
        if shared.records.len() < shared.limit {
            shared.records.push(record);
        } else {
            shared.lost += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct CollectorSink {
    collector: Collector,
    host: Arc<str>,
}

impl HostSink for CollectorSink {
    fn interest(&self) -> Interest {
        self.collector.interest
    }

    fn event(&mut self, now: Instant, event: &HostEvent<'_>) {
        Record::from_event(now, &self.host, event, |record| self.collector.push(record));
    }
}

/// Passes each event on to all sinks that are interested in it.
#[derive(Default)]
pub struct Tee {
    sinks: Vec<Box<dyn HostSink>>,
}

impl Tee {
    /// To nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also to this sink.
    #[must_use]
    pub fn with(mut self, sink: Box<dyn HostSink>) -> Self {
        self.sinks.push(sink);
        self
    }
}

impl HostSink for Tee {
    fn interest(&self) -> Interest {
        let each = self.sinks.iter().map(|sink| sink.interest());
        each.fold(Interest::NONE, Interest::with)
    }

    fn event(&mut self, now: Instant, event: &HostEvent<'_>) {
        for sink in &mut self.sinks {
            if sink.interest().contains(event.kind()) {
                sink.event(now, event);
            }
        }
    }
}
