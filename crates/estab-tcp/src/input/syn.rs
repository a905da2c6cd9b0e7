//! Fourth (the third, security, is history): check the SYN bit.

use super::{CONTINUE, Step, drop};
use crate::event::DropReason;
use crate::{Connection, Cx, SegmentIn};

/// A SYN on an open connection is never believed, wherever it stands: the ACK lets a peer that has forgotten us reset the
/// connection and try again (RFC 5961).
pub(super) fn check(connection: &mut Connection, cx: &mut Cx<'_>, segment: &SegmentIn) -> Step {
    if !segment.header.flags.syn() {
        return CONTINUE;
    }
    connection.challenge(cx, segment);
    drop(DropReason::ChallengedSyn)
}
