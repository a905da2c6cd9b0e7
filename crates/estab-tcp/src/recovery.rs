//! What was lost and what to send again: NewReno (RFC 6582) and the retransmission time-out (RFC 6298). The place where
//! SACK's scoreboard belongs: it answers the same three questions, what to resend next, what is in flight, and whether
//! recovery is over.

use crate::event::RecoveryPhase;
use estab_wire::tcp::SeqNum;

/// State of loss recovery.
#[derive(Debug)]
pub(crate) struct Recovery {
    phase: RecoveryPhase,
    /// Highest sequence number sent when recovery began; its acknowledgement ends it.
    recover: SeqNum,
    /// Next sequence number to send again, while before `resend_end`.
    resend_next: SeqNum,
    /// Everything from `resend_next` up to here is to be sent again.
    resend_end: SeqNum,
    /// Consecutive duplicate acknowledgements.
    duplicates: u32,
    /// Limits fast retransmit to once a window of data (RFC 6582).
    ever_recovered: bool,
}

impl Recovery {
    pub(crate) fn new(iss: SeqNum) -> Self {
        Self {
            phase: RecoveryPhase::Open,
            recover: iss,
            resend_next: iss,
            resend_end: iss,
            duplicates: 0,
            ever_recovered: false,
        }
    }

    pub(crate) fn phase(&self) -> RecoveryPhase {
        self.phase
    }

    pub(crate) fn duplicates(&self) -> u32 {
        self.duplicates
    }

    /// What must be sent again, from `.0` up to `.1`, if anything.
    pub(crate) fn resend(&self, snd_una: SeqNum) -> Option<(SeqNum, SeqNum)> {
        let from = self.resend_next.max(snd_una);
        from.before(self.resend_end)
            .then_some((from, self.resend_end))
    }

    /// Bytes of sequence space outstanding that count as lost, resent ones included.
    pub(crate) fn lost(&self, snd_una: SeqNum) -> u32 {
        let end = match self.phase {
            RecoveryPhase::Open => return 0,
            RecoveryPhase::Recovery => self.resend_end,
            RecoveryPhase::Loss => self.recover,
        };
        if snd_una.before(end) {
            end.since(snd_una)
        } else {
            0
        }
    }

    /// Of those, what was sent again.
    pub(crate) fn resent_bytes(&self, snd_una: SeqNum) -> u32 {
        if self.phase != RecoveryPhase::Open && snd_una.before(self.resend_next) {
            self.resend_next.since(snd_una)
        } else {
            0
        }
    }

    /// Everything up to `end` was sent again.
    pub(crate) fn resent(&mut self, end: SeqNum) {
        self.resend_next = end;
    }

    /// Bytes of sequence space in the network. After a time-out all that was sent before counts as lost, until resent.
    pub(crate) fn in_flight(&self, snd_una: SeqNum, snd_nxt: SeqNum) -> u32 {
        let lost = self
            .resend(snd_una)
            .map_or(0, |(from, to)| to.min(snd_nxt).since(from));
        match self.phase {
            RecoveryPhase::Loss => snd_nxt.since(snd_una) - lost.min(snd_nxt.since(snd_una)),
            // Fast recovery accounts for what left the network by inflating the window.
            RecoveryPhase::Open | RecoveryPhase::Recovery => snd_nxt.since(snd_una),
        }
    }

    /// A duplicate acknowledgement. True when it is the one that means a loss.
    pub(crate) fn duplicate(&mut self, snd_una: SeqNum, threshold: u32) -> bool {
        self.duplicates = self.duplicates.saturating_add(1);
        let fresh = !self.ever_recovered || snd_una.after(self.recover);
        self.phase == RecoveryPhase::Open && self.duplicates == threshold && fresh
    }

    /// Begins fast recovery: one segment at `snd_una` is sent again.
    pub(crate) fn enter_fast(&mut self, snd_una: SeqNum, snd_nxt: SeqNum, mss: u32) {
        self.phase = RecoveryPhase::Recovery;
        self.recover = snd_nxt;
        self.ever_recovered = true;
        self.resend_one(snd_una, snd_nxt, mss);
    }

    /// A partial acknowledgement in fast recovery: the next hole is sent again.
    pub(crate) fn resend_one(&mut self, snd_una: SeqNum, snd_nxt: SeqNum, mss: u32) {
        self.resend_next = snd_una;
        self.resend_end = (snd_una + mss).min(snd_nxt);
    }

    /// The retransmission timer fired: all is to be sent again. True when it is the first time for this data.
    pub(crate) fn enter_loss(&mut self, snd_una: SeqNum, snd_nxt: SeqNum) -> bool {
        let first = self.phase != RecoveryPhase::Loss;
        self.phase = RecoveryPhase::Loss;
        self.ever_recovered = true;
        self.recover = snd_nxt;
        self.duplicates = 0;
        self.resend_all(snd_una, snd_nxt);
        first
    }

    /// All that is outstanding is sent again, for a reason that is no congestion.
    pub(crate) fn resend_all(&mut self, snd_una: SeqNum, snd_nxt: SeqNum) {
        self.resend_next = snd_una;
        self.resend_end = snd_nxt;
    }

    /// New data was acknowledged. True when this ends a recovery.
    pub(crate) fn advanced(&mut self, snd_una: SeqNum) -> bool {
        self.duplicates = 0;
        // Once passed, the limit no longer holds; kept, it would come into force again half the sequence space later.
        self.ever_recovered &= snd_una.at_or_before(self.recover);
        let over = self.phase != RecoveryPhase::Open && snd_una.at_or_after(self.recover);
        if over {
            self.phase = RecoveryPhase::Open;
            self.resend_next = snd_una;
            self.resend_end = snd_una;
        }
        over
    }
}
