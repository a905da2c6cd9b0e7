//! What happens in a run, kept and told.

use crate::report::{CapturedPacket, LogEntry, LogKind};
use bytes::Bytes;
use core::time::Duration;

/// Most entries and packets that are kept: the run goes on without.
const ENTRIES_MAX: usize = 200_000;
/// Most bytes of packets that are kept.
const BYTES_MAX: usize = 64 << 20;

pub(crate) struct Log<'a> {
    observe: &'a mut dyn FnMut(&LogEntry),
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) packets: Vec<CapturedPacket>,
    bytes: usize,
    /// Notes that belong to the next packet.
    before: Vec<String>,
    /// The last packet was injected: what follows was caused by it.
    after_inbound: bool,
}

impl<'a> Log<'a> {
    pub(crate) fn new(observe: &'a mut dyn FnMut(&LogEntry)) -> Self {
        Self {
            observe,
            entries: Vec::new(),
            packets: Vec::new(),
            bytes: 0,
            before: Vec::new(),
            after_inbound: false,
        }
    }

    pub(crate) fn add(&mut self, time: Duration, kind: LogKind, text: impl Into<String>) {
        let entry = LogEntry {
            time,
            kind,
            text: text.into(),
        };
        (self.observe)(&entry);
        if self.entries.len() < ENTRIES_MAX {
            self.entries.push(entry);
        }
    }

    /// A packet passes. What an injected one causes is noted after it, what led to an emitted one before it.
    pub(crate) fn packet(&mut self, time: Duration, outbound: bool, data: Bytes) {
        let comments = core::mem::take(&mut self.before);
        self.after_inbound = !outbound;
        self.bytes = self.bytes.saturating_add(data.len());
        if self.packets.len() < ENTRIES_MAX && self.bytes <= BYTES_MAX {
            self.packets.push(CapturedPacket {
                time,
                outbound,
                data,
                comments,
            });
        }
    }

    /// Something happened inside the subject.
    pub(crate) fn note(&mut self, time: Duration, text: String) {
        match self.packets.last_mut() {
            Some(packet) if self.after_inbound => packet.comments.push(text.clone()),
            _ if self.before.len() < ENTRIES_MAX => self.before.push(text.clone()),
            _ => {}
        }
        self.add(time, LogKind::Note, text);
    }
}
