//! A script being written, with the connection's variables as the oracle has them at that point.

use super::oracle::{Answer, Outcome, Segment, State, Tcb, WINDOW, segment_arrives};
use std::fmt::Write as _;

/// The peer's window and its largest segment: what we send fills both.
pub(super) const PEER: u32 = 500;

pub(super) struct Script {
    text: String,
    /// As the events so far left them.
    pub(super) tcb: Tcb,
    /// The connection's descriptor.
    pub(super) fd: u8,
    /// How long the next event waits, so that whatever comes late (a delayed ACK) is seen to be missing.
    pause: &'static str,
}

impl Script {
    pub(super) fn new(tcb: Tcb) -> Self {
        Self {
            text: String::new(),
            tcb,
            fd: 3,
            pause: "+0",
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A comment, after an empty line.
    pub(super) fn section(&mut self, title: &str) {
        self.comment_line("");
        self.comment_line(&format!("// {title}"));
    }

    /// A line that is no event.
    pub(super) fn comment_line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    /// The next event waits.
    pub(super) fn wait(&mut self, pause: &'static str) {
        self.pause = pause;
    }

    /// An event, a call or a packet.
    pub(super) fn event(&mut self, event: &str) {
        let _ = writeln!(self.text, "{} {event}", self.pause);
        self.pause = "+0";
    }

    /// An event at a time of its own.
    pub(super) fn event_at(&mut self, time: &str, event: &str) {
        let _ = writeln!(self.text, "{time} {event}");
        self.pause = "+0";
    }

    /// A segment arrives, and gets what the oracle says.
    pub(super) fn arrives(&mut self, segment: Segment) -> Outcome {
        self.event(&format!("< {}", inbound(segment)));
        let out = segment_arrives(&self.tcb, segment);
        for answer in &out.answers {
            self.event(&format!("> {}", outbound(*answer, self.tcb.passive)));
        }
        if out.answers.is_empty() {
            self.wait("+0.05");
        }
        self.tcb = out.tcb;
        out
    }

    /// An ACK of all that we sent, at the place where the peer is.
    pub(super) fn peer_acknowledges(&mut self) -> Outcome {
        let segment = self.peer_segment(0, false);
        self.arrives(segment)
    }

    /// The peer's next segment, which acknowledges all that we sent.
    pub(super) fn peer_segment(&self, text: u32, fin: bool) -> Segment {
        Segment {
            syn: false,
            fin,
            rst: false,
            seq: self.tcb.rcv_nxt,
            ack: Some(self.tcb.snd_nxt),
            text,
        }
    }

    /// The application writes as much as the peer's window takes; it is sent at once.
    pub(super) fn write_and_send(&mut self) {
        self.write();
        self.sends_text();
    }

    /// The application writes.
    pub(super) fn write(&mut self) {
        let fd = self.fd;
        self.event(&format!("write({fd}, ..., {PEER}) = {PEER}"));
    }

    /// What was written is sent.
    pub(super) fn sends_text(&mut self) {
        let (first, ack) = (self.tcb.snd_nxt, self.tcb.rcv_nxt);
        let last = first + PEER;
        self.event(&format!("> P. {first}:{last}({PEER}) ack {ack}"));
        self.tcb.snd_nxt = last;
    }

    /// The application ends its half of the stream.
    pub(super) fn shut_down(&mut self) {
        let fd = self.fd;
        self.event(&format!("shutdown({fd}, SHUT_WR) = 0"));
        let (seq, ack) = (self.tcb.snd_nxt, self.tcb.rcv_nxt);
        self.event(&format!("> F. {seq}:{seq}(0) ack {ack}"));
        self.tcb.fin = Some(seq);
        self.tcb.snd_nxt = seq + 1;
        self.tcb.state = match self.tcb.state {
            State::CloseWait => State::LastAck,
            _ => State::FinWait1,
        };
    }

    /// Our FIN, which is not acknowledged, comes again when its time is over.
    pub(super) fn resends_fin(&mut self) {
        if let Some(fin) = self.tcb.fin {
            let ack = self.tcb.rcv_nxt;
            self.event_at("+0.1~+0.3", &format!("> F. {fin}:{fin}(0) ack {ack}"));
        }
    }

    /// The application reads so much; nothing is there yet when it is 0.
    pub(super) fn reads(&mut self, bytes: u32) {
        let fd = self.fd;
        self.event(&if bytes == 0 {
            format!("read({fd}, ..., 2000) = -1 EAGAIN (Resource temporarily unavailable)")
        } else {
            format!("read({fd}, ..., 2000) = {bytes}")
        });
    }

    /// The application meets the end of the stream.
    pub(super) fn reads_end(&mut self) {
        let fd = self.fd;
        self.event(&format!("read({fd}, ..., 2000) = 0"));
    }

    /// Of the pending error.
    pub(super) fn has_error(&mut self, error: &str) {
        let fd = self.fd;
        self.event(&format!(
            "getsockopt({fd}, SOL_SOCKET, SO_ERROR, [{error}], [4]) = 0"
        ));
    }
}

/// As the peer sends it.
fn inbound(segment: Segment) -> String {
    let mut flags = String::new();
    for (set, flag) in [
        (segment.fin, 'F'),
        (segment.syn, 'S'),
        (segment.rst, 'R'),
        (segment.text > 0, 'P'),
        (segment.ack.is_some(), '.'),
    ] {
        if set {
            flags.push(flag);
        }
    }
    if flags.is_empty() {
        flags.push('-');
    }
    let mut line = format!(
        "{flags} {}:{}({})",
        segment.seq,
        segment.seq + segment.text,
        segment.text
    );
    if let Some(ack) = segment.ack {
        let _ = write!(line, " ack {ack}");
    }
    let _ = write!(line, " win {PEER}");
    if segment.syn {
        let _ = write!(line, " <mss {PEER}>");
    }
    line
}

/// As it is expected of us.
fn outbound(answer: Answer, passive: bool) -> String {
    match answer {
        Answer::Ack { seq, ack } => format!(". {seq}:{seq}(0) ack {ack}"),
        Answer::SynAck { seq, ack } => {
            // That of a simultaneous open may repeat what the SYN offered.
            let options = if passive { "<mss 1460>" } else { "<...>" };
            format!("S. {seq}:{seq}(0) ack {ack} win {WINDOW} {options}")
        }
        Answer::Rst { seq } => format!("R {seq}:{seq}(0)"),
        Answer::RstAck { ack } => format!("R. 0:0(0) ack {ack}"),
    }
}
