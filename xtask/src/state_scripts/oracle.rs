//! What RFC 9293 section 3.10.7 (SEGMENT ARRIVES) demands, written down in its order and as plainly as there. It never looks at
//! the stack, so that the stack can be held against it.
//!
//! The numbers of the scripts are small: nothing wraps, and numbers are compared as they are.

mod exceptions;
mod other_states;
#[cfg(test)]
mod tests;

/// The window that a connection begins with, bytes.
pub(super) const WINDOW: u32 = 14_600;

/// The states of RFC 9293 section 3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Closed,
    Listen,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

/// The variables of RFC 9293 section 3.3.1 that decide on a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tcb {
    pub(super) state: State,
    /// It was opened by a passive OPEN.
    pub(super) passive: bool,
    pub(super) iss: u32,
    pub(super) irs: u32,
    pub(super) snd_una: u32,
    pub(super) snd_nxt: u32,
    pub(super) max_snd_wnd: u32,
    pub(super) rcv_nxt: u32,
    /// RCV.NXT+RCV.WND. Section 3.8.6.2.2 keeps it fixed while little was received, as in all of these scripts.
    pub(super) edge: u32,
    /// The number of our FIN, once it was sent.
    pub(super) fin: Option<u32>,
    /// What waits for the segments before it.
    pub(super) held: Option<Held>,
}

/// Text, and perhaps a FIN behind it, from `seq` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) seq: u32,
    pub(super) text: u32,
    pub(super) fin: bool,
}

/// A segment that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) seq: u32,
    /// SEG.ACK, when the ACK bit is set.
    pub(super) ack: Option<u32>,
    /// Bytes of text.
    pub(super) text: u32,
}

impl Segment {
    /// SEG.LEN: SYN and FIN count.
    fn len(self) -> u32 {
        self.text + u32::from(self.syn) + u32::from(self.fin)
    }
}

/// A segment that is sent in answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// `<SEQ=..><ACK=..><CTL=ACK>`
    Ack { seq: u32, ack: u32 },
    /// `<SEQ=..><ACK=..><CTL=SYN,ACK>`
    SynAck { seq: u32, ack: u32 },
    /// `<SEQ=..><CTL=RST>`
    Rst { seq: u32 },
    /// `<SEQ=0><ACK=..><CTL=RST,ACK>`: 0 is the number itself, not one counted from ISS.
    RstAck { ack: u32 },
}

/// What the application is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// "connection reset"
    Reset,
    /// "connection refused"
    Refused,
}

/// All that a segment brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The state and its variables afterwards.
    pub(super) tcb: Tcb,
    /// In their order; none is silence.
    pub(super) answers: Vec<Answer>,
    pub(super) signal: Option<Signal>,
    /// Bytes of text that can now be read.
    pub(super) delivered: u32,
    /// Clauses that decided, each with what it says.
    pub(super) because: Vec<&'static str>,
}

impl Outcome {
    fn begin(tcb: &Tcb) -> Self {
        Self {
            tcb: *tcb,
            answers: Vec::new(),
            signal: None,
            delivered: 0,
            because: Vec::new(),
        }
    }

    /// Notes the clause that decides.
    fn by(mut self, clause: &'static str) -> Self {
        self.because.push(clause);
        self
    }

