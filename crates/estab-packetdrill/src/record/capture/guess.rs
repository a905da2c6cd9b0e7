//! What explains the packets: settings and calls.

use super::{
    Called, Duration, Error, Instant, LiveSegment, Moment, Seen, Settings, Shutdown, SocketAddr,
    SocketOption, TcpOption, Verb, What, ends,
};

/// The socket that connects or listens, and the one that is accepted.
const SOCKET: usize = 0;
const ACCEPTED: usize = 1;

/// The settings with which the host would have sent such a SYN.
pub(super) fn settings(
    mut settings: Settings,
    own_syn: Option<&LiveSegment>,
    peer_syn: Option<&LiveSegment>,
) -> Settings {
    let Some(own) = own_syn else {
        return settings;
    };
    let has = |syn: &LiveSegment, is: fn(&TcpOption) -> bool| syn.options.iter().any(is);
    // An answer has only what was offered.
    let told =
        |is: fn(&TcpOption) -> bool| !own.flags.ack || peer_syn.is_some_and(|peer| has(peer, is));
    let is_stamp: fn(&TcpOption) -> bool = |option| matches!(option, TcpOption::Timestamp { .. });
    let is_scale: fn(&TcpOption) -> bool = |option| matches!(option, TcpOption::WindowScale(_));
    if told(is_stamp) {
        settings.tcp_timestamps = has(own, is_stamp);
    }
    if told(|option| *option == TcpOption::SackOk) {
        settings.tcp_sack = has(own, |option| *option == TcpOption::SackOk);
    }
    if told(is_scale) {
        settings.tcp_window_scaling = has(own, is_scale);
    }
    let shift = own.options.iter().find_map(|option| match option {
        TcpOption::WindowScale(shift) => Some(*shift),
        _ => None,
    });
    let fits = |shift: u8, bytes: u32| (u32::from(u16::MAX) << shift.min(14)) >= bytes;
    if let Some(shift) = shift {
        let largest = settings.tcp_rmem.1;
        let same = fits(shift, largest) && (shift == 0 || !fits(shift - 1, largest));
        if !same {
            settings.tcp_rmem.1 = u32::from(u16::MAX) << shift.min(14);
        }
    }
    if own.window < u16::MAX {
        settings.tcp_rmem.0 = own.window.into();
    }
    settings
}

/// Packets, with calls among them.
pub(super) fn moments(seen: &[Seen], no_delay: bool, reads: bool) -> Vec<Moment> {
    let mut guesser = Guesser {
        moments: Vec::new(),
        reads,
        socket: SOCKET,
        sent: 0,
        isn: 0,
        next: None,
        ahead: Vec::new(),
        write: None,
        fins: (false, false),
        closes: refuses_after_its_end(seen),
        reset: false,
        accepting: false,
        connecting: None,
    };
    guesser.open(seen, no_delay);
    for (index, one) in seen.iter().enumerate() {
        let answers = index.checked_sub(1).and_then(|before| seen.get(before));
        let answers = answers.is_some_and(|before| !before.outbound && before.time == one.time);
        guesser.packet(one, answers);
    }
    guesser.close(seen);
    guesser.moments
}

struct Guesser {
    moments: Vec<Moment>,
    reads: bool,
    socket: usize,
    /// Beyond the highest sequence number that the host sent.
    sent: u32,
    isn: u32,
    /// What the host awaits next.
    next: Option<u32>,
    /// What came before its turn.
    ahead: Vec<(u32, u32)>,
    /// The call that is being written, by its place.
    write: Option<usize>,
    fins: (bool, bool),
    /// It ends by closing, not by shutting its side down.
    closes: bool,
    reset: bool,
    accepting: bool,
    /// To this, when the first SYN goes out.
    connecting: Option<SocketAddr>,
}

impl Guesser {
    fn call(&mut self, time: Duration, socket: usize, verb: Verb, result: Result<usize, Error>) {
        self.moments.push(Moment {
            time,
            what: What::Called(Called {
                time: Instant::ZERO + time,
                after: 0,
                socket,
                verb,
                result,
            }),
        });
    }

    /// What comes before the first packet.
    fn open(&mut self, seen: &[Seen], no_delay: bool) {
        let first = seen.first();
        let Some((own, peer)) = first.and_then(|first| ends(first.outbound, &first.live)) else {
            return;
        };
        let socket = Verb::Socket { udp: false };
        let segments = || {
            seen.iter()
                .filter_map(|seen| Some((seen.outbound, seen.segment()?)))
        };
        let connects = segments()
            .any(|(outbound, segment)| outbound && segment.flags.syn && !segment.flags.ack);
        let listens = segments()
            .any(|(outbound, segment)| outbound && segment.flags.syn && segment.flags.ack);
        let option = Verb::Option(SocketOption::NoDelay(true));
        // Neither: the host refuses, and has no socket.
        if connects {
            self.call(Duration::ZERO, SOCKET, socket, Ok(0));
            if no_delay {
                self.call(Duration::ZERO, SOCKET, option, Ok(0));
            }
            self.connecting = Some(peer);
        } else if listens {
            self.call(Duration::ZERO, SOCKET, socket, Ok(0));
            if no_delay {
                self.call(Duration::ZERO, SOCKET, option, Ok(0));
            }
            self.call(Duration::ZERO, SOCKET, Verb::Bind(own.port()), Ok(0));
            self.call(Duration::ZERO, SOCKET, Verb::Listen(8), Ok(0));
            self.accepting = true;
        }
    }

