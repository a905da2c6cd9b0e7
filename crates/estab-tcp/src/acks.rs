//! When to acknowledge: at once, delayed, or limited (RFC 9293 section 3.8.6.3, RFC 5681).

use crate::{Instant, Settings};
use core::time::Duration;

/// Segments of a new connection that are acknowledged at once: the peer's slow start needs the ACKs.
const QUICK_SEGMENTS: u8 = 16;

/// What is owed to the peer.
#[derive(Debug)]
pub(crate) struct Acks {
    /// ACKs owed at once: one, or one for each out-of-order segment.
    now: u8,
    /// One is owed, but may wait for the delayed ACK timer.
    delayed: bool,
    /// Segments still acknowledged at once.
    quick: u8,
    /// Data flows both ways: our answers carry the acknowledgements.
    interactive: bool,
    /// Delay in milliseconds, which follows the peer's pace.
    delay_ms: u16,
    /// When data last came.
    data_at: Instant,
    /// When an ACK that an invalid segment demanded was last sent.
    limited_at: Option<Instant>,
    /// How many such there were since the last segment that was in order.
    limited: u32,
}

/// The pause between answers to invalid segments doubles so often: two ends that do not agree about anything any more, far
/// from each other, would else answer each other's answers for ever.
const LIMITED_DOUBLINGS: u32 = 5;

impl Acks {
    pub(crate) const fn new() -> Self {
        Self {
            now: 0,
            delayed: false,
            quick: QUICK_SEGMENTS,
            interactive: false,
            delay_ms: 40,
            data_at: Instant::ZERO,
            limited_at: None,
            limited: 0,
        }
    }

    /// One ACK is owed at once.
    pub(crate) fn owe_now(&mut self) {
        self.now = self.now.max(1);
    }

    /// One more ACK is owed at once, which must not melt into another: each tells the peer of one more segment that arrived
    /// out of order (RFC 5681).
    pub(crate) fn owe_duplicate(&mut self) {
        self.now = self.now.saturating_add(1).min(64);
    }

    /// An answer to an invalid segment, at most one in the settings' interval, which grows while
    /// nothing else comes (RFC 5961, CVE-2016-5696: counted for this
    /// connection alone, so that nobody else can measure it). False when it is withheld.
    pub(crate) fn owe_limited(&mut self, now: Instant, settings: &Settings) -> bool {
        let doublings = self.limited.saturating_sub(1).min(LIMITED_DOUBLINGS);
        let pause = settings
            .tcp_invalid_ratelimit
            .saturating_mul(1 << doublings);
        let allowed = self.limited_at.is_none_or(|at| now.since(at) >= pause);
        if allowed {
            self.limited_at = Some(now);
            self.limited = self.limited.saturating_add(1);
            self.owe_now();
        }
        allowed
    }

    /// A segment of the peer's was in order.
    pub(crate) fn end_limit(&mut self) {
        self.limited = self.limited.min(1);
    }

    // RFC 9293 3.8.6.3 SHLD-18, MUST-58, MUST-59: input only notes what is owed; all of it goes into one ACK.
    /// Data or a FIN came in order: decides between now and later.
    pub(crate) fn data_arrived(&mut self, now: Instant, segments: u16, full_size_unacked: bool) {
        self.follow_pace(now);
        let quick = self.quick > 0 && !self.interactive;
        self.quick = self.quick.saturating_sub(segments.min(255) as u8);
        // RFC 9293 3.8.6.3 SHLD-19: at least every second full-sized segment.
        if quick || full_size_unacked {
            self.owe_now();
        } else {
            self.delayed = true;
        }
    }

    /// The delay follows the gaps between the peer's segments, so that one ACK serves two of them.
    fn follow_pace(&mut self, now: Instant) {
        let gap_ms = u16::try_from(now.since(self.data_at).as_millis()).unwrap_or(u16::MAX);
        if self.data_at != Instant::ZERO && gap_ms < self.delay_ms {
            self.delay_ms = self.delay_ms / 2 + gap_ms.max(20);
        }
        self.data_at = now;
    }

    /// We sent data soon after some came: the exchange is interactive.
    pub(crate) fn data_sent(&mut self, now: Instant) {
        if self.data_at != Instant::ZERO && now.since(self.data_at) < self.delay_of(40, 200) {
            self.interactive = true;
        }
    }

    /// The timer fired without a segment of ours to ride on: not interactive after all.
    pub(crate) fn delay_over(&mut self) {
        if self.delayed {
            self.owe_now();
            self.interactive = false;
        }
    }

    /// `TCP_QUICKACK`.
    pub(crate) fn set_quick(&mut self, on: bool) {
        if on && self.delayed {
            self.owe_now();
        }
        self.interactive = !on;
        self.quick = if on { QUICK_SEGMENTS } else { 0 };
    }

    // RFC 9293 3.8.6.3 MUST-40.
    /// How long a delayed ACK may wait.
    pub(crate) fn delay(&self, settings: &Settings) -> Duration {
        Duration::from_millis(u64::from(self.delay_ms)).clamp(
            settings.tcp_delack_min,
            settings.tcp_delack_max.max(settings.tcp_delack_min),
        )
    }

    fn delay_of(&self, min_ms: u16, max_ms: u16) -> Duration {
        Duration::from_millis(u64::from(self.delay_ms.clamp(min_ms, max_ms)))
    }

    /// A segment with ACK goes out. A pure one pays one of the duplicates; one with data pays all but those.
    pub(crate) fn sent(&mut self) {
        self.now = self.now.saturating_sub(1);
        self.delayed = false;
    }

    pub(crate) fn cancel(&mut self) {
        self.now = 0;
        self.delayed = false;
    }

    /// When data last came.
    pub(crate) fn data_at(&self) -> Instant {
        self.data_at
    }

    /// ACKs owed at once.
    pub(crate) fn owed(&self) -> u8 {
        self.now
    }

    pub(crate) fn is_delayed(&self) -> bool {
        self.delayed
    }
}
