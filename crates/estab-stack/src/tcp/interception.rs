//! Interception: a listener for any address and any port, that decides before the SYN is answered.

use super::HalfOpenOwner;
use super::input::Arrival;
use crate::sockets::{Kind, Socket};
use crate::stack::TimerKey;
use crate::timers::TimerId;
use crate::{Decision, Error, InterfaceId, Readiness, Request, RequestId, SocketId, Stack, Wait};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;
use core::time::Duration;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, FourTuple, Header, Instant, IpMeta, SegmentIn, SeqNum, State};

/// A request that nobody decides, or whose client was told nothing, is forgotten when no SYN came for so long. The client
/// repeats it with pauses of up to 64 s.
const FORGET_AFTER: Duration = Duration::from_secs(70);
/// Most requests whose repeats are absorbed because they were decided with [`Decision::Drop`].
const IGNORED_MAX: usize = 4096;
/// Bytes of a SYN's packet kept, to be quoted in an ICMP error: the largest headers.
const QUOTE_MAX: usize = 128;

/// A listener for any address and port.
pub(crate) struct Interceptor {
    undecided_max: usize,
    /// Requests that are not decided.
    undecided: Vec<RequestId>,
    /// Those of them that were not handed out, oldest first; some may be gone.
    new: VecDeque<RequestId>,
    /// Requests decided with [`Decision::Drop`], oldest first; some may be gone.
    ignored: VecDeque<RequestId>,
}

/// A SYN that is not answered.
pub(crate) struct PendingRequest {
    interceptor: SocketId,
    header: Header,
    ip: IpMeta,
    interface: InterfaceId,
    quote: Bytes,
    after: Option<SeqNum>,
    timer: TimerId,
    /// Where it stands among the undecided; `None`: it was decided that it is never answered.
    position: Option<usize>,
}

impl Interceptor {
    /// Is there a request that was not handed out?
    pub(crate) fn has_new(&self) -> bool {
        !self.new.is_empty()
    }
}

impl PendingRequest {
    /// The SYN as it came. Its text is not kept, the client will send it again.
    fn arrival(&self, tuple: FourTuple) -> Arrival {
        Arrival {
            tuple,
            segment: SegmentIn {
                header: self.header.clone(),
                ip: self.ip,
                payload: Bytes::new(),
                segments: 1,
                segment_size: 0,
            },
            interface: self.interface,
            original: self.quote.clone(),
            after: self.after,
        }
    }
}

impl Stack {
    /// A listener for any address and any port: SYNs that no other listener is for become requests, to be taken with
    /// [`Self::next_request`] and decided with [`Self::decide`]. [`Self::set_any_address`] must let them in.
    /// `undecided_max` requests may wait for a decision; beyond it new ones are dropped, and counted. Several interceptors share the
    /// requests. The options set on it are those of the connections.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `undecided_max` is 0.
    pub fn intercept(&mut self, _now: Instant, undecided_max: u32) -> Result<SocketId, Error> {
        if undecided_max == 0 {
            return Err(Error::Invalid);
        }
        let kind = Kind::Interceptor(Box::new(Interceptor {
            undecided_max: undecided_max as usize,
            undecided: Vec::new(),
            new: VecDeque::new(),
            ignored: VecDeque::new(),
        }));
        let socket = self.sockets.add(Socket::new(true, kind));
        self.tcp.interceptors.push(socket);
        Ok(socket)
    }

    /// The next request, oldest first. Its SYN is not answered, and what the client repeats is absorbed, until it is decided.
    ///
    /// # Errors
    /// `WouldBlock(Readable)` when there is none. [`Error::NotSupported`]: not an interceptor.
    pub fn next_request(&mut self, socket: SocketId) -> Result<Request, Error> {
        let state = interceptor(&mut self.sockets.get_mut(socket)?.kind)?;
        let mut request = None;
        while let Some(id) = state.new.pop_front() {
            if let Some(FourTuple { local, remote }) = self.tcp.requests.tuple(id) {
                request = Some(Request { id, local, remote });
                break;
            }
        }
        while let Some(id) = state.new.front()
            && self.tcp.requests.get(*id).is_none()
        {
            state.new.pop_front();
        }
        let ready = Readiness::READABLE.when(!state.new.is_empty());
        self.sockets.set_readiness(socket, ready);
        request.ok_or(Error::WouldBlock(Wait::Readable))
    }

