//! Half-open connections: records in SYN-RECEIVED, held by a listener's SYN queue or by an accepted request.

use super::input::Arrival;
use super::output::{bare, mss_of};
use super::{HalfOpenId, HalfOpenOwner, KeptHalfOpen, Owner, sequence};
use crate::ip::Path;
use crate::ports::{Claim, Hold, Scope};
use crate::sockets::Kind;
use crate::stack::TimerKey;
use crate::{InterfaceId, Readiness, Stack};
use estab_tcp::event::DropReason;
use estab_tcp::{
    Cause, Connection, ConnectionError, Flags, FourTuple, HalfOpen, HalfOpenDisposition, IcmpError,
    IcmpErrorKind, Instant, Opening, SeqNum, State,
};

impl Stack {
    /// What a new connection must know of us.
    pub(super) fn opening(
        &self,
        now: Instant,
        tuple: &FourTuple,
        path: &Path,
        after: Option<SeqNum>,
    ) -> Opening {
        Opening {
            iss: sequence::initial(&self.tcp.isn, now, tuple, after),
            timestamp_offset: self.tcp.isn.timestamp_offset(tuple),
            mss: mss_of(path, tuple.remote.ip()),
        }
    }

    /// LISTEN to SYN-RECEIVED: keeps a record and answers with SYN-ACK.
    pub(super) fn half_open(
        &mut self,
        now: Instant,
        owner: HalfOpenOwner,
        arrival: &Arrival,
        opening: Opening,
    ) -> Option<HalfOpenId> {
        let tuple = arrival.tuple;
        let interface = self.answer_over(arrival.interface, &tuple);
        let socket = self.sockets.get_mut(owner.socket()).ok()?;
        let mut cx = self.reporter.cx(now, &self.settings);
        let make = match owner {
            HalfOpenOwner::Listener(_) => HalfOpen::new,
            HalfOpenOwner::Accepting(_) => HalfOpen::accept,
        };
        let record = make(&mut cx, &tuple, &arrival.segment, opening, &socket.options);
        let syn_ack = record.syn_ack(&mut cx, &tuple, &socket.options);
        let deadline = record.deadline();
        let timers = &mut self.timers;
        let id = self.tcp.half_open.insert_with_key(tuple, |id| {
            let timer = timers.add(TimerKey::HalfOpen(id));
            timers.arm(timer, Some(deadline));
            let position = match &mut socket.kind {
                Kind::Listener(listener) => {
                    listener.half_open.push(id);
                    listener.half_open.len() - 1
                }
                _ => 0,
            };
            KeptHalfOpen {
                record,
                owner,
                position,
                timer,
                since: now,
                deferred: false,
                interface,
            }
        });
        self.reporter.counters.half_opens += 1;
        self.send_reported(now, &tuple, interface, syn_ack);
        Some(id)
    }

    pub(super) fn half_open_arrives(&mut self, now: Instant, id: HalfOpenId, arrival: Arrival) {
        let tuple = arrival.tuple;
        let Some(kept) = self.tcp.half_open.get_mut(id) else {
            return;
        };
        let Ok(socket) = self.sockets.get(kept.owner.socket()) else {
            return;
        };
        let (timer, interface) = (kept.timer, kept.interface);
        let mut cx = self.reporter.cx(now, &self.settings);
        let segment = &arrival.segment;
        let disposition = kept
            .record
            .handle_segment(&mut cx, &tuple, segment, &socket.options);
        self.timers.arm(timer, Some(kept.record.deadline()));
        match disposition {
            HalfOpenDisposition::Drop(_) => {}
            HalfOpenDisposition::Reply(reply, _) => {
                self.send_reported(now, &tuple, interface, reply);
            }
            HalfOpenDisposition::Reset(reset) => {
                self.reporter.counters.resets_out += 1;
                self.send_reported(now, &tuple, interface, reset);
            }
            HalfOpenDisposition::Established => self.complete(now, id, arrival),
            HalfOpenDisposition::Closed => {
                self.reporter.counters.half_open_resets += 1;
                self.half_open_failed(id, ConnectionError::Reset);
            }
        }
    }

