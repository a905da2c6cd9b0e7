//! What happens on the host, as its events tell.

use estab_stack::{HostEvent, HostSink};
use estab_tcp::{Event, Flags, Instant, Interest, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counted over all connections of a host.
#[derive(Default)]
pub(crate) struct Seen {
    closing: AtomicU64,
    resets_sent: AtomicU64,
    resets_received: AtomicU64,
    errors: AtomicU64,
}

impl Seen {
    /// Connections that passed CLOSING: both ends closed at once.
    pub(crate) fn closing(&self) -> u64 {
        self.closing.load(Ordering::Relaxed)
    }

    pub(crate) fn resets_sent(&self) -> u64 {
        self.resets_sent.load(Ordering::Relaxed)
    }

    pub(crate) fn resets_received(&self) -> u64 {
        self.resets_received.load(Ordering::Relaxed)
    }

    /// Connections that ended with an error.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}

/// Receives the events.
pub(crate) struct Watch(Arc<Seen>);

impl Watch {
    pub(crate) fn new() -> (Self, Arc<Seen>) {
        let seen = Arc::<Seen>::default();
        (Self(Arc::clone(&seen)), seen)
    }
}

impl HostSink for Watch {
    fn interest(&self) -> Interest {
        Interest::STATE
            .with(Interest::SEGMENT)
            .with(Interest::ERROR)
    }

    fn event(&mut self, _now: Instant, event: &HostEvent<'_>) {
        let HostEvent::Tcp { event, .. } = event else {
            return;
        };
        let counter = match event {
            Event::State {
                to: State::Closing, ..
            } => &self.0.closing,
            Event::SegmentOut { header, .. } if header.flags.contains(Flags::RST) => {
                &self.0.resets_sent
            }
            Event::SegmentIn { header, .. } if header.flags.contains(Flags::RST) => {
                &self.0.resets_received
            }
            Event::Error(_) => &self.0.errors,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
