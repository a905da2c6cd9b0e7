//! ICMP errors about this connection (RFC 9293 3.9.2.2).

use crate::event::{Event, RetransmitReason};
use crate::{Cause, Connection, ConnectionError, Cx, IcmpError, IcmpErrorKind, State};

impl Connection {
    // RFC 9293 3.9.2.2 MUST-47: soft errors are kept for the application to ask.
    /// Only an error about something that is outstanding is believed (RFC 5927).
    pub(crate) fn icmp_arrives(&mut self, cx: &mut Cx<'_>, error: IcmpError) {
        let outstanding = error.seq.at_or_after(self.snd.una) && error.seq.before(self.snd.max);
        let ended = matches!(self.state, State::Closed | State::TimeWait);
        if !outstanding || ended {
            return;
        }
        match error.kind {
            IcmpErrorKind::PacketTooBig { mtu } => self.path_shrank(cx, mtu),
            kind => self.unreachable(cx, kind),
        }
    }

    /// RFC 9293 3.9.2.2 MUST-56, SHLD-25: a soft error never aborts, it is remembered. A hard one (SHLD-26) aborts while opening
    /// only: later, it could be forged (RFC 5461).
    fn unreachable(&mut self, cx: &mut Cx<'_>, kind: IcmpErrorKind) {
        let (error, hard) = match kind {
            IcmpErrorKind::NetUnreachable => (ConnectionError::NetworkUnreachable, false),
            IcmpErrorKind::HostUnreachable => (ConnectionError::HostUnreachable, false),
            IcmpErrorKind::TimeExceeded | IcmpErrorKind::ParameterProblem => {
                (ConnectionError::HostUnreachable, false)
            }
            IcmpErrorKind::PortUnreachable => (ConnectionError::Refused, true),
            IcmpErrorKind::ProtocolUnreachable => (ConnectionError::ProtocolUnreachable, true),
            IcmpErrorKind::Prohibited => (ConnectionError::HostUnreachable, true),
            IcmpErrorKind::PacketTooBig { .. } => return,
        };
        if hard && !self.state.is_synchronized() {
            self.fail(cx, Cause::ReceiveIcmp, error);
        } else {
            self.life.soft_error = Some(error);
        }
    }

    // RFC 9293 3.7.1 SHLD-6.
    /// The network layer knows that the path takes no larger IP packets than this: another connection learned it, or the route
    /// changed. A larger one than is known changes nothing.
    pub fn limit_path_mtu(&mut self, cx: &mut Cx<'_>, mtu: u32) {
        if !matches!(self.state, State::Closed | State::TimeWait) {
            self.path_shrank(cx, mtu);
        }
    }

    /// The path takes less than we sent (RFC 1191): what is outstanding is cut anew. It was not congestion.
    fn path_shrank(&mut self, cx: &mut Cx<'_>, mtu: u32) {
        let headers = if self.tuple.remote.is_ipv4() { 40 } else { 60 };
        let mss = u16::try_from(mtu.saturating_sub(headers)).unwrap_or(u16::MAX);
        if mss >= self.path_mss {
            return;
        }
        self.path_mss = mss;
        self.update_mss();
        if self.state.is_synchronized() && self.snd.una != self.snd.nxt {
            self.recovery.resend_all(self.snd.una, self.snd.nxt);
            self.timed = None;
            let len = self.snd.nxt.since(self.snd.una);
            let reason = RetransmitReason::PathMtu;
            self.report(
                cx,
                Event::Retransmit {
                    seq: self.snd.una,
                    len,
                    reason,
                },
            );
        }
    }
}