    /// Sends a segment.
    fn send(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`
    fn send_ack(self) -> Self {
        let (seq, ack) = (self.tcb.snd_nxt, self.tcb.rcv_nxt);
        self.send(Answer::Ack { seq, ack })
    }

    fn enter(mut self, state: State) -> Self {
        self.tcb.state = state;
        self
    }

    fn signal(mut self, signal: Signal) -> Self {
        self.signal = Some(signal);
        self
    }
}

/// RFC 9293 section 3.10.7.
pub(super) fn segment_arrives(tcb: &Tcb, segment: Segment) -> Outcome {
    match tcb.state {
        State::Closed => closed(tcb, segment),
        State::Listen => listen(tcb, segment),
        State::SynSent => syn_sent(tcb, segment),
        _ => other_states::arrives(tcb, segment),
    }
}

/// RFC 9293 section 3.10.7.1.
fn closed(tcb: &Tcb, segment: Segment) -> Outcome {
    let out = Outcome::begin(tcb);
    if segment.rst {
        return out.by("RFC 9293 3.10.7.1: a segment containing a RST is discarded.");
    }
    match segment.ack {
        None => out
            .by("RFC 9293 3.10.7.1: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> answers what has no ACK.")
            .send(Answer::RstAck {
                ack: segment.seq + segment.len(),
            }),
        Some(seq) => out
            .by("RFC 9293 3.10.7.1: <SEQ=SEG.ACK><CTL=RST> answers what has an ACK.")
            .send(Answer::Rst { seq }),
    }
}

/// RFC 9293 section 3.10.7.2.
fn listen(tcb: &Tcb, segment: Segment) -> Outcome {
    let out = Outcome::begin(tcb);
    // First, check for a RST.
    if segment.rst {
        return out.by("RFC 9293 3.10.7.2, first: a RST is ignored.");
    }
    // Second, check for an ACK.
    if let Some(seq) = segment.ack {
        return out
            .by("RFC 9293 3.10.7.2, second: any ACK is bad and gets <SEQ=SEG.ACK><CTL=RST>.")
            .send(Answer::Rst { seq });
    }
    // Third, check for a SYN.
    if segment.syn {
        let mut out =
            out.by("RFC 9293 3.10.7.2, third: a SYN gets <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>.");
        if segment.fin {
            out = out.by(
                "Its FIN lies behind the SYN and is not acknowledged yet; the peer sends it again.",
            );
        }
        return synchronize(out, segment);
    }
    // Fourth, other data or control.
    out.by("RFC 9293 3.10.7.2, fourth: what has neither RST, ACK nor SYN is dropped.")
}

/// What a SYN brings about in LISTEN (3.10.7.2, third).
fn synchronize(mut out: Outcome, segment: Segment) -> Outcome {
    out.tcb.irs = segment.seq;
    out.tcb.rcv_nxt = segment.seq + 1;
    out.tcb.edge = out.tcb.rcv_nxt + WINDOW;
    out.tcb.snd_una = out.tcb.iss;
    out.tcb.snd_nxt = out.tcb.iss + 1;
    let (seq, ack) = (out.tcb.iss, out.tcb.rcv_nxt);
    out.send(Answer::SynAck { seq, ack })
        .enter(State::SynReceived)
}

/// RFC 9293 section 3.10.7.3.
fn syn_sent(tcb: &Tcb, segment: Segment) -> Outcome {
    let mut out = Outcome::begin(tcb);
    // First, check the ACK bit.
    if let Some(ack) = segment.ack
        && (ack <= tcb.iss || ack > tcb.snd_nxt)
    {
        if segment.rst {
            return out
                .by("RFC 9293 3.10.7.3, first: a RST whose ACK is not acceptable is dropped.");
        }
        return out
            .by("RFC 9293 3.10.7.3, first: an ACK that is not acceptable gets <SEQ=SEG.ACK><CTL=RST>; no SYN is sent before its time.")
            .send(Answer::Rst { seq: ack });
    }
    // Second, check the RST bit. RFC 5961's check of the sequence number has no RCV.NXT here to compare with.
    if segment.rst {
        return match segment.ack {
            Some(_) => out
                .by("RFC 9293 3.10.7.3, second: a RST with an acceptable ACK ends the connection; connect() is refused.")
                .signal(Signal::Refused)
                .enter(State::Closed),
            None => out.by("RFC 9293 3.10.7.3, second: a RST without an ACK is dropped."),
        };
    }
    // Third, check the security: not used. Fourth, check the SYN bit.
    if segment.syn {
        out.tcb.rcv_nxt = segment.seq + 1;
        out.tcb.edge = out.tcb.rcv_nxt + WINDOW;
        out.tcb.irs = segment.seq;
        if let Some(ack) = segment.ack {
            out.tcb.snd_una = ack;
        }
        if out.tcb.snd_una > out.tcb.iss {
            return out
                .by("RFC 9293 3.10.7.3, fourth: our SYN was acknowledged; ESTABLISHED, and <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.")
                .enter(State::Established)
                .send_ack();
        }
        let (seq, ack) = (out.tcb.iss, out.tcb.rcv_nxt);
        out = out.by(
            "RFC 9293 3.10.7.3, fourth: both opened; SYN-RECEIVED, and <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>.",
        );
        if segment.fin {
            out = out.by(
                "Its FIN lies behind the SYN and is not acknowledged yet; the peer sends it again.",
            );
        }
        return out
            .enter(State::SynReceived)
            .send(Answer::SynAck { seq, ack });
    }
    // Fifth, neither SYN nor RST.
    out.by("RFC 9293 3.10.7.3, fifth: what has neither SYN nor RST is dropped.")
}
