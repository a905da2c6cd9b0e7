//! SYN-SENT and SYN-RECEIVED of a full connection (RFC 9293 sections 3.5 and 3.10.7.3): segment in, disposition out.

use crate::event::{DropReason, Event, RetransmitReason, Timer};
use crate::input::text;
use crate::options::MIN_MSS;
use crate::{Cause, Connection, ConnectionError, Cx, FourTuple, SegmentIn, State};
use estab_wire::tcp::{Flags, Header, Options, SeqNum, SynOptions, Timestamps};

/// What the peer's SYN offered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    pub(crate) mss: Option<u16>,
    pub(crate) window_scale: Option<u8>,
    pub(crate) sack: bool,
    pub(crate) timestamps: Option<Timestamps>,
}

impl Offer {
    pub(crate) fn of(header: &Header) -> Self {
        match &header.options {
            Options::Syn(options) => Self {
                // No segment is empty: it is as if the option were not there.
                mss: options.mss.filter(|mss| *mss > 0),
                window_scale: options.window_scale,
                sack: options.sack_permitted,
                timestamps: options.timestamps,
            },
            Options::Segment(_) => Self {
                mss: None,
                window_scale: None,
                sack: false,
                timestamps: None,
            },
        }
    }
}

/// What SYN-SENT makes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    /// Not used.
    Drop(DropReason),
    /// An unacceptable ACK: answer with RST at this sequence number.
    Reset(SeqNum),
    /// The peer refuses.
    Refused,
    /// Both ends' SYNs crossed.
    SynReceived,
    /// Our SYN is acknowledged by the peer's.
    Established,
}

/// RFC 9293 3.10.7.3, its five steps in order.
fn syn_sent(header: &Header, iss: SeqNum, snd_nxt: SeqNum) -> Disposition {
    let acceptable_ack = header.ack.after(iss) && header.ack.at_or_before(snd_nxt);
    if header.flags.ack() && !acceptable_ack {
        return if header.flags.rst() {
            Disposition::Drop(DropReason::UnacceptableAck)
        } else {
            Disposition::Reset(header.ack)
        };
    }
    if header.flags.rst() {
        // Without an ACK nothing shows that the RST answers our SYN.
        return if header.flags.ack() {
            Disposition::Refused
        } else {
            Disposition::Drop(DropReason::InvalidRst)
        };
    }
    match (header.flags.syn(), header.flags.ack()) {
        (true, true) => Disposition::Established,
        (true, false) => Disposition::SynReceived,
        (false, _) => Disposition::Drop(DropReason::NotSyn),
    }
}

impl Connection {
    /// SEGMENT ARRIVES in SYN-SENT.
    pub(crate) fn arrives_in_syn_sent(&mut self, cx: &mut Cx<'_>, segment: SegmentIn) {
        match syn_sent(&segment.header, self.snd.iss, self.snd.max) {
            Disposition::Drop(reason) => self.report_drop(cx, reason, &segment),
            Disposition::Reset(seq) => {
                self.due.reset = Some((seq, None));
                self.report_drop(cx, DropReason::UnacceptableAck, &segment);
            }
            Disposition::Refused => self.fail(cx, Cause::ReceiveRst, ConnectionError::Refused),
            Disposition::SynReceived => self.syn_crossed(cx, &segment),
            Disposition::Established => self.syn_acknowledged(cx, segment),
        }
    }

    /// A bare SYN (RFC 9293 3.5 MUST-10): simultaneous open. Our SYN goes out again, now with an ACK.
    fn syn_crossed(&mut self, cx: &mut Cx<'_>, segment: &SegmentIn) {
        self.synchronize(cx, segment);
        self.snd.set_window(
            u32::from(segment.header.window.0),
            segment.header.seq,
            self.snd.iss,
        );
        self.enter(cx, Cause::ReceiveSyn);
        // It is sent again because the peer's SYN came, not because ours was lost.
        self.recovery.resend_all(self.snd.una, self.snd.nxt);
        self.timed = None;
    }

