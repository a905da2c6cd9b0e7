use crate::acks::Acks;
use crate::congestion::Congestion;
use crate::event::{Call, ConnectionEvent, DropReason, Event, Interest, Timer, Variables};
use crate::half_open::{HalfOpen, Opening};
use crate::handshake::default_mss;
use crate::receive::ReceiveHalf;
use crate::recovery::Recovery;
use crate::rtt::RttEstimator;
use crate::send::SendHalf;
use crate::stats::Stats;
use crate::time_wait::{TimeWait, TimeWaitParts};
use crate::timer::Timers;
use crate::{
    Cause, ConnectionError, Cx, IcmpError, Instant, SegmentIn, SegmentOut, SocketOptions, State,
};
use core::net::SocketAddr;
use core::time::Duration;
use estab_wire::tcp::SeqNum;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FourTuple {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

/// Which directions `shutdown` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// `SHUT_RD`.
    Read,
    /// `SHUT_WR`.
    Write,
    /// `SHUT_RDWR`.
    Both,
}

/// One connection: from the first SYN (or from a completed handshake) to CLOSED or TIME-WAIT.
///
/// Its methods are of four kinds.
///
/// - *The network and the clock tell us something*: [`handle_segment`](Self::handle_segment),
///   [`handle_timeout`](Self::handle_timeout), [`handle_icmp`](Self::handle_icmp). They only change state.
/// - *The application asks for something*, the calls of RFC 9293 section 3.10: [`connect`](Self::connect), `send`, `receive`,
///   `shutdown`, `close`, `abort`.
/// - *What the caller must do next*. After any call of the first two kinds: [`poll_transmit`](Self::poll_transmit) until
///   `None`, then [`poll_event`](Self::poll_event) until `None`, then [`poll_timeout`](Self::poll_timeout) once: at that time,
///   call `handle_timeout`. A late or superfluous `handle_timeout` does no harm.
/// - *Look, without touching*: the rest.
///
/// In [`State::TimeWait`] the caller replaces the connection by the record that [`time_wait`](Self::time_wait) makes, and in
/// [`State::Closed`] forgets it; [`ConnectionEvent::Finished`] says when.
#[derive(Debug)]
pub struct Connection {
    pub(crate) tuple: FourTuple,
    pub(crate) state: State,
    pub(crate) options: SocketOptions,
    pub(crate) snd: SendHalf,
    pub(crate) rcv: ReceiveHalf,
    pub(crate) rtt: RttEstimator,
    pub(crate) recovery: Recovery,
    pub(crate) congestion: Congestion,
    pub(crate) acks: Acks,
    pub(crate) timers: Timers,
    pub(crate) agreed: Agreed,
    pub(crate) life: Life,
    pub(crate) due: Due,
    pub(crate) stats: Stats,
    /// Payload of a wire segment without options that the path takes.
    pub(crate) path_mss: u16,
    /// A segment whose round trip is being timed: its end, and when it was sent.
    pub(crate) timed: Option<(SeqNum, Instant)>,
    /// When the peer last acknowledged something new, or had nothing to acknowledge.
    pub(crate) progress_at: Instant,
    /// When anything acceptable last came.
    pub(crate) heard_at: Instant,
    /// When data was last sent.
    pub(crate) sent_at: Instant,
    /// Consecutive expiries of the retransmission timer.
    pub(crate) retries: u8,
    /// Unanswered window or keep-alive probes.
    pub(crate) probes: u8,
    /// Window probes of an orphan, answered or not.
    pub(crate) orphan_probes: u8,
}

/// What both ends' SYNs agreed on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) timestamps: bool,
    pub(crate) sack: bool,
    pub(crate) timestamp_offset: u32,
}

/// The application's side of the connection's life.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// The application closed: it will neither read nor send.
    pub(crate) closed: bool,
    /// No socket holds the connection.
    pub(crate) orphan: bool,
    /// The receiving side was shut down.
    pub(crate) read_shut: bool,
    /// Everything sent and the FIN were acknowledged before the end.
    pub(crate) flushed: bool,
    /// Why the connection ended, until it is told.
    pub(crate) error: Option<ConnectionError>,
    /// A soft ICMP error (RFC 5461), told in place of a time-out.
    pub(crate) soft_error: Option<ConnectionError>,
}