    /// The third segment of the handshake has come.
    fn complete(&mut self, now: Instant, id: HalfOpenId, arrival: Arrival) {
        let Some(kept) = self.tcp.half_open.get_mut(id) else {
            return;
        };
        let owner = match kept.owner {
            HalfOpenOwner::Accepting(socket) => Owner::Socket(socket),
            HalfOpenOwner::Listener(listener) => {
                let Ok(socket) = self.sockets.get(listener) else {
                    return;
                };
                let text =
                    !arrival.segment.payload.is_empty() || arrival.segment.header.flags.fin();
                if !text && now.since(kept.since) < socket.defer_accept {
                    kept.deferred = true;
                    return;
                }
                if self.accept_queue_is_full(listener) {
                    return self.overflow(now, id, &arrival);
                }
                Owner::Listener(listener)
            }
        };
        let Some((tuple, kept)) = self.forget_half_open(id) else {
            return;
        };
        self.adopt(now, owner, tuple, kept.record, kept.interface, arrival);
    }

    /// Makes a connection of a record. A listener's goes into the accept queue.
    pub(super) fn adopt(
        &mut self,
        now: Instant,
        owner: Owner,
        tuple: FourTuple,
        record: HalfOpen,
        interface: Option<InterfaceId>,
        arrival: Arrival,
    ) {
        let (Owner::Socket(id) | Owner::Listener(id)) = owner else {
            return;
        };
        let Ok(socket) = self.sockets.get(id) else {
            return;
        };
        let options = socket.options.clone();
        let claim = Claim {
            reuse_address: socket.reuse_address,
            reuse_port: socket.reuse_port,
            ..Claim::default()
        };
        // The port of an intercepted connection is not ours to reserve.
        let hold: Option<Hold> = matches!(owner, Owner::Listener(_)).then(|| {
            let local = tuple.local;
            self.tcp
                .ports
                .hold(Scope::of(local.ip()), local.port(), claim)
        });
        let mut cx = self.reporter.cx(now, &self.settings);
        let connection =
            Connection::from_half_open(&mut cx, tuple, record, options, arrival.segment);
        self.reporter.counters.passive_opens += 1;
        let connection = self.keep_connection(now, connection, owner, hold, interface);
        if let Owner::Listener(listener) = owner
            && let Ok(Kind::Listener(state)) = self.sockets.get_mut(listener).map(|s| &mut s.kind)
        {
            state.queue.push_back(connection);
            self.sockets.set_readiness(listener, Readiness::READABLE);
            self.sockets.tell_arrival(listener, Readiness::READABLE);
        }
    }

    /// The accept queue has no room: the third ACK is ignored, so that the peer's data or our SYN-ACK brings another; or the
    /// peer is told.
    fn overflow(&mut self, now: Instant, id: HalfOpenId, arrival: &Arrival) {
        self.drop_arrival(now, arrival, DropReason::AcceptQueueFull);
        if self.settings.tcp_abort_on_overflow {
            self.reporter.counters.overflow_resets += 1;
            self.reset(now, arrival, State::SynReceived);
            if let Some((tuple, kept)) = self.forget_half_open(id) {
                let mut cx = self.reporter.cx(now, &self.settings);
                kept.record.over(&mut cx, &tuple, Cause::Evicted);
            }
        }
    }

    /// Ends a record for a reason of ours: the peer gets a RST.
    pub(super) fn end_half_open(&mut self, now: Instant, id: HalfOpenId, cause: Cause) {
        let Some((tuple, kept)) = self.forget_half_open(id) else {
            return;
        };
        let (seq, ack) = (kept.record.iss() + 1, kept.record.irs() + 1);
        let (local, remote) = (tuple.local.port(), tuple.remote.port());
        let reset = bare(local, remote, seq, ack, Flags::RST | Flags::ACK);
        self.send_control(now, &tuple, kept.interface, State::SynReceived, reset);
        let mut cx = self.reporter.cx(now, &self.settings);
        kept.record.over(&mut cx, &tuple, cause);
    }