    /// Decides a request. Accepting gives the socket, which becomes writable when the handshake is complete, or fails when the
    /// client goes away.
    ///
    /// # Errors
    /// [`Error::Connection`] with [`ConnectionError::Aborted`]: the client went away, or the request was decided or forgotten.
    /// [`Error::NetworkUnreachable`] when there is no way back to the client.
    pub fn decide(
        &mut self,
        now: Instant,
        request: RequestId,
        decision: Decision,
    ) -> Result<Option<SocketId>, Error> {
        const GONE: Error = Error::Connection(ConnectionError::Aborted);
        let tuple = self.tcp.requests.tuple(request).ok_or(GONE)?;
        let pending = self.tcp.requests.get(request).ok_or(GONE)?;
        if pending.position.is_none() {
            return Err(GONE);
        }
        let (arrival, interceptor) = (pending.arrival(tuple), pending.interceptor);
        match decision {
            Decision::Drop => {
                self.ignore(now, request);
                return Ok(None);
            }
            Decision::Accept => return self.accept_request(now, request, interceptor, &arrival),
            Decision::Refuse => {
                self.forget_request(request);
                self.reset(now, &arrival, State::Listen);
            }
            Decision::Unreachable(kind) => {
                self.forget_request(request);
                let mut cx = self.reporter.ip_cx(now, &self.settings);
                self.ip
                    .send_icmp_error(&mut cx, arrival.interface, &arrival.original, kind);
            }
        }
        Ok(None)
    }

    fn accept_request(
        &mut self,
        now: Instant,
        request: RequestId,
        interceptor: SocketId,
        arrival: &Arrival,
    ) -> Result<Option<SocketId>, Error> {
        let over = self.answer_over(arrival.interface, &arrival.tuple);
        let path = self.path(now, arrival.tuple.remote, over)?;
        let opening = self.opening(now, &arrival.tuple, &path, arrival.after);
        self.forget_request(request);
        let mut socket = self.sockets.get(interceptor)?.accepted(Kind::Fresh);
        socket.v6 = arrival.tuple.local.is_ipv6();
        let socket = self.sockets.add(socket);
        let owner = HalfOpenOwner::Accepting(socket);
        let half_open = self.half_open(now, owner, arrival, opening);
        if let Some(half_open) = half_open {
            self.sockets.get_mut(socket)?.kind = Kind::Accepting(half_open);
        }
        Ok(Some(socket))
    }

    /// A segment that no connection and no listener is for. Gives it back when interception leaves it alone too.
    pub(super) fn interception_arrives(
        &mut self,
        now: Instant,
        arrival: Arrival,
    ) -> Option<Arrival> {
        if self.tcp.interceptors.is_empty() {
            return Some(arrival);
        }
        if let Some(id) = self.tcp.requests.find(&arrival.tuple) {
            return self.request_arrives(now, id, arrival);
        }
        let flags = arrival.segment.header.flags;
        if !flags.syn() || flags.ack() || flags.rst() {
            return Some(arrival);
        }
        self.new_request(now, arrival);
        None
    }

    fn new_request(&mut self, now: Instant, arrival: Arrival) {
        self.segment_in_event(now, &arrival, State::Listen);
        let receivers = &self.tcp.listeners;
        let Some(socket) = receivers.pick(&self.tcp.interceptors, &arrival.tuple) else {
            return;
        };
        let Ok(Kind::Interceptor(state)) = self.sockets.get_mut(socket).map(|s| &mut s.kind) else {
            return;
        };
        if state.undecided.len() >= state.undecided_max {
            self.reporter.counters.request_overflows += 1;
            return self.drop_arrival(now, &arrival, DropReason::SynQueueFull);
        }
        let quote = arrival
            .original
            .get(..QUOTE_MAX.min(arrival.original.len()));
        let quote = Bytes::copy_from_slice(quote.unwrap_or_default());
        let timers = &mut self.timers;
        let position = state.undecided.len();
        let id = self.tcp.requests.insert_with_key(arrival.tuple, |id| {
            let timer = timers.add(TimerKey::Request(id));
            timers.arm(timer, Some(now + FORGET_AFTER));
            PendingRequest {
                interceptor: socket,
                header: arrival.segment.header,
                ip: arrival.segment.ip,
                interface: arrival.interface,
                quote,
                after: arrival.after,
                timer,
                position: Some(position),
            }
        });
        state.undecided.push(id);
        state.new.push_back(id);
        self.reporter.counters.intercepted += 1;
        self.sockets.set_readiness(socket, Readiness::READABLE);
    }

