//! Segments without text: RST, SYN, pure ACK, probes.

use crate::event::{RetransmitReason, Timer};
use crate::{Chunks, Connection, Cx, Event, SegmentOut, State};
use estab_wire::tcp::{Flags, Header, Options, SegmentOptions, UnscaledWindow};

impl Connection {
    /// A RST that is due (RFC 9293 3.5.2). It has no window, and no options but timestamps (RFC 7323); one that answers an
    /// unacceptable ACK has none at all.
    pub(super) fn reset_segment(&mut self, cx: &Cx<'_>) -> Option<SegmentOut> {
        let (seq, ack) = self.due.reset.take()?;
        let timestamps = ack.and_then(|_| self.timestamps(cx.now));
        let flags = if ack.is_some() {
            Flags::RST | Flags::ACK
        } else {
            Flags::RST
        };
        let header = Header {
            src_port: self.tuple.local.port(),
            dst_port: self.tuple.remote.port(),
            seq,
            ack: ack.unwrap_or_default(),
            flags,
            window: UnscaledWindow(0),
            urgent: 0,
            options: Options::Segment(SegmentOptions {
                timestamps,
                ..SegmentOptions::default()
            }),
        };
        Some(self.bare(header))
    }

    /// The SYN, or in a simultaneous open the SYN-ACK; only they carry an MSS (RFC 9293 3.7.1 MUST-65).
    pub(super) fn syn_segment(&mut self, cx: &mut Cx<'_>) -> Option<SegmentOut> {
        let first = self.snd.nxt == self.snd.iss;
        let again = self.recovery.resend(self.snd.una).is_some();
        if !first && !again {
            return None;
        }
        let answering = self.state == State::SynReceived;
        if first {
            self.snd.nxt += 1;
            self.snd.max = self.snd.nxt;
            self.timed = Some((self.snd.nxt, cx.now));
            self.progress_at = cx.now;
        } else {
            self.recovery.resent(self.snd.iss + 1);
            if self.retries > 0 {
                self.stats.retransmits += 1;
            }
        }
        let at = cx.now + self.rtt.rto(cx.settings);
        self.arm(cx, Timer::Retransmit, at);
        let window = self.rcv.announce_in_syn();
        let header = Header {
            src_port: self.tuple.local.port(),
            dst_port: self.tuple.remote.port(),
            seq: self.snd.iss,
            ack: if answering {
                self.rcv.nxt
            } else {
                Default::default()
            },
            flags: if answering {
                Flags::SYN | Flags::ACK
            } else {
                Flags::SYN
            },
            window,
            urgent: 0,
            options: Options::Syn(self.syn_options(cx)),
        };
        if answering {
            self.rcv.last_ack = self.rcv.nxt;
            self.acks.cancel();
        }
        Some(self.bare(header))
    }

    /// An ACK that is owed.
    pub(super) fn ack_segment(&mut self, cx: &mut Cx<'_>) -> Option<SegmentOut> {
        if self.acks.owed() == 0 {
            return None;
        }
        let header = self.header(cx, self.snd.nxt, Flags::ACK);
        Some(self.bare(header))
    }

    /// RFC 9293 3.8.4: a segment that the peer must answer because it lies before its window; it carries no text (SHLD-12).
    pub(super) fn keepalive_segment(&mut self, cx: &mut Cx<'_>) -> Option<SegmentOut> {
        if !core::mem::take(&mut self.due.keepalive) {
            return None;
        }
        let header = self.header(cx, self.snd.una - 1, Flags::ACK);
        Some(self.bare(header))
    }

    /// RFC 9293 3.8.6.1: one byte (or the FIN) beyond the closed window, that the peer must answer. With a window that is only too
    /// small, as much as it takes (3.8.6.2.1, the override of silly-window avoidance).
    pub(super) fn probe_segment(&mut self, cx: &mut Cx<'_>) -> Option<SegmentOut> {
        if !core::mem::take(&mut self.due.probe) {
            return None;
        }
        let again = self.snd.una != self.snd.nxt;
        let seq = if again { self.snd.una } else { self.snd.nxt };
        let room = if again { 1 } else { self.snd.usable().max(1) };
        let (mss, _) = self.payload_limits(1);
        let len = self.snd.end().since(seq).min(room).min(mss);
        if len == 0 {
            return None;
        }
        if again {
            self.timed = None;
            self.report(
                cx,
                Event::Retransmit {
                    seq,
                    len,
                    reason: RetransmitReason::Timeout,
                },
            );
        }
        Some(self.text_segment(cx, seq, len))
    }

    pub(super) fn bare(&self, header: Header) -> SegmentOut {
        SegmentOut {
            header,
            ip: self.ip_meta(),
            payload: Chunks::new(),
            segment_size: self.segment_size(),
        }
    }
}