/// What is to be done at the next poll.
#[derive(Debug, Default)]
pub(crate) struct Due {
    /// A RST: sequence number, and acknowledgement number if it carries one.
    pub(crate) reset: Option<(SeqNum, Option<SeqNum>)>,
    /// One byte or FIN beyond the window.
    pub(crate) probe: bool,
    /// A keep-alive probe.
    pub(crate) keepalive: bool,
    /// Partial segments are let through once: their time is over.
    pub(crate) partial: bool,
    /// The congestion window stopped the last transmission.
    pub(crate) window_limited: bool,
    /// The application was told that it cannot send now.
    pub(crate) write_blocked: bool,
    pub(crate) events: Events,
}

/// Events that wait for `poll_event`: a set, so that nothing can pile up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Events(u8);

impl Events {
    pub(crate) fn set(&mut self, event: ConnectionEvent) {
        self.0 |= 1 << event as u8;
    }

    fn take(&mut self) -> Option<ConnectionEvent> {
        let event = ConnectionEvent::ALL
            .into_iter()
            .find(|event| self.0 & (1 << *event as u8) != 0)?;
        self.0 &= !(1 << event as u8);
        Some(event)
    }
}

/// Ways into a connection.
impl Connection {
    /// OPEN, active (RFC 9293 3.10.1): goes to SYN-SENT; the SYN is the first thing that `poll_transmit` gives. With a
    /// `timeout` the opening is given up when it passes, else when the SYN's retransmissions are used up.
    pub fn connect(
        cx: &mut Cx<'_>,
        tuple: FourTuple,
        opening: Opening,
        options: SocketOptions,
        timeout: Option<Duration>,
    ) -> Self {
        let mut connection = Self::new(cx, tuple, opening, options);
        connection.report(cx, Event::Call(Call::Connect));
        connection.agreed.timestamps = cx.settings.tcp_timestamps;
        connection.enter(cx, Cause::ActiveOpen);
        if let Some(timeout) = timeout {
            connection.arm(cx, Timer::User, cx.now + timeout);
        }
        connection
    }

    /// The handshake of a half-open record is complete; `segment` is the one that completed it, and what it carries beyond
    /// the ACK of our SYN is processed. A record that a SYN cookie brought back begins here too.
    pub fn from_half_open(
        cx: &mut Cx<'_>,
        tuple: FourTuple,
        record: HalfOpen,
        options: SocketOptions,
        segment: SegmentIn,
    ) -> Self {
        let parts = record.into_parts();
        let mut connection = Self::new(cx, tuple, parts.opening, options);
        connection.state = State::SynReceived;
        let offer = crate::handshake::Offer {
            mss: Some(parts.peer_mss),
            window_scale: parts.peer_wscale,
            sack: parts.sack,
            timestamps: parts
                .timestamps
                .map(|ts_recent| estab_wire::tcp::Timestamps {
                    value: ts_recent,
                    echo: 0,
                }),
        };
        connection.rcv.synchronize(parts.irs);
        connection.take_offer(cx, &offer);
        connection.rcv.wscale = parts.our_wscale;
        connection.rcv.edge = connection.rcv.nxt + parts.announced_window;
        connection.snd.nxt = parts.opening.iss + 1;
        connection.snd.max = connection.snd.nxt;
        connection
            .snd
            .set_window(u32::from(parts.peer_window), parts.irs, parts.opening.iss);
        if parts.resent {
            connection.syn_was_resent();
        }
        connection.timed = parts.sent_at.map(|at| (connection.snd.nxt, at));
        if parts.cookie {
            connection.state = State::Listen;
            connection.report_segment(cx, &segment);
            connection.our_syn_is_acknowledged(cx, segment.header.ack, None);
            connection.enter(cx, Cause::ReceiveCookie);
        }
        connection.process(cx, segment);
        connection
    }

    fn new(cx: &Cx<'_>, tuple: FourTuple, opening: Opening, options: SocketOptions) -> Self {
        let peer_mss = default_mss(&tuple);
        let limit = options.receive_buffer.unwrap_or(cx.settings.tcp_rmem.0);
        let mut connection = Self {
            tuple,
            state: State::Closed,
            snd: SendHalf::new(opening.iss, u32::from(peer_mss), peer_mss),
            rcv: ReceiveHalf::new(opening.mss, limit),
            rtt: RttEstimator::new(),
            recovery: Recovery::new(opening.iss),
            congestion: Congestion::new(options.congestion, u32::from(peer_mss), cx.settings),
            acks: Acks::new(),
            timers: Timers::new(),
            agreed: Agreed {
                timestamp_offset: opening.timestamp_offset,
                ..Agreed::default()
            },
            life: Life::default(),
            due: Due::default(),
            stats: Stats::default(),
            path_mss: opening.mss,
            timed: None,
            progress_at: cx.now,
            heard_at: cx.now,
            sent_at: cx.now,
            retries: 0,
            probes: 0,
            orphan_probes: 0,
            options,
        };
        connection.rcv.announced_mss = connection.mss_to_announce();
        connection.limit_receiving(cx);
        connection.send_limit_follows_path(cx);
        connection
    }
}