    /// SYN-ACK: the connection is open, and the text that may have come with it is processed.
    fn syn_acknowledged(&mut self, cx: &mut Cx<'_>, mut segment: SegmentIn) {
        self.synchronize(cx, &segment);
        self.heard_at = cx.now;
        self.snd.set_window(
            u32::from(segment.header.window.0),
            segment.header.seq,
            segment.header.ack,
        );
        self.our_syn_is_acknowledged(
            cx,
            segment.header.ack,
            Offer::of(&segment.header).timestamps,
        );
        self.timers.stop(Timer::User);
        self.enter(cx, Cause::ReceiveSynAck);
        self.acks.owe_now();
        strip_syn(&mut segment);
        text::process(self, cx, segment);
    }

    /// IRS, the options, and the first window.
    fn synchronize(&mut self, cx: &mut Cx<'_>, segment: &SegmentIn) {
        self.rcv.synchronize(segment.header.seq);
        let offer = Offer::of(&segment.header);
        self.take_offer(cx, &offer);
        self.rcv.wscale = match offer.window_scale {
            Some(_) if cx.settings.tcp_window_scaling => Some(self.window_scale_to_offer(cx)),
            _ => None,
        };
        // What our SYN announced holds from the peer's first byte on.
        self.rcv.edge = self.rcv.nxt + self.rcv.room().min(0xffff);
    }

    /// What both offered is agreed.
    pub(crate) fn take_offer(&mut self, cx: &mut Cx<'_>, offer: &Offer) {
        // RFC 7323: a shift above 14 is taken as 14.
        let both_scale = offer
            .window_scale
            .filter(|_| cx.settings.tcp_window_scaling);
        self.snd.wscale = both_scale.map(|shift| shift.min(14));
        self.agreed.sack = offer.sack && cx.settings.tcp_sack;
        self.agreed.timestamps = offer.timestamps.is_some() && cx.settings.tcp_timestamps;
        if let Some(timestamps) = offer.timestamps {
            self.rcv.ts_recent = timestamps.value;
            self.rcv.ts_recent_at = cx.now;
        }
        // RFC 9293 3.7.1 MUST-15: without the option 536, or 1220 over IPv6.
        self.snd.peer_mss = offer.mss.unwrap_or_else(|| default_mss(&self.tuple));
        self.update_mss();
        self.congestion =
            crate::congestion::Congestion::new(self.options.congestion, self.snd.mss, cx.settings);
        self.rcv.mss = self.rcv.mss.min(u32::from(self.rcv.announced_mss));
    }

    /// An ACK covers our SYN: the round trip is measured, and what the handshake lost is remembered.
    pub(crate) fn our_syn_is_acknowledged(
        &mut self,
        cx: &mut Cx<'_>,
        ack: SeqNum,
        timestamps: Option<Timestamps>,
    ) {
        self.measure(cx, ack, timestamps);
        if self.retries > 0 {
            self.syn_was_resent();
        }
        self.snd.acknowledge(self.snd.iss + 1);
        self.recovery.advanced(self.snd.una);
        self.retries = 0;
        self.life.soft_error = None;
        self.rtt.end_back_off();
        self.progress_at = cx.now;
        self.timers.stop(Timer::Retransmit);
    }

    /// RFC 6298 5.7 and RFC 5681: a lost SYN makes the first data careful.
    pub(crate) fn syn_was_resent(&mut self) {
        self.rtt.syn_was_resent();
        self.congestion.syn_was_resent();
    }

    /// Eff.snd.MSS (RFC 9293 3.7.1 MUST-16): the least of what the peer, the path and the application allow, less the options
    /// that every segment carries.
    pub(crate) fn update_mss(&mut self) {
        let allowed = self
            .snd
            .peer_mss
            .min(self.path_mss)
            .min(self.options.max_segment.unwrap_or(u16::MAX));
        let options = if self.agreed.timestamps { 12 } else { 0 };
        self.snd.mss = u32::from(allowed).saturating_sub(options).max(MIN_MSS);
        self.congestion.set_mss(self.snd.mss);
    }