    /// A segment of a client whose SYN waits. Gives it back when it opens another connection.
    fn request_arrives(
        &mut self,
        now: Instant,
        id: RequestId,
        arrival: Arrival,
    ) -> Option<Arrival> {
        let pending = self.tcp.requests.get(id)?;
        let (known, header) = (&pending.header, &arrival.segment.header);
        let repeated = header.flags.syn() && !header.flags.ack() && header.seq == known.seq;
        // As in SYN-RECEIVED: only at RCV.NXT (RFC 5961).
        let gone = header.flags.rst() && header.seq == known.seq + 1;
        let anew = header.flags.syn() && !header.flags.ack() && !header.flags.rst() && !repeated;
        if repeated {
            self.reporter.counters.request_repeats += 1;
            self.timers.arm(pending.timer, Some(now + FORGET_AFTER));
        }
        if gone || anew {
            self.forget_request(id);
        }
        if anew {
            self.new_request(now, arrival);
            return None;
        }
        self.segment_in_event(now, &arrival, State::Listen);
        self.drop_arrival(now, &arrival, DropReason::Intercepted);
        None
    }

    /// The request is never answered, nor are its repeats.
    fn ignore(&mut self, now: Instant, id: RequestId) {
        let Some(pending) = self.tcp.requests.get(id) else {
            return;
        };
        let (socket, timer) = (pending.interceptor, pending.timer);
        self.take_from_undecided(id);
        self.timers.arm(timer, Some(now + FORGET_AFTER));
        let Ok(Kind::Interceptor(state)) = self.sockets.get_mut(socket).map(|s| &mut s.kind) else {
            return;
        };
        state.ignored.push_back(id);
        let oldest = match state.ignored.len() > IGNORED_MAX {
            true => state.ignored.pop_front(),
            false => None,
        };
        if let Some(oldest) = oldest {
            self.forget_request(oldest);
        }
    }

    fn take_from_undecided(&mut self, id: RequestId) {
        let Some(pending) = self.tcp.requests.get_mut(id) else {
            return;
        };
        let (socket, position) = (pending.interceptor, pending.position.take());
        let Ok(Kind::Interceptor(state)) = self.sockets.get_mut(socket).map(|s| &mut s.kind) else {
            return;
        };
        let Some(position) = position else {
            return;
        };
        state.undecided.swap_remove(position);
        if let Some(moved) = state.undecided.get(position)
            && let Some(moved) = self.tcp.requests.get_mut(*moved)
        {
            moved.position = Some(position);
        }
        // What went away without being handed out does not pile up.
        if state.new.len() > 2 * state.undecided.len() + 16 {
            let requests = &self.tcp.requests;
            let waits = |id: &RequestId| requests.get(*id).is_some_and(|r| r.position.is_some());
            state.new.retain(waits);
        }
    }

    fn forget_request(&mut self, id: RequestId) {
        self.take_from_undecided(id);
        if let Some((_, pending)) = self.tcp.requests.remove(id) {
            self.timers.remove(pending.timer);
        }
    }

    pub(crate) fn request_timeout(&mut self, id: RequestId) {
        if self
            .tcp
            .requests
            .get(id)
            .is_some_and(|r| r.position.is_some())
        {
            self.reporter.counters.request_timeouts += 1;
        }
        self.forget_request(id);
    }

    /// Nobody decides any more: what was asked is forgotten.
    pub(super) fn end_interceptor(&mut self, socket: SocketId) {
        self.tcp.interceptors.retain(|other| *other != socket);
        let Ok(Kind::Interceptor(state)) = self.sockets.get_mut(socket).map(|s| &mut s.kind) else {
            return;
        };
        let undecided = core::mem::take(&mut state.undecided);
        let ignored = core::mem::take(&mut state.ignored);
        for id in undecided.into_iter().chain(ignored) {
            if let Some((_, pending)) = self.tcp.requests.remove(id) {
                self.timers.remove(pending.timer);
            }
        }
    }
}

fn interceptor(kind: &mut Kind) -> Result<&mut Interceptor, Error> {
    match kind {
        Kind::Interceptor(state) => Ok(state),
        _ => Err(Error::NotSupported),
    }
}