    fn packet(&mut self, seen: &Seen, answers: bool) {
        let push = |moments: &mut Vec<Moment>| {
            moments.push(Moment {
                time: seen.time,
                what: What::Packet {
                    outbound: seen.outbound,
                    live: seen.live.clone(),
                },
            });
        };
        match (seen.segment(), seen.outbound) {
            (Some(segment), true) => {
                self.before_sending(seen.time, segment, answers);
                push(&mut self.moments);
            }
            (Some(segment), false) => {
                push(&mut self.moments);
                self.after_receiving(seen.time, segment);
            }
            (None, _) => push(&mut self.moments),
        }
    }

    /// The calls that made it send this.
    fn before_sending(&mut self, time: Duration, segment: &LiveSegment, answers: bool) {
        if let Some(peer) = self.connecting.take() {
            self.call(time, SOCKET, Verb::Connect(peer), Err(Error::InProgress));
        }
        if segment.flags.syn {
            self.isn = segment.seq;
            self.sent = segment.seq.wrapping_add(1);
        }
        if segment.flags.rst {
            if !answers && !self.reset && self.next.is_some() {
                self.call(time, self.socket, Verb::Abort, Ok(0));
            }
            self.reset = true;
            return;
        }
        let start = segment.seq.wrapping_add(segment.flags.syn.into());
        let end = start.wrapping_add(segment.len);
        let new = end.wrapping_sub(self.sent).cast_signed();
        let begun = self.write;
        if let Ok(new @ 1..) = usize::try_from(new) {
            self.sent = end;
            self.wrote(time, new);
            if segment.flags.psh && !segment.flags.fin {
                self.write = None;
            }
        }
        if segment.flags.fin && !self.fins.0 {
            self.fins.0 = true;
            self.sent = end.wrapping_add(1);
            self.ended(time, begun);
        }
    }

    /// It ended its stream, before anything of its last write went out that had to wait.
    fn ended(&mut self, time: Duration, begun: Option<usize>) {
        let verb = if self.closes {
            Verb::Close
        } else {
            Verb::Shutdown(Shutdown::Write)
        };
        let Some(write) = self.write.take() else {
            return self.call(time, self.socket, verb, Ok(0));
        };
        let Some(Moment {
            time: wrote,
            what: What::Called(called),
        }) = self.moments.get_mut(write)
        else {
            return;
        };
        if begun.is_none()
            && let Verb::Send { more, .. } = &mut called.verb
        {
            // Else it would go out without the end.
            *more = true;
        }
        let wrote = *wrote;
        self.call(wrote, self.socket, verb, Ok(0));
        if let Some(ended) = self.moments.pop() {
            self.moments.insert(write + 1, ended);
        }
    }

    /// So much more was written, in the call that has begun or in a new one.
    fn wrote(&mut self, time: Duration, more: usize) {
        let begun = self.write.and_then(|write| self.moments.get_mut(write));
        if let Some(Moment {
            what: What::Called(called),
            ..
        }) = begun
            && let Verb::Send { len, .. } = &mut called.verb
        {
            *len += more;
            called.result = Ok(*len);
            return;
        }
        self.write = Some(self.moments.len());
        let verb = Verb::Send {
            len: more,
            urgent: false,
            more: false,
        };
        self.call(time, self.socket, verb, Ok(more));
    }

    /// The calls that follow what came.
    fn after_receiving(&mut self, time: Duration, segment: &LiveSegment) {
        if segment.flags.rst {
            self.reset = true;
            return;
        }
        if segment.flags.syn {
            self.next.get_or_insert_with(|| segment.seq.wrapping_add(1));
        }
        if self.accepting && segment.flags.ack && segment.ack == self.isn.wrapping_add(1) {
            self.accepting = false;
            self.socket = ACCEPTED;
            self.call(time, ACCEPTED, Verb::Accept(SOCKET), Ok(0));
        }
        let Some(next) = self.next else {
            return;
        };
        let start = segment.seq.wrapping_add(segment.flags.syn.into());
        let end = start.wrapping_add(segment.len);
        self.fins.1 |= segment.flags.fin;
        self.ahead.push((start, end));
        let mut reached = next;
        while let Some(at) = self
            .ahead
            .iter()
            .position(|(start, _)| reached.wrapping_sub(*start).cast_signed() >= 0)
        {
            let (_, end) = self.ahead.swap_remove(at);
            if end.wrapping_sub(reached).cast_signed() > 0 {
                reached = end;
            }
        }
        self.next = Some(reached);
        let came = usize::try_from(reached.wrapping_sub(next)).unwrap_or(0);
        if came > 0 && self.reads && !self.accepting {
            let verb = Verb::Receive {
                room: came,
                urgent: false,
            };
            self.call(time, self.socket, verb, Ok(came));
        }
    }

    /// When both have ended, nobody needs the socket.
    fn close(&mut self, seen: &[Seen]) {
        let last = seen.last().map_or(Duration::ZERO, |seen| seen.time);
        if self.fins == (true, true) && !self.reset && !self.closes {
            self.call(last, self.socket, Verb::Close, Ok(0));
        }
    }
}

/// Did it refuse what came after its own end? Then nobody was there any more to take it.
fn refuses_after_its_end(seen: &[Seen]) -> bool {
    let segments = || {
        seen.iter()
            .filter_map(|seen| Some((seen.outbound, seen.segment()?)))
    };
    let mut after = segments().skip_while(|(outbound, segment)| !(*outbound && segment.flags.fin));
    let more_came = after.any(|(outbound, segment)| !outbound && segment.len > 0);
    more_came && after.any(|(outbound, segment)| outbound && segment.flags.rst)
}
