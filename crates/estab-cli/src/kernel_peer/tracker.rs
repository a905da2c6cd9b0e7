//! The state of one of the kernel's connections, told by the segments that it sends and receives.
//!
//! The kernel shows the states of sockets (`TCP_INFO`), but not those of what no socket holds: half-open connections,
//! orphans, TIME-WAIT. All of them follow from the segments, which all pass us, through the same table as estab's own states.

use estab_tcp::event::Variables;
use estab_tcp::{Cause, Header, SeqNum, State};

/// A change of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) cause: Cause,
}

/// One connection of the kernel.
#[derive(Debug)]
pub(crate) struct Tracker {
    state: State,
    variables: Variables,
    /// Sequence number of its FIN, once sent.
    fin: Option<SeqNum>,
    /// Sequence number of the peer's FIN, once seen.
    peer_fin: Option<SeqNum>,
    /// What was received beyond RCV.NXT: from, to.
    ahead: Vec<(SeqNum, SeqNum)>,
    /// Shifts of the windows that each end announces after its SYN; they count when both sent one.
    shift: Option<u8>,
    peer_shift: Option<u8>,
    changes: Vec<Change>,
}

impl Tracker {
    /// A connection in this state: CLOSED, or LISTEN when somebody listens on its port.
    pub(crate) fn new(state: State) -> Self {
        Self {
            state,
            variables: Variables::default(),
            fin: None,
            peer_fin: None,
            ahead: Vec::new(),
            shift: None,
            peer_shift: None,
            changes: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn variables(&self) -> Variables {
        self.variables
    }

    /// The changes since this was last asked.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Goes where this cause leads, if it leads anywhere.
    pub(crate) fn enter(&mut self, cause: Cause) {
        if let Some(to) = self.state.next(cause) {
            self.changes.push(Change {
                from: self.state,
                to,
                cause,
            });
            self.state = to;
        }
    }

    /// The kernel sends this segment.
    pub(crate) fn sends(&mut self, header: &Header, len: usize) {
        let flags = header.flags;
        if flags.rst() {
            return self.enter(Cause::Abort);
        }
        let mut end = header.seq + u32::try_from(len).unwrap_or(u32::MAX);
        if flags.syn() {
            if !flags.ack() {
                self.enter(Cause::ActiveOpen);
            }
            self.variables.iss = header.seq;
            self.variables.snd_una = header.seq;
            self.shift = shift_of(header);
            end += 1;
        }
        if flags.fin() {
            self.fin = Some(end);
            end += 1;
            if matches!(
                self.state,
                State::SynReceived | State::Established | State::CloseWait
            ) {
                self.enter(Cause::Close);
            }
        }
        let next = &mut self.variables.snd_nxt;
        *next = if flags.syn() { end } else { next.max(end) };
        if flags.ack() {
            self.variables.rcv_wnd = window(header, self.shift, self.peer_shift);
        }
    }

    /// The kernel receives this segment.
    pub(crate) fn receives(&mut self, header: &Header, len: usize) {
        let flags = header.flags;
        if flags.rst() {
            let exact = header.seq == self.variables.rcv_nxt;
            let answers_syn = flags.ack() && header.ack == self.variables.snd_nxt;
            match self.state {
                State::SynSent if answers_syn => self.enter(Cause::ReceiveRst),
                State::Closed | State::Listen | State::SynSent => {}
                _ if exact => self.enter(Cause::ReceiveRst),
                _ => {}
            }
            return;
        }
        if flags.syn() && !self.receives_syn(header) {
            return;
        }
        if !matches!(self.state, State::Closed | State::Listen) {
            self.receives_ack(header);
            self.receives_text(header, len);
        }
    }

    /// False when the segment means nothing more.
    fn receives_syn(&mut self, header: &Header) -> bool {
        let acked = header.flags.ack() && header.ack == self.variables.snd_nxt;
        let cause = match self.state {
            State::Listen if !header.flags.ack() => Cause::ReceiveSyn,
            State::SynSent if acked => Cause::ReceiveSynAck,
            State::SynSent if !header.flags.ack() => Cause::ReceiveSyn,
            // The SYN-ACK of a simultaneous open: its ACK counts.
            State::SynReceived => return true,
            State::TimeWait if !header.flags.ack() && header.seq.after(self.variables.rcv_nxt) => {
                Cause::NewIncarnation
            }
            _ => return false,
        };
        self.enter(cause);
        if cause == Cause::NewIncarnation {
            self.enter(Cause::PassiveOpen);
            self.enter(Cause::ReceiveSyn);
            (self.fin, self.peer_fin) = (None, None);
            self.ahead.clear();
        }
        self.variables.irs = header.seq;
        self.variables.rcv_nxt = header.seq + 1;
        self.peer_shift = shift_of(header);
        true
    }

    fn receives_ack(&mut self, header: &Header) {
        if !header.flags.ack() {
            return;
        }
        let variables = &mut self.variables;
        if header.ack.after(variables.snd_nxt) || header.ack.before(variables.snd_una) {
            return;
        }
        variables.snd_una = header.ack;
        variables.snd_wnd = window(header, self.peer_shift, self.shift);
        if self.state == State::SynReceived && header.ack.after(self.variables.iss) {
            self.enter(Cause::ReceiveAckOfSyn);
        }
        let fin_acked = self.fin.is_some_and(|fin| header.ack.after(fin));
        if fin_acked
            && matches!(
                self.state,
                State::FinWait1 | State::Closing | State::LastAck
            )
        {
            self.enter(Cause::ReceiveAckOfFin);
        }
    }

    fn receives_text(&mut self, header: &Header, len: usize) {
        let start = if header.flags.syn() {
            header.seq + 1
        } else {
            header.seq
        };
        let end = start + u32::try_from(len).unwrap_or(u32::MAX);
        if header.flags.fin() {
            self.peer_fin = Some(end);
        }
        if end.after(start) && self.ahead.len() < 1024 {
            self.ahead.push((start, end));
        }
        let next = &mut self.variables.rcv_nxt;
        while let Some(at) = self
            .ahead
            .iter()
            .position(|(start, _)| start.at_or_before(*next))
        {
            *next = next.max(self.ahead.swap_remove(at).1);
        }
        if self.peer_fin == Some(*next) {
            *next += 1;
            self.enter(Cause::ReceiveFin);
        }
    }
}

fn shift_of(syn: &Header) -> Option<u8> {
    match &syn.options {
        estab_wire::tcp::Options::Syn(options) => options.window_scale,
        estab_wire::tcp::Options::Segment(_) => None,
    }
}

/// A window in bytes: scaled when both ends agreed to, and never in a SYN (RFC 7323).
fn window(header: &Header, sender: Option<u8>, receiver: Option<u8>) -> u32 {
    let shift = match (sender, receiver) {
        (Some(shift), Some(_)) if !header.flags.syn() => shift.min(14),
        _ => 0,
    };
    u32::from(header.window.0) << shift
}

#[cfg(test)]
mod tests;