    /// Takes a record out of the table, its listener's list and the timers.
    pub(super) fn forget_half_open(&mut self, id: HalfOpenId) -> Option<(FourTuple, KeptHalfOpen)> {
        let (tuple, kept) = self.tcp.half_open.remove(id)?;
        self.timers.remove(kept.timer);
        if let HalfOpenOwner::Listener(listener) = kept.owner
            && let Ok(Kind::Listener(listener)) =
                self.sockets.get_mut(listener).map(|s| &mut s.kind)
        {
            listener.half_open.swap_remove(kept.position);
            if let Some(moved) = listener.half_open.get(kept.position)
                && let Some(moved) = self.tcp.half_open.get_mut(*moved)
            {
                moved.position = kept.position;
            }
        }
        Some((tuple, kept))
    }

    /// A record ended without becoming a connection: a socket that accepted the request learns why.
    fn half_open_failed(&mut self, id: HalfOpenId, error: ConnectionError) {
        if let Some((tuple, kept)) = self.forget_half_open(id)
            && let HalfOpenOwner::Accepting(socket_id) = kept.owner
            && let Ok(socket) = self.sockets.get_mut(socket_id)
        {
            socket.kind = Kind::Failed(tuple, Some(error));
            let ready = self.readiness_now(socket_id);
            self.sockets.set_readiness(socket_id, ready);
        }
    }

    pub(crate) fn half_open_timeout(&mut self, now: Instant, id: HalfOpenId) {
        let Some(tuple) = self.tcp.half_open.tuple(id) else {
            return;
        };
        let Some(kept) = self.tcp.half_open.get_mut(id) else {
            return;
        };
        let Ok(socket) = self.sockets.get(kept.owner.socket()) else {
            return;
        };
        let mut cx = self.reporter.cx(now, &self.settings);
        let again = kept.record.handle_timeout(&mut cx, &tuple, &socket.options);
        let Some(syn_ack) = again else {
            self.reporter.counters.half_open_timeouts += 1;
            return self.half_open_failed(id, ConnectionError::TimedOut);
        };
        self.timers.arm(kept.timer, Some(kept.record.deadline()));
        // While data is waited for, the peer need not be asked again: it has answered.
        let waits = kept.deferred && now.since(kept.since) < socket.defer_accept;
        if !waits {
            let interface = kept.interface;
            self.send_reported(now, &tuple, interface, syn_ack);
        }
    }

    /// A hard ICMP error about our SYN-ACK ends the record (RFC 9293 3.9.2.2); soft ones are waited out.
    pub(super) fn icmp_for_half_open(&mut self, now: Instant, id: HalfOpenId, error: IcmpError) {
        let hard = matches!(
            error.kind,
            IcmpErrorKind::ProtocolUnreachable
                | IcmpErrorKind::PortUnreachable
                | IcmpErrorKind::Prohibited
        );
        let Some(kept) = self.tcp.half_open.get(id) else {
            return;
        };
        // Only who saw the SYN-ACK knows its number (RFC 5927).
        if !hard || error.seq != kept.record.iss() {
            self.reporter.counters.icmp_unmatched += 1;
            return;
        }
        self.reporter.counters.half_open_resets += 1;
        if let Some(tuple) = self.tcp.half_open.tuple(id) {
            let mut cx = self.reporter.cx(now, &self.settings);
            let record = kept.record.clone();
            record.over(&mut cx, &tuple, Cause::ReceiveIcmp);
        }
        self.half_open_failed(id, ConnectionError::HostUnreachable);
    }
}