    /// RFC 9293 3.7.1 MUST-67: what we can receive in one segment; `TCP_MAXSEG` lowers it.
    pub(crate) fn mss_to_announce(&self) -> u16 {
        self.path_mss
            .min(self.options.max_segment.unwrap_or(u16::MAX))
    }

    /// The shift that lets the window grow to the largest buffer (RFC 7323).
    pub(crate) fn window_scale_to_offer(&self, cx: &Cx<'_>) -> u8 {
        window_scale(self.receive_limit_max(cx))
    }

    // RFC 9293 3.7.1 MUST-14, SHLD-5, MAY-3: the MSS always.
    /// The options of our SYN or SYN-ACK.
    pub(crate) fn syn_options(&self, cx: &Cx<'_>) -> SynOptions {
        let answering = self.state == State::SynReceived;
        let window_scale = if answering {
            self.rcv.wscale
        } else {
            cx.settings
                .tcp_window_scaling
                .then(|| self.window_scale_to_offer(cx))
        };
        SynOptions {
            mss: Some(self.rcv.announced_mss),
            window_scale,
            sack_permitted: if answering {
                self.agreed.sack
            } else {
                cx.settings.tcp_sack
            },
            timestamps: self.timestamps(cx.now),
        }
    }

    /// SYN-RECEIVED: the SYN-ACK that answers ours in a simultaneous open stands one before RCV.NXT. By the letter of
    /// 3.10.7.4 it would be answered with an ACK; as it says all that the final ACK would say, it is taken as that.
    pub(crate) fn is_crossed_syn_ack(&self, header: &Header) -> bool {
        self.state == State::SynReceived
            && header.flags.contains(Flags::SYN | Flags::ACK)
            && header.seq == self.rcv.irs
            && header.ack == self.snd.iss + 1
    }

    /// The peer did not get our ACK of its SYN-ACK, and sends that again.
    pub(crate) fn is_repeated_syn_ack(&self, header: &Header) -> bool {
        self.state.is_synchronized()
            && header.flags.contains(Flags::SYN | Flags::ACK)
            && header.seq == self.rcv.irs
            && header.ack == self.snd.iss + 1
    }

    // RFC 9293 3.8.3 MUST-22, MUST-23.
    /// Our SYN, or SYN-ACK, must be sent again when the timer fires.
    pub(crate) fn syn_timed_out(&mut self, cx: &mut Cx<'_>) {
        let limit = match self.state {
            State::SynSent => self
                .options
                .syn_retries
                .unwrap_or(cx.settings.tcp_syn_retries),
            _ => cx.settings.tcp_synack_retries,
        };
        if self.retries >= limit {
            let error = self.life.soft_error.unwrap_or(ConnectionError::TimedOut);
            return self.fail(cx, Cause::Timeout, error);
        }
        self.retries += 1;
        self.rtt.back_off();
        self.timed = None;
        self.recovery.resend_all(self.snd.iss, self.snd.iss + 1);
        self.report(
            cx,
            Event::Retransmit {
                seq: self.snd.iss,
                len: 1,
                reason: RetransmitReason::Timeout,
            },
        );
    }

    /// The caller's time for connecting is over.
    pub(crate) fn connect_timed_out(&mut self, cx: &mut Cx<'_>) {
        self.reset_peer();
        self.fail(cx, Cause::Timeout, ConnectionError::TimedOut);
    }
}

/// MSS of a peer that announced none (RFC 9293 3.7.1 MUST-15).
pub(crate) fn default_mss(tuple: &FourTuple) -> u16 {
    if tuple.remote.is_ipv4() { 536 } else { 1220 }
}

/// A segment as it would be without its SYN.
pub(crate) fn strip_syn(segment: &mut SegmentIn) {
    segment.header.seq += 1;
    segment.header.flags = segment.header.flags.without(Flags::SYN);
}

/// The smallest shift with which a window of `limit` bytes can be announced.
pub(crate) fn window_scale(limit: u32) -> u8 {
    let bits = 32 - (limit >> 16).leading_zeros();
    bits.min(14) as u8
}
