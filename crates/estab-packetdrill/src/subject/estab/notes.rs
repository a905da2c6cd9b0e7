use crate::subject::Note;
use core::time::Duration;
use estab_stack::{HostEvent, HostSink};
use estab_tcp::{Instant, Interest};
use estab_trace::pcapng;
use std::sync::{Arc, Mutex, PoisonError};

/// Most notes that wait to be fetched; what comes later is lost.
const NOTES_MAX: usize = 100_000;

/// What the stack reports of itself, in a few words each. Clones share.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Arc<Mutex<Vec<Note>>>);

impl Notes {
    pub(super) fn sink(&self, start: Duration) -> Box<dyn HostSink> {
        Box::new(NoteSink {
            notes: self.clone(),
            start: Instant::ZERO + start,
        })
    }

    pub(super) fn take(&self) -> Vec<Note> {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct NoteSink {
    notes: Notes,
    start: Instant,
}

impl HostSink for NoteSink {
    fn interest(&self) -> Interest {
        pcapng::COMMENTED
    }

    fn event(&mut self, now: Instant, event: &HostEvent<'_>) {
        let Some(text) = pcapng::comment(event) else {
            return;
        };
        // The script has its own lines for calls.
        if text.starts_with("call ") {
            return;
        }
        let time = now.since(self.start);
        let mut notes = self.notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < NOTES_MAX {
            notes.push(Note { time, text });
        }
    }
}
