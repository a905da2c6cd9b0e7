//! A segment meets a listener (RFC 9293 section 3.10.7.2), and SYN cookies.

use super::HalfOpenOwner;
use super::cookies::{self, hide_options, reveal_options};
use super::input::Arrival;
use super::{Listener, Owner};
use crate::sockets::Kind;
use crate::{SocketId, Stack};
use estab_tcp::event::DropReason;
use estab_tcp::{HalfOpen, Instant, Opening, SegmentIn, State};
use estab_wire::tcp::{Options, SynOptions};

/// What a listener does about a SYN.
enum Answer {
    Record,
    Cookie,
    Drop(DropReason),
}

impl Stack {
    pub(super) fn listener_arrives(&mut self, now: Instant, listener: SocketId, arrival: Arrival) {
        let flags = arrival.segment.header.flags;
        // First, second and third step; a SYN's other flags do not matter (RFC 3360 for those of ECN and the reserved ones).
        if flags.rst() {
            self.refuse_at_listener(now, &arrival, DropReason::NotSyn);
        } else if flags.ack() {
            self.ack_at_listener(now, listener, arrival);
        } else if flags.syn() {
            self.syn_at_listener(now, listener, &arrival);
        } else {
            self.refuse_at_listener(now, &arrival, DropReason::NotSyn);
        }
    }

    fn refuse_at_listener(&mut self, now: Instant, arrival: &Arrival, reason: DropReason) {
        self.segment_in_event(now, arrival, State::Listen);
        self.drop_arrival(now, arrival, reason);
    }

    fn syn_at_listener(&mut self, now: Instant, listener: SocketId, arrival: &Arrival) {
        let answer = match self.listener(listener) {
            Some(state) => self.answer_to_syn(state),
            None => return,
        };
        if let Answer::Drop(reason) = answer {
            return self.refuse_at_listener(now, arrival, reason);
        }
        let over = self.answer_over(arrival.interface, &arrival.tuple);
        let Ok(path) = self.path(now, arrival.tuple.remote, over) else {
            self.reporter.counters.unsendable += 1;
            return self.refuse_at_listener(now, arrival, DropReason::Address);
        };
        let opening = self.opening(now, &arrival.tuple, &path, arrival.after);
        if matches!(answer, Answer::Cookie) {
            self.answer_with_cookie(now, listener, arrival, opening);
        } else {
            let owner = HalfOpenOwner::Listener(listener);
            self.half_open(now, owner, arrival, opening);
        }
    }

    fn answer_to_syn(&self, listener: &Listener) -> Answer {
        let settings = &self.settings;
        // As in Linux the SYN queue holds one more than the backlog too.
        let room = (listener.backlog + 1).min(settings.tcp_max_syn_backlog as usize);
        if listener.queue.len() > listener.backlog {
            Answer::Drop(DropReason::AcceptQueueFull)
        } else if settings.tcp_syncookies >= 2 {
            Answer::Cookie
        } else if listener.half_open.len() < room {
            Answer::Record
        } else if settings.tcp_syncookies == 1 {
            Answer::Cookie
        } else {
            Answer::Drop(DropReason::SynQueueFull)
        }
    }

    pub(super) fn listener(&self, listener: SocketId) -> Option<&Listener> {
        match &self.sockets.get(listener).ok()?.kind {
            Kind::Listener(state) => Some(state),
            _ => None,
        }
    }

    /// As in Linux a backlog of 0 still lets one connection wait.
    pub(super) fn accept_queue_is_full(&self, listener: SocketId) -> bool {
        self.listener(listener)
            .is_none_or(|state| state.queue.len() > state.backlog)
    }