/// The network and the clock tell us something.
impl Connection {
    /// SEGMENT ARRIVES (RFC 9293 3.10.7).
    pub fn handle_segment(&mut self, cx: &mut Cx<'_>, segment: SegmentIn) {
        self.report_segment(cx, &segment);
        self.process(cx, segment);
    }

    fn process(&mut self, cx: &mut Cx<'_>, segment: SegmentIn) {
        self.stats.count_in(&segment);
        match self.state {
            // The owner forgets the connection, and answers for it.
            State::Closed => self.report_drop(cx, DropReason::Closed, &segment),
            State::SynSent => self.arrives_in_syn_sent(cx, segment),
            _ => self.arrives(cx, segment),
        }
        self.check();
    }

    /// Time has passed (RFC 9293 3.10.8): runs every timer whose deadline is not after `cx.now`.
    pub fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        let mut syn_again = false;
        while let Some(timer) = self.timers.take_expired(cx.now) {
            if timer == Timer::User && syn_again {
                // The SYN that falls due at the end of the caller's time goes out; then the time is over.
                let next = cx.now + Duration::from_nanos(1);
                self.timers.arm(Timer::User, next);
                continue;
            }
            syn_again |= timer == Timer::Retransmit && self.state == State::SynSent;
            self.expired(cx, timer);
        }
        self.check();
    }

    /// An ICMP error quotes a segment of ours (RFC 9293 3.9.2.2, RFC 5461, RFC 5927).
    pub fn handle_icmp(&mut self, cx: &mut Cx<'_>, error: IcmpError) {
        self.icmp_arrives(cx, error);
        self.check();
    }
}

/// What the caller must do next.
impl Connection {
    /// The next segment to send, of at most `max_segments` wire segments; call until `None`.
    pub fn poll_transmit(&mut self, cx: &mut Cx<'_>, max_segments: u16) -> Option<SegmentOut> {
        let segment = self.next_segment(cx, max_segments.max(1))?;
        self.stats.count_out(&segment);
        cx.emit(&self.tuple, Interest::SEGMENT, || Event::SegmentOut {
            header: &segment.header,
            len: segment.payload.len(),
            state: self.state,
            variables: self.variables(),
            segment_size: segment.segment_size,
        });
        self.check();
        Some(segment)
    }

    /// When `handle_timeout` is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What the owner should know; call until `None`, after `poll_transmit` gave `None`.
    pub fn poll_event(&mut self) -> Option<ConnectionEvent> {
        self.due.events.take()
    }

    /// In TIME-WAIT, after the last `poll_transmit`: the record that takes the connection's place in the stack. What was not
    /// read stays readable here.
    pub fn time_wait(&self, cx: &mut Cx<'_>) -> TimeWait {
        TimeWait::new(
            cx,
            &self.tuple,
            TimeWaitParts {
                iss: self.snd.iss,
                irs: self.rcv.irs,
                snd_nxt: self.snd.nxt,
                rcv_nxt: self.rcv.nxt,
                rcv_wnd: (self.rcv.wnd() >> self.rcv.wscale.unwrap_or(0)).min(0xffff) as u16,
                timestamps: self
                    .agreed
                    .timestamps
                    .then_some((self.agreed.timestamp_offset, self.rcv.ts_recent)),
                rcv_wscale: self.rcv.wscale.unwrap_or(0),
                tos: self.options.tos,
                hop_limit: self.options.hop_limit.unwrap_or(0),
            },
        )
    }
}

/// The one place where the state changes, and what every part of the connection needs.
impl Connection {
    pub(crate) fn enter(&mut self, cx: &mut Cx<'_>, cause: Cause) {
        let from = self.state;
        self.state = crate::state::enter(cx, &self.tuple, from, cause);
        match self.state {
            State::Established if from != State::Established => {
                self.due.events.set(ConnectionEvent::Established);
                self.due.events.set(ConnectionEvent::Writable);
                self.start_keepalive(cx);
            }
            State::FinWait2 => self.start_fin_wait_2(cx),
            State::TimeWait | State::Closed => self.finish(),
            _ => {}
        }
    }