    /// Answers a SYN and keeps nothing.
    fn answer_with_cookie(
        &mut self,
        now: Instant,
        listener: SocketId,
        arrival: &Arrival,
        mut opening: Opening,
    ) {
        let tuple = arrival.tuple;
        let mut syn = arrival.segment.clone();
        let Options::Syn(offered) = &mut syn.header.options else {
            return;
        };
        let default_mss = if tuple.remote.is_ipv4() { 536 } else { 1220 };
        let mss = offered.mss.filter(|mss| *mss > 0).unwrap_or(default_mss);
        opening.iss = self.tcp.cookies.make(now, &tuple, syn.header.seq, mss);
        if offered.timestamps.is_some() && self.settings.tcp_timestamps {
            // Our timestamp must come out as one that carries the options.
            let value = opening.timestamp(now);
            let hidden = hide_options(value, offered);
            opening.timestamp_offset = opening
                .timestamp_offset
                .wrapping_sub(value.wrapping_sub(hidden));
        } else {
            // Nothing would bring them back.
            *offered = SynOptions {
                mss: offered.mss,
                ..SynOptions::default()
            };
        }
        let over = self.answer_over(arrival.interface, &tuple);
        let Ok(socket) = self.sockets.get_mut(listener) else {
            return;
        };
        let mut cx = self.reporter.cx(now, &self.settings);
        let syn_ack = HalfOpen::cookie_syn_ack(&mut cx, &tuple, &syn, opening, &socket.options);
        if let Kind::Listener(state) = &mut socket.kind {
            state.cookie_sent = Some(now);
        }
        self.reporter.counters.cookies_sent += 1;
        self.send_reported(now, &tuple, over, syn_ack);
    }

    /// An ACK at a listener is bad, unless it brings back a cookie.
    fn ack_at_listener(&mut self, now: Instant, listener: SocketId, arrival: Arrival) {
        let looked_for = !arrival.segment.header.flags.syn()
            && self
                .listener(listener)
                .and_then(|state| state.cookie_sent)
                .is_some_and(|sent| now.since(sent) <= cookies::LIFE);
        if !looked_for {
            self.refuse_at_listener(now, &arrival, DropReason::NotSyn);
            return self.reset(now, &arrival, State::Listen);
        }
        let Some(mss) = self.check_cookie(now, &arrival.segment, &arrival) else {
            self.refuse_at_listener(now, &arrival, DropReason::InvalidCookie);
            return self.reset(now, &arrival, State::Listen);
        };
        if self.accept_queue_is_full(listener) {
            self.refuse_at_listener(now, &arrival, DropReason::AcceptQueueFull);
            if self.settings.tcp_abort_on_overflow {
                self.reporter.counters.overflow_resets += 1;
                self.reset(now, &arrival, State::Listen);
            }
            return;
        }
        self.adopt_cookie(now, listener, mss, arrival);
    }

    fn check_cookie(&self, now: Instant, segment: &SegmentIn, arrival: &Arrival) -> Option<u16> {
        let header = &segment.header;
        self.tcp
            .cookies
            .check(now, &arrival.tuple, header.seq - 1, header.ack - 1)
    }

    fn adopt_cookie(&mut self, now: Instant, listener: SocketId, mss: u16, arrival: Arrival) {
        let tuple = arrival.tuple;
        let over = self.answer_over(arrival.interface, &tuple);
        let Ok(path) = self.path(now, tuple.remote, over) else {
            self.reporter.counters.unsendable += 1;
            return self.refuse_at_listener(now, &arrival, DropReason::Address);
        };
        let header = &arrival.segment.header;
        let opening = Opening {
            iss: header.ack - 1,
            ..self.opening(now, &tuple, &path, None)
        };
        let timestamps = header
            .options
            .timestamps()
            .filter(|_| self.settings.tcp_timestamps);
        let peer = reveal_options(mss, timestamps.map(|ts| ts.echo));
        let Ok(socket) = self.sockets.get(listener) else {
            return;
        };
        let mut cx = self.reporter.cx(now, &self.settings);
        let record =
            HalfOpen::from_cookie(&mut cx, &arrival.segment, opening, peer, &socket.options);
        self.reporter.counters.cookies_accepted += 1;
        self.adopt(now, Owner::Listener(listener), tuple, record, over, arrival);
    }
}