    /// Nothing is sent of its own accord any more; what was received stays readable.
    fn finish(&mut self) {
        self.timers.stop_all();
        self.due.probe = false;
        self.due.keepalive = false;
        if self.state == State::Closed {
            self.snd.queue.clear();
            self.rcv.reassembly.clear();
            self.acks.cancel();
        }
        for event in [
            ConnectionEvent::Readable,
            ConnectionEvent::Writable,
            ConnectionEvent::Finished,
        ] {
            self.due.events.set(event);
        }
    }

    /// The connection is over before its time: the application is told (RFC 9293 MUST-12).
    pub(crate) fn fail(&mut self, cx: &mut Cx<'_>, cause: Cause, error: ConnectionError) {
        if self.life.error.is_none() {
            self.life.error = Some(error);
        }
        self.report(cx, Event::Error(error));
        self.enter(cx, cause);
    }

    /// A RST goes out with what we would send next (RFC 9293 3.10.5).
    pub(crate) fn reset_peer(&mut self) {
        if self.state.is_synchronized() || self.state == State::SynReceived {
            self.due.reset = Some((self.snd.max, Some(self.rcv.nxt)));
        }
    }

    pub(crate) fn arm(&mut self, cx: &mut Cx<'_>, timer: Timer, at: Instant) {
        self.timers.arm(timer, at);
        self.report(cx, Event::TimerArmed { timer, at });
    }

    pub(crate) fn report(&self, cx: &mut Cx<'_>, event: Event<'_>) {
        cx.report(&self.tuple, event);
    }

    fn report_segment(&self, cx: &mut Cx<'_>, segment: &SegmentIn) {
        cx.emit(&self.tuple, Interest::SEGMENT, || Event::SegmentIn {
            header: &segment.header,
            len: segment.payload.len(),
            state: self.state,
            variables: self.variables(),
        });
    }

    pub(crate) fn variables(&self) -> Variables {
        Variables {
            iss: self.snd.iss,
            snd_una: self.snd.una,
            snd_nxt: self.snd.nxt,
            snd_wnd: self.snd.wnd,
            irs: self.rcv.irs,
            rcv_nxt: self.rcv.nxt,
            rcv_wnd: self.rcv.wnd(),
            cwnd: self.congestion.window(),
        }
    }

    /// Invariants that hold after every verb.
    fn check(&self) {
        debug_assert!(
            self.snd.una.at_or_before(self.snd.nxt),
            "SND.UNA =< SND.NXT"
        );
        debug_assert!(
            self.snd.nxt.at_or_before(self.snd.max),
            "SND.NXT =< highest SND.NXT"
        );
        debug_assert!(
            self.state == State::Closed
                || self
                    .snd
                    .nxt
                    .at_or_before(self.snd.end() + u32::from(self.snd.una == self.snd.iss)),
            "nothing is sent that was not queued"
        );
        debug_assert!(
            self.congestion.window() > 0,
            "the congestion window is never closed"
        );
        debug_assert!(
            self.state != State::Closed || self.timers.next().is_none(),
            "no timer in CLOSED"
        );
        debug_assert!(
            self.rcv.reassembly.is_empty()
                || self.state.is_synchronized()
                || self.state == State::SynReceived,
            "text only when the peer's sequence numbers are known"
        );
        debug_assert!(
            !self.snd.is_fin_sent() || self.snd.fin,
            "a FIN is sent only when asked for"
        );
        debug_assert!(
            self.is_stalled_only_with_a_timer(),
            "something outstanding has a timer that will bring it on: {:?}",
            self
        );
    }

    /// What is outstanding always has the retransmission or the persist timer behind it, so that no connection hangs.
    fn is_stalled_only_with_a_timer(&self) -> bool {
        let ended = matches!(self.state, State::Closed | State::TimeWait);
        let outstanding = self.snd.una != self.snd.nxt;
        let resending = self.recovery.resend(self.snd.una).is_some();
        ended
            || !outstanding
            || resending
            || self.due.probe
            || self.timers.is_armed(Timer::Retransmit)
            || self.timers.is_armed(Timer::Persist)
    }
}
